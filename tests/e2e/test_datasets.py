"""Staff make a layer on the desk: draw, type, upload, undo, publish, see it on the public map, and go back. A real browser."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import mapbox_vector_tile
import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import faults_of, jump, without_script
from tests.e2e.test_access_journeys import sign_in
from tiles.schemes import tile_at

LON, LAT = 121.4737, 31.2304
ON_SCREEN = """([lon, lat]) => {
  const holder = document.getElementById('dataset-map');
  const spot = holder.quantu.project([lon, lat]);
  const box = holder.getBoundingClientRect();
  return [box.x + spot.x, box.y + spot.y];
}"""


DRAWN = "() => document.getElementById('dataset-map').quantu.queryRenderedFeatures({layers: ['draft']}).length > 0"


def made(page: Any, root: str, geometry: str, title: str) -> str:
    """Make a layer of 黄浦 by the form, and return its address once its map is drawn."""
    page.goto(f"{root}/desk/layers")
    page.get_by_role("link", name="新建图层").click()
    page.get_by_role("radio", name=geometry).check()
    page.get_by_label("名称", exact=True).fill(title)
    page.get_by_label("所属区域", exact=True).select_option("310101")
    page.get_by_role("button", name="新建").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    page.locator('#dataset-map[data-revision="1"]').wait_for(state="attached", timeout=60_000)
    return str(page.url).partition("?")[0]


def look_at(page: Any, zoom: float = 16) -> None:
    jump(page, "#dataset-map", (LON, LAT), zoom)


def click_at(page: Any, east: float, north: float) -> None:
    page.mouse.click(*page.evaluate(ON_SCREEN, [LON + east, LAT + north]))


def saved(page: Any, said: str) -> None:
    expect(page.locator(".dataset-toast")).to_contain_text(said)


def test_a_layer_is_drawn_uploaded_edited_undone_published_and_rolled_back(
    open_page: Any, live_city: str, tmp_path: Path
) -> None:
    page = open_page(1440, 900, reduced_motion="reduce")
    sign_in(page, live_city)
    address = made(page, live_city, "面", "社区花坛")
    key = address.rsplit("/", 1)[1]
    look_at(page)
    page.keyboard.press("s")
    page.keyboard.press("p")
    for east, north in ((0, 0), (0.002, 0), (0.002, 0.002)):
        click_at(page, east, north)
    click_at(page, 0, 0)
    page.locator("#a-mingcheng").fill("一号花坛")
    page.get_by_role("button", name="新增", exact=True).click()
    saved(page, "新增了“一号花坛”")
    page.wait_for_function(DRAWN)
    click_at(page, 0.0014, 0.0006)
    expect(page.locator("#dataset-form h2").first).to_have_text("一号花坛")
    page.get_by_role("button", name="改图形").click()
    corner = page.get_by_role("button", name="第 1 个顶点", exact=False).first
    corner.focus()
    page.keyboard.press("Shift+ArrowDown")
    expect(page.locator("#dataset-hint")).to_contain_text("图形在表单里")
    page.locator("#a-mingcheng").fill("首花坛")
    page.locator("#a-mingcheng").blur()
    page.get_by_role("button", name="保存", exact=True).click()
    saved(page, "改了“首花坛”的图形和内容")
    page.locator(".dataset-toast").get_by_role("button", name="撤销").click()
    saved(page, "撤销“改了“首花坛”的图形和内容”")
    expect(page.locator(".dataset-rows a").first).to_have_text("一号花坛")
    page.get_by_role("button", name="重做").click()
    saved(page, "重做")

    page.get_by_role("link", name="导入").click()
    ring = [[LON + 0.004, LAT], [LON + 0.005, LAT], [LON + 0.005, LAT + 0.001], [LON + 0.004, LAT]]
    drawn = {
        "type": "Feature",
        "properties": {"名称": "导入的花坛", "面积": 12.5},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    file = tmp_path / "花坛cgcs2000.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [drawn]}))
    page.get_by_label("文件", exact=True).set_input_files(file)
    page.get_by_role("button", name="上传并核对").click()
    expect(page.get_by_text("可以写入 1 行")).to_be_visible()
    page.locator('[data-shapes-map][data-drawn="true"]').wait_for(state="attached", timeout=60_000)
    assert faults_of(page) == []
    page.get_by_role("button", name="先看会改多少").click()
    expect(page.get_by_text("写入后新增 1 个、修改 0 个、删除 0 个")).to_be_visible()
    page.get_by_role("button", name="写入 1 行").click()
    expect(page.locator(".dataset-rows a")).to_have_count(2)

    page.get_by_role("link", name="去发布").click()
    page.get_by_role("button", name="发布第 1 版").click()
    expect(page.get_by_text("已发布第 1 版，马上可以在地图上看到。")).to_be_visible()
    visitor = open_page(390, 844, reduced_motion="reduce")
    visitor.goto(f"{live_city}/layers/{key}")
    expect(visitor.get_by_role("heading", level=1)).to_contain_text("社区花坛")
    assert "首花坛" in tile_names(visitor, live_city, key)

    page.goto(address)
    page.locator("#dataset-map[data-revision]").wait_for(state="attached", timeout=60_000)
    page.get_by_role("checkbox", name="选首花坛").check()
    page.get_by_text("一次改选中的").click()
    page.get_by_role("button", name="删除选中的").click()
    saved(page, "删除了“首花坛”")
    assert "首花坛" in tile_names(visitor, live_city, key), "an edit shows before it is published"
    page.get_by_role("link", name="去发布").click()
    page.get_by_role("link", name="看差别").click()
    expect(page.get_by_role("row", name="首花坛")).to_contain_text("删除")
    page.go_back()
    page.get_by_role("button", name="发布第 2 版").click()
    assert "首花坛" not in tile_names(visitor, live_city, key)
    page.get_by_role("row", name="第 1 版").get_by_role("button", name="恢复到这一版").click()
    page.get_by_role("button", name="发布第 3 版").click()
    assert "首花坛" in tile_names(visitor, live_city, key)


def tile_names(page: Any, root: str, key: str) -> set[str]:
    """Return the names on the public tile of the middle of the city."""
    found: set[str] = set()
    middle = tile_at(LON, LAT, 14)
    for x in (middle.x, middle.x + 1):
        answer = page.request.get(f"{root}/tiles/{key}/14/{x}/{middle.y}.mvt")
        if answer.status == 200:
            layer = mapbox_vector_tile.decode(answer.body()).get(key, {"features": []})
            found |= {each["properties"].get("mingcheng", "") for each in layer["features"]}
    return found


@pytest.mark.parametrize(("look", "width"), [("light", 390), ("dark", 1440)])
def test_points_are_put_moved_and_kept_when_the_network_fails(
    open_page: Any, live_city: str, look: str, width: int
) -> None:
    page = open_page(width, 900, color_scheme=look, reduced_motion="reduce")
    sign_in(page, live_city)
    made(page, live_city, "点", f"长椅{width}")
    look_at(page)
    page.get_by_role("button", name="画点").click()
    click_at(page, 0.0008, 0)
    page.locator("#a-mingcheng").fill("一号椅")
    page.route("**/desk/layers/own-*", lambda route: route.abort())
    page.get_by_role("button", name="新增", exact=True).click()
    expect(page.locator("#dataset-lost")).to_contain_text("没有保存：网络断了")
    page.unroute("**/desk/layers/own-*")
    page.reload()
    expect(page.locator("#a-mingcheng")).to_have_value("一号椅")
    page.get_by_role("button", name="新增", exact=True).click()
    saved(page, "新增了“一号椅”")
    page.locator(".dataset-rows a").first.click()
    expect(page.get_by_label("经度", exact=True)).to_have_value(re.compile(r"^121\.474[45]"))
    assert faults_of(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_without_script_points_are_typed_and_lines_written(open_page: Any, live_city: str) -> None:
    page = open_page(390, 844, reduced_motion="reduce")
    sign_in(page, live_city)
    without_script(page)
    page.goto(f"{live_city}/desk/layers/new")
    page.get_by_role("radio", name="线").check()
    page.get_by_label("名称", exact=True).fill("慢行道")
    page.get_by_role("button", name="新建").click()
    page.get_by_text("用文字写图形（WKT）").click()
    page.get_by_label("WKT，国家 2000 坐标系").fill(f"LINESTRING ({LON} {LAT}, {LON + 0.01} {LAT})")
    page.get_by_role("button", name="新增", exact=True).click()
    expect(page.locator(".form-error").first).to_have_text("请填“名称”。")
    page.locator("#a-mingcheng").fill("苏州河段")
    page.get_by_role("button", name="新增", exact=True).click()
    saved(page, "新增了“苏州河段”")
    page.locator(".dataset-toast").get_by_role("button", name="撤销").click()
    saved(page, "撤销")
