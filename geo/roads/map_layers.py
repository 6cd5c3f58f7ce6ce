"""How roads are drawn: the great ones from afar, every path from near."""

from layers.spec import Detail, LayerSpec

_GREAT = "t.highway IN ('motorway', 'trunk')"
_MAIN = "t.highway IN ('motorway', 'trunk', 'primary', 'motorway_link', 'trunk_link')"
_TOWN = f"{_MAIN} OR t.highway IN ('secondary', 'primary_link', 'secondary_link', 'tertiary')"
_STREETS = "t.highway NOT IN ('footway', 'path', 'steps', 'service', 'cycleway', 'pedestrian', 'track')"

LAYERS = (
    LayerSpec(
        key="roads",
        title="道路",
        geometry="line",
        table="(SELECT * FROM roads_roadsegment WHERE retired_at IS NULL)",
        attributes=("NULLIF(t.name, '') AS name", "t.highway", "t.bridge", "t.tunnel", "t.oneway"),
        details=(Detail(7, _GREAT), Detail(9, _MAIN), Detail(11, _TOWN), Detail(13, _STREETS), Detail(14)),
        order="""array_position(ARRAY['motorway', 'trunk', 'primary', 'secondary', 'tertiary', 'residential',
                 'living_street', 'service', 'pedestrian', 'footway']::varchar[], t.highway) NULLS LAST, t.length_m DESC""",
        families=("roads",),
        max_zoom=16,
    ),
)
