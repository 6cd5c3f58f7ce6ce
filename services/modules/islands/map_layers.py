"""The layers of the island map among the layers of the house: in the catalogue, in tiles, for other systems."""

from layers.spec import Attribute, Detail, LayerSpec
from services.modules.islands.words import DISTRICT, FACILITIES, HOME, LODGING, IslandLayer
from services.modules.islands.words import LAYERS as DECLARED


def _table(layer: IslandLayer) -> str:
    kinds = ", ".join(f"'{kind}'" for kind in layer.kinds)
    return f"""(SELECT f.*, k.name AS kind_name, v.path FROM facilities_facility f
        JOIN facilities_facilitykind k ON k.key = f.kind_id
        JOIN regions_regionversion v ON v.region_id = f.region_id
        JOIN regions_edition e ON e.id = v.edition_id AND e.state = 'published'
        WHERE f.retired_at IS NULL AND f.status = 'open' AND f.kind_id IN ({kinds})
        AND split_part(v.path, '.', 2) = '{DISTRICT}')"""


_USUAL = (
    Attribute("id", "编号", "whole", "t.id"),
    Attribute("name", "名称", "text", "t.name"),
    Attribute("kind", "类别", "text", "t.kind_id"),
    Attribute("kind_name", "类别名称", "text", "t.kind_name", tiled=False),
    Attribute("address", "地址", "text", "NULLIF(t.address_text, '')", tiled=False),
    Attribute("phone", "电话", "text", "NULLIF(t.phone, '')", tiled=False),
    Attribute("as_of", "信息截至", "day", "t.as_of", tiled=False),
)
_LODGING = (
    Attribute("lodging_type", "民宿类型", "text", "t.attributes->>'lodging_type'"),
    Attribute("rooms", "客房", "whole", "(t.attributes->>'rooms')::numeric::int"),
    Attribute("night_from_yuan", "每晚房价起（元）", "number", "(t.attributes->>'night_from_yuan')::float8"),
    *(
        Attribute(key, title, "yes_no", f"(t.attributes->>'{key}')::boolean", tiled=False)
        for key, title in FACILITIES.items()
    ),
)


def _layer(layer: IslandLayer) -> LayerSpec:
    return LayerSpec(
        key=f"island_{layer.key}",
        title=f"崇明{layer.title}",
        geometry="point",
        table=_table(layer),
        attributes=(*_USUAL, *_LODGING) if layer.key == LODGING else _USUAL,
        details=(Detail(0),),
        category="themes",
        summary=f"尚岛服务一张图：{layer.summary}。",
        families=("facilities", "regions"),
        order="t.id",
        cluster_px=56,
        cluster_below=14,
        touched="(SELECT coalesce(extract(epoch FROM max(updated_at)), 0) FROM facilities_facility)",
        home=HOME,
        source="崇明区文旅设施台账，由崇明区维护",
    )


LAYERS = tuple(_layer(one) for one in DECLARED)
