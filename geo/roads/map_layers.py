"""How roads are drawn: the great ones from afar, every path from near."""

from layers.spec import Attribute, Detail, LayerSpec

_GREAT = "t.highway IN ('motorway', 'trunk')"
_MAIN = "t.highway IN ('motorway', 'trunk', 'primary', 'motorway_link', 'trunk_link')"
_TOWN = f"{_MAIN} OR t.highway IN ('secondary', 'primary_link', 'secondary_link', 'tertiary')"
_STREETS = "t.highway NOT IN ('footway', 'path', 'steps', 'service', 'cycleway', 'pedestrian', 'track')"

LAYERS = (
    LayerSpec(
        key="roads",
        category="base",
        summary="道路中心线，从高速到小路。",
        source="路网数据导入",
        title="道路",
        geometry="line",
        table="(SELECT * FROM roads_roadsegment WHERE retired_at IS NULL)",
        attributes=(
            Attribute("name", "路名", "text", "NULLIF(t.name, '')"),
            Attribute("highway", "等级", "text", "t.highway"),
            Attribute("bridge", "桥", "yes_no", "t.bridge"),
            Attribute("tunnel", "隧道", "yes_no", "t.tunnel"),
            Attribute("oneway", "单行", "whole", "t.oneway"),
            Attribute("length_m", "长度（米）", "number", "t.length_m", tiled=False),
        ),
        details=(Detail(7, _GREAT), Detail(9, _MAIN), Detail(11, _TOWN), Detail(13, _STREETS), Detail(14)),
        order="""array_position(ARRAY['motorway', 'trunk', 'primary', 'secondary', 'tertiary', 'residential',
                 'living_street', 'service', 'pedestrian', 'footway']::varchar[], t.highway) NULLS LAST, t.length_m DESC""",
        families=("roads",),
        max_zoom=16,
    ),
)
