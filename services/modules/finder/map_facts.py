"""What is counted of the finder: acts of nobody in particular by the region asked about, and reports of what is wrong."""

from dataclasses import replace

from layers.facts.spec import FactSpec
from layers.spec import Choice
from services.facilities.map_facts import PLACES
from services.modules.finder.counting import DUTY, FACT

_REPORTS = FactSpec(
    key="place_reports",
    title="“这里有误”报告",
    summary="群众报告机构资料有误的件数，记在机构所在的区划名下；重复的也算。",
    unit="件",
    category="themes",
    table="""(SELECT r.created_at, r.region_id, f.cell FROM finder_placereport r
JOIN facilities_facility f ON f.id = r.facility_id)""",
    region="t.region_id",
    cell="t.cell",
    moment="t.created_at",
    more_is_worse=True,
    duty="facilities.edit",
    ledger="place-reports",
    asks=(("f.created_at.from", "{first}"), ("f.created_at.to", "{last}")),
    touched="(SELECT coalesce(max(id), 0) || '-' || count(*) FROM finder_placereport)",
    source="群众的纠错报告",
)

FACTS = (
    FactSpec(
        key=FACT,
        title="随心查使用次数",
        summary="家长在“随心查”里看页面、查询、点开、收藏、打电话、导航的次数，记在所查的街镇或区名下；不记是谁，也不记位置。",
        unit="次",
        category="themes",
        table="(SELECT hour, act, region_id, count FROM finder_usecount WHERE filter = '' AND act <> 'visit')",
        region="t.region_id",
        moment="t.hour",
        weight="t.count",
        heads="sum(t.count)",
        per=(0, 2),
        choices=(Choice("acts", "t.act = ANY(%(acts)s)"),),
        duty=DUTY,
        touched="(SELECT coalesce(sum(count), 0) || '-' || count(*) FROM finder_usecount)",
        source="随心查自己的计数，按小时合计",
    ),
    _REPORTS,
    replace(
        _REPORTS,
        key="reports_per_place",
        title="设施报告率",
        summary="一个月里群众报告资料有误的件数，除以正在开放的服务设施，按每百处设施算。",
        unit="件/百处",
        cell="",
        times=100.0,
        over=PLACES,
    ),
)
