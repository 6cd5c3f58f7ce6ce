"""Base maps on the maps of families and of staff: satellite and oblique from a real server of imagery, chosen, drawn, remembered."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import expect

from services.integrations.basemaps.simulator import Simulator
from services.integrations.breaker import Breaker
from tests.e2e.conftest import Spot, faults_of, wait_for_map, wait_until_drawn
from tests.e2e.test_desk import sign_in
from tests.reading import wait_for_maps

Colour = tuple[int, int, int]
KEY = "key-of-the-imagery"


@pytest.fixture
def imagery(settings: Any) -> Iterator[Simulator]:
    from services.basemaps.models import BaseMap

    settings.INSIDE_HOSTS, settings.BASE_MAP_TIMEOUT_S = ["127.0.0.1"], 3.0
    for key in ("img", "oblique"):
        Breaker(f"basemap-{key}").succeeded()  # another test may have left it open
    with Simulator(key=KEY) as simulator:
        yield simulator
    BaseMap.objects.all().delete()


def connect(page: Any, live_city: str, **fields: str) -> None:
    """Fill in the form of a new base map, as a manager of the city does, try it, and switch it on."""
    page.goto(f"{live_city}/desk/basemaps/new")
    page.locator("details.basemap-more summary").click()
    for name, value in fields.items():
        if name in {"view", "kind"}:
            page.get_by_role("radio", name=value).check()
        else:
            page.locator(f"#{name}").fill(value)
    page.get_by_role("button", name="保存").click()
    page.get_by_text("先试一下，看到图再启用").wait_for()
    page.get_by_role("button", name="取一块图看看").click()
    page.get_by_text("取到了市中心的一块图").wait_for()
    page.get_by_role("checkbox", name="启用").check()
    page.get_by_role("button", name="保存").click()
    page.get_by_text("已保存，马上生效").wait_for()


def connect_both(page: Any, live_city: str, imagery: Simulator) -> None:
    connect(
        page, live_city, title="卫星影像", key="img", view="卫星影像", kind="WMTS", address=f"{imagery.url}/img_w/wmts", layer="img",
        secret=KEY, attribution="© 模拟影像", approval="GS（2026）1号",
    )  # fmt: skip
    connect(
        page, live_city, title="倾斜摄影", key="oblique", view="倾斜摄影", kind="瓦片网址",
        address=f"{imagery.url}/xyz/oblique/{{z}}/{{x}}/{{y}}.jpg", secret=KEY, attribution="© 模拟倾斜",
    )  # fmt: skip


PIXELS = """(at) => new Promise((done) => {
  const map = document.querySelector(at).quantu;
  map.once('render', () => done(map.getCanvas().toDataURL('image/png')));
  map.triggerRepaint();
})"""


def ground_of(page: Any, selector: str) -> Colour:
    """Return the mean colour of what the map has drawn, once all its tiles are there and have faded in."""
    wait_for_maps(page)
    drawn = base64.b64decode(page.evaluate(PIXELS, selector).partition(",")[2])
    red, green, blue = (
        Image.open(io.BytesIO(drawn)).convert("RGB").resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    )
    return red, green, blue


def is_field(colour: Colour) -> bool:
    """Say whether a colour is that of the simulator's satellite, with a circle and its dimmed surroundings upon it."""
    return colour[1] > colour[0] + 8 and colour[1] > colour[2] + 8


def is_roof(colour: Colour) -> bool:
    """Say whether a colour is that of the simulator's oblique pictures."""
    return colour[0] > colour[1] + 8 and colour[1] > colour[2] + 6


def stand_on(page: Any, title: str) -> None:
    menu = page.locator("[data-basemaps]").first
    menu.locator("summary").click()
    menu.get_by_role("radio", name=title).check()
    page.keyboard.press("Escape")


@pytest.mark.covers("ELD-MAP-04c", via="services.basemaps.serving:tile_of")
def test_the_map_is_switched_to_satellite_and_to_oblique_by_the_public_and_by_staff(
    open_page: Any, live_city: str, families: Spot, imagery: Simulator
) -> None:
    desk = open_page(1440, 900)
    sign_in(desk, live_city, "shi", "/desk/basemaps")
    connect_both(desk, live_city, imagery)
    assert KEY not in desk.content()

    # The public, on a telephone: what lies on the map stays on it, its words change, and the device remembers.
    phone = open_page(390, 844, has_touch=True)
    asked: list[str] = []
    phone.on("request", lambda request: asked.append(request.url))
    phone.goto(f"{live_city}/?{families.query(mode='pram')}")
    wait_until_drawn(phone)
    own = ground_of(phone, "#map")
    pins = phone.locator(".pin").count()
    words = phone.locator(".attribution").inner_text()
    assert pins >= 3
    assert not is_field(own)
    assert not is_roof(own)
    stand_on(phone, "卫星影像")
    satellite = ground_of(phone, "#map")
    assert is_field(satellite), satellite
    assert phone.locator(".attribution").inner_text() == "© 模拟影像 · 审图号：GS（2026）1号"
    stand_on(phone, "倾斜摄影")
    oblique = ground_of(phone, "#map")
    assert is_roof(oblique), oblique
    assert phone.locator(".attribution").inner_text().startswith("© 模拟倾斜")
    assert phone.locator(".pin").count() == pins
    assert phone.evaluate("!!document.getElementById('map').quantu.getLayer('bands')")
    assert faults_of(phone) == []
    phone.reload()
    wait_until_drawn(phone)
    assert is_roof(ground_of(phone, "#map"))
    stand_on(phone, "电子地图")
    assert phone.locator(".attribution").inner_text() == words
    back = ground_of(phone, "#map")
    assert max(abs(a - b) for a, b in zip(back, own, strict=True)) < 6
    assert all(url.startswith((live_city, "data:", "blob:")) for url in asked)
    assert not any(KEY in url for url in asked)

    # Staff, on the table of the planner: by keyboard, in the dark too.
    staff = open_page(1440, 900, color_scheme="dark")
    sign_in(staff, live_city, "shi", "/desk/preloads/new")
    staff.goto(f"{live_city}/plan/select")
    staff.locator('#select-map[data-ready="true"]').wait_for(state="attached", timeout=60_000)
    before = ground_of(staff, "#select-map")
    staff.locator("[data-basemaps] summary").focus()
    staff.keyboard.press("Enter")
    staff.get_by_role("radio", name="电子地图").focus()
    staff.keyboard.press("ArrowDown")
    expect(staff.get_by_role("radio", name="卫星影像")).to_be_checked()
    assert not is_field(before)
    assert is_field(ground_of(staff, "#select-map"))
    staff.keyboard.press("ArrowDown")
    expect(staff.get_by_role("radio", name="倾斜摄影")).to_be_checked()
    assert is_roof(ground_of(staff, "#select-map"))
    staff.keyboard.press("Escape")
    expect(staff.locator("[data-basemaps]")).not_to_have_attribute("open", "")
    assert faults_of(staff) == []


def test_a_map_with_nothing_connected_says_whom_to_ask(open_page: Any, live_city: str, families: Spot) -> None:
    page = open_page(390, 844, has_touch=True)
    page.goto(f"{live_city}/?{families.query(mode='pram')}")
    wait_for_map(page)
    page.locator("[data-basemaps] summary").click()
    expect(page.locator("[data-basemap-said]")).to_have_text("卫星影像和倾斜摄影还没有接入，需要的话请联系市级管理员。")
    assert page.get_by_role("radio", name="电子地图").is_checked()
    assert page.locator("[data-basemap-options] input").count() == 1


def test_imagery_that_goes_away_leaves_its_last_tiles_and_says_so_where_there_are_none(
    open_page: Any, live_city: str, families: Spot, imagery: Simulator
) -> None:
    desk = open_page(1440, 900)
    sign_in(desk, live_city, "shi", "/desk/basemaps")
    connect_both(desk, live_city, imagery)
    page = open_page(390, 844, has_touch=True)
    page.goto(f"{live_city}/?{families.query(mode='pram')}")
    wait_until_drawn(page)
    stand_on(page, "卫星影像")
    assert is_field(ground_of(page, "#map"))
    imagery.fails = "broken"
    again = open_page(390, 844, has_touch=True)
    again.add_init_script("localStorage.setItem('basemap', 'img')")
    again.goto(f"{live_city}/?{families.query(mode='pram')}")
    wait_until_drawn(again)
    assert is_field(ground_of(again, "#map"))  # kept here
    stand_on(again, "倾斜摄影")
    expect(again.locator("[data-basemap-said]")).to_have_text("这个底图暂时打不开，请先用电子地图。")


def test_chinese_names_are_drawn_without_a_server_of_glyphs(open_page: Any, live_city: str, families: Spot) -> None:
    page = open_page(1440, 900)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{live_city}/?{families.query(mode='pram')}")
    wait_until_drawn(page)
    assert not any(".pbf" in url or "glyph" in url or "/fonts/" in url for url in asked)
    names = page.evaluate(
        """() => document.getElementById('map').quantu.queryRenderedFeatures()
            .filter((each) => each.layer.type === 'symbol').map((each) => each.properties.name)"""
    )
    assert any("一" <= letter <= "鿿" for name in names for letter in name or "")
