"""Facts are counted as a loop over their rows would: by cell, by region of today, within a scope, a period and choices."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

import numpy as np
import pytest

from geo.errors import BadInput, NotFound
from geo.grids.cells import parent
from geo.regions.models import Population, Region, RegionSuccession, RegionVersion
from geo.scope import Scope
from layers.facts import regions
from layers.facts.counting import Period, count_by_cell, count_by_region, edition_of_fact, first_and_last
from layers.facts.registry import fact, facts, visible_facts
from layers.facts.residents import residents
from layers.heat.regional import region_heat
from services.facilities.models import Facility
from services.modules.finder.models import UseCount

ALL = Scope(paths=("",), duties=frozenset({"*"}))
NOON = dt.datetime(2026, 11, 18, 4, tzinfo=dt.UTC)
DAY = Period(dt.date(2026, 11, 18), dt.date(2026, 11, 18))


def paths() -> dict[int, str]:
    return dict(RegionVersion.objects.filter(edition__state="published").values_list("region_id", "path"))


def open_places(**where: Any) -> list[Facility]:
    return list(Facility.objects.filter(retired_at=None, status="open", **where))


def use(region: int, count: int, moment: dt.datetime = NOON, act: str = "search", named: str = "") -> None:
    UseCount.objects.create(hour=moment, act=act, region_id=region, filter=named, count=count)


@pytest.mark.parametrize("key", sorted(facts()))
def test_every_declared_fact_can_be_counted(key: str, city: None) -> None:
    spec = fact(key, scope=ALL)
    assert spec.summary.endswith("。")
    assert isinstance(edition_of_fact(spec), str)
    if spec.worked_out:
        assert region_heat(spec, scope=ALL, level="district").values
        return
    districts = count_by_region(spec, scope=ALL, level="district")
    assert all(path.count(".") == 2 for path in districts)
    assert (first_and_last(spec, scope=ALL) is None) == (not spec.moment or not districts)
    if spec.cell:
        assert count_by_cell(spec, scope=ALL, resolution=9).rows.sum() >= sum(each.rows for each in districts.values())


@pytest.mark.parametrize("resolution", [7, 8, 9, 10])
def test_cells_are_those_of_the_rows(resolution: int, city: None) -> None:
    expected = Counter(parent(place.cell, resolution) for place in open_places(kind="park"))
    found = count_by_cell(fact("places", scope=ALL), scope=ALL, resolution=resolution, choices={"kinds": ["park"]})
    assert expected
    assert dict(zip(found.cells.tolist(), found.rows.tolist(), strict=True)) == dict(expected)
    assert found.values.tolist() == found.rows.tolist()
    assert found.heads is None
    assert np.all(np.diff(found.cells) > 0)


@pytest.mark.parametrize("level", ["district", "street", "committee"])
def test_regions_are_those_of_the_rows(level: str, city: None) -> None:
    beds: Counter[str] = Counter()
    for place in open_places(kind__group="eldercare", places__isnull=False):
        beds[regions.above(paths()[place.region_id], level)] += place.places
    found = count_by_region(fact("elder_beds", scope=ALL), scope=ALL, level=level)
    assert {path: tally.value for path, tally in found.items()} == dict(beds)
    one = next(iter(found))
    assert set(count_by_region(fact("elder_beds", scope=ALL), scope=ALL, level=level, within=one)) == {one}


def test_a_fact_with_a_duty_is_counted_in_the_regions_of_a_scope(city: None) -> None:
    streets = RegionVersion.objects.filter(edition__state="published", level="street").order_by("code")
    first, last = streets.first(), streets.last()
    assert first is not None
    assert last is not None
    use(first.region_id, 30)
    use(last.region_id, 40)
    use(last.region_id, 2, named="night")  # narrowed by a filter: the act itself is counted once
    mine = Scope(paths=(last.path,), duties=frozenset({"facilities.view"}))
    spec = fact("finder_uses", scope=mine)
    found = count_by_region(spec, scope=mine, level="street")
    assert {path: (tally.value, tally.heads) for path, tally in found.items()} == {last.path: (40.0, 40)}
    assert {tally.value for tally in count_by_region(spec, scope=ALL, level="street").values()} == {30.0, 40.0}
    assert [one.key for one in visible_facts(scope=Scope.public()) if one.duty] == []
    with pytest.raises(NotFound):
        fact("finder_uses", scope=Scope.public())


def test_a_public_fact_is_the_same_for_everybody(city: None) -> None:
    spec = fact("places", scope=Scope.public())
    assert spec.public
    every = count_by_region(spec, scope=ALL, level="district")
    assert every
    assert count_by_region(spec, scope=Scope.public(), level="district") == every
    assert count_by_region(spec, scope=Scope(paths=(next(iter(every)),)), level="district") == every


def test_a_period_is_whole_days_of_the_city(city: None) -> None:
    street = RegionVersion.objects.filter(edition__state="published", level="street").first()
    assert street is not None
    spec = fact("finder_uses", scope=ALL)
    assert first_and_last(spec, scope=ALL) is None
    use(street.region_id, 1, DAY.since - dt.timedelta(hours=1))
    use(street.region_id, 20, DAY.since)
    use(street.region_id, 300, DAY.until - dt.timedelta(hours=1), act="click")
    use(street.region_id, 4000, DAY.until)
    assert count_by_region(spec, scope=ALL, level="street", period=DAY)[street.path].value == 320
    clicks = count_by_region(spec, scope=ALL, level="street", period=DAY, choices={"acts": ["click"]})
    assert clicks[street.path].value == 300
    assert first_and_last(spec, scope=ALL) == Period(dt.date(2026, 11, 17), dt.date(2026, 11, 19))


def test_what_a_region_of_old_counted_is_spread_over_what_it_became(city: None) -> None:
    streets = list(RegionVersion.objects.filter(edition__state="published", level="street").order_by("code")[:2])
    gone = Region.objects.create(level="street", first_day=dt.date(2000, 1, 1))
    for street, share in zip(streets, (0.75, 0.25), strict=True):
        RegionSuccession.objects.create(
            origin=gone, successor=street.region, kind="split", on="2020-01-01", share=share, edition=street.edition
        )
    use(gone.pk, 40)
    found = count_by_region(fact("finder_uses", scope=ALL), scope=ALL, level="street")
    assert {path: (tally.value, tally.rows, tally.heads) for path, tally in found.items()} == {
        streets[0].path: (30.0, 1, 40),
        streets[1].path: (10.0, 0, 0),
    }


def test_what_cannot_be_counted_is_said_in_words(city: None) -> None:
    uses, places = fact("finder_uses", scope=ALL), fact("places", scope=ALL)
    for refused in (
        lambda: count_by_cell(uses, scope=ALL, resolution=9),
        lambda: count_by_cell(places, scope=ALL, resolution=11),
        lambda: count_by_region(places, scope=ALL, level="street", period=DAY),
        lambda: count_by_region(places, scope=ALL, level="street", choices={"owners": ["x"]}),
        lambda: Period(DAY.last, DAY.first - dt.timedelta(days=1)),
    ):
        with pytest.raises(BadInput):
            refused()


def test_residents_are_summed_from_the_level_that_tells_them(city: None) -> None:
    expected: Counter[str] = Counter()
    for region, low, persons in Population.objects.values_list("region_id", "age_from", "persons"):
        if low >= 60:
            expected[regions.above(paths()[region], "district")] += persons
    found = residents("district", ages=(60, 200))
    assert found is not None
    assert found.by_path == dict(expected)
    assert residents("street", ages=(61, 200)).by_path == {}  # type: ignore[union-attr]  # no figure tells those apart
    gone = Population.objects.order_by("region_id").first()
    assert gone is not None
    Population.objects.filter(region=gone.region).delete()
    less = residents("district")
    assert less is not None
    assert regions.above(paths()[gone.region_id], "district") not in less.by_path
