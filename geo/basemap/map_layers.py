"""How the ground is drawn: land, water, green, campuses and buildings."""

from layers.spec import Attribute, Detail, LayerSpec


def _kinds(*kinds: str) -> str:
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    return f"(SELECT * FROM basemap_basemapfeature WHERE retired_at IS NULL AND kind IN ({listed}))"


_NAMED = (
    Attribute("kind", "种类", "text", "t.kind"),
    Attribute("name", "名称", "text", "NULLIF(t.name, '')"),
)

LAYERS = (
    LayerSpec(
        key="ground",
        category="base",
        summary="陆地、河道与水面。",
        source="底图数据导入",
        title="陆地与水面",
        geometry="polygon",
        table=_kinds("land", "water", "river"),
        attributes=_NAMED,
        details=(
            Detail(0, "t.kind = 'land'"),
            Detail(7, "t.area_m2 > 2000000"),
            Detail(10, "t.area_m2 > 100000"),
            Detail(12, "t.area_m2 > 5000"),
            Detail(14),
        ),
        order="t.area_m2 DESC",
        families=("basemap",),
        max_zoom=15,
    ),
    LayerSpec(
        key="green",
        category="base",
        summary="公园绿地、校园和医院的范围。",
        source="底图数据导入",
        title="绿地与校园",
        geometry="polygon",
        table=_kinds("green", "campus", "hospital"),
        attributes=_NAMED,
        details=(Detail(10, "t.area_m2 > 100000"), Detail(12, "t.area_m2 > 10000"), Detail(14)),
        order="t.area_m2 DESC",
        families=("basemap",),
        max_zoom=15,
    ),
    LayerSpec(
        key="buildings",
        category="base",
        summary="建筑轮廓，一部分带高度。",
        source="底图数据导入",
        title="建筑",
        geometry="polygon",
        table=_kinds("building"),
        attributes=(Attribute("height_m", "高度（米）", "number", "t.height_m"),),
        details=(Detail(14, "t.area_m2 > 400"), Detail(15)),
        order="t.area_m2 DESC",
        families=("basemap",),
        max_zoom=16,
    ),
)
