"""Staff bring a three-dimensional model to the map: upload, place it by a click, draw the ground without white models, publish. A real browser."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from layers.scenes.models import Scene
from tests.e2e.conftest import faults_of, without_script
from tests.e2e.test_access_journeys import sign_in
from tests.layers.scenes.making import block

DRAWN = "() => document.querySelector('[data-scenes-map]').dataset.drawn === 'true'"
ON_SCREEN = """([lon, lat]) => {
  const holder = document.querySelector('[data-scenes-map]');
  const spot = holder.quantu.project([lon, lat]);
  const box = holder.getBoundingClientRect();
  return [box.x + spot.x, box.y + spot.y];
}"""
LOOK = "([lon, lat]) => document.querySelector('[data-scenes-map]').quantu.jumpTo({center: [lon, lat], zoom: 18})"
LON, LAT = 121.4737, 31.2304


def made(page: Any, root: str, folder: Path) -> str:
    """Make a model by the forms, upload its file, and return its key."""
    page.goto(f"{root}/desk/scenes")
    page.get_by_role("link", name="新建三维模型").click()
    page.get_by_role("radio", name="单体模型").check()
    page.get_by_label("名称", exact=True).fill("社区食堂")
    page.get_by_label("来源").fill("测试航摄")
    page.get_by_label("所属区域", exact=True).select_option("310101")
    page.get_by_role("button", name="新建，接着上传").click()
    file = folder / "block.glb"
    file.write_bytes(block(tall=9.0))
    page.get_by_label("选文件").set_input_files(file)
    page.get_by_role("button", name="上传并核对").click()
    expect(page.get_by_text("文件核对过，可以用。")).to_be_visible()
    return str(page.url).rsplit("/", 1)[1]


def click_at(page: Any, lon: float, lat: float) -> None:
    x, y = page.evaluate(ON_SCREEN, [lon, lat])
    page.mouse.click(x, y)


def test_a_model_is_placed_by_a_click_its_ground_is_drawn_and_it_is_published(
    live_city: str, open_page: Any, tmp_path: Path
) -> None:
    page = open_page(1440, 900)
    sign_in(page, live_city)
    key = made(page, live_city, tmp_path)
    page.wait_for_function(DRAWN, timeout=60_000)
    page.locator("[data-scenes-map]").scroll_into_view_if_needed()
    page.evaluate(LOOK, [LON, LAT])
    click_at(page, LON, LAT)
    lon, lat = (float(each) for each in page.get_by_label("地址，或经度和纬度").input_value().split(","))
    assert abs(lon - LON) < 2e-5
    assert abs(lat - LAT) < 2e-5
    page.get_by_text("不画白模的范围").click()
    page.get_by_role("button", name="在地图上逐点画").click()
    page.locator("[data-scenes-map]").scroll_into_view_if_needed()
    for east, north in ((-3e-4, -2e-4), (3e-4, -2e-4), (3e-4, 2e-4)):
        click_at(page, LON + east, LAT + north)
    ring = json.loads(page.get_by_label("GeoJSON 面").input_value())["coordinates"][0]
    assert len(ring) == 4
    page.get_by_role("button", name="保存位置").click()
    expect(page.get_by_text("位置已保存。")).to_be_visible()
    page.wait_for_function(DRAWN, timeout=60_000)
    page.wait_for_function(
        "() => document.querySelector('[data-scenes-map]').quantu.queryRenderedFeatures({layers: ['scene']}).length > 1"
    )
    assert faults_of(page) == []
    page.get_by_role("button", name="发布", exact=True).click()
    expect(page.get_by_text("已发布第 1 版")).to_be_visible()
    told = {one["key"]: one for one in page.request.get(f"{live_city}/scenes.json").json()["scenes"]}
    assert told[key]["heights"] == [0, 9]
    assert told[key]["footprint"]["coordinates"][0] == ring
    assert Scene.objects.get(key=key).lon == lon


PAGES = ("/desk/scenes", "/desk/scenes/new", "/desk/scenes/demo-home", "/desk/scenes/demo-blocks", "/help/scenes")


@pytest.mark.parametrize(("look", "width"), [("dark", 390), ("light", 1440), ("elder", 390)])
def test_everybody_can_use_the_pages_and_nothing_is_wider_than_the_screen(
    live_city: str, open_page: Any, look: str, width: int
) -> None:
    page = open_page(width, 844, color_scheme="dark" if look == "dark" else "light")
    sign_in(page, live_city)
    if look == "elder":
        page.context.add_cookies([{"name": "elder", "value": "1", "url": live_city}])
    for path in PAGES:
        page.goto(live_city + path)
        assert faults_of(page) == [], path
        assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth"), path


def test_without_script_a_model_is_placed_by_numbers(live_city: str, open_page: Any, tmp_path: Path) -> None:
    page = open_page(390, 844)
    without_script(page)
    sign_in(page, live_city)
    key = made(page, live_city, tmp_path)
    page.get_by_label("地址，或经度和纬度").fill("121.4737, 31.2304")
    page.get_by_role("button", name="保存位置").click()
    expect(page.get_by_text("位置已保存。")).to_be_visible()
    assert Scene.objects.get(key=key).lat == LAT
