"""How standard addresses and communities are drawn."""

from layers.spec import Attribute, Detail, LayerSpec

_PUBLISHED = "regions_regionversion v JOIN regions_edition e ON e.id = v.edition_id AND e.state = 'published'"
_DOORS = f"""(SELECT a.id, a.text, a.road, a.lane, a.number, a.uncertainty_m, a.geom, v.path
FROM addresses_address a LEFT JOIN ({_PUBLISHED}) ON v.region_id = a.region_id
WHERE a.retired_at IS NULL AND a.unit = '' AND a.floor = '' AND a.room = '')"""

LAYERS = (
    LayerSpec(
        key="communities",
        title="小区",
        geometry="point",
        table="(SELECT * FROM addresses_community WHERE retired_at IS NULL)",
        attributes=(
            Attribute("name", "名称", "text", "t.name"),
            Attribute("kind", "种类", "text", "t.kind"),
            Attribute("address", "地址", "text", "NULLIF(t.address_text, '')", tiled=False),
            Attribute("built_year", "建成年份", "whole", "t.built_year", tiled=False),
            Attribute("uncertainty_m", "位置误差（米）", "number", "t.uncertainty_m", tiled=False),
        ),
        details=(Detail(10),),
        category="addresses",
        summary="住宅小区和非居住场所的名称与位置。",
        source="小区数据导入",
        families=("communities",),
        order="t.id",
        cluster_px=56,
        cluster_below=15,
    ),
    LayerSpec(
        key="doors",
        title="门牌",
        geometry="point",
        table=_DOORS,
        attributes=(
            Attribute("text", "地址", "text", "t.text"),
            Attribute("road", "道路", "text", "NULLIF(t.road, '')", tiled=False),
            Attribute("lane", "弄", "text", "NULLIF(t.lane, '')", tiled=False),
            Attribute("number", "号", "text", "NULLIF(t.number, '')"),
            Attribute("uncertainty_m", "位置误差（米）", "number", "t.uncertainty_m", tiled=False),
        ),
        details=(Detail(15),),
        category="addresses",
        summary="到门牌和幢的标准地址，不含单元和户室；供本辖区工作人员使用。",
        source="标准地址库",
        families=("addresses",),
        order="t.id",
        max_zoom=17,
        touched="(SELECT coalesce(extract(epoch FROM max(updated_at)), 0) FROM addresses_address)",
        duty="layers.view",
        path="t.path",
    ),
)
