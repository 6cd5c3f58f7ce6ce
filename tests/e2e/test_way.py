"""The way to a chosen place on the map: dots from the origin to its door, gone when nothing is chosen any more."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.e2e.conftest import Spot, answer_of, wait_for_map

LINE = """() => {
    const map = document.getElementById('map').quantu;
    const data = map.getSource('way').serialize().data;
    return data.type === 'Feature' ? data : null;
}"""


def line_of(page: Any, place_id: int) -> list[list[float]]:
    """Wait until the map holds the way to a place and return its points."""
    page.wait_for_function(f"() => {{ const way = ({LINE})(); return way && way.properties.place === {place_id}; }}")
    return page.evaluate(LINE)["geometry"]["coordinates"]


def wait_for_no_way(page: Any) -> None:
    page.wait_for_function(f"() => ({LINE})() === null")


def metres(a: list[float], b: list[float]) -> float:
    return math.hypot((a[0] - b[0]) * 95_300, (a[1] - b[1]) * 110_900)


def ask_api(page: Any, live_city: str, spot: Spot, place_id: int, mode: str) -> Any:
    params = {"lon": f"{spot.lon:.6f}", "lat": f"{spot.lat:.6f}", "place": place_id, "mode": mode, "crs": "cgcs2000"}
    return page.request.get(f"{live_city}/api/v1/route", params=params).json()


def test_choosing_in_the_list_draws_the_way_and_closing_takes_it_away(
    open_page: Any, live_city: str, families: Spot
) -> None:
    page = open_page(1440, 900)
    page.goto(f"{live_city}/?{families.query(mode='pram')}")
    wait_for_map(page)
    wait_for_no_way(page)
    places = answer_of(page)["places"]
    second = places[1]
    page.locator(f'.row[data-id="{second["id"]}"] .row-name').click()
    line = line_of(page, second["id"])
    assert metres(line[0], [families.lon, families.lat]) < 0.5
    assert metres(line[-1], [second["lon"], second["lat"]]) < 0.5
    # It is the very way the API tells, and as long as the list says.
    told = ask_api(page, live_city, families, second["id"], "pram")
    for drawn, said in zip(line, told["route"]["geometry"]["coordinates"], strict=True):
        assert drawn == pytest.approx(said, abs=2e-6)
    assert str(told["minutes"]) == second["minutes"]
    length = sum(metres(a, b) for a, b in zip(line, line[1:], strict=False))
    assert length == pytest.approx(told["metres"], rel=0.01, abs=2)
    page.wait_for_function("() => !document.getElementById('map').quantu.isMoving()")
    assert page.evaluate("() => document.getElementById('map').quantu.queryRenderedFeatures({layers: ['way']}).length")

    # Another place, another way; closing the card takes it away, and Back brings it again.
    page.locator(f'.pin[data-id="{places[0]["id"]}"]').click()
    line_of(page, places[0]["id"])
    page.locator("#card [data-close]").click()
    page.locator("#card").wait_for(state="hidden")
    wait_for_no_way(page)
    page.go_back()
    line_of(page, places[0]["id"])

    # A changed question is a new one: nothing is chosen in it yet.
    page.get_by_role("radio", name="成人").click()
    page.wait_for_function("() => JSON.parse(document.getElementById('answer').textContent).traveller === '步行'")
    wait_for_no_way(page)
    page.locator("#card").wait_for(state="hidden")


def test_on_a_phone_a_pin_draws_the_way_above_its_card(open_page: Any, live_city: str, families: Spot) -> None:
    page = open_page(390, 844, has_touch=True, reduced_motion="reduce")
    page.goto(f"{live_city}/?{families.query(mode='pram')}")
    wait_for_map(page)
    first = answer_of(page)["places"][0]
    page.locator(f'.pin[data-id="{first["id"]}"]').dispatch_event("click")
    line_of(page, first["id"])
    assert "selected" in page.locator(f'.pin[data-id="{first["id"]}"]').get_attribute("class")
    card = page.locator("#card").bounding_box()
    page.wait_for_function("() => !document.getElementById('map').quantu.isMoving()")
    pin = page.locator(f'.pin[data-id="{first["id"]}"]').bounding_box()
    chips = page.locator(".ask .chips").first.bounding_box()
    assert chips["y"] + chips["height"] <= pin["y"] < pin["y"] + pin["height"] <= card["y"]
    origin = page.locator(".origin").bounding_box()
    assert origin["y"] + origin["height"] / 2 <= card["y"]
    page.locator("#card [data-close]").click()
    wait_for_no_way(page)


def test_from_its_page_a_place_beyond_the_circle_is_shown_with_the_way(
    page: Any, live_city: str, families: Spot
) -> None:
    page.goto(f"{live_city}/?{families.query(minutes=30)}")
    far = answer_of(page)["places"][-1]
    assert int(far["minutes"]) > 5
    page.goto(f"{live_city}/places/{far['id']}?{families.query(minutes=5)}")
    assert f"{far['minutes']} 分钟" in page.locator("main").inner_text()
    page.get_by_role("link", name="在地图上看怎么走").click()
    wait_for_map(page)
    assert far["id"] not in [place["id"] for place in answer_of(page)["places"]]
    line = line_of(page, far["id"])
    assert metres(line[-1], [far["lon"], far["lat"]]) < 0.5
    assert page.locator("span.pin.selected").count() == 1


def test_where_there_is_no_way_the_place_is_shown_without_one(open_page: Any, live_city: str, families: Spot) -> None:
    from services.facilities.models import Facility

    page = open_page(1440, 900)
    place_id = Facility.objects.filter(status="open").order_by("id").first().pk
    page.goto(f"{live_city}/?lon=122.1&lat=30.75&at=海上&place={place_id}")
    wait_for_map(page)
    page.locator(f'#card [data-id="{place_id}"], #card[data-id]').first.wait_for()
    wait_for_no_way(page)
    assert page.locator("#door-fault").count() == 0
    assert "导航" in page.locator("#card").inner_text()
