"""How facilities are drawn: single pins from near, counted clusters from afar."""

from layers.spec import Choice, Detail, LayerSpec

_PUBLIC = """(SELECT f.id, f.name, f.kind_id, k."group", f.geom FROM facilities_facility f
JOIN facilities_facilitykind k ON k.key = f.kind_id WHERE f.retired_at IS NULL AND f.status = 'open')"""

LAYERS = (
    LayerSpec(
        key="places",
        title="服务设施",
        geometry="point",
        table=_PUBLIC,
        attributes=("t.id", "t.name", "t.kind_id AS kind", 't."group"'),
        details=(Detail(0),),
        choices=(Choice("kinds", 't.kind_id = ANY(%(kinds)s) OR t."group" = ANY(%(kinds)s)'),),
        order="t.id",
        families=("facilities",),
        cluster_px=56,
        cluster_below=16,
        max_zoom=16,
        touched="(SELECT coalesce(extract(epoch FROM max(updated_at)), 0) FROM facilities_facility)",
    ),
)
