"""A district sees how far families walk and where places lack: measured on a page, map and tables, without script, on paper."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from services.access.models import AuditEntry
from services.catchments.fairness.models import FairnessRun
from services.catchments.fairness.queries import committees_of, finding_of, sites_of, total_of
from services.catchments.models import CatchmentEdition
from services.facilities.models import Facility
from tests.e2e.conftest import faults_of
from tests.e2e.test_desk import sign_in
from tests.e2e.test_plan_validation import finished, register
from tests.services.catchments.districts import HUANGPU, region

SHOTS = os.environ.get("QUANTU_SHOTS", "")


def shot(page: Any, name: str) -> None:
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


def measured(page: Any) -> FairnessRun:
    """Wait for the run on the page and return it."""
    page.wait_for_url("**/plan/fairness/*")
    page.locator("#fairness-progress[data-state=done]").wait_for(state="attached", timeout=120_000)
    page.locator("#committees").wait_for()
    return FairnessRun.objects.get(pk=page.url.rsplit("/", 1)[1])


@pytest.mark.usefixtures("worker")
def test_a_district_measures_its_draft_and_reads_it_on_map_table_and_file(
    open_page: Any, live_city: str, tmp_path: Path
) -> None:
    register(tmp_path / "登记名册.xlsx")
    draft = CatchmentEdition.objects.get(district=region(HUANGPU).id, entry="local", state="draft")
    page = open_page(1440, 900)
    sign_in(page, live_city, "guihua", f"/plan/editions/{draft.pk}")
    page.get_by_role("link", name="公平性", exact=True).click()
    page.get_by_text("还没有算过").wait_for()
    shot(page, "fairness-start-1440")
    assert faults_of(page) == []

    # of doors alone: no children, no shortage is told
    page.get_by_role("button", name="开始计算").click()
    first = measured(page)
    found = finding_of(committees_of(first), sites_of(first))
    assert page.locator("#run-title").inner_text() == found.said
    assert "学位" not in found.said
    assert page.locator("#sites thead").inner_text().split() == ["幼儿园", "学位", "对口门牌"]
    shot(page, "fairness-doors-1440")

    # with the children of a validated register, one kindergarten short of places and one without any known
    page.goto(f"{live_city}/plan/editions/{draft.pk}/validation")
    page.get_by_label("登记名册（Excel").set_input_files(str(tmp_path / "登记名册.xlsx"))
    page.get_by_role("button", name="上传并核对").click()
    validation = finished(page)
    crowded = first.sites.order_by("-doors").values_list("site", flat=True)
    Facility.objects.filter(pk=crowded[0]).update(places=3)
    Facility.objects.filter(pk=crowded[1]).update(places=None)
    page.get_by_role("link", name="公平性", exact=True).click()
    page.get_by_label("孩子按哪一次验证算").select_option(str(validation.pk))
    page.get_by_role("button", name="开始计算").click()
    run = measured(page)
    lines, sites = committees_of(run), sites_of(run)
    found = finding_of(lines, sites)
    assert found.short_sites >= 1
    assert page.locator("#run-title").inner_text() == found.said
    assert page.title().startswith(found.said)
    assert f"最多缺 {found.most_short} 个" in page.locator("#sites-title").inner_text()
    rows = page.locator("#sites tbody tr")
    assert rows.count() == len(sites)
    assert sites[0].name in rows.first.inner_text()
    assert f"缺 {sites[0].short}" in rows.first.inner_text()
    unknown = next(line for line in sites if line.places is None)
    assert rows.filter(has_text=unknown.name).locator("td").nth(1).inner_text() == "—"
    assert page.locator("#sites tfoot").inner_text().startswith(f"合计 {len(sites)} 所")
    table = page.locator("#committees tbody tr")
    assert table.count() == min(30, len(lines))
    for at, line in enumerate(lines[:3]):
        assert all(word in table.nth(at).inner_text() for word in (line.name, line.matched, line.nearest, line.extra))
    assert page.locator(".trial-tally").inner_text().split()[1] == total_of(run).matched

    # the map draws the same rows; a row leads to its committee, a committee to its row
    page.locator("[data-fairness][data-drawn=true]").wait_for()
    table.nth(1).click()
    page.locator("#fair-said", has_text=lines[1].name).wait_for()
    assert page.locator("tr.current").get_attribute("data-committee") == str(lines[1].id)
    page.locator("[data-fairness]").click()
    assert page.locator("tr.current").count() <= 1
    page.wait_for_timeout(600)
    shot(page, "fairness-run-1440")
    assert faults_of(page) == []
    page.get_by_role("link", name="走到对口园几分钟").click()
    page.wait_for_url("**of=matched")
    assert committees_of(run, "matched")[0].name in page.locator("#committees tbody tr").first.inner_text()

    with page.expect_download() as begun:
        page.get_by_role("link", name="导出 Excel").click()
    book = CalamineWorkbook.from_path(str(begun.value.path()))
    assert book.sheet_names == ["居委", "幼儿园"]
    assert len(book.get_sheet_by_name("幼儿园").to_python()) == len(sites) + 2
    exported = AuditEntry.objects.filter(act="ledger_exported").order_by("-pk").first()
    assert exported is not None
    assert exported.detail["rows"] == len(lines) + len(sites) + 2

    phone = open_page(390, 844, color_scheme="dark")
    sign_in(phone, live_city, "guihua", f"/plan/fairness/{run.pk}")
    phone.locator("[data-fairness][data-drawn=true]").wait_for()
    phone.wait_for_timeout(600)
    shot(phone, "fairness-run-390")
    assert faults_of(phone) == []
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    phone.goto(f"{live_city}/plan/editions/{draft.pk}/fairness")
    shot(phone, "fairness-start-390")
    assert faults_of(phone) == []
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390

    plain = open_page(1440, 900, java_script_enabled=False)
    plain.context.add_cookies(page.context.cookies())
    plain.goto(f"{live_city}/plan/fairness/{run.pk}")
    assert plain.locator("#committees tbody tr").count() == min(30, len(lines))
    assert plain.locator("#sites tbody tr").count() == len(sites)
    assert not plain.locator(".fair-map").is_visible()
    plain.emulate_media(media="print")
    shot(plain, "fairness-print")
    plain.emulate_media(media="screen")
    plain.goto(f"{live_city}/plan/editions/{draft.pk}/fairness")
    plain.get_by_role("button", name="开始计算").click()
    plain.wait_for_url("**/plan/fairness/*")
    again = FairnessRun.objects.get(pk=plain.url.rsplit("/", 1)[1])
    assert again.pk not in (first.pk, run.pk)
