"""How registered service points are drawn."""

from layers.spec import Attribute, Detail, LayerSpec

LAYERS = (
    LayerSpec(
        key="service_points",
        category="places",
        summary="按“社区服务点登记”办结的服务点。",
        source="社区服务点台账",
        title="社区服务点",
        geometry="point",
        table="example_servicepoint",
        attributes=(
            Attribute("id", "编号", "whole", "t.id"),
            Attribute("name", "名称", "text", "t.name"),
        ),
        details=(Detail(0),),
        order="t.id",
        cluster_px=56,
        cluster_below=16,
        touched="(SELECT coalesce(extract(epoch FROM max(updated_at)), 0) FROM example_servicepoint)",
    ),
)
