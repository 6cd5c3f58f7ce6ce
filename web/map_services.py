"""The functions of the edge in the catalogue: layers as tiles, by the standards, and as files."""

from layers.spec import ServiceSpec

_POINT = {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": ["{lon}", "{lat}"]}}

SERVICES = (
    ServiceSpec(
        key="layers_list",
        title="图层目录",
        category="data",
        summary="全部图层的说明：属性、范围、数量、版本、截至时间和怎么取。",
        path="/api/v1/layers",
        example={},
        page="/layers",
    ),
    ServiceSpec(
        key="ogc",
        title="OGC API 标准接口",
        category="data",
        summary="QGIS、GDAL 和其他 GIS 软件直接打开图层：要素查询、条件过滤、坐标系转换。",
        path="/ogc/collections",
        example={"f": "json"},
        page="/ogc",
    ),
    ServiceSpec(
        key="tilejson",
        title="矢量瓦片",
        category="data",
        summary="每个图层的矢量瓦片（MVT）和 TileJSON，地图前端直接用。",
        path="/tiles/places.json",
        example={},
    ),
    ServiceSpec(
        key="export",
        title="导出图层",
        category="data",
        summary="把一个图层或其中一部分导成文件，格式和坐标系可选，做好了来取。",
        path="/api/v1/exports",
        method="POST",
        example={"layer": "places", "format": "csv"},
        acts=True,
    ),
    ServiceSpec(
        key="buffer",
        title="缓冲区",
        category="data",
        summary="把图层里的要素或带来的 GeoJSON 向外扩若干米，可以合并成一片。",
        path="/ogc/processes/buffer/execution",
        method="POST",
        example={"inputs": {"features": _POINT, "metres": 300}},
        page="/ogc/processes/buffer",
        acts=True,
    ),
    ServiceSpec(
        key="reproject",
        title="整批换坐标系",
        category="data",
        summary="把图层里的要素或带来的 GeoJSON 换到另一个坐标系。",
        path="/ogc/processes/reproject/execution",
        method="POST",
        example={"inputs": {"features": _POINT, "crs": "sh2000"}},
        page="/ogc/processes/reproject",
        acts=True,
    ),
    ServiceSpec(
        key="style",
        title="地图样式",
        category="data",
        summary="浅色、深色和长辈版的电子地图样式，MapLibre 直接用。",
        path="/style/light.json",
        example={},
        page="/",
    ),
)
