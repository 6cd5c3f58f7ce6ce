"""What platforms of districts may do with institutions for the elderly: read them, and report places and vacancies."""

from services.access.clients.spec import Operation

OPERATIONS = (
    Operation(
        key="institutions.read",
        title="查询养老机构",
        method="GET",
        route="/api/v1/platform/institutions",
        required=("region",),
        optional=("organisation",),
        free=("after", "limit"),
        duties=("facilities.view",),
    ),
    Operation(
        key="vacancies.report",
        title="填报养老机构余位",
        method="POST",
        route="/api/v1/platform/institutions/{institution_id}/vacancies",
        required=("organisation",),
        duties=("facilities.report",),
    ),
)
