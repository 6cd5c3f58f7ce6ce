"""A planner has walks measured, sees on map and table where kindergartens are missing, and tries one more place; also on a phone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from services.facilities.models import Facility
from services.gaps.models import GapWalk
from tests.e2e.conftest import faults_of
from tests.e2e.test_desk import sign_in
from tests.reading import wait_for_maps
from tests.services.gaps.measured import HUANGPU, KIND, few_kinds, measure

SHOTS = os.environ.get("QUANTU_SHOTS", "")


def shot(page: Any, name: str) -> None:
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


@pytest.mark.usefixtures("worker")
def test_a_planner_measures_finds_the_gap_and_tries_a_place(open_page: Any, live_city: str) -> None:
    few_kinds()
    page = open_page(1440, 900)
    sign_in(page, live_city, "guihua", f"/plan/gaps?kind={KIND}")
    shot(page, "gaps-start-1440")
    page.get_by_role("button", name="开始计算").click()
    page.locator("#gaps-progress[data-open]").wait_for(state="detached", timeout=240_000)
    assert GapWalk.objects.count() == 3
    page.goto(f"{live_city}/plan/gaps?kind={KIND}&region={HUANGPU}")
    page.locator("#gaps-map[data-drawn=true]").wait_for(timeout=60_000)
    wait_for_maps(page)
    shot(page, "gaps-time-1440")
    assert faults_of(page) == []
    assert page.title().startswith(page.locator("#finding").inner_text())
    page.locator("#gaps-map canvas").click()
    page.locator("#gaps-said", has_text="分钟").or_(page.locator("#gaps-said a")).wait_for()

    page.get_by_role("link", name="各区划的覆盖率").click()
    page.locator("#gaps-map[data-drawn=true]").wait_for(timeout=60_000)
    wait_for_maps(page)
    shot(page, "gaps-share-1440")

    # Without its kindergartens the district lacks all; one dropped on the map brings some.
    open_ones = list(Facility.objects.filter(kind=KIND, status="open").values_list("pk", flat=True))
    Facility.objects.filter(kind=KIND).update(status="closed")
    measure()
    page.reload()
    assert "还没有开放的幼儿园" in page.locator("#finding").inner_text()
    page.locator("#gaps-map[data-drawn=true]").wait_for(timeout=60_000)
    wait_for_maps(page)
    page.get_by_role("button", name="在地图上点").click()
    page.locator("#gaps-map canvas").click()
    page.wait_for_url("**lon=**")
    assert "走 15 分钟能到" in page.locator("[role=status]", has_text="新增一家").inner_text()
    page.locator("#gaps-map .spot-pin").wait_for()
    shot(page, "gaps-try-1440")
    assert faults_of(page) == []
    Facility.objects.filter(pk__in=open_ones).update(status="open")  # the tests of this file share their city


def test_on_a_phone_in_the_dark_and_without_script_the_table_tells_it(open_page: Any, live_city: str) -> None:
    few_kinds()
    measure()
    page = open_page(390, 844, color_scheme="dark")
    sign_in(page, live_city, "guihua", f"/plan/gaps?kind={KIND}&region={HUANGPU}")
    page.locator("#gaps-map[data-drawn=true]").wait_for(timeout=60_000)
    wait_for_maps(page)
    shot(page, "gaps-390-dark")
    assert faults_of(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    plain = open_page(390, 844, java_script_enabled=False)
    sign_in(plain, live_city, "guihua", f"/plan/gaps?kind={KIND}")
    assert plain.locator("#gaps-map").is_hidden()
    plain.get_by_label("范围").select_option(HUANGPU)
    plain.get_by_role("button", name="看", exact=True).click()
    assert plain.locator("#gaps-table tbody tr").count() > 3
    shot(plain, "gaps-390-plain")
    plain.locator("#gaps-table .row-link").first.click()
    assert plain.locator("#gaps-table tbody tr").count() > 1
