"""How regions are drawn: districts first, then streets, then committees."""

from layers.spec import Attribute, Detail, LayerSpec

_PUBLISHED = (
    "(SELECT v.* FROM regions_regionversion v JOIN regions_edition e ON e.id = v.edition_id AND e.state = 'published')"
)
_NAMED = (
    Attribute("name", "名称", "text", "t.name"),
    Attribute("level", "级别", "text", "t.level"),
)

LAYERS = (
    LayerSpec(
        key="regions",
        category="regions",
        summary="市、区、街镇和居村的边界。",
        source="已公布的区划版本",
        title="行政区划",
        geometry="polygon",
        table=_PUBLISHED,
        attributes=(*_NAMED, Attribute("code", "代码", "text", "t.code")),
        details=(
            Detail(0, "t.level = 'city'"),
            Detail(7, "t.level = 'district'"),
            Detail(10, "t.level IN ('district', 'street')"),
            Detail(14, "t.level IN ('district', 'street', 'committee')"),
        ),
        order="t.path",
        families=("regions",),
        max_zoom=15,
    ),
    LayerSpec(
        key="region_labels",
        category="regions",
        summary="区划名称的标注点。",
        source="已公布的区划版本",
        title="区划名称",
        geometry="point",
        table=f"(SELECT p.id, p.name, p.level, p.code, p.path, p.label AS geom FROM {_PUBLISHED} p)",
        attributes=_NAMED,
        details=(
            Detail(8, "t.level = 'district'"),
            Detail(11, "t.level = 'street'"),
            Detail(15, "t.level = 'committee'"),
        ),
        order="t.path",
        families=("regions",),
        max_zoom=16,
    ),
)
