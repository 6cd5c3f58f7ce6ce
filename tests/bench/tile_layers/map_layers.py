"""Points and areas over the tables that the peer serves: counted together from afar, whole from zoom 14 on."""

from layers.spec import Attribute, Choice, Detail, LayerSpec
from tests.bench.tile_layers import COUNTED_BELOW

_ATTRIBUTES = (
    Attribute("id", "编号", "whole", "t.id"),
    Attribute("name", "名称", "text", "t.name"),
    Attribute("kind", "类别", "text", "t.kind"),
)
_COPIES = (Choice("copy", "%(copy)s::text[] IS NOT NULL"),)
"""Narrows nothing: a tile that was asked for as another copy is not kept yet."""

LAYERS = (
    LayerSpec(
        key="bench_points",
        title="点",
        category="own",
        summary="基准测试的点。",
        geometry="point",
        table="bench_points",
        attributes=_ATTRIBUTES,
        details=(Detail(0),),
        families=("facilities",),
        choices=_COPIES,
        order="t.id",
        cluster_px=64,
        cluster_below=COUNTED_BELOW,
        counted="kind",
    ),
    LayerSpec(
        key="bench_shapes",
        title="面",
        category="own",
        summary="基准测试的面。",
        geometry="polygon",
        table="bench_shapes",
        attributes=_ATTRIBUTES,
        details=(Detail(0),),
        families=("facilities",),
        choices=_COPIES,
    ),
)
