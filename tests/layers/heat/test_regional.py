"""Heat by region: told over the whole city, rates and changes of it, and what cannot be said."""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict
from dataclasses import replace

import pytest
from django.utils import timezone

from geo.errors import BadInput
from geo.regions.models import Population, RegionVersion
from geo.scope import Scope
from layers.disclosure import K
from layers.facts.regions import above
from layers.facts.registry import fact
from layers.heat import regional
from layers.heat.regional import change_of_regions, rates_of, region_heat, span_of
from services.facilities.models import Facility
from services.modules.finder.models import UseCount
from tests.layers.heat.events import first_of, month_ago

ALL = Scope(paths=("",), duties=frozenset({"*"}))


def use(region: int, count: int, day: dt.date | None = None) -> None:
    moment = timezone.make_aware(dt.datetime.combine(day or first_of(1), dt.time(9)))
    UseCount.objects.create(hour=moment, act="search", region_id=region, filter="", count=count)


def regions(level: str) -> list[RegionVersion]:
    return list(RegionVersion.objects.filter(edition__state="published", level=level).order_by("code"))


@pytest.mark.parametrize("seed", range(8))
def test_nothing_of_fewer_than_k_uses_follows_from_districts_and_streets(seed: int, city: None) -> None:
    """Uses lie in streets, and in districts beside any street; the attacker takes all told streets from their district."""
    chance = random.Random(seed)
    uses: dict[str, int] = defaultdict(int)
    for region in [*regions("street"), *regions("district")]:
        if (count := chance.choice((0, 1, 4, 9, 10, 12, 30, 200))) and chance.random() < 0.8:
            uses[region.path] += count
            use(region.region_id, count)
    spec = fact("finder_uses", scope=ALL)
    districts, streets = (regional._decided(spec, ALL, month_ago(1))[level] for level in ("district", "street"))
    hidden = 0
    for path, value in districts.items():
        inside = {street: told for street, told in streets.items() if above(street, "district") == path}
        assert value is None or value == sum(count for each, count in uses.items() if each.startswith(path)) >= K
        assert all(told == uses[street] >= K for street, told in inside.items() if told is not None)
        assert value is not None or not any(inside.values())
        left = [uses[street] for street, told in inside.items() if told is None] + [uses.get(path, 0)]
        hidden += len(left) - 1
        if value is not None and len(left) > 1:
            assert sum(left) >= K
            assert sum(count > 0 for count in left) > 1
    assert hidden


def test_a_scope_gets_its_own_regions_of_the_table_of_all(city: None) -> None:
    first, second, *_, last = regions("street")
    for street, count in ((first, 40), (second, 3), (last, 50)):
        use(street.region_id, count)
    spec, district = fact("finder_uses", scope=ALL), above(first.path, "district")
    whole = region_heat(spec, scope=ALL, level="street", period=month_ago(1)).values
    assert (whole[first.path], whole[second.path], whole[last.path]) == (None, None, 50.0)
    assert set(whole) == {street.path for street in regions("street")}
    assert set(whole.values()) == {None, 50.0, 0.0}
    for path, level in ((district, "street"), (last.path, "street"), (district, "district")):
        mine = Scope(paths=(path,), duties=frozenset({"facilities.view"}))
        found = region_heat(spec, scope=mine, level=level, period=month_ago(1)).values
        every = region_heat(spec, scope=ALL, level=level, period=month_ago(1)).values
        assert found == {each: value for each, value in every.items() if each.startswith(path)}
        assert found
    street_only = Scope(paths=(last.path,), duties=frozenset({"facilities.view"}))
    assert region_heat(spec, scope=street_only, level="district", period=month_ago(1)).values == {}
    days = span_of(spec, scope=street_only)
    assert days is not None
    assert days.first == month_ago(1).first


def test_rates_are_per_thousand_residents_and_unknown_where_none_are_published(city: None) -> None:
    one, other = regions("street")[:2]
    for street in (one, other):
        use(street.region_id, 70)
    Population.objects.filter(
        region__in=RegionVersion.objects.filter(path__startswith=other.path).values("region")
    ).delete()
    spec = replace(fact("finder_uses", scope=ALL), per=None)
    heat = region_heat(spec, scope=ALL, level="street", period=month_ago(1))
    persons = sum(
        Population.objects.filter(
            region__in=RegionVersion.objects.filter(edition__state="published", path__startswith=one.path).values(
                "region"
            )
        ).values_list("persons", flat=True)
    )
    found = rates_of(heat, spec).values
    assert persons
    assert found[one.path] == pytest.approx(1000 * 70 / persons)
    assert found[other.path] is None
    assert rates_of(heat, replace(spec, per=(61, 200))).values == dict.fromkeys(
        heat.values
    )  # no figure tells those ages apart


def test_a_change_is_unknown_where_either_figure_is_not_told(city: None) -> None:
    first, second, third = regions("street")[:3]
    before = month_ago(2)
    for street, then, now in ((first, 20, 50), (second, 30, 4), (third, 60, 15)):
        use(street.region_id, then, before.first)
        use(street.region_id, now)
    spec = fact("finder_uses", scope=ALL)
    found = change_of_regions(
        *(region_heat(spec, scope=ALL, level="street", period=each) for each in (month_ago(1), before))
    ).values
    assert (found[first.path], found[second.path], found[third.path]) == (
        30.0,
        None,
        None,
    )  # 4 is hidden, and 15 with it


def test_questions_about_regions_that_cannot_be_answered_are_refused_in_words(city: None) -> None:
    uses, places = (fact(key, scope=ALL) for key in ("finder_uses", "places"))
    for refused in (
        lambda: region_heat(uses, scope=ALL, level="street"),
        lambda: region_heat(uses, scope=ALL, level="street", period=month_ago(1), choices={"acts": ["click"]}),
        lambda: region_heat(places, scope=ALL, level="street", period=month_ago(1)),
        lambda: region_heat(places, scope=ALL, level="committee"),
    ):
        with pytest.raises(BadInput):
            refused()
    assert span_of(places, scope=ALL) is None


def test_what_was_not_recorded_is_unknown_and_never_zero(city: None) -> None:
    open_now = Facility.objects.filter(retired_at=None, status="open", kind__group="eldercare")
    beds = region_heat(fact("elder_beds", scope=ALL), scope=ALL, level="street").values
    places = region_heat(fact("elder_places", scope=ALL), scope=ALL, level="street").values
    assert open_now.exclude(places=None).exists()
    assert 0.0 not in beds.values()
    assert None in beds.values()  # nobody registered any there
    assert 0.0 in places.values()  # places are counted one by one: there is none
    assert None not in places.values()
    empty = month_ago(3)
    use(regions("street")[0].region_id, 50)
    for level in ("district", "street"):
        heat = region_heat(fact("finder_uses", scope=ALL), scope=ALL, level=level, period=empty)
        assert set(heat.values.values()) == {None}
        assert not heat.hidden
    reports = region_heat(fact("place_reports", scope=ALL), scope=ALL, level="district", period=empty)
    assert set(reports.values.values()) == {None}
