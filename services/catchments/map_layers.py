"""How the drawn areas of kindergartens are drawn: those of the editions that count today, of the latest year they have begun."""

from layers.spec import Attribute, Detail, LayerSpec

_TODAY = """(SELECT DISTINCT ON (district_id, entry) * FROM catchments_catchmentedition
WHERE state = 'published' AND from_day <= (now() AT TIME ZONE 'Asia/Shanghai')::date
ORDER BY district_id, entry, year DESC, from_day DESC, number DESC)"""
_AREAS = f"""(SELECT a.id, a.name, a.geom, n.year, n.entry, n.number, n.from_day, f.name AS kindergarten
FROM catchments_catchmentarea a JOIN {_TODAY} n ON n.id = a.edition_id JOIN facilities_facility f ON f.id = a.target_id)"""

LAYERS = (
    LayerSpec(
        key="catchments",
        title="对口片区",
        geometry="polygon",
        table=_AREAS,
        attributes=(
            Attribute("name", "名称", "text", "t.name"),
            Attribute("kindergarten", "对口幼儿园", "text", "t.kindergarten"),
            Attribute("entry", "入口", "text", "t.entry"),
            Attribute("year", "年份", "whole", "t.year"),
            Attribute("edition", "版本", "whole", "t.number", tiled=False),
            Attribute("since", "生效日", "day", "t.from_day", tiled=False),
        ),
        details=(Detail(10),),
        category="plans",
        summary="画在图上的幼儿园对口片区；按地址或居委对口的，以查询结果为准。",
        source="各区公布的对口版本",
        order="ST_Area(t.geom) DESC",
        touched=f"(SELECT coalesce(md5(string_agg(n.id || '-' || n.revision, ',' ORDER BY n.id)), '') FROM {_TODAY} n)",
        moment="since",
    ),
)
