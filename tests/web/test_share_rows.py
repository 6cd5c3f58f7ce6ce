"""Rows of the catalogue about shares of institutions by region: on the map, as bars, down to the streets, and behind them the rows."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from geo.regions.models import RegionVersion
from services.access.models import User
from services.access.queries import Caller, scope_of
from services.facilities.actions import update_facility
from services.facilities.models import Facility
from tests.layers.choropleths.samples import versions
from tests.web.test_choropleths import ranking, text
from tests.web.test_kinds import signed_in

pytestmark = pytest.mark.usefixtures("city")
YANGPU = "310110"


def open_places(**narrowed: Any) -> list[Facility]:
    return list(Facility.objects.filter(retired_at=None, status="open", **narrowed).select_related("region"))


def paths_counted(places: list[Facility], regions: list[RegionVersion]) -> Counter[str]:
    """Count places by the path of the region that holds them."""
    paths = dict(RegionVersion.objects.filter(edition__state="published").values_list("region_id", "path"))
    own = [paths.get(place.region_id, "") for place in places]
    return Counter(region.path for region in regions for path in own if path.startswith(region.path))


def counted(places: list[Facility], regions: list[RegionVersion]) -> Counter[str]:
    """Count places by the name of the region that holds them."""
    found = paths_counted(places, regions)
    return Counter({region.name: found[region.path] for region in regions})


def shares(upper: list[Facility], lower: list[Facility], regions: list[RegionVersion]) -> dict[str, str]:
    """Return what the page must say of each region: the share with one decimal, a dash where there is nothing to share."""
    above, below = counted(upper, regions), counted(lower, regions)
    return {
        region.name: f"{100 * above[region.name] / below[region.name]:.1f}" if below[region.name] else "—"
        for region in regions
    }


def told(page: str) -> dict[str, str]:
    """Return the figures of the ranking by name; the bars beside them are the chart."""
    rows = [row.split() for row in ranking(page)]
    return {row[-2]: row[-1] for row in rows}


def filed(client: Client, key: str, query: str = "") -> list[list[str]]:
    body = client.get(f"/watch/areas/{key}/table?format=csv{query}").content.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(body)))


def said_thrice(page: str, figures: dict[str, str]) -> None:
    """Hold that the ranking with its bars and the outlines on the map say exactly these figures."""
    assert told(page) == figures
    assert page.count('<svg class="areas-bar"') == len(figures)
    outlines = dict(re.findall(r'<a class="areas-link"[^>]*aria-label="([^" ]+) ([^"]+)"', page))
    assert outlines == figures


def below(page: str, code: str) -> str:
    """Return the address that the outline of a region on the map leads to."""
    found = re.search(rf'<a class="areas-link" href="([^"]+)" data-code="{code}"', page)
    assert found
    return found[1]


def listed(client: Client, page: str) -> int:
    """Return how many rows of the ledger stand behind the figures of a page."""
    rows = re.search(r'<h2 id="rows">[^：]+：(\d+) 家', page)
    assert rows
    return int(rows[1])


@pytest.mark.covers("PRE-MON-27a", via="layers.choropleths.queries:board_of")
def test_shares_of_nurseries_in_kindergartens_are_charts_of_districts_and_below_of_streets() -> None:
    """托幼一体园占比、公办托幼一体园占比: bars and map of the districts, a step down to the streets, as they are kept."""
    kept = open_places(kind="kindergarten_nursery")
    assert {place.attributes["ownership"] for place in kept} == {"public", "private"}
    for key, upper in (
        ("integrated_share", open_places(kind="kindergarten_nursery")),
        ("integrated_public_share", open_places(kind="kindergarten_nursery", attributes__ownership="public")),
    ):
        lower, client = open_places(kind__group="childcare"), signed_in("shi")
        page = text(client.get(f"/watch/areas/{key}"))
        said_thrice(page, shares(upper, lower, versions("district")))
        assert listed(client, page) == len(upper)
        streets = text(client.get(below(page, YANGPU)))
        assert "杨浦区 · " in streets
        said_thrice(streets, shares(upper, lower, versions("street", f"310000.{YANGPU}.")))
        assert [row[2:] for row in filed(client, key)[1:] if row[2] == "杨浦区"] == [["杨浦区", told(page)["杨浦区"]]]


@pytest.mark.covers("PRE-MON-27c", via="layers.facts.counting:count_by_region")
def test_streets_with_a_baby_house_are_counted_at_once_on_the_map_and_street_by_street() -> None:
    """“宝宝屋”街镇覆盖率: of each district on the map, of its streets below, and another the moment one closes."""
    client = signed_in("shi")

    def covered(level: str, under: str = "") -> dict[str, str]:
        streets = versions("street")
        having = counted(open_places(kind="baby_house"), streets)
        inside = {
            region.name: [having[street.name] > 0 for street in streets if street.path.startswith(region.path)]
            for region in versions(level, under)
        }
        return {name: f"{100 * sum(found) / len(found):.1f}" for name, found in inside.items()}

    page = text(client.get("/watch/areas/baby_house_streets"))
    before = covered("district")
    assert before["杨浦区"] not in ("0.0", "100.0")
    said_thrice(page, before)
    streets = text(client.get(below(page, YANGPU)))
    said_thrice(streets, covered("street", f"310000.{YANGPU}."))
    assert set(told(streets).values()) == {"0.0", "100.0"}
    # 实时: staff close the only one of a street, and both maps say so when they are next asked
    only = next(place for place in open_places(kind="baby_house") if counted([place], versions("district"))["杨浦区"])
    form = {"status": "closed", "reason": "停办", "effective_on": ""}
    assert client.post(f"/desk/facilities/{only.pk}/status", form).status_code == 302
    after = covered("district")
    assert after["杨浦区"] != before["杨浦区"]
    page = text(client.get("/watch/areas/baby_house_streets"))
    said_thrice(page, after)
    said_thrice(text(client.get(below(page, YANGPU))), covered("street", f"310000.{YANGPU}."))


@pytest.mark.covers("PRE-MON-36b", via="layers.choropleths.queries:board_of")
def test_inclusive_kindergartens_are_counted_and_shared_by_district_on_the_map() -> None:
    """普惠性幼儿园的数量 and 占比 of every district, each on a map; one that stops being inclusive is in neither."""
    client, districts = signed_in("shi"), versions("district")
    for step in range(2):
        every, upper = open_places(kind="kindergarten"), open_places(kind="kindergarten", attributes__inclusive=True)
        assert 0 < len(upper) < len(every)
        count = text(client.get("/watch/areas/inclusive_kindergartens"))
        by = counted(upper, districts)
        said_thrice(count, {region.name: str(by[region.name]) for region in districts})
        assert listed(client, count) == len(upper)
        share = text(client.get("/watch/areas/inclusive_share"))
        said_thrice(share, shares(upper, every, districts))
        if not step:
            scope = scope_of(Caller(User.objects.get(username="shi")))
            update_facility(facility_id=upper[0].pk, changes={"attributes": {"inclusive": False}}, scope=scope)


@pytest.mark.covers("PRE-MON-29a", via="layers.facts.counting:count_by_region")
def test_institutions_of_each_type_of_childcare_are_counted_by_district_and_street_asked_for_and_taken_along() -> None:
    """托育机构、托儿所、早教中心、宝宝屋、科学育儿指导站, each and together: a table of the page, and the same as a file."""
    client = signed_in("shi")
    names = {"nursery": "托育机构", "creche": "托儿所", "early_centre": "早教中心", "baby_house": "社区托育宝宝屋",
             "parenting_station": "科学育儿指导站"}  # fmt: skip
    form = text(client.get("/watch/heat/childcare?by=district"))
    assert [name for name in names.values() if name not in form] == []
    nurseries = open_places(kind="nursery")
    for key in names:  # the invented city has no creche of its own
        if not open_places(kind=key):
            Facility.objects.filter(pk=nurseries.pop().pk).update(kind=key, updated_at=timezone.now())
    every = open_places(kind__group="childcare")
    for level in ("district", "street"):
        regions = versions(level)
        codes = {region.code: region.path for region in regions}
        for kinds, own in [("", every), *((key, [place for place in every if place.kind_id == key]) for key in names)]:
            assert own, kinds
            asked = f"by={level}&kinds={kinds}"
            page = text(client.get(f"/watch/heat/childcare?{asked}"))
            rows = dict(re.findall(r'<tr data-key="(\d+)".*?<td class="number">([^<]+)</td>', page, re.DOTALL))
            by_path = paths_counted(own, regions)
            assert rows == {code: str(by_path[path]) for code, path in codes.items()}, (level, kinds)
            body = client.get(f"/watch/heat/childcare/table?{asked}&format=csv").content.decode("utf-8-sig")
            lines = list(csv.reader(io.StringIO(body)))
            assert lines[0] == ["区划代码", "位置", "托育机构（处）"]
            assert {line[0]: float(line[2]) for line in lines[1:]} == {
                code: by_path[path] for code, path in codes.items()
            }
    # 查询: the figure of a type in a street leads to its institutions by name
    street = next(path for path, count in paths_counted(every, versions("street")).items() if count)
    code = street.split(".")[-2]
    page = text(client.get("/watch/heat/childcare?by=street"))
    row = re.search(rf'<tr data-key="{code}".*?href="([^"]+)"', page, re.DOTALL)
    assert row
    ledger = text(client.get(row[1]))
    inside = [place for place in every if paths_counted([place], versions("street"))[street]]
    assert [place.name for place in inside if place.name not in ledger] == []
