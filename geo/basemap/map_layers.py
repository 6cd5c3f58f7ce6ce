"""How the ground is drawn: land, water, green, campuses and buildings."""

from layers.spec import Detail, LayerSpec


def _kinds(*kinds: str) -> str:
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    return f"(SELECT * FROM basemap_basemapfeature WHERE retired_at IS NULL AND kind IN ({listed}))"


LAYERS = (
    LayerSpec(
        key="ground",
        title="陆地与水面",
        geometry="polygon",
        table=_kinds("land", "water", "river"),
        attributes=("t.kind", "NULLIF(t.name, '') AS name"),
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
        title="绿地与校园",
        geometry="polygon",
        table=_kinds("green", "campus", "hospital"),
        attributes=("t.kind", "NULLIF(t.name, '') AS name"),
        details=(Detail(10, "t.area_m2 > 100000"), Detail(12, "t.area_m2 > 10000"), Detail(14)),
        order="t.area_m2 DESC",
        families=("basemap",),
        max_zoom=15,
    ),
    LayerSpec(
        key="buildings",
        title="建筑",
        geometry="polygon",
        table=_kinds("building"),
        attributes=("t.height_m",),
        details=(Detail(14, "t.area_m2 > 400"), Detail(15)),
        order="t.area_m2 DESC",
        families=("basemap",),
        max_zoom=16,
    ),
)
