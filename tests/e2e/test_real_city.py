"""The journeys on the real Shanghai, imported over the invented one as its operators would do it: no invented place in sight."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import redis
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

from tests.conftest import RealCity, _copy, _drop, _use
from tests.e2e.conftest import Spot, answer_of, faults_of, wait_until_drawn

pytestmark = [pytest.mark.data, pytest.mark.timeout(900)]
SIZES = ((390, 844), (1440, 900))
PASSWORD = "a long sentence nobody guesses 7"
Opener = Callable[..., Any]


@pytest.fixture(scope="module")
def real_city(
    _live_server: str,
    real_city_database: RealCity,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """Return the URL of the live server over a copy of the real city, with its road graph."""
    from routing.actions import rebuild_graph

    name = real_city_database.database.removesuffix("_real") + "_live"
    graphs, settings.GRAPH_ROOT = settings.GRAPH_ROOT, tmp_path_factory.mktemp("real-graphs")
    with django_db_blocker.unblock():
        _copy(real_city_database.database, name)
        before = _use(name)
        redis.Redis.from_url(settings.REDIS_URL).flushdb()
        assert real_city_database.report["published"]
        rebuild_graph()
        yield _live_server
        connection.close()
        _use(before)
        with connection._nodb_cursor() as cursor:
            _drop(cursor, name)
    settings.GRAPH_ROOT = graphs


def home_where(holds: Callable[[Any], bool], district: str, **question: Any) -> Spot:
    """Return the first community of a district, by name, whose circle holds what a journey needs."""
    from geo.addresses.models import Community
    from geo.crs import Coordinate, System
    from geo.errors import CityError
    from geo.imports.models import CURRENT
    from geo.regions.models import RegionVersion
    from geo.scope import Scope
    from services.facilities.circle import circle

    borders = RegionVersion.objects.get(edition__state="published", name=district).geom
    sites = Community.objects.filter(CURRENT, geom__coveredby=borders).order_by("name", "id")
    names = list(sites.values_list("name", flat=True))
    for site in sites:
        if names.count(site.name) > 1:
            continue
        origin = Coordinate(site.geom.x, site.geom.y, System.CGCS2000)
        try:
            found = circle(scope=Scope.public(), origin=origin, **question)
        except CityError:
            continue
        if holds(found):
            return Spot(site.name, site.geom.x, site.geom.y)
    raise AssertionError(f"no home in {district} lies so: the test would prove nothing")


@pytest.fixture(scope="module")
def family_home(real_city: str) -> Spot:
    """Return a home in 黄浦 with no nursery within 15 minutes of a pram, and some within 30."""
    from services.facilities.kinds import kinds_named

    return home_where(
        lambda found: found.empty and any(step.count for step in found.empty.steps),
        "黄浦区", minutes=15, mode="pram", kinds=kinds_named("childcare"),
    )  # fmt: skip


@pytest.fixture(scope="module")
def elder_home(real_city: str) -> Spot:
    """Return a home in 杨浦 with a canteen within half an hour's walk of an elder."""
    return home_where(lambda found: found.places, "杨浦区", minutes=30, mode="elder", kinds=("canteen",))


def see_that_all_is_real(page: Any) -> None:
    """See that the page says nothing of invented data, leaks nothing of the programme and has no fault axe can find."""
    said = page.locator("body").inner_text()
    assert "演示" not in said
    assert not re.search(r"\b(None|NamedRegion|undefined|NaN|null)\b", said)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert faults_of(page) == []


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_mother_asks_for_a_street_and_is_told_what_is_near(
    open_page: Opener, real_city: str, width: int, height: int
) -> None:
    page = open_page(width, height)
    page.goto(real_city)
    see_that_all_is_real(page)
    page.get_by_role("combobox").fill("杨浦区国权路")
    options = page.locator("#suggestions").get_by_role("option")
    options.first.wait_for()
    assert options.first.inner_text().split() == ["国权路", "杨浦区"]
    said = options.all_inner_texts()
    assert len(said) == len(set(said)), "two answers nobody can tell apart"
    options.first.click()
    page.wait_for_url("**lon=**")
    # The sample of roads has none here: that is said, and the nearest nurseries are offered in a straight line.
    page.locator(".state .near a").first.wait_for()
    assert "直线" in page.locator(".state .near").inner_text()
    see_that_all_is_real(page)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_mother_finds_a_nursery_and_is_taken_there(
    open_page: Opener, real_city: str, family_home: Spot, width: int, height: int
) -> None:
    from services.facilities.models import Facility

    page = open_page(width, height)
    page.goto(real_city)
    page.get_by_role("combobox").fill(family_home.name)
    page.get_by_role("option", name=family_home.name).first.click()
    page.wait_for_url("**lon=**")
    page.get_by_role("radio", name="推婴儿车").click()
    page.wait_for_url("**mode=pram**")
    page.get_by_role("link", name=re.compile("放宽到 30 分钟")).first.click()
    page.wait_for_url("**minutes=30**")
    page.locator("#rows .row").first.wait_for()
    wait_until_drawn(page)
    see_that_all_is_real(page)

    answer = answer_of(page)
    assert answer["bands"][-1]["minutes"] == 30
    assert answer["bands"][-1]["geometry"]["coordinates"]
    minutes = [int(text) for row in page.locator(".row-minutes").all_inner_texts() for text in re.findall(r"\d+", row)]
    assert minutes == sorted(minutes)
    assert max(minutes) <= 30
    places = Facility.objects.in_bulk([place["id"] for place in answer["places"]])
    assert {place.source.provenance for place in places.values()} == {"real"}
    assert sorted(page.locator(".pin b").all_inner_texts()) == sorted(page.locator(".rank").all_inner_texts())

    # No source tells of vacancies: filtering by them ends in an answer, not in a guess.
    page.get_by_role("checkbox", name="有余位").click()
    page.wait_for_url("**has_vacancy=1**")
    page.locator(".state").first.wait_for()
    assert page.locator("#rows .row").count() == 0
    page.go_back()

    page.locator("#rows .row-name").first.click()
    navigate = page.locator("a[data-navigate]").first
    navigate.wait_for()
    see_that_all_is_real(page)
    target = urlsplit(navigate.get_attribute("href"))
    assert target.hostname == "uri.amap.com"
    lon, lat, name = unquote(parse_qs(target.query)["to"][0]).split(",")
    first = places[answer["places"][0]["id"]]
    assert name == first.name
    assert metres_apart(gcj=(float(lon), float(lat)), place=first) < 0.1


def metres_apart(*, gcj: tuple[float, float], place: Any) -> float:
    """Return how far a GCJ-02 point lies from a facility, in metres."""
    from geo.crs import Coordinate, System, convert

    back = convert(Coordinate(*gcj, System.GCJ02), System.CGCS2000)
    return math.hypot((back.x - place.geom.x) * 95_300, (back.y - place.geom.y) * 110_900)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_an_elder_is_told_the_nearest_canteen(
    open_page: Opener, real_city: str, elder_home: Spot, width: int, height: int
) -> None:
    from geo.crs import Coordinate, System
    from geo.scope import Scope
    from services.facilities.circle import nearest_by_road

    page = open_page(width, height)
    page.goto(real_city)
    page.get_by_role("button", name="长辈版").click()
    page.locator("[data-view=elder]").wait_for(state="attached")
    page.get_by_label("写路名、小区名，或者门牌").fill(elder_home.name)
    page.get_by_role("button", name="查一查").click()
    page.locator(".elder-card, .elder-options").first.wait_for()
    candidate = page.locator(".elder-options a", has_text=elder_home.name).first
    if candidate.count():
        candidate.click()
    card = page.locator(".elder-card").first
    card.wait_for()
    origin = Coordinate(elder_home.lon, elder_home.lat, System.CGCS2000)
    nearest = nearest_by_road(scope=Scope.public(), origin=origin, mode="elder", kinds=("canteen",), k=1).places[0]
    assert int(card.get_attribute("data-id")) == nearest.place.id
    assert f"走路 {nearest.minutes} 分钟" in card.inner_text()
    # One tap calls: the place itself, or the city's line where no source tells its number.
    call = nearest.place.phone or "12345"
    assert card.locator("a[href^='tel:']").get_attribute("href") == "tel:" + "".join(c for c in call if c.isdigit())
    see_that_all_is_real(page)


def test_a_developer_gets_a_key_and_a_circle_in_gcj02(
    open_page: Opener, real_city: str, elder_home: Spot, monkeypatch: pytest.MonkeyPatch
) -> None:
    from geo.crs import Coordinate, System, convert
    from services.facilities.models import Facility

    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD + "\n"))
    call_command("staff_account", "kaifa", "--role", "planner", stdout=io.StringIO())
    page = open_page(1440, 900)
    page.goto(f"{real_city}/api/docs")
    page.get_by_text("/api/v1/circle").first.wait_for()
    page.goto(f"{real_city}/account")
    page.get_by_role("textbox", name="账号").fill("kaifa")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.get_by_label("这个密钥用在哪里").fill("找食堂")
    page.get_by_role("button", name="新建密钥").click()
    key = page.locator(".token").inner_text().strip()

    mars = convert(Coordinate(elder_home.lon, elder_home.lat, System.CGCS2000), System.GCJ02)
    query = f"lon={mars.x}&lat={mars.y}&minutes=30&mode=elder&kinds=canteen&crs=gcj02"
    answer = page.request.get(f"{real_city}/api/v1/circle?{query}", headers={"Authorization": f"Bearer {key}"})
    assert answer.ok
    said = answer.json()
    assert "演示" not in answer.text()
    assert said["places"]
    for place in said["places"]:
        assert metres_apart(gcj=(place["lon"], place["lat"]), place=Facility.objects.get(pk=place["id"])) < 0.1
