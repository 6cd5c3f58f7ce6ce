"""Residents in marked ground: whole committees, held against adding up by hand, and against one who takes answers from each other."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import pytest
import shapely
from django.db.models import F
from django.test import Client

from geo.addresses.gazetteer import names_of, published_now
from geo.geometry import from_plane, to_plane
from geo.imports.models import Family, Source
from geo.regions.models import Population, RegionVersion
from geo.regions.queries import current_city
from layers.disclosure import K, tellable
from tests.services.fencing.selecting.test_select import planner, post
from tests.services.fencing.sets import HUANGPU

pytestmark = pytest.mark.usefixtures("city")
BANDS = {"0–2 岁": (0, 2), "3–5 岁": (3, 5), "6–59 岁": (6, 59), "60–79 岁": (60, 79), "80 岁及以上": (80, 200)}
__all__ = ["planner"]


def committees() -> dict[int, RegionVersion]:
    rows = RegionVersion.objects.filter(edition__state="published", level="committee")
    return {row.region_id: row for row in rows}


def by_hand() -> dict[int, list[int]]:
    """Return the residents of each committee by band."""
    found: dict[int, list[int]] = defaultdict(lambda: [0] * len(BANDS))
    for row in Population.objects.filter(region__in=committees(), retired_at=None):
        (band,) = [at for at, (low, high) in enumerate(BANDS.values()) if low <= row.age_from and row.age_to <= high]
        found[row.region_id][band] += row.persons
    return found


def told_by_hand() -> set[int]:
    persons, names = by_hand(), names_of(published_now())
    streets = [names.above(names.regions[each], "street").id for each in persons]  # type: ignore[union-attr]
    may = tellable(np.array(list(persons.values())), np.array(streets))
    return {each for each, one in zip(persons, may, strict=True) if one}


def square_of(shape: Any) -> Any:
    return {"shape": shapely.geometry.mapping(shape), "crs": "cgcs2000"}


def require_sum(found: Any, wanted: set[int]) -> None:
    persons, may = by_hand(), told_by_hand()
    told = wanted & may
    assert (found["committees"], found["hidden"]) == (len(told), len(wanted) - len(told))
    sums = [sum(persons[each][at] for each in told) for at in range(len(BANDS))]
    assert found["bands"] == [{"name": name, "persons": count} for name, count in zip(BANDS, sums, strict=True)]
    assert found["total"] == sum(sums)


def test_residents_of_a_district_are_those_of_its_committees(planner: Client) -> None:
    names = names_of(published_now())
    own = {each for each in committees() if names.regions[each].path.startswith(names.by_code[HUANGPU].path)}
    found = post(planner, {"regions": [HUANGPU]})["residents"]
    require_sum(found, own)
    assert found["total"] > 1_000


def test_a_committee_counts_whole_from_the_half_on_and_a_house_more_or_less_changes_nothing(planner: Client) -> None:
    city = current_city()
    one = max(committees().values(), key=lambda row: row.area_m2)
    own = to_plane(shapely.from_wkb(bytes(one.geom.wkb)), city)
    west, south, east, north = own.bounds
    steps = [shapely.box(west, south, west + (east - west) * at / 200, north) for at in range(1, 201)]
    shares = [own.intersection(step).area / own.area for step in steps]
    over = next(at for at, share in enumerate(shares) if share > 0.51)
    under = max(at for at, share in enumerate(shares) if share < 0.49)
    shapes = {row.region_id: to_plane(shapely.from_wkb(bytes(row.geom.wkb)), city) for row in committees().values()}

    def asked(step: Any) -> Any:
        ground = step.intersection(own.buffer(-0.5))
        found = post(planner, square_of(from_plane(ground, city)))["residents"]
        require_sum(
            found, {each for each, shape in shapes.items() if shape.intersection(ground).area / shape.area >= 0.5}
        )
        return found

    half, less = asked(steps[over]), asked(steps[under])
    assert half["committees"] + half["hidden"] == 1
    assert (less["committees"], less["total"]) == (0, 0)
    house = shapely.point_on_surface(steps[over].intersection(own)).buffer(6)
    without = from_plane(steps[over].intersection(own.buffer(-0.5)).difference(house), city)
    assert post(planner, square_of(without))["residents"] == half


def test_nobody_learns_of_a_small_committee_by_taking_answers_from_each_other(planner: Client) -> None:
    names = names_of(published_now())
    street = next(
        region for region in names.regions.values()
        if region.level == "street" and sum(each.path.startswith(region.path) for each in names.regions.values()) > 4
    )  # fmt: skip
    own = [each for each in committees() if names.regions[each].path.startswith(street.path)]
    small = own[0]
    Population.objects.filter(region=small, age_from=80).update(persons=1)
    Source.objects.filter(family=Family.POPULATION).update(revision=F("revision") + 1)
    persons = by_hand()
    assert 0 < persons[small][4] < K
    whole = post(planner, {"regions": [street.code]})["residents"]
    require_sum(whole, set(own))
    assert whole["hidden"] >= 2
    # The street's own total is known from elsewhere: what is missing from it is two committees at least, and enough people.
    missing = [sum(persons[each][at] for each in own) - whole["bands"][at]["persons"] for at in range(len(BANDS))]
    assert min(missing) >= K
    # All of the street but one committee, for each: a difference is nothing, or one that may be told.
    for each in own:
        others = [names.regions[other].code for other in own if other != each]
        left = post(planner, {"regions": others})["residents"]
        gap = [a["persons"] - b["persons"] for a, b in zip(whole["bands"], left["bands"], strict=True)]
        assert gap == (persons[each] if each in told_by_hand() else [0] * len(BANDS))
    alone = post(planner, {"regions": [names.regions[small].code]})["residents"]
    assert (alone["committees"], alone["hidden"], alone["total"]) == (0, 1, 0)


def test_the_page_says_how_many_live_there_and_of_whom_nothing_is_told(planner: Client) -> None:
    page = planner.post("/plan/select", {"district": HUANGPU}).content.decode()
    found = post(planner, {"regions": [HUANGPU]})["residents"]
    assert f"常住人口 {found['total']:,} 人" in page
    assert f"{found['committees']:,} 个居委至少一半在范围内" in page
