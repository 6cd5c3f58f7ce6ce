"""What is counted of facilities: those that are open, and what room they have."""

from layers.facts.spec import FactSpec
from layers.spec import Choice

_OPEN = """(SELECT f.id, f.region_id, f.cell, f.kind_id, k."group", f.places FROM facilities_facility f
JOIN facilities_facilitykind k ON k.key = f.kind_id WHERE f.retired_at IS NULL AND f.status = 'open')"""
_KINDS = (Choice("kinds", 't.kind_id = ANY(%(kinds)s) OR t."group" = ANY(%(kinds)s)'),)
_TOUCHED = "(SELECT coalesce(extract(epoch FROM max(updated_at)), 0) FROM facilities_facility)"

FACTS = (
    FactSpec(
        key="places",
        title="服务设施",
        summary="正在开放的服务设施，一家算一处。",
        unit="处",
        category="places",
        table=_OPEN,
        region="t.region_id",
        cell="t.cell",
        choices=_KINDS,
        ledger="facilities",
        families=("facilities",),
        touched=_TOUCHED,
        source="各类设施台账，由机构和街镇维护",
    ),
    FactSpec(
        key="elder_places",
        title="养老服务设施",
        summary="正在开放的养老服务设施，一家算一处；比率按 60 岁及以上居民计。",
        unit="处",
        category="places",
        table=f"""(SELECT * FROM {_OPEN} o WHERE o."group" = 'eldercare')""",
        region="t.region_id",
        cell="t.cell",
        per=(60, 200),
        choices=_KINDS,
        ledger="facilities",
        families=("facilities",),
        touched=_TOUCHED,
        source="各类设施台账，由机构和街镇维护",
    ),
    FactSpec(
        key="elder_beds",
        title="养老床位和名额",
        summary="正在开放的养老服务设施登记的床位和名额；没有登记的不算。比率按 60 岁及以上居民计。",
        unit="个",
        category="places",
        table=f"""(SELECT * FROM {_OPEN} o WHERE o."group" = 'eldercare' AND o.places IS NOT NULL)""",
        region="t.region_id",
        cell="t.cell",
        weight="t.places",
        per=(60, 200),
        choices=_KINDS,
        ledger="facilities",
        families=("facilities",),
        touched=_TOUCHED,
        source="各类设施台账，由机构和街镇维护",
    ),
)
