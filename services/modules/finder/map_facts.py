"""What is counted of the finder's use: acts of nobody in particular, by the region that was asked about."""

from layers.facts.spec import FactSpec
from layers.spec import Choice
from services.modules.finder.counting import DUTY

FACTS = (
    FactSpec(
        key="finder_uses",
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
)
