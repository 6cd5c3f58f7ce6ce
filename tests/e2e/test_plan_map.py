"""Journey 4 in a browser: an area is drawn, the overlap told, mended with one click, undone and done again, published for Monday."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from typing import Any, NamedTuple

import pytest
import shapely
from django.utils import timezone

from geo.fences.areas import Act
from geo.fences.topology import measure
from geo.scope import Scope
from services.catchments.actions import open_draft
from services.catchments.areas.actions import CATCHMENT_AREAS
from services.catchments.areas.district import district_of
from services.catchments.areas.queries import table_of
from services.catchments.ground import ground_of
from services.catchments.models import CatchmentArea, CatchmentEdition
from services.catchments.queries import edition_in_force
from tests.e2e.conftest import faults_of
from tests.e2e.drawing_table import Middle, click_at, drawn, look_at, metres, saved
from tests.e2e.test_desk import sign_in

DUTIES = frozenset({"catchments.view", "catchments.edit", "catchments.approve"})
HUANGPU = "310101"
PLANNER = Scope(paths=("310000.310101.",), duties=DUTIES, actor="qu")


class Plan(NamedTuple):
    """A draft with one area, and where on the plane it lies."""

    edition: CatchmentEdition
    neighbour: CatchmentArea
    middle: Middle


@pytest.fixture
def plan(live_city: str) -> Plan:
    """Return a draft of a year and entry that nobody has planned yet, one area drawn where doors are dense."""
    now = timezone.localdate().year
    free = [(now - ago, entry) for ago in (7, 8, 9) for entry in ("apart", "local")]
    taken = set(CatchmentEdition.objects.values_list("year", "entry"))
    year, entry = next(each for each in free if each not in taken)
    edition = open_draft(year=year, district=HUANGPU, entry=entry, scope=PLANNER)
    CatchmentEdition.objects.filter(pk=edition.pk).update(steps=["area"])
    middle = Middle.among(district_of(edition.district_id).doors)
    site = ground_of(edition.district_id).open_sites()[0]
    seen = CatchmentEdition.objects.get(pk=edition.pk).revision
    CATCHMENT_AREAS.add(
        Act(edition.pk, seen, uuid.uuid4(), PLANNER),
        name="文庙实验片区",
        about={"target": site.id},
        shape=middle.box(0, -150, 300, 300),
    )
    return Plan(edition, edition.areas.get(name="文庙实验片区"), middle)


@pytest.mark.timeout(900)
def test_a_planner_draws_is_told_of_the_overlap_mends_it_and_publishes(
    plan: Plan, open_page: Any, live_city: str
) -> None:
    page = open_page(1440, 900, reduced_motion="reduce")
    page.set_default_timeout(60_000)
    address = f"/plan/editions/{plan.edition.pk}/map"
    sign_in(page, live_city, "qu", address)
    drawn(page)
    look_at(page, plan.middle)

    # drawn corner by corner, without snapping, four metres into the neighbour
    page.keyboard.press("s")
    assert page.get_by_role("button", name="吸附").get_attribute("aria-pressed") == "false"
    page.keyboard.press("p")
    for corner in ((-300, -150), (4, -150), (4, 130), (-300, 130), (-300, -150)):
        click_at(page, plan.middle, *corner)
    page.get_by_label("名称").first.fill("蓬莱三幼片区")
    page.get_by_label("对口园").first.select_option(index=2)
    page.get_by_role("button", name="保存片区").click()
    saved(page, "画了片区“蓬莱三幼片区”")
    own = plan.edition.areas.get(name="蓬莱三幼片区")
    before, common = metres(own), shapely.intersection(metres(own), metres(plan.neighbour))
    assert common.area > 300
    told = page.locator("#plan-checks .check.level-error")
    told.get_by_text(f"与“文庙实验片区”重叠 {measure(common.area)}").wait_for()
    assert page.get_by_text("修复 1 个错误后可发布").is_visible()
    page.locator("#plan-inset .fault").wait_for()  # too small to see at this scale: shown in a lens
    assert page.locator("#plan-inset text").text_content() == f"重叠 {measure(common.area)}"
    assert faults_of(page) == []

    # shown first, then mended with one click: this area gives way, the neighbour stays
    page.get_by_role("button", name="先看效果").click()
    page.get_by_text("绿色虚线是修复后的边界，还没有保存。").wait_for()
    assert metres(own).equals(before)
    neighbour = metres(plan.neighbour)
    page.get_by_role("button", name="一键修复：划归相邻片区").click()
    saved(page, "划归相邻片区")
    assert told.count() == 0
    assert shapely.intersection(metres(own), metres(plan.neighbour)).area < 0.1
    assert metres(own).area == pytest.approx(before.area - common.area, abs=0.5)
    assert metres(plan.neighbour).equals(neighbour)

    # taken back and done again by keys
    page.keyboard.press("Control+z")
    told.wait_for()
    assert metres(own).equals(before)
    page.keyboard.press("Control+Shift+z")
    saved(page, "重做")
    page.wait_for_function("() => !document.querySelector('#plan-checks .check.level-error')")
    assert shapely.intersection(metres(own), metres(plan.neighbour)).area < 0.1

    # a corner moved by keys is kept by itself
    page.get_by_role("button", name="改边").click()
    corner = page.locator(".plan-corner:not(.middle)").first
    corner.press("Shift+ArrowLeft")
    saved(page, "改了片区“蓬莱三幼片区”的边界")
    assert not metres(own).equals(before)
    assert faults_of(page) == []
    page.keyboard.press("Escape")

    # published from next Monday, after another person approved
    page.get_by_role("link", name="去检查和发布").click()
    page.get_by_role("button", name="检查").click()
    other = open_page(1440, 900, reduced_motion="reduce")
    sign_in(other, live_city, "shi", f"/plan/editions/{plan.edition.pk}")
    accept = other.get_by_role("checkbox", name=re.compile("我已核对"))
    if accept.count():
        accept.check()
    other.get_by_role("button", name=re.compile("批准第")).click()
    today = timezone.localdate()
    monday = today + dt.timedelta(days=7 - today.weekday())
    other.get_by_label("从哪天起使用").fill(monday.isoformat())
    other.get_by_role("button", name=re.compile("发布第")).click()
    other.get_by_text(f"{monday:%Y-%m-%d} 起使用").first.wait_for()
    asked = {"year": plan.edition.year, "district_id": plan.edition.district_id, "entry": plan.edition.entry}
    assert edition_in_force(**asked, on=today) is None
    found = edition_in_force(**asked, on=monday)
    assert found is not None
    assert found.pk == plan.edition.pk
    page.goto(f"{live_city}{address}")
    assert page.get_by_role("button", name="改边").count() == 0


@pytest.mark.timeout(600)
def test_without_script_and_on_a_phone_areas_are_checked_and_mended(plan: Plan, open_page: Any, live_city: str) -> None:
    seen = CatchmentEdition.objects.get(pk=plan.edition.pk).revision
    site = ground_of(plan.edition.district_id).open_sites()[1]
    CATCHMENT_AREAS.add(
        Act(plan.edition.pk, seen, uuid.uuid4(), PLANNER), name="蓬莱三幼片区", about={"target": site.id},
        shape=plan.middle.box(-300, -150, 304, 280),
    )  # fmt: skip
    own = plan.edition.areas.get(name="蓬莱三幼片区")
    page = open_page(390, 844, java_script_enabled=False)
    page.set_default_timeout(60_000)
    sign_in(page, live_city, "qu", f"/plan/editions/{plan.edition.pk}/map")
    page.get_by_role("link", name=re.compile("蓬莱三幼片区")).click()
    assert page.get_by_text("重叠 1,120 m²").count() == 1
    page.get_by_role("button", name="归本片区").click()
    page.get_by_text("已保存：与“文庙实验片区”重叠 1,120 m²：归本片区。").wait_for()
    assert metres(plan.neighbour).area == pytest.approx(300 * 300 - 1120, abs=0.5)
    page.get_by_role("button", name="撤销").click()
    page.get_by_text("已保存：撤销").first.wait_for()
    assert metres(plan.neighbour).area == pytest.approx(300 * 300, abs=0.5)
    assert metres(own).area == pytest.approx(304 * 280, abs=0.5)


@pytest.mark.timeout(600)
def test_areas_leave_and_come_back_as_a_file(
    plan: Plan, open_page: Any, live_city: str, tmp_path: Any
) -> None:  # fmt: skip
    page = open_page(1440, 900, reduced_motion="reduce")
    page.set_default_timeout(60_000)
    sign_in(page, live_city, "qu", f"/plan/editions/{plan.edition.pk}/map")
    page.get_by_text("文件", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("button", name="导出片区").click()
    kept = tmp_path / "areas.geojson"
    download.value.save_as(kept)
    before = metres(plan.neighbour)
    text = kept.read_text(encoding="utf-8")
    kept.write_text(text.replace("文庙实验片区", "文庙新片区"), encoding="utf-8")
    page.get_by_label("导入 GeoJSON、GeoPackage、KML").set_input_files(kept)
    page.get_by_role("button", name="导入", exact=True).click()
    page.get_by_text("导入了 1 个片区").wait_for()
    new = plan.edition.areas.get(name="文庙新片区")
    assert metres(new).symmetric_difference(before).area < 20  # seven decimals of a degree
    broken = tmp_path / "broken.geojson"
    broken.write_text(text.replace("对口园", "别的"), encoding="utf-8")
    page.get_by_text("文件", exact=True).click()
    page.get_by_label("导入 GeoJSON、GeoPackage、KML").set_input_files(broken)
    page.get_by_role("button", name="导入", exact=True).click()
    page.get_by_text("第 1 个：没有写“对口园”，请写完整园名或编号。").wait_for()
    assert plan.edition.areas.count() == 2


@pytest.mark.timeout(600)
def test_doors_that_change_are_counted_listed_drawn_and_exported(plan: Plan, open_page: Any, live_city: str) -> None:
    CatchmentEdition.objects.filter(pk=plan.edition.pk).update(state="published", from_day=dt.date(2021, 1, 1))
    year, entry = plan.edition.year, plan.edition.entry
    after = open_draft(year=year, district=HUANGPU, entry=entry, scope=PLANNER, source=plan.edition.pk)
    site = ground_of(after.district_id).open_sites()[1]
    CATCHMENT_AREAS.add(
        Act(after.pk, after.revision, uuid.uuid4(), PLANNER), name="蓬莱三幼片区", about={"target": site.id},
        shape=plan.middle.box(-300, -150, 299, 280),
    )  # fmt: skip
    after.refresh_from_db()
    table = table_of(after)
    own = next(area for area in table.areas.values() if area.name == "蓬莱三幼片区")
    expected = len(table.doors_in(own.shape))
    assert expected > 10
    page = open_page(1440, 900, reduced_motion="reduce")
    page.set_default_timeout(60_000)
    sign_in(page, live_city, "qu", f"/plan/editions/{after.pk}/compare")
    assert page.locator("h1").inner_text() == f"{expected:,} 个门牌换园"
    first = page.locator("table").first.locator("tbody tr")
    assert first.all_inner_texts() == [f"没有对口园\t{site.name}\t{expected:,}"]
    page.wait_for_selector(".plan-points [data-drawn='true']", state="attached")
    page.wait_for_function(
        "() => document.querySelector('[data-points]').quantu.queryRenderedFeatures({layers: ['doors']}).length > 0"
    )
    assert faults_of(page) == []
    with page.expect_download() as download:
        page.get_by_role("link", name="导出 Excel").click()
    assert download.value.suggested_filename.endswith(".xlsx")
    page.get_by_role("link", name="这一版里规则和片区不一致的门牌").click()
    page.get_by_role("heading", name="规则和片区一致").wait_for()
