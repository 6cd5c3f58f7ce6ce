"""How facilities are drawn: single pins from near, counted clusters from afar."""

from layers.spec import Attribute, Choice, Detail, LayerSpec

_PUBLIC = """(SELECT f.id, f.name, f.kind_id, k."group", k.name AS kind_name,
f.address_text, f.as_of, f.geom FROM facilities_facility f
JOIN facilities_facilitykind k ON k.key = f.kind_id WHERE f.retired_at IS NULL AND f.status = 'open')"""

LAYERS = (
    LayerSpec(
        key="places",
        category="places",
        summary="正在开放的各类服务设施：托育、养老、教育、文旅等。",
        source="各类设施台账，由机构和街镇维护",
        title="服务设施",
        geometry="point",
        table=_PUBLIC,
        attributes=(
            Attribute("id", "编号", "whole", "t.id"),
            Attribute("name", "名称", "text", "t.name"),
            Attribute("kind", "类别", "text", "t.kind_id"),
            Attribute("group", "大类", "text", 't."group"'),
            Attribute("kind_name", "类别名称", "text", "t.kind_name", tiled=False),
            Attribute("address", "地址", "text", "NULLIF(t.address_text, '')", tiled=False),
            Attribute("as_of", "信息截至", "day", "t.as_of", tiled=False),
        ),
        details=(Detail(0),),
        choices=(Choice("kinds", 't.kind_id = ANY(%(kinds)s) OR t."group" = ANY(%(kinds)s)'),),
        order="t.id",
        families=("facilities",),
        cluster_px=56,
        cluster_below=16,
        counted="kind",
        max_zoom=16,
        touched="(SELECT coalesce(extract(epoch FROM max(updated_at)), 0) FROM facilities_facility)",
    ),
)
