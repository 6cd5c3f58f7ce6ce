"""The rows of the catalogue about recommending, each asked of the pages as families and elders see them."""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
from collections.abc import Iterable
from typing import Any

import pytest
import redis
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from geo.regions.models import RegionVersion
from services.facilities.browsing.queries import ELLIPSOID
from services.facilities.models import Facility
from services.modules.finder.counting import flush_counts
from services.modules.finder.recommending.actions import turn_recommending
from services.modules.finder.recommending.models import Trace
from tests.services.modules.finder.conftest import Family, said, scope, staff
from tests.services.modules.finder.recommending.test_recommending_pages import OURS, agree, listed, state, strip


@pytest.fixture
def on(family: Family) -> Family:
    """Return the family in a city that recommends, with counters that hold nothing of ours."""
    client = redis.Redis.from_url(settings.REDIS_URL, decode_responses=True)
    for key in client.scan_iter(f"finder:uses:{connection.settings_dict['NAME']}*"):
        client.delete(key)
    turn_recommending(on=True, scope=scope("shi"))
    return family


def told(client: Client) -> list[tuple[str, str, str, str]]:
    """Return what /my/data tells of the traces: what, the place, the filters, the places that were shown."""
    data = json.loads(b"".join(client.get("/my/data/all.json").streaming_content))
    rows = data["recommending"]["内容"]
    return [(row["记录"], row["机构"], row["筛选条件"], row["看到的机构编号"]) for row in rows if "记录" in row]


@pytest.mark.covers("PRE-FIND-03a", via="services.modules.finder.recommending.actions:note_trace")
def test_pages_that_were_shown_and_what_a_family_did_are_noted_and_told(
    on: Family, places: dict[str, Facility]
) -> None:
    client, place = on.signed_in(), places["nursery"]
    agree(client)
    # Exposure: the page of searching, the page of filters, the list with what it showed, the page of one institution.
    client.get("/")
    ids = listed(said(client.get("/places", {"kinds": "childcare"})))
    assert client.post("/places/used", {"page": "filters"}, headers=OURS).status_code == 204
    client.get(f"/places/{place.pk}")
    # Acts: opened from a list, marked, called, navigated to, filters set.
    for act in ("click", "call", "navigate"):
        assert client.post(f"/places/{place.pk}/used", {"act": act}, headers=OURS).status_code == 204
    client.post("/saved/mark", {"keep": place.pk})
    client.get("/places", {"kinds": "childcare", "meals": "1", "fee_max": "3000"})
    rows = told(client)
    acts = [row[0] for row in rows]
    for shown in ("看到搜索页面", "看到查询条件", "看到列表", "看到详情"):
        assert shown in acts
    assert ("看到列表", "", "", "、".join(map(str, ids))) in rows
    for act in ("看到详情", "点开", "收藏", "打电话", "导航"):
        assert (act, place.name, "", "") in rows
    assert next(row for row in rows if row[0] == "设置筛选条件")[2] == "fee、meals=1"
    # Of everybody, agreed or not, they are counted without a name; staff take the figures.
    for _ in range(10):
        on.device.get("/")
        for act in ("click", "call", "navigate"):
            on.device.post(f"/places/{place.pk}/used", {"act": act}, headers=OURS)
        on.device.post("/places/used", {"page": "filters"}, headers=OURS)
        on.device.get(f"/places/{place.pk}")
        on.device.get("/places", {"kinds": "childcare"})
        Client(headers={"host": "localhost"}).post("/saved/mark", {"keep": place.pk})
    flush_counts()
    today = {"by": "act", "since": str(timezone.localdate()), "until": str(timezone.localdate())}
    table = csv.reader(said(staff("shi").get("/desk/finder/uses.csv", today)).lstrip("\ufeff").splitlines())
    counted = {name: int(count) for code, name, count in list(table)[1:]}
    assert counted == {
        "看到搜索页面": 11, "看到查询条件": 11, "查询": 12, "看详情": 11, "点开": 11, "收藏": 11, "打电话": 11, "导航": 11,
    }  # fmt: skip
    assert len(told(client)) == len(rows)


def order_of(client: Client) -> list[int]:
    """Return the whole list of childcare as it is recommended."""
    return listed(said(client.get("/places", {"kinds": "childcare", "order": "recommended"})))


def alike() -> list[Facility]:
    """Make all institutions of childcare alike but for where they stand, and return them."""
    rows = Facility.objects.filter(kind__group="childcare", status="open", retired_at=None).order_by("pk")
    plain = {"age_from_months": 6, "age_to_months": 36, "fee_month_yuan": 6000, "inclusive": False, "meals": False}
    rows.update(kind_id="nursery", attributes=plain, vacancies=None, vacancies_as_of=None, as_of=timezone.localdate())
    return list(rows)


def change(place: Facility, **said: Any) -> None:
    row = Facility.objects.get(pk=place.pk)
    Facility.objects.filter(pk=place.pk).update(attributes=row.attributes | said)


@pytest.mark.covers("PRE-FIND-03b", via="services.modules.finder.recommending.queries:ranking")
def test_what_a_family_states_and_did_puts_the_institutions_that_suit_first(on: Family) -> None:
    client = on.signed_in()
    agree(client)
    rows = alike()
    assert len(rows) >= 8
    # Home: of institutions that are alike the nearest to the label of the family's street comes first, above the list too.
    home = RegionVersion.objects.filter(level="street", edition__state="published").order_by("code").first()
    assert home is not None
    state(client, "child", choose=home.code)
    away = {row.pk: ELLIPSOID.inv(home.label.x, home.label.y, row.geom.x, row.geom.y)[2] for row in rows}
    nearest = sorted(away, key=away.__getitem__)
    assert order_of(client)[:2] == nearest[:2]
    page = said(client.get("/places", {"kinds": "childcare"}))
    assert strip(page)[:2] == nearest[:2]
    assert page.index('class="recommended"') < page.index('id="listing"')
    # The child's age: who does not take it is not recommended, who takes it says so.
    born = timezone.localdate().replace(day=1) - dt.timedelta(days=300)
    months = 12 * (timezone.localdate().year - born.year) + timezone.localdate().month - born.month
    change(Facility.objects.get(pk=nearest[0]), age_from_months=24)
    state(client, "child", seen=1, choose=home.code, born=f"{born:%Y-%m}")
    page = said(client.get("/places", {"kinds": "childcare"}))
    assert nearest[0] not in strip(page)
    assert strip(page)[0] == nearest[1]
    assert f"接收 {months} 月龄" in page
    change(Facility.objects.get(pk=nearest[0]), age_from_months=6)
    # The range of fees: the only one within it comes first; and what the family prefers.
    cheap, fed = Facility.objects.get(pk=nearest[-1]), Facility.objects.get(pk=nearest[-2])
    change(cheap, fee_month_yuan=1800)
    state(client, "child", seen=2, fee_least="1000", fee_most="2500")
    assert order_of(client)[0] == cheap.pk
    assert "收费合适" in said(client.get("/my/recommending/why", {"place": cheap.pk, "kinds": "childcare"}))
    change(fed, meals=True)
    state(client, "child", seen=3, needs=["meals"])
    assert order_of(client)[0] == fed.pk
    # What the family did: places like those it marked, called and went to come first, also long after.
    state(client, "child", seen=4)
    change(fed, meals=False)
    liked = rows[:4]
    for row in liked:
        change(row, inclusive=True)
    for row in liked[:3]:
        client.post("/saved/mark", {"keep": row.pk})
        client.post(f"/places/{row.pk}/used", {"act": "call"}, headers=OURS)
    assert liked[3].pk in order_of(client)[:4]
    why = said(client.get("/my/recommending/why", {"place": liked[3].pk, "kinds": "childcare"}))
    assert "像您看过的（普惠）" in why
    Trace.objects.update(hour=timezone.now() - dt.timedelta(days=40))
    assert liked[3].pk in order_of(client)[:4]
    # Nothing of it moves the list of somebody else.
    assert order_of(on.device) == listed(said(on.device.get("/places", {"kinds": "childcare"})))


def rows_of(page: str) -> list[int]:
    return [int(one) for one in re.findall(r'<li class="row[^"]*" data-id="(\d+)"', page)]


def marked_of(page: str) -> list[int]:
    """Return the places the list marks as recommended."""
    rows = re.findall(r'<li class="row[^"]*" data-id="(\d+)".*?</li>', page, re.DOTALL)
    items: Iterable[str] = re.findall(r'<li class="row[^"]*" data-id="\d+".*?</li>', page, re.DOTALL)
    return [int(one) for one, item in zip(rows, items, strict=True) if "</svg>推荐</span>" in item]


def pins_of(page: str) -> list[dict[str, Any]]:
    """Return the pins of the map: the answer that lies in the page for it."""
    found = re.search(r'<script id="answer" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return list(json.loads(found.group(1))["places"])


def circle_alike(device: Client) -> tuple[dict[str, str], list[int]]:
    """Return a question for elders whose circle holds at least five places alike, and these, the nearest first."""
    rows = Facility.objects.filter(kind__group="eldercare", status="open", retired_at=None).order_by("pk")
    rows.update(attributes={}, vacancies=None, vacancies_as_of=None, as_of=timezone.localdate())
    for row in rows:
        asked = {"lon": f"{row.geom.x:.6f}", "lat": f"{row.geom.y:.6f}", "kinds": "eldercare", "minutes": "30"}
        ids = rows_of(said(device.get("/elder", asked)))
        if len(ids) >= 5:
            return asked, ids
    raise AssertionError("the tiny city has no such place: the test would prove nothing")


@pytest.mark.covers("ELD-RES-01d", via="web.doors.finder.recommended:suiting_among")
def test_on_the_map_for_elders_the_places_that_suit_best_come_first(on: Family) -> None:
    asked, near = circle_alike(on.device)
    assert [pin["id"] for pin in pins_of(said(on.device.get("/elder", asked)))] == near
    # One that is not the nearest, but has places free, a high grade and is fresh, is the best of the circle, for all to see.
    best = Facility.objects.get(pk=near[1])
    Facility.objects.filter(pk=best.pk).update(
        attributes={"grade": "五级"}, vacancies=9, vacancies_as_of=timezone.now(), vacancies_source="institution"
    )
    page = said(on.device.get("/elder", asked | {"sort": "recommended"}))
    assert '<option value="recommended" selected>合适的优先</option>' in page
    pins = pins_of(page)
    assert [pin["id"] for pin in pins] == rows_of(page)
    assert pins[0]["id"] == best.pk
    assert (pins[0]["rank"], pins[0]["recommended"]) == (1, True)
    assert sorted(rows_of(page)) == sorted(near)
    reason = re.search(rf'data-id="{best.pk}".*?<p class="row-why">(.*?)</p>', page, re.DOTALL)
    assert reason is not None
    assert {"有余位", "等级高"} <= set(reason.group(1).split(" · "))
    assert not Trace.objects.exists()
    # 长辈版 has the same order, in large letters.
    on.device.cookies["elder"] = "1"
    plain = said(on.device.get("/elder", asked | {"sort": "recommended"}))
    first = re.search(r'<article class="card elder-card" data-id="(\d+)"', plain)
    assert first is not None
    assert int(first.group(1)) == best.pk
    assert "推荐：" in plain


@pytest.mark.covers("ELD-RES-01j", via="services.modules.finder.recommending.queries:ranking")
def test_on_the_map_for_elders_institutions_are_recommended_with_reasons(on: Family) -> None:
    asked, near = circle_alike(on.device)
    page = said(on.device.get("/elder", asked))
    marked = [pin["id"] for pin in pins_of(page) if pin["recommended"]]
    assert len(marked) == 3
    assert marked == marked_of(page)
    assert near[0] in marked
    # What is needed for an elder moves the recommendation to what offers it, on the map as in the list of all.
    wanted = near[-1]
    Facility.objects.filter(pk=wanted).update(attributes={"memory_care": True, "medical_insurance": True})
    assert wanted not in marked
    agree(on.device)
    state(on.device, "elder", needs=["memory_care", "insurance"])
    page = said(on.device.get("/elder", asked))
    assert wanted in [pin["id"] for pin in pins_of(page) if pin["recommended"]] == marked_of(page)
    assert "认知症照护、可用医保" in page
    assert strip(said(on.device.get("/places", {"kinds": "eldercare"})))[0] == wanted
    why = said(on.device.get("/my/recommending/why", {"place": wanted, "kinds": "eldercare"}))
    assert "认知症照护、可用医保" in why
    assert "没有付费排名" in why
    # Switched off by the city nothing is marked any more.
    turn_recommending(on=False, scope=scope("shi"))
    page = said(on.device.get("/elder", asked))
    assert [pin["id"] for pin in pins_of(page) if pin["recommended"]] == [] == marked_of(page)


@pytest.mark.covers("ELD-RES-07", via="services.modules.finder.recommending.queries:ranking")
def test_the_map_of_elders_brings_services_together_finds_them_and_says_which_suit(on: Family) -> None:
    asked, near = circle_alike(on.device)
    # Brought together: services of several kinds, from whatever source, in one answer that list and map share.
    page = said(on.device.get("/elder", asked))
    pins = pins_of(page)
    assert [pin["id"] for pin in pins] == rows_of(page) == near
    kinds = dict(Facility.objects.filter(pk__in=near).values_list("pk", "kind"))
    assert len(set(kinds.values())) >= 3
    # Looked up: by a kind alone, by a name, and with what is needed.
    for kind in set(kinds.values()):
        of_kind = [pk for pk in near if kinds[pk] == kind]
        assert rows_of(said(on.device.get("/elder", asked | {"kinds": kind}))) == of_kind
    sought = Facility.objects.get(pk=near[-1])
    found = listed(said(on.device.get("/places", {"kinds": "eldercare", "q": sought.name})))
    named = Facility.objects.filter(name=sought.name, kind__group="eldercare", retired_at=None)
    assert set(found) >= set(named.values_list("pk", flat=True))
    assert sought.pk in found
    change(sought, memory_care=True)
    assert rows_of(said(on.device.get("/elder", asked | {"memory_care": "1"}))) == [sought.pk]
    # Recommended to whom it suits: what is stated of this elder, and of no other, marks it on the map and says why.
    client = on.signed_in()
    agree(client)
    state(client, "elder", needs=["memory_care"])
    page = said(client.get("/elder", asked))
    assert sought.pk in [pin["id"] for pin in pins_of(page) if pin["recommended"]] == marked_of(page)
    why = said(client.get("/my/recommending/why", {"place": sought.pk, "kinds": "eldercare"}))
    assert "认知症照护" in why
    assert strip(said(client.get("/places", {"kinds": "eldercare"})))[0] == sought.pk
