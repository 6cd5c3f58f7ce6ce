"""二三维一体 in a browser: what is drawn is looked at in pixels, what is measured is compared with the geometry that was made."""

from __future__ import annotations

import io
import json
import math
import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect
from pyproj import Geod

from tests.e2e.conftest import faults_of, without_script
from tests.e2e.test_desk import sign_in

GEOD = Geod(ellps="GRS80")
BLOCKS, HOME = "demo-blocks", "demo-home"
DECK_M = 0.9
"""How far the deck of an invented building of twelve metres and more stands over its registered height."""
ELLIPSOID_M = 13.6
MORNING, EVENING = "2026-03-20T08:00", "2026-03-20T16:10"
SETTLED = """async (id) => {
  const map = document.getElementById(id).quantu;
  await new Promise((resolve) => { map.once('idle', resolve); map.triggerRepaint(); });
}"""
PIXEL = """async ([lon, lat, height]) => {
  const sight = await import('/static/js/scene-sight.js');
  const map = document.getElementById('scene-map').quantu;
  const at = [...sight.mercatorOf([lon, lat]), height * sight.unitsAt(lat)[2]];
  const {x, y} = sight.pixelOf(map, at);
  const box = map.getCanvas().getBoundingClientRect();
  return [box.x + x, box.y + y];
}"""
ROOFS = """async () => {
  const sight = await import('/static/js/scene-sight.js');
  const {seenAt} = await import('/static/js/scene-measure.js');
  const map = document.getElementById('scene-map').quantu;
  const canvas = map.getCanvas();
  return map.queryRenderedFeatures({layers: ['white']}).map(({geometry, properties}) => {
    const ring = (geometry.type === 'Polygon' ? geometry.coordinates : geometry.coordinates[0])[0];
    const middle = [0, 1].map((k) => ring.slice(1).reduce((sum, point) => sum + point[k], 0) / (ring.length - 1));
    const top = properties.height_m ?? 3;
    const pixel = sight.pixelOf(map, [...sight.mercatorOf(middle), top * sight.unitsAt(middle[1])[2]]);
    if (!pixel || pixel.x < 20 || pixel.y < 20 || pixel.x > canvas.clientWidth - 120 || pixel.y > canvas.clientHeight - 40) return null;
    const seen = seenAt(map, null, pixel);
    const whole = seen && seen.on === 'white' && Math.abs(seen.height - top) < 0.05 && seen.top === top;
    return whole ? {height: properties.height_m ?? null, x: pixel.x, y: pixel.y} : null;
  }).filter(Boolean);
}"""


class Shown(NamedTuple):
    """A published scene as maps are told of it."""

    lon: float
    lat: float
    box: list[float]
    heights: list[float]


def told(page: Any, live_city: str, key: str) -> Shown:
    found = page.request.get(f"{live_city}/scenes.json").json()["scenes"]
    one = next(each for each in found if each["key"] == key)
    return Shown(one["lon"], one["lat"], one["box"], one["heights"])


def open_scene(page: Any, live_city: str, at: Shown, rest: str = "", *, zoom: float = 17, turn: str = "0/50") -> None:
    """Open the map over a place and wait until all models in view stand."""
    page.goto("about:blank")
    page.goto(f"{live_city}/scene#v={zoom}/{at.lat:.6f}/{at.lon:.6f}/{turn}&t={MORNING}{rest}")
    page.locator('#scene-map[data-ready="true"]').wait_for(state="attached", timeout=60_000)
    page.wait_for_function("() => document.querySelectorAll('#scene-list li').length > 0", timeout=60_000)
    stand(page)


def stand(page: Any) -> None:
    """Wait until no model is on its way and the map stands still."""
    page.wait_for_function(
        """() => [...document.querySelectorAll('#scene-list li')].every((row) => row.querySelector('input').checked
            ? row.dataset.state === 'ready' || row.textContent.includes('放大后显示') : row.dataset.state === '')""",
        timeout=60_000,
    )
    page.wait_for_load_state("networkidle")
    page.evaluate(SETTLED, "scene-map")


def look(page: Any, selector: str = "#scene-map") -> np.ndarray[Any, Any]:
    """Return what is seen of the map: rows, columns, colours."""
    page.evaluate("() => scrollTo(0, 0)")
    return np.asarray(Image.open(io.BytesIO(page.locator(selector).screenshot())).convert("RGB"), dtype=float)


def window(page: Any, picture: np.ndarray[Any, Any], place: Shown, height: float) -> np.ndarray[Any, Any]:
    """Return the part of a picture of the map around a point in space."""
    page.evaluate("() => scrollTo(0, 0)")
    x, y = page.evaluate(PIXEL, [place.lon, place.lat, height])
    box = page.locator("#scene-map").bounding_box()
    x, y = round(x - box["x"]), round(y - box["y"])
    return picture[max(0, y - 40) : y + 40, max(0, x - 40) : x + 40]


def changed(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> float:
    """Return the share of points whose colour differs clearly."""
    return float((np.abs(one - other).max(axis=2) > 12).mean())


def click_on(page: Any, lon: float, lat: float, height: float) -> str:
    """Click where a point in space is seen and return what is said."""
    page.evaluate("() => scrollTo(0, 0)")
    page.mouse.click(*page.evaluate(PIXEL, [lon, lat, height]))
    return str(page.locator("#scene-result").inner_text())


def metres(said: str, words: str) -> float:
    return float(re.search(rf"{words}\s*(-?[\d.]+) 米", said)[1])


def set_time(page: Any, moment: str) -> None:
    day, clock = moment.split("T")
    page.locator("#scene-day").fill(day)
    hours, minutes = clock.split(":")
    page.locator("#scene-time").evaluate(
        "(node, value) => { node.value = value; node.dispatchEvent(new Event('input', {bubbles: true}));"
        " node.dispatchEvent(new Event('change', {bubbles: true})); }",
        str(int(hours) * 60 + int(minutes)),
    )
    expect(page.locator("#scene-clock")).to_have_text(clock)
    page.wait_for_timeout(700)  # colours pass over
    page.evaluate(SETTLED, "scene-map")


def tallest(blocks: Shown) -> tuple[float, float, float]:
    """Return where the highest invented building of the blocks has its middle, and its registered height."""
    from django.contrib.gis.geos import Polygon

    from geo.basemap.models import BasemapFeature

    inner = Polygon.from_bbox((blocks.box[0] + 4e-4, blocks.box[1] + 4e-4, blocks.box[2] - 4e-4, blocks.box[3] - 4e-4))
    row = (
        BasemapFeature.objects.filter(kind="building", retired_at=None, geom__within=inner, height_m__gte=12)
        .order_by("-height_m")
        .first()
    )
    assert row is not None, "the blocks hold no high building: the test would prove nothing"
    return row.geom.centroid.x, row.geom.centroid.y, row.height_m


@pytest.mark.covers("ELD-MAP-07", via="layers.scenes.queries:scenes_in")
def test_white_models_oblique_photography_and_single_models_stand_on_one_map(open_page: Any, live_city: str) -> None:
    """For the public and for staff: each is seen in pixels, goes when it is switched off, and is measured as it was made."""
    page = open_page(1440, 900)
    blocks, home = told(page, live_city, BLOCKS), told(page, live_city, HOME)

    # White models: roofs in the colours of their heights, as the tiles give them; gone when switched off.
    open_scene(page, live_city, blocks, f"&tint=1&off=oblique,single,{BLOCKS},{HOME}")
    roofs = page.evaluate(ROOFS)
    low = next(one for one in roofs if one["height"] is not None and one["height"] < 10)
    high = next(one for one in roofs if one["height"] is not None and one["height"] >= 50)
    picture = look(page)
    pale, deep = (picture[round(one["y"]), round(one["x"])] for one in (low, high))
    assert deep[2] / deep[0] > 2 > 1.4 > pale[2] / pale[0]  # --quantity-5 or -4 beside --quantity-1, in whatever light
    page.get_by_role("checkbox", name="白模").uncheck()
    page.evaluate(SETTLED, "scene-map")
    bare = look(page)
    assert all(
        np.abs(bare[round(one["y"]), round(one["x"])] - picture[round(one["y"]), round(one["x"])]).max() > 20
        for one in (low, high)
    )
    assert "white" in re.search(r"off=([^&]+)", page.url)[1]  # the address says it

    # Oblique photography and the single model: each appears where it is, and leaves the rest as it was.
    for key, kind, place, tall in ((BLOCKS, "倾斜摄影模型", blocks, 0.0), (HOME, "单体模型", home, home.heights[1])):
        page.locator(f'[data-scene="{key}"]').check()
        assert page.get_by_role("checkbox", name=kind, exact=True).is_checked()
        stand(page)
        with_it = look(page)
        assert changed(window(page, with_it, place, tall), window(page, bare, place, tall)) > 0.4, key
        page.get_by_role("checkbox", name=kind, exact=True).uncheck()
        stand(page)
        assert changed(window(page, look(page), place, tall), window(page, bare, place, tall)) < 0.02, key

    # What clicks measure is the geometry that was made: the deck of the highest building, the ridge of the home.
    lon, lat, height = tallest(blocks)
    open_scene(page, live_city, blocks, "&off=white")
    said = click_on(page, lon, lat, height + DECK_M)
    assert "演示街坊倾斜摄影模型" in said
    assert "演示数据" in said
    assert metres(said, "离地") == pytest.approx(height + DECK_M, abs=0.1)
    assert metres(said, "椭球高") == pytest.approx(height + DECK_M + ELLIPSOID_M, abs=0.1)
    east, north = (float(re.search(rf"{word} ([\d.]+)°", said)[1]) for word in ("东经", "北纬"))
    assert GEOD.inv(east, north, lon, lat)[2] < 1.0
    page.get_by_role("radio", name="量两点距离").check()
    low_lon, low_lat = blocks.lon, blocks.box[1] + 1e-5
    click_on(page, lon, lat, height + DECK_M)
    said = click_on(page, low_lon, low_lat, 0.0)
    flat = GEOD.inv(lon, lat, low_lon, low_lat)[2]
    assert metres(said, "水平") == pytest.approx(flat, abs=1.0)
    assert metres(said, "第二点低") == pytest.approx(height + DECK_M, abs=0.1)
    assert metres(said, "直线（斜距）") == pytest.approx(math.hypot(flat, height + DECK_M), abs=1.0)
    assert page.locator("#scene-sight .sight").count() == 1
    page.keyboard.press("Backspace")
    assert "再点第二个点" in page.locator("#scene-result").inner_text()
    page.keyboard.press("Escape")
    assert page.locator("#scene-sight circle").count() == 0
    open_scene(page, live_city, home, "&off=white,oblique", zoom=18.5)
    assert metres(click_on(page, home.lon, home.lat, home.heights[1]), "离地") == pytest.approx(
        home.heights[1], abs=0.1
    )
    page.close()

    # Those who administer see the same map, with what only they may see: here the same two models.
    staff = open_page(1440, 900)
    sign_in(staff, live_city, "shi", "/desk")
    open_scene(staff, live_city, home)
    assert staff.locator("#scene-list li").count() == 2
    assert changed(look(staff), bare) > 0.2


def test_faces_turned_to_the_sun_are_bright_in_white_models_and_in_placed_ones_alike(
    open_page: Any, live_city: str
) -> None:
    """Seen from the east, walls are brighter in the morning; seen from the west, in the afternoon; by night all is dim."""
    page = open_page(1440, 900)
    blocks = told(page, live_city, BLOCKS)

    def bright(moment: str) -> float:
        set_time(page, moment)
        picture = look(page)
        return float(picture[250:450, 350:650].mean())

    for rest in (f"&off={BLOCKS},{HOME}", "&off=white"):
        open_scene(page, live_city, blocks, rest, turn="-90/70")  # looking west: the faces to the east
        assert bright(MORNING) > bright(EVENING) + 4, rest
        open_scene(page, live_city, blocks, rest, turn="90/70")
        assert bright(EVENING) > bright(MORNING) + 4, rest
        assert bright("2026-03-20T12:00") > bright("2026-03-20T23:50") + 8, rest
    expect(page.locator("#scene-sun")).to_contain_text("地平线下")
    assert "楼上的和模型的没有计算" in page.locator("#scene-form").inner_text()


@pytest.mark.covers("ELD-MAP-09", via="layers.scenes.queries:scenes_in")
def test_past_its_scale_a_flat_map_loads_the_twin_and_offers_it(open_page: Any, live_city: str) -> None:
    """On the public maps, 1440 and a telephone: nothing afar; near, the model stands and the entry leads to it and back."""
    from services.facilities.models import Facility

    page = open_page(1440, 900)
    home = told(page, live_city, HOME)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    def settle(where: Any) -> None:
        where.locator('#map[data-ready="true"]').wait_for(state="attached", timeout=60_000)
        where.wait_for_load_state("networkidle")
        where.evaluate(SETTLED, "map")

    def zoom_to(zoom: float) -> None:
        page.evaluate(
            "([lon, lat, zoom]) => document.getElementById('map').quantu.jumpTo({center: [lon, lat], zoom})",
            [home.lon, home.lat, zoom],
        )
        page.wait_for_timeout(600)
        settle(page)

    page.goto(f"{live_city}/")
    settle(page)
    zoom_to(15.5)
    assert page.locator("#twin-offer").is_hidden()
    assert not any("three.mjs" in url or ".glb" in url for url in asked)  # nothing of it is asked for afar
    page.route("**/*.glb", lambda route: route.abort())
    zoom_to(18)
    entry = page.get_by_role("link", name=re.compile("进入数字孪生"))
    entry.wait_for()
    without = look(page, "#map")
    page.unroute("**/*.glb")
    page.reload()
    settle(page)
    zoom_to(18)
    page.locator('#twin-offer[data-state="ready"]').wait_for(state="attached", timeout=60_000)
    page.evaluate(SETTLED, "map")
    x, y = page.evaluate(
        "([lon, lat]) => { const p = document.getElementById('map').quantu.project([lon, lat]); return [p.x, p.y]; }",
        [home.lon, home.lat],
    )
    seen = look(page, "#map")
    near = (slice(round(y) - 15, round(y) + 15), slice(round(x) - 15, round(x) + 15))
    assert changed(seen[near], without[near]) > 0.8  # the roof of the model stands where the flat building was
    assert changed(seen[20:200, 20:300], without[20:200, 20:300]) < 0.02
    assert entry.bounding_box()["height"] >= 44
    assert faults_of(page) == []

    # The entry by keyboard: the model whole, its floors, its facts and institutions, and back to the same view.
    entry.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/twin/demo-home**")
    canvas = page.locator('#twin-canvas[data-ready="true"]')
    canvas.wait_for(state="attached", timeout=60_000)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(500)
    whole = look(page, "#twin-canvas")
    assert float((np.abs(whole - whole[3, 3]).max(axis=2) > 20).mean()) > 0.08
    page.get_by_role("checkbox", name="屋顶").uncheck()
    page.wait_for_timeout(400)
    open_ = look(page, "#twin-canvas")
    assert changed(whole, open_) > 0.01
    page.get_by_role("checkbox", name="屋顶").check()
    page.wait_for_timeout(400)
    assert changed(whole, look(page, "#twin-canvas")) < 0.01
    page.get_by_role("button", name="左转").click()
    page.wait_for_timeout(400)
    assert changed(whole, look(page, "#twin-canvas")) > 0.03
    facts = page.locator("main").inner_text()
    assert f"{home.heights[1] - home.heights[0]:.1f} 米" in facts
    assert "演示数据" in facts
    inside = page.locator(".twin-places a")
    names = inside.all_inner_texts()
    assert names
    assert all(Facility.objects.filter(name=name, status="open").exists() for name in names)
    assert any(name in page.locator("h1").inner_text() for name in names)
    assert faults_of(page) == []
    page.get_by_role("link", name="回到地图").click()
    settle(page)
    back = page.evaluate(
        "() => { const m = document.getElementById('map').quantu; return [m.getCenter().lng, m.getCenter().lat, m.getZoom()]; }"
    )
    assert back == pytest.approx([home.lon, home.lat, 18], abs=1e-4)

    # 养老一张图 on a telephone offers it as well, in words that are large enough in 长辈版.
    phone = open_page(390, 844, color_scheme="dark", has_touch=True)
    phone.goto(f"{live_city}/elder#v=17.5/{home.lat}/{home.lon}")
    settle(phone)
    phone.locator('#twin-offer[data-state="ready"]').wait_for(state="attached", timeout=60_000)
    entry = phone.get_by_role("link", name=re.compile("进入数字孪生"))
    entry.tap()
    phone.wait_for_url("**/twin/demo-home**")
    phone.locator('#twin-canvas[data-ready="true"]').wait_for(state="attached", timeout=60_000)
    assert phone.evaluate("() => document.documentElement.scrollWidth") <= 390
    assert faults_of(phone) == []
    phone.context.add_cookies([{"name": "elder", "value": "1", "url": live_city}])
    phone.goto(f"{live_city}/places/{Facility.objects.get(name=names[0]).pk}")
    entry = phone.get_by_role("link", name="进入数字孪生")
    assert entry.bounding_box()["height"] >= 60
    entry.tap()
    phone.wait_for_url("**/twin/demo-home")
    assert phone.get_by_role("button", name="左转").bounding_box()["height"] >= 60
    assert faults_of(phone) == []


def test_what_is_missing_is_said_and_the_map_goes_on(open_page: Any, live_city: str) -> None:
    """A model that does not come, a context that is lost, no WebGL 2, no script, a page left while it loads."""
    page = open_page(390, 844)
    home = told(page, live_city, HOME)
    page.route("**/scenes/demo-home/**", lambda route: route.fulfill(status=404, body=""))
    page.route("**/fine-0.glb", lambda route: route.fulfill(status=200, body="no model"))
    page.goto(f"{live_city}/scene#v=17/{home.lat:.6f}/{home.lon:.6f}/0/50&t={MORNING}")
    gone = page.locator('#scene-list li[data-state="failed"]').filter(has_text="单体模型")
    expect(gone).to_contain_text("没有取到", timeout=60_000)
    expect(page.locator("#scene-list li").filter(has_text="倾斜摄影")).not_to_contain_text(
        "没有取到，请", timeout=60_000
    )
    assert page.evaluate(ROOFS)  # white models stand
    page.get_by_role("button", name="在正中加一点").click()
    assert "米" in page.locator("#scene-result").inner_text()
    assert faults_of(page) == []
    page.unroute("**/scenes/demo-home/**")
    page.unroute("**/fine-0.glb")

    open_scene(page, live_city, home)
    before = look(page)
    page.evaluate(
        """async () => {
          const gl = document.getElementById('scene-map').quantu.getCanvas().getContext('webgl2');
          const loss = gl.getExtension('WEBGL_lose_context');
          loss.loseContext();
          await new Promise((resolve) => setTimeout(resolve, 600));
          document.body.dataset.said = document.getElementById('scene-said').textContent;
          loss.restoreContext();
        }"""
    )
    assert "正在恢复" in page.evaluate("() => document.body.dataset.said")
    page.wait_for_function("() => document.getElementById('scene-said').textContent === ''", timeout=30_000)
    page.wait_for_timeout(1500)
    stand(page)
    assert changed(before, look(page)) < 0.05

    page.goto(f"{live_city}/scene#v=17/{home.lat:.6f}/{home.lon:.6f}/0/50")  # left at once
    page.goto(f"{live_city}/twin/demo-home", wait_until="commit")
    page.goto(f"{live_city}/help/scene")
    assert "数字孪生" in page.locator("main").inner_text()

    flat = open_page(390, 844)
    flat.add_init_script("HTMLCanvasElement.prototype.getContext = () => null;")
    flat.goto(f"{live_city}/scene")
    assert "不支持三维" in flat.locator("main").inner_text()
    flat.get_by_role("link", name="进入数字孪生").click()
    assert "这座楼" in flat.locator("main").inner_text()
    assert "画不出三维模型" in flat.locator("main").inner_text()
    assert flat.locator(".twin-places a").count() >= 1
    assert faults_of(flat) == []

    plain = open_page(390, 844)
    without_script(plain)
    plain.goto(f"{live_city}/scene")
    assert "演示街坊倾斜摄影模型" in plain.locator("main").inner_text()


def test_a_picture_of_the_map_holds_its_models_and_shadows(open_page: Any, live_city: str) -> None:
    page = open_page(1440, 900)
    home = told(page, live_city, HOME)
    pictures = []
    bare = f"&off=oblique,single,{BLOCKS},{HOME}"
    for rest in ("&off=white", f"&off=white,{BLOCKS},{HOME}", bare, f"{bare}&shade=1"):
        open_scene(page, live_city, home, rest)
        page.locator(".scene-map [data-picture] summary").click()
        with page.expect_download(timeout=90_000) as download:
            page.locator('.scene-map [data-picture-as="png"]').click()
        pictures.append(np.asarray(Image.open(download.value.path()).convert("RGB"), dtype=float))
    assert pictures[0].shape == pictures[1].shape
    assert changed(*pictures[:2]) > 0.1
    assert changed(*pictures[2:]) > 0.1


def test_a_flight_ends_where_nothing_stands_before_the_model(open_page: Any, live_city: str) -> None:
    """Whatever side it comes from: a click on the middle of its roof meets the model, and no white model before it."""
    page = open_page(1440, 900)
    home, blocks = told(page, live_city, HOME), told(page, live_city, BLOCKS)
    for turn in ("0/60", "120/60", "-100/60"):
        open_scene(page, live_city, blocks, zoom=16.5, turn=turn)
        page.locator(f'[data-go="{HOME}"]').click()
        page.wait_for_timeout(2200)
        stand(page)
        assert metres(click_on(page, home.lon, home.lat, home.heights[1]), "离地") == pytest.approx(
            home.heights[1], abs=0.1
        )


def test_the_address_brings_the_same_view_back(open_page: Any, live_city: str) -> None:
    page = open_page(1440, 900)
    home = told(page, live_city, HOME)
    open_scene(page, live_city, home)
    page.get_by_role("button", name="左转").click()
    page.get_by_role("button", name="更俯视").click()
    page.wait_for_timeout(700)
    page.get_by_role("checkbox", name="按高度分色").check()
    page.locator(f'[data-scene="{BLOCKS}"]').uncheck()
    state = "() => { const m = document.getElementById('scene-map').quantu; return [m.getZoom(), m.getCenter().lng, m.getBearing(), m.getPitch()]; }"
    before = page.evaluate(state)
    assert before[3] > 0
    other = open_page(1440, 900)
    other.goto(page.url)
    other.locator('#scene-map[data-ready="true"]').wait_for(state="attached", timeout=60_000)
    other.locator(f'[data-scene="{HOME}"]').wait_for()
    assert other.evaluate(state) == pytest.approx(before, abs=0.51)
    assert other.get_by_role("checkbox", name="按高度分色").is_checked()
    assert not other.locator(f'[data-scene="{BLOCKS}"]').is_checked()
    assert other.locator("#scene-clock").inner_text() == "08:00"
    page.get_by_role("button", name="二维").click()
    page.wait_for_function("() => document.getElementById('scene-map').quantu.getPitch() === 0")
    assert page.evaluate(state)[:2] == pytest.approx(before[:2], abs=1e-6)  # flat, and still the same place
    assert json.loads(
        page.evaluate(
            "() => JSON.stringify([...document.querySelectorAll('[data-view-as][aria-pressed=true]')].map((b) => b.dataset.viewAs))"
        )
    ) == ["flat"]


@pytest.mark.parametrize("kind", ["model", "tileset"])
def test_a_draft_is_drawn_turned_and_scaled_as_the_server_places_it(
    open_page: Any, live_city: str, tmp_path: Path, kind: str
) -> None:
    """Staff see how a scene stands before it is published: just inside each of its corners is the model, just outside is not."""
    from geo.regions.queries import current_city
    from geo.scope import Scope
    from layers.scenes.actions import Sent, Standing, Words, create_scene, place, take_upload
    from layers.scenes.models import Scene
    from layers.scenes.queries import EDIT, VIEW
    from services.crypto.identifiers import new_id
    from tests.layers.scenes.making import LAT, LON, block, package, tile, tileset

    scope = Scope(paths=("",), duties=frozenset({VIEW, EDIT}), actor="tests")
    key = f"draft-{kind}"
    made = create_scene(
        uid=new_id(), kind=kind, region=current_city().code, words=Words("试摆的模型", "测试"), scope=scope, key=key
    )
    source = tmp_path / ("block.glb" if kind == "model" else "blocks.zip")
    source.write_bytes(block() if kind == "model" else package({"tileset.json": tileset(tile()), "block.glb": block()}))
    take_upload(Sent(key, made.revision, scope), uid=new_id(), source=source, name=source.name)
    at = Standing(LON, LAT, height_m=5.0, heading_deg=30.0, scale=2.0)
    place(Sent(key, Scene.objects.get(key=key).revision, scope), at)

    page = open_page(1440, 900)
    assert all(one["key"] != key for one in page.request.get(f"{live_city}/scenes.json").json()["scenes"])
    sign_in(page, live_city, "shi", "/desk")
    page.goto(f"{live_city}/scene?scene={key}#t={MORNING}&off=white,{BLOCKS},{HOME}&v=18.6/{LAT}/{LON}/0/0")
    page.locator('#scene-map[data-ready="true"]').wait_for(state="attached", timeout=60_000)
    page.locator(f'[data-scene="{key}"]').wait_for(timeout=60_000)
    stand(page)
    drawn = page.request.get(f"{live_city}/scenes.json?draft={key}").json()["scenes"]
    corners = next(one for one in drawn if one["key"] == key)["footprint"]["coordinates"][0][:-1]
    assert len(corners) == 4
    for lon, lat in corners:
        inside, outside = ((LON + (lon - LON) * part, LAT + (lat - LAT) * part) for part in (0.96, 1.06))
        said = click_on(page, *inside, 29.0)  # 12 metres twice over, 5 above the ground
        assert "试摆的模型" in said
        assert metres(said, "离地") == pytest.approx(29.0, abs=0.1)
        assert "试摆的模型" not in click_on(page, *outside, 29.0)


def test_a_wide_tileset_lies_on_the_ground_everywhere(open_page: Any, live_city: str, tmp_path: Path) -> None:
    """Two blocks 7.6 km apart: one plane for both would put each 1.1 m low; each stands where it says, on the ground."""
    from geo.regions.queries import current_city
    from geo.scope import Scope
    from layers.scenes.actions import Sent, Words, create_scene, take_upload
    from layers.scenes.models import Scene
    from layers.scenes.queries import EDIT, VIEW
    from services.crypto.identifiers import new_id
    from tests.layers.scenes.making import LAT, LON, block, on_earth, package, tile, tileset

    scope = Scope(paths=("",), duties=frozenset({VIEW, EDIT}), actor="tests")
    key, apart = "draft-wide", 0.04
    words = Words("宽的模型集", "测试")
    made = create_scene(uid=new_id(), kind="tileset", region=current_city().code, words=words, scope=scope, key=key)
    stood = [LON - apart, LON + apart]
    sides = [math.radians(each) for each in (stood[0] - 0.001, LAT - 0.001, stood[1] + 0.001, LAT + 0.001)]
    root = {
        "boundingVolume": {"region": [*sides, 0, 40]},
        "geometricError": 500,
        "refine": "ADD",
        "children": [tile(transform=on_earth(lon)) for lon in stood],
    }
    source = tmp_path / "wide.zip"
    source.write_bytes(package({"tileset.json": tileset(root), "block.glb": block()}))
    take_upload(Sent(key, made.revision, scope), uid=new_id(), source=source, name=source.name)
    assert Scene.objects.get(key=key).package is not None

    page = open_page(1440, 900)
    sign_in(page, live_city, "shi", "/desk")
    for lon in stood:
        page.goto("about:blank")
        page.goto(f"{live_city}/scene?scene={key}#t={MORNING}&off=white,{BLOCKS},{HOME}&v=19/{LAT}/{lon}/0/40")
        page.locator('#scene-map[data-ready="true"]').wait_for(state="attached", timeout=60_000)
        page.locator(f'[data-scene="{key}"]').wait_for(timeout=60_000)
        page.wait_for_function(
            "key => document.querySelector(`[data-scene='${key}']`).closest('li').dataset.state === 'ready'",
            arg=key,
            timeout=60_000,
        )
        page.evaluate(SETTLED, "scene-map")
        said = click_on(page, lon, LAT, 12.0)
        assert "宽的模型集" in said
        assert metres(said, "离地") == pytest.approx(12.0, abs=0.06)
        assert metres(said, "椭球高") == pytest.approx(22.0, abs=0.06)
        east, north = (float(re.search(rf"{word} ([\d.]+)°", said)[1]) for word in ("东经", "北纬"))
        assert GEOD.inv(east, north, lon, LAT)[2] < 0.5
        corner_lon, _, _ = GEOD.fwd(lon, LAT, 90, 9.8)
        assert "宽的模型集" in click_on(page, corner_lon, LAT, 12.0)
        corner_lon, _, _ = GEOD.fwd(lon, LAT, 90, 10.3)
        assert "宽的模型集" not in click_on(page, corner_lon, LAT, 12.0)
