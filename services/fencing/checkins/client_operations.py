"""What platforms of service centres may do: report check-ins made on telephones of theirs, and read what they came to."""

from services.access.clients.spec import Operation
from services.fencing.checkins.duties import REPORT, VIEW

OPERATIONS = (
    Operation(
        key="checkins.read",
        title="查询上门打卡",
        method="GET",
        route="/api/v1/checkins",
        required=("organisation",),
        free=("day", "after", "limit"),
        duties=(VIEW,),
    ),
    Operation(
        key="checkins.report",
        title="上报上门打卡",
        method="POST",
        route="/api/v1/checkins",
        required=("organisation",),
        duties=(VIEW, REPORT),
    ),
)
