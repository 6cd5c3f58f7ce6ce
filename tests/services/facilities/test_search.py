"""The search box with facilities: only open ones, by name and address, after every edit, and in the order of their kinds."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from geo.addresses.gazetteer import names_of, published_now
from geo.addresses.suggesting.ranking import Fit
from geo.imports.models import CURRENT
from geo.roads.models import RoadName
from geo.scope import Scope
from services.facilities.models import Facility
from services.facilities.schemas import SuggestionsOut
from services.facilities.search import STEPS, search
from tests.services.facilities.conftest import World

PUBLIC = Scope.public()


def names(q: str, **options: Any) -> list[str]:
    return [one.label for one in search(q, scope=PUBLIC, **options)]


def test_a_facility_is_found_by_its_name_and_less_well_by_its_address(world: World) -> None:
    world.facility("云杉托育园", address_text="上海市杨浦区望舒路5号")
    world.facility("望舒托育园")
    found = search("望舒", scope=PUBLIC)
    assert [(one.label, one.fit) for one in found] == [("望舒托育园", Fit.BEGINS), ("云杉托育园", Fit.SCATTERED)]
    assert found[0].where == "托育机构"
    assert names("云杉 望舒路") == ["云杉托育园"]
    assert names("yunshan") == names("ysty") == names("云shan") == names("云衫") == ["云杉托育园"]


def test_only_open_facilities_are_offered(world: World) -> None:
    for status in ("open", "closed", "suspended", "preparing"):
        world.facility(f"云杉{status}", status=status)
    world.facility("云杉草稿", source=world.publish("facilities", published=False))
    assert names("云杉") == ["云杉open"]


def test_an_edit_is_seen_at_once_and_a_vacancy_does_not_make_the_names_be_read_again(
    world: World, django_assert_num_queries: Any
) -> None:
    from services.facilities import search as module

    module._read_at.clear()  # what earlier tests left there counts towards its limit
    one = world.facility("云杉托育园")
    other = world.facility("望舒托育园")
    assert names("托育园") == ["云杉托育园", "望舒托育园"]

    with django_assert_num_queries(1):
        Facility.objects.filter(pk=one.pk).update(vacancies=3)
    before = module._read_at.copy()
    assert names("托育园") == ["云杉托育园", "望舒托育园"]
    assert {read for read, _ in module._read_at.values()} == {read for read, _ in before.values()}

    Facility.objects.filter(pk=one.pk).update(name="银杏托育园")
    assert names("托育园") == ["望舒托育园", "银杏托育园"]
    assert names("云杉") == []
    Facility.objects.filter(pk=other.pk).update(status="closed")
    assert names("托育园") == ["银杏托育园"]
    world.facility("云杉托育园")
    assert sorted(names("托育园")) == ["云杉托育园", "银杏托育园"]
    Facility.objects.filter(pk=one.pk).delete()
    assert names("托育园") == ["云杉托育园"]


def test_kinds_matter_in_their_order_and_nearness_outweighs_them(world: World) -> None:
    east = 0.0105 * 4  # some four kilometres for each step to the east
    kinds = ["bus_stop", "nursery", "park", "hospital", "metro_station"]
    for number, kind in enumerate(kinds):
        world.facility(f"云杉{kind}", kind=kind, lon=121.3 + number * east)
    assert names("云杉") == [f"云杉{kind}" for kind in sorted(kinds, key=lambda kind: STEPS.get(kind, 2.5))]
    assert names("云杉", near=(121.3 + 2 * east, 31.2304))[0] == "云杉park"
    assert names("云杉", near=(121.3 + east, 31.2304))[0] == "云杉nursery"


def test_the_api_says_how_each_fits_and_what_is_only_meant(world: World, client: Client) -> None:
    world.facility("云杉托育园")

    def ask(status: int = 200, **params: Any) -> dict[str, Any]:
        response = client.get("/api/v1/suggest", params)
        assert response.status_code == status, response.content
        return dict(response.json())

    exact, meant = ask(q="云杉"), ask(q="云山", lon=121.4737, lat=31.2304, crs="wgs84")
    for body in (exact, meant):
        SuggestionsOut.model_validate(body)
    assert [(one["fit"], one["corrected"], one["metres"]) for one in exact["suggestions"]] == [("begins", False, None)]
    assert [(one["fit"], one["corrected"], one["metres"]) for one in meant["suggestions"]] == [
        ("sounds_begin", True, 0)
    ]
    assert ask(q="云杉" * 101, status=400)["code"] == "query_too_long"
    assert ask(q="云", limit=0, status=400)["code"] == "limit_invalid"
    assert ask(q="云", lon=31.2, lat=121.4, status=400)["code"] == "axes_swapped"
    assert ask(q="云", crs="moon", status=400)["code"] == "crs_unknown"
    assert ask(q="😀")["suggestions"] == []


@pytest.mark.usefixtures("city")
def test_every_open_facility_is_found_by_its_name_where_it_stands() -> None:
    for row in Facility.objects.filter(status="open", retired_at=None).order_by("id")[::11]:
        found = search(row.name, scope=PUBLIC, near=(row.geom.x, row.geom.y), limit=30)
        # The stop across the street reads the same and stands for both.
        assert any(one.label == row.name and (one.metres or 0) < 300 for one in found), row.name


def test_a_district_and_a_road_in_one_are_an_address_whatever_else_bears_the_name(city: None):
    road = RoadName.objects.filter(mapped=True, region__isnull=False, name__endswith="路").order_by("length_m").first()
    assert road is not None
    district = names_of(published_now()).region(road.region_id)
    assert district is not None
    station = Facility.objects.filter(CURRENT, kind="metro_station").order_by("id").first()
    assert station is not None
    station.name, station.geom, station.region_id = road.name, road.geom, road.region_id
    station.save()
    alone = search(road.name, scope=PUBLIC)
    assert {"facility", "road"} <= {one.what for one in alone if one.label == road.name}
    assert search(f"{district.name}{road.name}", scope=PUBLIC)[0].what == "road"


def test_the_road_of_a_district_comes_before_names_that_only_begin_with_both(city: None):
    road = RoadName.objects.filter(mapped=True, region__isnull=False, name__endswith="路").order_by("length_m").first()
    assert road is not None
    district = names_of(published_now()).region(road.region_id)
    assert district is not None
    for room in Facility.objects.filter(CURRENT).order_by("id")[:3]:
        room.name = f"{district.name}{road.name}第{room.pk}活动室"
        room.save()
    found = search(f"{district.name}{road.name}", scope=PUBLIC)
    assert (found[0].what, found[0].label) == ("road", road.name)
    assert sum(one.what == "facility" for one in found) == 3
