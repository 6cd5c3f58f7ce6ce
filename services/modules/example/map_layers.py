"""How registered service points are drawn."""

from layers.spec import Detail, LayerSpec

LAYERS = (
    LayerSpec(
        key="service_points",
        title="社区服务点",
        geometry="point",
        table="example_servicepoint",
        attributes=("t.id", "t.name"),
        details=(Detail(0),),
        order="t.id",
        families=(),
        cluster_px=56,
        cluster_below=16,
        touched="(SELECT coalesce(extract(epoch FROM max(updated_at)), 0) FROM example_servicepoint)",
    ),
)
