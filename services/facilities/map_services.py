"""The functions of places in the catalogue."""

from layers.spec import ServiceSpec

SERVICES = (
    ServiceSpec(
        key="suggest",
        title="边输入边提示",
        category="find",
        summary="一个搜索框找设施、小区、道路、门牌和区划，汉字、拼音和首字母都可以。",
        path="/api/v1/suggest",
        example={"q": "{name}"},
    ),
    ServiceSpec(
        key="circle",
        title="15 分钟圈",
        category="find",
        summary="从一个位置出发，在给定分钟内走得到的范围和其中的设施，按路上的时间由近到远。",
        path="/api/v1/circle",
        example={"lon": "{lon}", "lat": "{lat}", "minutes": 15, "mode": "walk", "kinds": "{kind}"},
        page="/",
    ),
    ServiceSpec(
        key="nearest",
        title="离得最近的设施",
        category="find",
        summary="一个位置周围走得到的设施，最近的在前。",
        path="/api/v1/nearest",
        example={"lon": "{lon}", "lat": "{lat}", "kinds": "{kind}"},
    ),
    ServiceSpec(
        key="route",
        title="去一家设施怎么走",
        category="find",
        summary="从一个位置到一家设施最快的走法，分钟和米数与 15 分钟圈里的一致。",
        path="/api/v1/route",
        example={"lon": "{lon}", "lat": "{lat}", "place": "{place}", "mode": "walk"},
    ),
    ServiceSpec(
        key="places_list",
        title="设施列表",
        category="find",
        summary="按类别、区划和条件列出设施，一页一页取。",
        path="/api/v1/places",
        example={"kinds": "{kind}", "limit": 3},
        page="/places",
    ),
)
