"""What the map in three dimensions calls things: a click names a building, and names can be read over what stands before them."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from playwright.sync_api import expect

from services.facilities.models import Facility
from tests.e2e.conftest import faults_of
from tests.e2e.test_scene import BLOCKS, HOME, ROOFS, SETTLED, changed, click_on, look, open_scene, told

CARD = "#scene-building"
COVERED = """() => {
  const map = document.getElementById('scene-map').quantu;
  const names = ['road-names', 'place-names'].filter((id) => map.getLayer(id));
  const {clientWidth, clientHeight} = map.getCanvas();
  const found = [];
  for (let x = 360; x < clientWidth - 120; x += 6) {
    for (let y = 60; y < clientHeight - 60; y += 6) {
      const [name] = map.queryRenderedFeatures([x, y], {layers: names});
      if (name && map.queryRenderedFeatures([x, y], {layers: ['white']}).length) found.push({x, y, layer: name.layer.id});
    }
  }
  return found;
}"""


def test_a_click_on_a_building_says_what_it_is_and_who_is_in_it(open_page: Any, live_city: str) -> None:
    """White models, photographs and single models alike; the way to the twin and back keeps the view."""
    page = open_page(1440, 900)
    home, blocks = told(page, live_city, HOME), told(page, live_city, BLOCKS)
    card = page.locator(CARD)

    # The single model: itself, its twin, the home for elders in it.
    open_scene(page, live_city, home, "&off=white,oblique", zoom=18)
    click_on(page, home.lon, home.lat, home.heights[1])
    expect(card.locator("h2")).to_contain_text("（演示）")
    name = card.locator(".scene-building-places a").first.inner_text()
    assert Facility.objects.filter(name=name, status="open").exists()
    assert faults_of(page) == []
    card.get_by_role("link", name="进入数字孪生").click()
    page.wait_for_url("**/twin/demo-home**")
    assert "v=18" in page.url
    page.get_by_role("link", name="回到地图").click()
    page.wait_for_url(re.compile(r"/scene\?.*v=18"))

    # A white model: the same building without its model; the height of the tiles is that of the register.
    open_scene(page, live_city, home, f"&off=oblique,single,{BLOCKS},{HOME}", turn="0/0")
    roof = next(one for one in page.evaluate(ROOFS) if one["height"] is not None and one["x"] > 400)
    page.locator("#scene-map canvas").first.click(position={"x": roof["x"], "y": roof["y"]})
    expect(card).to_contain_text(f"{roof['height']:.1f} 米")
    expect(card).to_contain_text("折算，不是登记的层数")
    expect(card).to_contain_text(re.compile("门牌|最近的地址"))
    click_on(page, home.lon, home.lat, 5.0)
    expect(card.get_by_role("link", name=name)).to_be_visible()
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()

    # Photographs know no buildings: the base map under the point does.
    open_scene(page, live_city, blocks, "&off=white,single", zoom=17.4)
    before = page.evaluate(ROOFS_OF_BLOCKS, [blocks.box])
    assert before, "no registered building lies in the photographs: the test would prove nothing"
    lon, lat, height = before[0]
    click_on(page, lon, lat, height)
    expect(card).to_contain_text(f"{height:.1f} 米")
    page.get_by_role("radio", name="量两点距离").check()
    expect(card).to_be_hidden()
    click_on(page, lon, lat, height)
    expect(card).to_be_hidden()  # who measures is not told of buildings

    # On a telephone the map stays in sight, and what is told stands under it; a fault is told in words.
    phone = open_page(390, 844, color_scheme="dark", has_touch=True)
    open_scene(phone, live_city, home, "&off=oblique,single", zoom=17.5, turn="0/30")
    phone.get_by_role("button", name="在正中加一点").click()
    expect(phone.locator(f"{CARD} h2")).to_be_visible()
    frame, below = phone.locator("#scene-map").bounding_box(), phone.locator(CARD).bounding_box()
    assert below["y"] >= frame["y"] + frame["height"]
    assert phone.evaluate("() => document.documentElement.scrollWidth") <= 390
    assert faults_of(phone) == []
    phone.route("**/scene/building?**", lambda route: route.abort())
    phone.get_by_role("button", name="在正中加一点").click()
    expect(phone.locator(CARD)).to_contain_text("没能取到这座楼的信息")


ROOFS_OF_BLOCKS = """async ([[west, south, east, north]]) => {
  const map = document.getElementById('scene-map').quantu;
  return map.querySourceFeatures('buildings', {sourceLayer: 'buildings'}).map(({geometry, properties}) => {
    const ring = (geometry.type === 'Polygon' ? geometry.coordinates : geometry.coordinates[0])[0];
    const [lon, lat] = [0, 1].map((k) => ring.slice(1).reduce((sum, point) => sum + point[k], 0) / (ring.length - 1));
    return [lon, lat, properties.height_m];
  }).filter(([lon, lat, height]) => height > 15 && lon > west + 6e-4 && lon < east - 6e-4 && lat > south + 6e-4 && lat < north - 6e-4)
    .sort((a, b) => b[2] - a[2]);
}"""


def test_names_are_read_over_what_stands_before_them(open_page: Any, live_city: str) -> None:
    """Where a name lies over a white model its letters are seen; so with models; and they go when switched off."""
    page = open_page(1440, 900, device_scale_factor=1)
    home = told(page, live_city, HOME)
    open_scene(page, live_city, home, zoom=16.6, turn="-20/60")
    page.wait_for_timeout(600)  # names fade in
    page.evaluate(SETTLED, "scene-map")
    covered = page.evaluate(COVERED)
    assert {"road-names", "place-names"} <= {one["layer"] for one in covered}
    shown = look(page)
    page.get_by_role("checkbox", name="地名和机构名").uncheck()
    page.wait_for_timeout(600)
    page.evaluate(SETTLED, "scene-map")
    bare = look(page)
    for layer in ("road-names", "place-names"):
        spots = [one for one in covered if one["layer"] == layer]
        around = [np.s_[one["y"] - 10 : one["y"] + 10, one["x"] - 10 : one["x"] + 10] for one in spots]
        seen = float(np.mean([changed(shown[each], bare[each]) > 0.03 for each in around]))
        assert seen > 0.75, (
            layer,
            seen,
            len(spots),
        )  # names along streets are asked for by circles, wider than their letters
    assert "names" in re.search(r"off=([^&]+)", page.url)[1]
