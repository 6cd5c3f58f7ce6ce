"""What the log centre is told of reports; what people wrote and their numbers are never among it."""

from services.kernel.logs.spec import Tracked

TRACKED = (
    Tracked(
        kind="place_report",
        title="机构纠错",
        model="finder.PlaceReport",
        fields={"what": "哪里不对", "state": "状态", "due_on": "最晚答复", "facility_id": "机构编号"},
        name="facility_id",
        region="region_id",
        history=True,
        instead="打开这条报告，选“重新核对”。",
        page="/desk/place-reports/{id}",
    ),
)
