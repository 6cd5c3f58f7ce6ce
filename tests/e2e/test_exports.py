"""Taking a layer away as people do it: on a phone without an account, at a desk with one, without script, and stopped."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import faults_of
from tests.e2e.test_desk import sign_in

SHOTS: Final = os.environ.get("QUANTU_SHOTS", "")


def looks_right(page: Any, name: str) -> None:
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert faults_of(page) == []


@pytest.fixture
def own_folder(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.mark.usefixtures("worker", "own_folder")
@pytest.mark.parametrize(("width", "look"), [(390, "light"), (1440, "dark")])
def test_somebody_takes_the_places_of_a_district(
    open_page: Any, live_city: str, width: int, look: str, tmp_path: Path
) -> None:
    page = open_page(width, 844, color_scheme=look)
    page.goto(f"{live_city}/layers/places/export")
    looks_right(page, f"export-new-{width}")
    page.get_by_role("radio", name="GeoJSON").check()
    page.get_by_label("区划").select_option(label="黄浦区")
    page.get_by_role("checkbox", name="地址").uncheck()
    page.get_by_role("button", name="生成文件").click()
    page.locator("#export-progress[data-state=done]").wait_for(timeout=60_000)
    expect(page.get_by_role("main")).to_contain_text("黄浦区内")
    looks_right(page, f"export-done-{width}")
    with page.expect_download() as taken:
        page.get_by_role("link", name="下载文件").click()
    name = taken.value.suggested_filename
    assert name.startswith("服务设施-WGS84-")
    taken.value.save_as(tmp_path / name)
    features = json.loads((tmp_path / name).read_bytes())["features"]
    said = page.locator("#export-progress").inner_text()
    assert f"{len(features):,} 条" in said
    assert set(features[0]["properties"]) == {"name", "kind", "group", "kind_name", "as_of"}


@pytest.mark.usefixtures("own_folder")
def test_without_script_a_clerk_stops_begins_again_and_lists(open_page: Any, live_city: str) -> None:
    from geo.jobs.actions import run_job
    from layers.processes.models import ProcessRun

    page = open_page(1440, 900, java_script_enabled=False)
    sign_in(page, live_city, "shi", "/exports")
    expect(page.get_by_role("main")).to_contain_text("还没有导出")
    page.goto(f"{live_city}/layers/regions/export")
    page.get_by_role("button", name="生成文件").click()
    expect(page.locator("#export-progress")).to_contain_text("排队中")
    page.get_by_role("button", name="停下").click()
    expect(page.locator("#export-progress")).to_contain_text("已停下，没有留下文件")
    page.get_by_role("link", name="重新导出").click()
    page.get_by_role("radio", name="Shapefile").check()
    page.get_by_label("坐标系").select_option(label="上海2000 平面坐标")
    page.get_by_role("button", name="生成文件").click()
    run = ProcessRun.objects.get(inputs__format="shp")
    assert run.job
    run_job(job_id=run.job.pk)
    page.get_by_role("link", name="刷新看进度").click()
    expect(page.get_by_role("main")).to_contain_text("未经控制点验证")
    page.get_by_role("link", name="我的导出").click()
    row = page.get_by_role("row", name="行政区划 · Shapefile")
    expect(row).to_contain_text("已完成")
    expect(page.get_by_role("row", name="行政区划 · GeoPackage")).to_contain_text("已取消")


@pytest.mark.usefixtures("own_folder")
def test_the_list_looks_right_on_a_phone_too(open_page: Any, live_city: str) -> None:
    page = open_page(390, 844)
    sign_in(page, live_city, "shi", "/exports")
    page.goto(f"{live_city}/layers/places/export")
    page.get_by_role("button", name="生成文件").click()
    page.locator("#export-progress").wait_for()
    page.goto(f"{live_city}/exports")
    row = page.get_by_role("row", name="服务设施 · GeoPackage")
    expect(row).to_contain_text("排队中")
    box = row.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390, "a row is a card of its own here, not wider than the telephone"
    looks_right(page, "exports-390")
    row.get_by_role("link").first.click()
    expect(page.locator("#export-progress")).to_contain_text("排队中")
