"""入园: the address is picked on the map: by finger, by mouse, by keys, from where somebody stands; off the land it says so."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e import enrolling
from tests.e2e.conftest import faults_of, without_script


def at_of(address: str) -> tuple[float, float]:
    """Return where a door of the tiny city stands."""
    from geo.addresses.geocode import geocode
    from geo.scope import Scope

    door = geocode(address, scope=Scope.public())[0]
    assert door.level == "door"
    return door.lon, door.lat


def open_picker(page: Any, root: str, words: str = "") -> Any:
    page.goto(f"{root}/enrol")
    page.get_by_label("地址", exact=True).fill(words)
    page.get_by_role("button", name="在地图上选").click()
    page.locator("#pick-map[data-ready]").wait_for(state="attached", timeout=60_000)
    return page.locator("#pick-map")


def tap(page: Any, at: tuple[float, float], zoom: float = 18) -> None:
    """Bring a point into sight and tap the map there."""
    page.evaluate(
        "([at, zoom]) => document.getElementById('pick-map').quantu.jumpTo({center: at, zoom})", [list(at), zoom]
    )
    holder = page.locator("#pick-map")
    holder.scroll_into_view_if_needed()
    box = holder.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


@pytest.mark.parametrize(("width", "look"), [(390, "light"), (1440, "dark")])
def test_a_tap_proposes_the_nearest_doors_and_one_of_them_is_asked(
    open_page: Any, live_city: str, width: int, look: str
) -> None:
    one = enrolling.one()
    page = open_page(width, 900, color_scheme=look, reduced_motion="reduce")
    sent: list[Any] = []
    page.on("request", lambda request: sent.append(request))
    open_picker(page, live_city)
    tap(page, at_of(one.address))
    door = page.locator(f'#pick-doors [data-address="{one.address}"]')
    door.wait_for()
    doors = page.locator("#pick-doors .enrol-pick")
    assert doors.first.get_attribute("data-address") == one.address, "the door that was tapped is the nearest"
    metres = [int(text.split()[0]) for text in doors.locator(".caption").all_inner_texts()]
    assert metres == sorted(metres)
    assert faults_of(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")

    # Dragged somewhere else, the pin has other doors; back again by the list.
    pin = page.locator("#pick-map .spot-pin").bounding_box()
    page.mouse.move(pin["x"] + pin["width"] / 2, pin["y"] + pin["height"] / 2)
    page.mouse.down()
    page.mouse.move(pin["x"] + 60, pin["y"] - 40, steps=4)
    page.mouse.up()
    expect(doors.first).not_to_contain_text(f"{metres[0]} 米")
    door.click()
    page.locator("[data-outcome]").wait_for()
    expect(page.locator(".enrol-name")).to_have_text(one.names[0])
    asked = [request for request in sent if request.url.endswith("/enrol/doors")]
    assert len(asked) == 2
    assert {request.method for request in asked} == {"POST"}
    lon, lat = at_of(one.address)
    assert not [request.url for request in sent if f"{lon:.3f}" in request.url or f"{lat:.3f}" in request.url]
    assert page.url == f"{live_city}/enrol"


def test_keys_alone_pick_an_address(open_page: Any, live_city: str) -> None:
    one = enrolling.one()
    page = open_page(1440, 900, reduced_motion="reduce")
    open_picker(page, live_city, one.address)
    doors = page.locator("#pick-doors .enrol-pick")
    doors.first.wait_for()
    away = doors.first.locator(".caption")
    expect(away).to_have_text("0 米")
    page.get_by_role("button", name="标记，按方向键移动").focus()
    page.keyboard.press("Shift+ArrowUp")
    expect(away).not_to_have_text("0 米")
    page.keyboard.press("Shift+ArrowDown")
    expect(away).to_have_text("0 米")
    page.keyboard.press("Enter")
    expect(doors.first).to_be_focused()
    page.keyboard.press("Enter")
    page.locator("[data-outcome]").wait_for()
    expect(page.locator(".enrol-name")).to_have_text(one.names[0])


def test_off_the_land_and_where_nobody_lives_it_says_so(open_page: Any, live_city: str) -> None:
    from geo.basemap.models import BasemapFeature, BasemapKind
    from geo.imports.models import CURRENT

    page = open_page(390, 844, reduced_motion="reduce")
    open_picker(page, live_city)
    water = BasemapFeature.objects.filter(CURRENT, kind__in=[BasemapKind.WATER, BasemapKind.RIVER]).order_by("-area_m2")
    tap(page, water[0].geom.point_on_surface.coords)
    expect(page.locator("#pick-doors")).to_contain_text("水面上。请移到住处的楼旁")
    assert page.locator("#pick-doors .enrol-pick").count() == 0
    tap(page, (120.6, 30.9))
    expect(page.locator("#pick-doors")).to_contain_text("这里不在")
    assert faults_of(page) == []


def test_somebody_at_home_lets_the_device_say_where(open_page: Any, live_city: str) -> None:
    from geo.crs import Coordinate, System, convert

    one = enrolling.one()
    lon, lat = at_of(one.address)
    here = convert(Coordinate(lon, lat, System.CGCS2000), System.WGS84)
    page = open_page(
        390, 844, reduced_motion="reduce", permissions=["geolocation"],
        geolocation={"longitude": here.x, "latitude": here.y},
    )  # fmt: skip
    open_picker(page, live_city)
    page.get_by_role("button", name="我在哪里").click()
    expect(page.locator("#pick-doors .enrol-pick").first).to_have_attribute("data-address", one.address)
    centre = page.evaluate("document.getElementById('pick-map').quantu.getCenter().toArray()")
    assert abs(centre[0] - lon) + abs(centre[1] - lat) < 1e-5


def test_without_a_map_the_box_is_the_way(open_page: Any, live_city: str) -> None:
    page = open_page(390, 844)
    without_script(page)
    page.goto(f"{live_city}/enrol")
    assert page.get_by_role("button", name="在地图上选").count() == 0
    page.get_by_label("地址", exact=True).fill(enrolling.one().address)
    page.get_by_role("button", name="查对口幼儿园").click()
    expect(page.locator("[data-outcome]")).to_have_attribute("data-outcome", "one")
