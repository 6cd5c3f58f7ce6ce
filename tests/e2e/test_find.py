"""The first door in a real browser: a mother finds a nursery, by touch, by keyboard and without script."""

from __future__ import annotations

import math
import re
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from tests.e2e.conftest import Spot, answer_of, full_day_and_free, wait_for_map


def rows_of(page: Any) -> list[tuple[int, int]]:
    """Return (rank, id) of each row of the list."""
    return [
        (int(row.get_attribute("data-rank")), int(row.get_attribute("data-id")))
        for row in page.locator("#rows .row").all()
    ]


@pytest.mark.covers("PRE-FIND-06", via="web.doors.finder.find:answer")
def test_a_mother_finds_a_full_day_nursery_with_a_vacancy_and_is_taken_there(
    page: Any, live_city: str, families: Spot
) -> None:
    page.goto(live_city)
    page.get_by_role("combobox").fill(families.name)
    page.get_by_role("option", name=families.name).first.click()
    page.locator("#rows").wait_for()
    page.get_by_role("radio", name="推婴儿车").click()
    page.wait_for_url("**mode=pram**")
    page.wait_for_function("() => JSON.parse(document.getElementById('answer').textContent).traveller === '推婴儿车'")

    answer = answer_of(page)
    assert [band["minutes"] for band in answer["bands"]] == [5, 10, 15]
    assert all(band["geometry"]["coordinates"] for band in answer["bands"])
    minutes = [
        int(text) for text in page.locator(".row-minutes").all_inner_texts() for text in re.findall(r"\d+", text)
    ]
    assert minutes == sorted(minutes)
    assert max(minutes) <= 15
    from services.facilities.models import Facility

    kinds = set(
        Facility.objects.filter(pk__in=[place["id"] for place in answer["places"]]).values_list("kind", flat=True)
    )
    assert kinds <= {"kindergarten_nursery", "nursery", "baby_house", "parenting_station"}

    page.get_by_role("checkbox", name="有余位").click()
    page.wait_for_url("**has_vacancy=1**")
    page.get_by_role("checkbox", name="全日托").click()
    page.wait_for_url("**service_form=full_day**")
    page.wait_for_function("() => !document.getElementById('sheet').hasAttribute('aria-busy')")
    from geo.scope import Scope
    from services.facilities.queries import facility_detail

    rows = rows_of(page)
    assert rows
    places = [facility_detail(place_id, scope=Scope.public()).place for _, place_id in rows]
    assert all(full_day_and_free(place) for place in places)

    page.locator("#rows .row-name").first.click()
    page.wait_for_url("**/places/*")
    navigate = page.locator("a[data-navigate]")
    target = urlsplit(navigate.get_attribute("href"))
    assert target.hostname == "uri.amap.com"
    lon, lat, name = unquote(parse_qs(target.query)["to"][0]).split(",")
    assert name == places[0].name
    assert metres_apart_in_gcj(float(lon), float(lat), places[0].lon, places[0].lat) < 0.1
    page.route("https://uri.amap.com/**", lambda route: route.fulfill(body="导航"))
    page.context.route("https://uri.amap.com/**", lambda route: route.fulfill(body="导航"))
    with page.expect_popup() as opened:
        navigate.click()
    opened.value.wait_for_load_state()
    assert opened.value.url.startswith("https://uri.amap.com/navigation?")


def metres_apart_in_gcj(gcj_lon: float, gcj_lat: float, lon: float, lat: float) -> float:
    """Return how far a GCJ-02 point lies from a CGCS2000 one, in metres."""
    from geo.crs import Coordinate, System, convert

    back = convert(Coordinate(gcj_lon, gcj_lat, System.GCJ02), System.CGCS2000)
    return math.hypot((back.x - lon) * 95_300, (back.y - lat) * 110_900)


@pytest.mark.covers("PRE-FIND-06", via="web.doors.finder.find:answer")
def test_every_kind_of_childcare_point_can_be_looked_for_by_itself(page: Any, live_city: str, families: Spot) -> None:
    from services.facilities.models import Facility

    for kind, name in {
        "kindergarten_nursery": "托幼一体幼儿园托班",
        "nursery": "托育机构",
        "baby_house": "社区托育宝宝屋",
        "parenting_station": "科学育儿指导站",
    }.items():
        page.goto(f"{live_city}/?{families.query(minutes=30, mode='bicycle')}")
        page.locator("#menu-kinds summary").click()
        page.locator("#menu-kinds").get_by_role("radio", name=name, exact=True).click()
        page.wait_for_url(f"**kinds={kind}**")
        page.wait_for_function("() => !document.getElementById('sheet').hasAttribute('aria-busy')")
        found = [place["id"] for place in answer_of(page)["places"]]
        assert set(Facility.objects.filter(pk__in=found).values_list("kind", flat=True)) <= {kind}
        assert name in page.locator(".chip-menu[data-on] summary").inner_text()


def test_list_and_map_are_one_answer_and_light_each_other_up(open_page: Any, live_city: str, families: Spot) -> None:
    page = open_page(1440, 900)
    page.goto(f"{live_city}/?{families.query(mode='pram')}")
    wait_for_map(page)
    pins = page.locator(".pin")
    pins.first.wait_for(state="attached")
    shown = sorted((int(pin.get_attribute("data-rank")), int(pin.get_attribute("data-id"))) for pin in pins.all())
    assert shown == rows_of(page)
    assert [(place["rank"], place["id"]) for place in answer_of(page)["places"]] == shown
    for text in page.locator(".rank").all_inner_texts():
        assert page.locator(f'.pin[data-rank="{text}"] b').inner_text() == text

    first = str(shown[0][1])
    page.locator(f'.row[data-id="{first}"]').hover()
    assert "lit" in page.locator(f'.pin[data-id="{first}"]').get_attribute("class")
    page.locator(f'.pin[data-id="{shown[1][1]}"]').hover()
    assert "lit" in page.locator(f'.row[data-id="{shown[1][1]}"]').get_attribute("class")
    page.locator(f'.pin[data-id="{shown[1][1]}"]').click()
    page.locator(f'#card [data-id="{shown[1][1]}"]').wait_for()
    page.wait_for_url(f"**place={shown[1][1]}**")
    assert "selected" in page.locator(f'.row[data-id="{shown[1][1]}"]').get_attribute("class")
    page.go_back()
    page.locator("#card").wait_for(state="hidden")
    page.go_forward()
    page.locator(f'#card [data-id="{shown[1][1]}"]').wait_for()


def test_the_address_is_the_state_and_back_undoes_a_choice(page: Any, live_city: str, families: Spot) -> None:
    page.goto(f"{live_city}/?{families.query(mode='pram')}")
    before = rows_of(page)
    page.get_by_role("radio", name="30 分钟").click()
    page.wait_for_url("**minutes=30**")
    page.wait_for_function("() => JSON.parse(document.getElementById('answer').textContent).minutes === 30")
    wider = rows_of(page)
    assert {place_id for _, place_id in before} <= {place_id for _, place_id in wider}
    page.reload()
    assert rows_of(page) == wider
    page.go_back()
    page.wait_for_function("() => JSON.parse(document.getElementById('answer').textContent).minutes === 15")
    assert rows_of(page) == before


def test_without_script_everything_can_be_asked_and_answered(open_page: Any, live_city: str, families: Spot) -> None:
    page = open_page(390, 844, java_script_enabled=False)
    page.goto(live_city)
    page.get_by_role("combobox").fill(families.name)
    page.get_by_role("button", name="查找").click()
    page.locator("#rows, .candidates").first.wait_for()
    candidate = page.locator(".candidates a", has_text=families.name).first
    if candidate.count():
        candidate.click()
    page.locator("#mode-pram").click()
    page.locator("#filter-has_vacancy-1").click()
    page.get_by_role("button", name="按这些条件找").click()
    assert "mode=pram" in page.url
    assert "has_vacancy=1" in page.url
    first = page.locator("#rows .row-name").first
    name = first.inner_text()
    first.click()
    assert page.locator("h1").inner_text() == name
    assert page.locator("a[href^='tel:']").count()
    assert page.locator("a[data-navigate]").get_attribute("href").startswith("https://uri.amap.com/")
    page.get_by_role("link", name="回到结果").click()
    assert "has_vacancy=1" in page.url
    assert page.locator("#rows .row").count()


def test_the_keyboard_reaches_everything(open_page: Any, live_city: str, families: Spot) -> None:
    page = open_page(1440, 900)
    page.goto(live_city)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Escape")
    page.locator("body").press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.type(families.name)
    page.locator("#suggestions [role=option]").first.wait_for()
    page.keyboard.press("ArrowDown")
    box = page.get_by_role("combobox")
    assert box.get_attribute("aria-expanded") == "true"
    chosen = page.locator(f"#{box.get_attribute('aria-activedescendant')}")
    assert chosen.get_attribute("aria-selected") == "true"
    page.keyboard.press("Escape")
    assert box.get_attribute("aria-expanded") == "false"
    page.keyboard.press("ArrowDown")
    page.locator("#suggestions [role=option]").first.wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.locator("#rows").wait_for()

    page.locator("#mode-walk").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**mode=elder**")
    page.wait_for_function("() => document.activeElement.id === 'mode-elder'")
    page.locator("#rows .row-name").first.focus()
    page.keyboard.press("j")
    second = page.evaluate("document.activeElement.dataset.place")
    assert second == str(rows_of(page)[1][1])
    page.keyboard.press("Enter")
    page.locator(f'#card [data-id="{second}"]').wait_for()
    page.keyboard.press("Escape")
    page.locator("#card").wait_for(state="hidden")
    page.wait_for_function(f"() => document.activeElement.dataset.place === '{second}'")


def test_the_sheet_stops_at_three_heights_by_button_and_says_so(open_page: Any, live_city: str, families: Spot) -> None:
    page = open_page(390, 844, reduced_motion="reduce")
    page.goto(f"{live_city}/?{families.query(mode='pram')}")
    wait_for_map(page)
    handle = page.locator("#sheet-handle")
    heights = []
    for _ in range(3):
        heights.append(page.locator("#sheet").bounding_box()["height"])
        assert "结果" in handle.get_attribute("aria-label")
        handle.click()
    half, full, peek = heights
    assert peek < half < full


def test_results_are_announced(page: Any, live_city: str, families: Spot) -> None:
    page.goto(f"{live_city}/?{families.query(mode='pram')}")
    page.get_by_role("radio", name="20 分钟").click()
    page.wait_for_function(
        "() => /^找到 \\d+ 家，最近 \\d+ 分钟$/.test(document.getElementById('announce').textContent)"
    )
    assert page.locator("#announce").get_attribute("aria-live") == "polite"


def test_an_empty_answer_says_why_and_offers_a_way_on(page: Any, live_city: str, families: Spot) -> None:
    page.goto(f"{live_city}/?{families.query(kinds='funeral_home', minutes=5)}")
    said = page.locator(".state p").first.inner_text()
    assert "5 分钟内没有殡仪馆" in said or "还没有收录殡仪馆" in said
    assert page.locator(".state .button").count()
    assert page.locator(".state a[href='tel:12345']").count()


def test_where_no_road_is_known_the_nearest_in_a_straight_line_are_offered(page: Any, live_city: str) -> None:
    from geo.scope import Scope
    from services.facilities.kinds import kinds_named
    from services.facilities.nearest import facilities_near

    lon, lat = off_the_roads()
    found = facilities_near(lon, lat, scope=Scope.public(), kinds=kinds_named("canteen"), k=3)
    page.goto(f"{live_city}/?lon={lon}&lat={lat}&kinds=canteen")
    page.get_by_text("这个位置在路网范围之外").first.wait_for()
    offered = page.locator(".state .near a")
    assert offered.all_inner_texts() == [one.place.name for one in found]
    assert "直线" in page.locator(".state .near").inner_text()
    page.context.add_cookies([{"name": "elder", "value": "1", "url": live_city}])
    page.goto(f"{live_city}/?lon={lon}&lat={lat}&kinds=canteen")
    cards = page.locator(".elder-card")
    assert cards.first.locator("h2").inner_text() == found[0].place.name
    assert "直线" in cards.first.inner_text()
    assert "走路" not in cards.first.inner_text()


def off_the_roads() -> tuple[float, float]:
    """Return a point more than a kilometre west of all roads of the tiny city."""
    from geo.roads.queries import points_along_roads

    roads = points_along_roads(provenance="invented")
    lon, lat = float(roads.x.min()) - 0.012, float(roads.y.mean())
    return round(lon, 6), round(lat, 6)


def test_a_shared_link_does_not_tell_where_somebody_lives(page: Any, live_city: str, families: Spot) -> None:
    from web.doors.finder.asking import Origin
    from web.doors.finder.sharing import rounded

    page.goto(f"{live_city}/?{families.query(mode='pram')}")
    page.get_by_text("分享这个结果").click()
    link = urlsplit(page.locator("#share-url").input_value())
    said = parse_qs(link.query)
    assert families.name not in unquote(link.query)
    assert "q" not in said
    lon, lat = float(said["lon"][0]), float(said["lat"][0])
    moved = math.hypot((lon - families.lon) * 95_300, (lat - families.lat) * 110_900)
    assert moved <= 200 * math.sqrt(0.5) + 2
    assert f"{families.lon:.6f}" not in link.query
    assert "200 米" in page.locator(".share .caption").inner_text()
    # Every home of a square gives the very same link, so the link cannot tell them apart.
    middle = rounded(Origin(families.lon, families.lat))
    for east, north in ((80, 80), (-80, 80), (80, -80), (-80, -80)):
        assert rounded(Origin(middle.lon + east / 95_300, middle.lat + north / 110_900)) == middle
    page.goto(link.geturl())
    assert page.locator("#rows").count()


def test_a_refused_position_is_a_sentence_and_a_given_one_begins_the_search(
    open_page: Any, live_city: str, families: Spot
) -> None:
    page = open_page(390, 844)
    page.goto(live_city)
    page.locator("[data-locate]:visible").first.click()
    page.get_by_text("没有拿到您的位置。可以输入路名、小区名，或在地图上点一下。").wait_for()

    page = open_page(390, 844)
    page.context.grant_permissions(["geolocation"])
    page.context.set_geolocation({"longitude": families.lon, "latitude": families.lat, "accuracy": 20})
    page.goto(live_city)
    page.locator("[data-locate]:visible").first.click()
    page.wait_for_url("**lon=**")
    assert "crs=" not in page.url
    found = answer_of(page)["origin"]
    assert math.hypot((found["lon"] - families.lon) * 95_300, (found["lat"] - families.lat) * 110_900) < 1


def test_a_super_app_speaks_its_own_datum(open_page: Any, live_city: str, families: Spot) -> None:
    from geo.crs import Coordinate, System, convert

    mars = convert(Coordinate(families.lon, families.lat, System.CGCS2000), System.GCJ02)
    page = open_page(390, 844)
    page.add_init_script(
        "window.wx = {getLocation: (o) => o.type === 'gcj02' ? "
        f"o.success({{longitude: {mars.x}, latitude: {mars.y}, accuracy: 15}}) : o.fail()}};"
    )
    page.goto(live_city)
    page.locator("[data-locate]:visible").first.click()
    page.wait_for_url("**lon=**")
    found = answer_of(page)["origin"]
    assert math.hypot((found["lon"] - families.lon) * 95_300, (found["lat"] - families.lat) * 110_900) < 1


def test_a_stale_vacancy_is_said_to_be_unconfirmed(open_page: Any, live_city: str, families: Spot) -> None:
    import datetime as dt

    from django.utils import timezone

    from services.facilities.models import Facility

    page = open_page(1440, 900)
    page.goto(f"{live_city}/?{families.query(mode='pram')}")
    place_id = answer_of(page)["places"][0]["id"]
    day = timezone.now() - dt.timedelta(days=31)
    Facility.objects.filter(pk=place_id).update(vacancies=3, vacancies_as_of=day, vacancies_source="institution")
    page.goto(f"{live_city}/?{families.query(mode='pram', place=place_id)}")
    row = page.locator(f'.row[data-id="{place_id}"]')
    local = timezone.localtime(day)
    assert "余位待确认" in row.inner_text()
    assert f"{local.month}月{local.day}日" in row.inner_text()
    assert "余位 3" not in row.inner_text()
    assert "去之前先打个电话" in page.locator("#card").inner_text()


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("lon=0&lat=0", "不在上海市范围内"),
        ("lon=31.2304&lat=121.4737", "写反"),
        ("lon=abc&lat=31", "位置读不懂"),
        ("lon=121.47&lat=31.23&minutes=900", "时间可选"),
        ("lon=121.47&lat=31.23&crs=beijing54", "北京54"),
        ("kinds=nonsense", "没有这个类别"),
        ("fee_min=5000&fee_max=100", "收费从 5000 到 100 元前后颠倒了"),
        ("from_time=18:00&until_time=08:00", "要晚于最早送"),
    ],
)
def test_a_question_that_cannot_be_meant_is_answered_in_words(page: Any, live_city: str, query: str, said: str) -> None:
    response = page.goto(f"{live_city}/?{query}")
    assert response.status == 200
    assert said in page.locator("[role=alert]").first.inner_text()


def test_a_query_of_ten_thousand_characters_and_markup_stay_text(page: Any, live_city: str) -> None:
    assert page.goto(f"{live_city}/?q={'路' * 3000}").status == 200
    page.goto(f"{live_city}/?q=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E&at=%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E")
    assert page.locator("img").count() == 0
    assert "<img src=x onerror=alert(1)>" in page.locator("main").inner_text()
