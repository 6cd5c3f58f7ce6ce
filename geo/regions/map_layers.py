"""How regions are drawn: districts first, then streets, then committees."""

from layers.spec import Detail, LayerSpec

_PUBLISHED = (
    "(SELECT v.* FROM regions_regionversion v JOIN regions_edition e ON e.id = v.edition_id AND e.state = 'published')"
)

LAYERS = (
    LayerSpec(
        key="regions",
        title="行政区划",
        geometry="polygon",
        table=_PUBLISHED,
        attributes=("t.name", "t.level", "t.code"),
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
        title="区划名称",
        geometry="point",
        table=f"(SELECT p.id, p.name, p.level, p.code, p.path, p.label AS geom FROM {_PUBLISHED} p)",
        attributes=("t.name", "t.level"),
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
