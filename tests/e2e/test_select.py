"""圈选: somebody of the city draws an area, reads what lies in it, takes it away; on a telephone and without script by a file."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import Any

import shapely

from geo.addresses.gazetteer import published_now
from geo.regions.models import RegionVersion
from geo.scope import Scope
from services.facilities.models import Facility
from services.facilities.queries import visible
from tests.e2e.conftest import faults_of
from tests.e2e.test_desk import sign_in

SHOTS = os.environ.get("QUANTU_SHOTS", "")


def shot(page: Any, name: str) -> None:
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


def within(shape: Any) -> list[str]:
    rows = Facility.objects.filter(visible(Scope.public(), published_now()))
    return sorted(row.name for row in rows if shape.intersects(shapely.Point(row.geom.x, row.geom.y)))


def boxed() -> Any:
    """Return a box that holds about half of the places."""
    rows = Facility.objects.filter(visible(Scope.public(), published_now()))
    west, south, east, north = shapely.MultiPoint([(row.geom.x, row.geom.y) for row in rows]).bounds
    return shapely.box(west - 0.001, south - 0.001, (west + east) / 2, north + 0.001)


def test_an_area_is_drawn_on_the_map_counted_and_taken_away(open_page: Any, live_city: str) -> None:
    page = open_page(1440, 900)
    sign_in(page, live_city, "guihua", "/plan/select")
    page.locator("#select-map[data-ready=true]").wait_for()
    shot(page, "select-1440")
    assert faults_of(page) == []
    west, south, east, north = boxed().bounds
    page.evaluate(
        "box => document.getElementById('select-map').quantu.fitBounds(box, {animate: false, padding: 60})",
        [[west, south], [east, north]],
    )
    page.get_by_role("button", name="画图形").click()
    frame = page.locator("#select-map canvas").bounding_box()
    for across, down in ((0.04, 0.05), (0.88, 0.05), (0.88, 0.9), (0.05, 0.9), (0.5, 0.5)):
        page.mouse.click(frame["x"] + frame["width"] * across, frame["y"] + frame["height"] * down)
        page.wait_for_timeout(350)
    page.get_by_text("已有 5 个拐角").wait_for()
    page.get_by_role("button", name="撤一点").click()
    page.get_by_text("还有 4 个拐角").wait_for()
    page.get_by_role("button", name="画好了").click()
    drawn = shapely.from_geojson(page.locator("#shape").input_value())
    assert len(drawn.exterior.coords) == 5
    names = within(drawn)
    assert len(names) > 1
    page.get_by_role("button", name="圈选", exact=True).click()
    page.locator("#answer-title").wait_for()
    assert page.locator("#answer-title").inner_text() == f"范围内有 {len(names):,} 家机构"
    assert set(page.locator("#listed tbody .row-link").all_inner_texts()) <= set(names)
    assert page.locator("#listed tbody tr").count() == min(60, len(names))
    counts = page.locator("#by-kind tbody tr td:nth-child(2)").all_inner_texts()
    assert sum(int(count.replace(",", "")) for count in counts) == len(names)
    page.locator("#select-map[data-ready=true]").wait_for()
    page.wait_for_function("() => Boolean(document.getElementById('select-map').quantu.getLayer('marked'))")
    shot(page, "select-answer-1440")
    assert faults_of(page) == []
    with page.expect_download() as download:
        page.get_by_role("button", name="导出 CSV").click()
    rows = list(csv.DictReader(Path(download.value.path()).read_text("utf-8-sig").splitlines()))
    assert sorted(row["名称"] for row in rows) == names


def test_without_script_on_a_telephone_a_file_regions_and_minutes_do_the_same(
    open_page: Any, live_city: str, tmp_path: Path
) -> None:
    shape = boxed()
    source = tmp_path / "范围.geojson"
    feature = {"type": "Feature", "properties": {}, "geometry": json.loads(shapely.to_geojson(shape))}
    source.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), "utf-8")
    page = open_page(390, 844, java_script_enabled=False)
    sign_in(page, live_city, "guihua", "/plan/select")
    page.get_by_label("或者上传文件").set_input_files(str(source))
    page.get_by_label("文件的坐标系").select_option("cgcs2000")
    page.get_by_role("button", name="圈选", exact=True).click()
    names = within(shape)
    assert page.get_by_role("alert").all_inner_texts() == []
    assert page.locator("#answer-title").inner_text() == f"范围内有 {len(names):,} 家机构"
    shot(page, "select-answer-390")

    page.get_by_role("link", name="重新来").click()
    shot(page, "select-390")
    page.get_by_role("button", name="圈选", exact=True).click()
    page.get_by_role("alert").get_by_text("请至少选一种范围").wait_for()
    street = RegionVersion.objects.filter(edition__state="published", level="street").order_by("code")[0]
    page.get_by_label("街镇、居委").fill(f"{street.name}、{street.code}")
    page.get_by_role("button", name="圈选", exact=True).click()
    own = Facility.objects.filter(
        visible(Scope.public(), published_now()), region__versions__path__startswith=street.path
    )
    assert page.locator("#answer-title").inner_text() == f"范围内有 {own.distinct().count():,} 家机构"
    place = (
        Facility.objects.filter(visible(Scope.public(), published_now()), pk__in=own).first()
        or Facility.objects.first()
    )
    assert place is not None
    page.get_by_label("街镇、居委").fill("")
    page.get_by_label("从哪里出发").fill(place.name)
    page.get_by_label("怎么去").select_option("elder")
    page.get_by_label("几分钟").fill("20")
    page.get_by_role("button", name="圈选", exact=True).click()
    page.locator("#answer-title, [role=alert]").first.wait_for()
    assert "20 分钟" in page.locator("#answer, [role=alert]").first.inner_text()
