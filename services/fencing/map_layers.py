"""How fences are drawn: those of the editions that count now, whatever their days and hours."""

from geo.fences.purposes import PURPOSES
from layers.spec import Attribute, Detail, LayerSpec
from services.fencing.queries import VIEW

_NOW = """(SELECT DISTINCT ON (purpose, district_id) * FROM fences_fenceedition
WHERE state = 'published' AND from_moment <= statement_timestamp()
ORDER BY purpose, district_id, from_moment DESC, number DESC)"""
_DISTRICTS = "regions_regionversion v JOIN regions_edition e ON e.id = v.edition_id AND e.state = 'published'"


def _fences(public: bool) -> str:
    purposes = ", ".join(f"'{purpose.key}'" for purpose in PURPOSES if purpose.public == public)
    return f"""(SELECT f.id, f.name, f.owner, f.from_day, f.to_day, f.geom, n.purpose, n.number, n.from_moment, v.path,
v.name AS district FROM fences_fence f JOIN {_NOW} n ON n.id = f.edition_id
JOIN ({_DISTRICTS}) ON v.region_id = n.district_id WHERE n.purpose IN ({purposes}))"""


_ATTRIBUTES = (
    Attribute("name", "名称", "text", "t.name"),
    Attribute("purpose", "用途", "text", "t.purpose"),
    Attribute("owner", "负责", "text", "NULLIF(t.owner, '')"),
    Attribute("district", "所在区", "text", "t.district", tiled=False),
    Attribute("edition", "版本", "whole", "t.number", tiled=False),
    Attribute("since", "生效时间", "moment", "t.from_moment", tiled=False),
    Attribute("from_day", "首日", "day", "t.from_day", tiled=False),
    Attribute("to_day", "末日", "day", "t.to_day", tiled=False),
)
_TOUCHED = f"(SELECT coalesce(md5(string_agg(n.id || '-' || n.revision, ',' ORDER BY n.id)), '') FROM {_NOW} n)"

LAYERS = (
    LayerSpec(
        key="fences",
        title="公开围栏",
        geometry="polygon",
        table=_fences(public=True),
        attributes=_ATTRIBUTES,
        details=(Detail(9),),
        category="plans",
        summary="现行的垃圾分类片区和服务范围，以及谁负责。",
        source="各区公布的围栏版本",
        order="ST_Area(t.geom) DESC",
        touched=_TOUCHED,
        moment="since",
    ),
    LayerSpec(
        key="staff_fences",
        title="工作围栏",
        geometry="polygon",
        table=_fences(public=False),
        attributes=_ATTRIBUTES,
        details=(Detail(9),),
        category="plans",
        summary="现行的责任网格、签到范围和告警区域；供本辖区工作人员使用。",
        source="各区公布的围栏版本",
        order="ST_Area(t.geom) DESC",
        touched=_TOUCHED,
        moment="since",
        duty=VIEW,
        path="t.path",
    ),
)
