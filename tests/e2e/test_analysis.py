"""空间分析: a planner draws an area, lays a layer over it, goes on from the result, keeps it; on a telephone, in the dark, bigger."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import shapely

from layers.datasets.models import Dataset
from layers.datasets.revisions import held_now
from tests.e2e.conftest import faults_of
from tests.e2e.test_desk import sign_in
from tests.layers.analysis.grounds import grid, laid, squares
from tests.reading import wait_for_maps

SHOTS = os.environ.get("QUANTU_SHOTS", "")
READY = "#analysis-map[data-ready=true]"


def shot(page: Any, name: str) -> None:
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


def test_a_drawn_area_is_laid_over_a_layer_gone_on_from_and_kept(open_page: Any, live_city: str) -> None:
    cells = laid("服务网格", "polygon", squares(grid(12, 9, 300), 260))
    laid("便民服务点", "point", shapely.points(grid(40, 30, 90) + 40))
    page = open_page(1440, 900)
    sign_in(page, live_city, "shi", "/plan/analysis?op=overlay")
    page.locator(READY).wait_for()
    page.select_option("#other", "drawn")
    page.select_option("#one", f"layer:{cells}")
    page.evaluate(
        "() => document.getElementById('analysis-map').quantu.jumpTo({center: [121.4737, 31.2304], zoom: 13})"
    )
    page.locator("#draw-begin").click()
    box = page.locator("#analysis-map canvas").bounding_box()
    for across, down in ((0.3, 0.3), (0.7, 0.3), (0.7, 0.7), (0.3, 0.7)):
        page.mouse.click(box["x"] + across * box["width"], box["y"] + down * box["height"])
    page.locator("#draw-said", has_text="已有 4 个拐角").wait_for()
    page.locator("#draw-begin").click()
    page.locator("#draw-said", has_text="图形画好了").wait_for()
    assert faults_of(page) == []
    shot(page, "analysis-1440")
    page.get_by_role("button", name="开始").click()
    page.locator("#result-title", has_text="个面").wait_for()
    page.locator(READY).wait_for()
    wait_for_maps(page)
    drawn = page.evaluate(
        "() => document.getElementById('analysis-map').quantu.queryRenderedFeatures({layers: ['result']}).length"
    )
    assert drawn > 0
    assert faults_of(page) == []
    shot(page, "analysis-result-1440")
    page.get_by_role("link", name="用结果再做一步").click()
    page.locator(READY).wait_for()
    page.fill("#metres", "100")
    page.check("input[name=dissolve]")
    page.get_by_role("button", name="开始").click()
    page.locator("#result-title", has_text="得到 1 个面").wait_for()
    page.get_by_role("link", name="撤销，回到上一步").click()
    page.get_by_role("link", name="重做下一步").click()
    page.locator("#result-title", has_text="得到 1 个面").wait_for()
    page.fill("#title", "网格一百米")
    page.get_by_role("button", name="保存为图层").click()
    page.get_by_text("已存成图层“网格一百米”").wait_for()
    assert held_now(Dataset.objects.get(title="网格一百米")).count() == 1


def test_on_a_telephone_in_the_dark_and_bigger(open_page: Any, live_city: str) -> None:
    page = open_page(390, 844)
    sign_in(page, live_city, "shi", "/plan/analysis?op=near")
    assert faults_of(page) == []
    shot(page, "analysis-390")
    page.select_option("#one", "layer:places")
    page.select_option("#other", "layer:places")
    page.get_by_role("button", name="开始").click()
    page.locator("#result-title").wait_for()
    assert faults_of(page) == []
    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
    shot(page, "analysis-result-390")
    address = page.url
    dark = open_page(1440, 900, color_scheme="dark")
    sign_in(dark, live_city, "shi", address.removeprefix(live_city))
    dark.locator(READY).wait_for()
    assert faults_of(dark) == []
    shot(dark, "analysis-result-dark")
    dark.context.add_cookies([{"name": "elder", "value": "2", "url": live_city}])
    dark.goto(f"{live_city}/plan/analysis?op=density")
    assert faults_of(dark) == []
    shot(dark, "analysis-elder")
