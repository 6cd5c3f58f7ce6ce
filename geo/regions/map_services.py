"""The functions of regions in the catalogue."""

from layers.spec import ServiceSpec

SERVICES = (
    ServiceSpec(
        key="regions_at",
        title="位置属于哪个街镇",
        category="locate",
        summary="由市到居委逐级列出一个位置所属的区划。",
        path="/api/v1/regions/at",
        example={"lon": "{lon}", "lat": "{lat}"},
    ),
    ServiceSpec(
        key="regions_list",
        title="列出区划",
        category="locate",
        summary="按上级、级别或名称列出现行区划，可带边界。",
        path="/api/v1/regions",
        example={"level": "district"},
    ),
)
