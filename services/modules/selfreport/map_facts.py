"""What is counted of confirmations: places whose vacancies nobody confirmed for thirty days, and their share of those asked."""

from dataclasses import replace

from layers.facts.spec import FactSpec

# the rows of the ledger: services.modules.selfreport.unconfirmed
_ASKED = """SELECT f.region_id, f.cell FROM facilities_facility f
JOIN facilities_facilitykind k ON k.key = f.kind_id JOIN imports_source s ON s.id = f.source_id
WHERE f.retired_at IS NULL AND f.status = 'open' AND k."group" IN ('childcare', 'preschool', 'eldercare')
AND (f.places IS NOT NULL OR f.vacancies_as_of IS NOT NULL) AND s.published_at IS NOT NULL AND s.retired_at IS NULL"""
_STALE = "(f.vacancies_as_of IS NULL OR f.vacancies_as_of < now() - interval '30 days')"

_UNCONFIRMED = FactSpec(
    key="unconfirmed",
    title="余位超 30 天未确认",
    summary="正在开放、要报余位的机构里，余位超过 30 天没有人确认的，一家算一处。",
    unit="处",
    category="places",
    table=f"({_ASKED} AND {_STALE})",
    region="t.region_id",
    cell="t.cell",
    more_is_worse=True,
    duty="facilities.edit",
    ledger="unconfirmed-places",
    families=("facilities",),
    touched="""(SELECT coalesce(extract(epoch FROM max(updated_at)), 0) || '-' || date_trunc('hour', now())
FROM facilities_facility)""",
    source="机构确认余位的记录",
)

FACTS = (
    _UNCONFIRMED,
    replace(
        _UNCONFIRMED,
        key="unconfirmed_share",
        title="余位未确认率",
        summary="余位超过 30 天没有人确认的，占正在开放、要报余位的机构的百分之几。",
        unit="%",
        cell="",
        times=100.0,
        over=replace(_UNCONFIRMED, key="reporting", title="要报余位的机构", table=f"({_ASKED})", ledger=""),
    ),
)
