"""How advisory points are drawn: those that are open."""

from layers.spec import Attribute, Detail, LayerSpec

_OPEN = """(SELECT f.id, f.name, f.geom, f.attributes->>'adviser_level' AS level
FROM facilities_facility f WHERE f.kind_id = 'adviser_site' AND f.retired_at IS NULL AND f.status = 'open')"""

LAYERS = (
    LayerSpec(
        key="adviser_sites",
        category="places",
        summary="对外开放的养老顾问点，分市、区、街镇、居村等级别。",
        source="养老顾问点台账",
        title="养老顾问点",
        geometry="point",
        table=_OPEN,
        attributes=(
            Attribute("id", "编号", "whole", "t.id"),
            Attribute("name", "名称", "text", "t.name"),
            Attribute("level", "级别", "text", "t.level"),
        ),
        details=(Detail(0),),
        order="t.id",
        families=("facilities",),
        cluster_px=56,
        cluster_below=16,
        touched="(SELECT coalesce(extract(epoch FROM max(updated_at)), 0) FROM facilities_facility)",
    ),
)
