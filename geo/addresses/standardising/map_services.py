"""The functions of lists of addresses in the catalogue."""

from layers.spec import ServiceSpec

SERVICES = (
    ServiceSpec(
        key="standardise",
        title="批量规范地址",
        category="locate",
        summary="把最多 10,000 个地址逐行规范：规范写法、各个成分、坐标、误差半径、状态和原因。",
        path="/api/v1/addresses/standardise",
        method="POST",
        example={"items": ["{address}"]},
        page="/tools/standardise",
    ),
)
