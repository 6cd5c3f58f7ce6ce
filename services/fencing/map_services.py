"""The functions of fences in the catalogue."""

from layers.spec import ServiceSpec

SERVICES = (
    ServiceSpec(
        key="fences_check",
        title="位置在哪些围栏内",
        category="assign",
        summary="一次问一个或一批位置、地址，逐项回答在哪些围栏内、离边界多少米；位置不保存。",
        path="/api/v1/fences/check",
        method="POST",
        example={"items": [{"lon": "{lon}", "lat": "{lat}"}]},
    ),
    ServiceSpec(
        key="select",
        title="圈选",
        category="assign",
        summary="按区划、围栏、自定义图形、几分钟能到的范围圈选，给出机构清单和统计。",
        path="/api/v1/select",
        method="POST",
        example={"circle": {"lon": "{lon}", "lat": "{lat}", "radius_m": 800}, "limit": 3},
        page="/plan/select",
        duty="resources.select",
    ),
)
