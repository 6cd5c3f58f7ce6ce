"""Months are the periods they name, and the ledger that a fact names lists just the rows it counts."""

from __future__ import annotations

import datetime as dt

import pytest
from django.http import QueryDict
from django.utils.http import urlencode

from geo.errors import BadInput
from geo.regions.models import RegionVersion
from geo.scope import Scope
from layers.facts.counting import Period, count_by_month, count_by_region
from layers.facts.registry import fact, facts
from services.access.actions import declare_roles
from services.facilities.models import Facility
from services.kernel.ledger.asking import read_asked
from services.kernel.ledger.queries import rows_asked
from services.kernel.ledger.registry import ledgers
from tests.layers.facts.test_counting import ALL, use
from tests.services.kernel.watching.samples import stand_against

HALF_YEAR = Period(dt.date(2026, 6, 1), dt.date(2026, 11, 30))


def test_months_are_the_periods_they_name(city: None) -> None:
    streets = list(RegionVersion.objects.filter(edition__state="published", level="street").order_by("code")[:2])
    midnight = dt.datetime(2026, 9, 30, 16, tzinfo=dt.UTC)  # 1 October in the city
    use(streets[0].region_id, 12, midnight - dt.timedelta(hours=1))
    use(streets[0].region_id, 30, midnight)
    use(streets[1].region_id, 500, midnight, act="click")
    use(streets[1].region_id, 7, HALF_YEAR.until)
    spec = fact("finder_uses", scope=ALL)
    found = count_by_month(spec, scope=ALL, level="street", period=HALF_YEAR)
    assert {month: {path: tally.heads for path, tally in each.items()} for month, each in found.items()} == {
        dt.date(2026, 9, 1): {streets[0].path: 12},
        dt.date(2026, 10, 1): {streets[0].path: 30, streets[1].path: 500},
    }
    october = Period(dt.date(2026, 10, 1), dt.date(2026, 10, 31))
    assert found[october.first] == count_by_region(spec, scope=ALL, level="street", period=october)
    mine = Scope(paths=(streets[0].path,), duties=frozenset({"facilities.view"}))
    assert set(count_by_month(spec, scope=mine, level="street", period=october)[october.first]) == {streets[0].path}
    with pytest.raises(BadInput):
        count_by_month(fact("places", scope=ALL), scope=ALL, level="street", period=october)


@pytest.mark.parametrize("key", sorted(key for key, one in facts().items() if one.ledger))
def test_the_ledger_of_a_fact_lists_the_rows_it_counts(key: str, city: None) -> None:
    declare_roles()
    for place in Facility.objects.filter(kind__group="eldercare", status="open").order_by("pk")[:3]:
        stand_against(place)
    spec = fact(key, scope=ALL)
    pairs = [(name, value.format(first="2000-01-01", last="2100-01-01")) for name, value in spec.asked]
    asked = read_asked(QueryDict(urlencode(pairs)), ledgers()[spec.ledger])
    listed = rows_asked(ledgers()[spec.ledger], asked, scope=ALL)
    found = count_by_region(spec, scope=ALL, level="city")
    assert sum(each.rows for each in found.values()) == listed.filter(region__isnull=False).count() > 0
