"""The functions of addresses in the catalogue."""

from layers.spec import ServiceSpec

SERVICES = (
    ServiceSpec(
        key="geocode",
        title="地址找位置",
        category="locate",
        summary="给一个地址、小区名或路名，返回可能的位置、定位到哪一级和误差半径。",
        path="/api/v1/geocode",
        example={"q": "{address}", "limit": 3},
        page="/tools/convert",
    ),
    ServiceSpec(
        key="reverse",
        title="位置找地址",
        category="locate",
        summary="给一个位置，返回那里的门牌、小区、道路和区划，各写明相距多少米。",
        path="/api/v1/reverse",
        example={"lon": "{lon}", "lat": "{lat}"},
    ),
    ServiceSpec(
        key="convert",
        title="坐标转换",
        category="locate",
        summary="把最多 10,000 个点或地址转成同一个坐标系，例如上海2000。",
        path="/api/v1/convert",
        method="POST",
        example={"items": [{"id": "1", "x": "{lon}", "y": "{lat}"}], "crs_from": "wgs84", "crs": "sh2000"},
        page="/tools/convert",
    ),
)
