"""Choropleths in a browser: a red street is found on the map and opened down to its institutions; whole on every screen."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import faults_of, without_script
from tests.e2e.test_desk import sign_in
from tests.layers.choropleths.samples import fill_city

SCREENS = ((390, 844), (1440, 900), (1920, 1080), (3840, 2160))


@pytest.fixture
def filled(live_city: str) -> str:
    """Return the address of the city with something to compare in every district."""
    from services.facilities.models import Facility

    if not Facility.objects.filter(ext_id__startswith="copy-").exists():
        fill_city()
    return live_city


def colour(page: Any, code: str) -> str:
    drawn = page.locator(f'.areas-whole .areas-link[data-code="{code}"] .area')
    return str(drawn.evaluate("(shape) => getComputedStyle(shape).fill"))


def test_a_supervisor_sees_where_it_is_wrong_and_opens_the_institutions_behind_it(open_page: Any, filled: str) -> None:
    """Journey 5 as far as the map: from the loudest region down to the rows of the ledger."""
    page = open_page(1440, 900)
    sign_in(page, filled, "shi", "/watch/areas/unconfirmed")
    expect(page.get_by_role("heading", level=1)).to_have_text("上海市 · 余位超 30 天未确认")
    rows = page.locator(".areas-row")
    expect(rows).to_have_count(16)
    first = rows.first
    code, figure = first.get_attribute("data-code"), first.locator("strong").inner_text()
    assert colour(page, code) != colour(page, rows.last.get_attribute("data-code"))
    first.hover()
    outline = page.locator(f'.areas-whole .areas-link[data-code="{code}"] .area').get_attribute("d")
    assert page.locator(".areas-whole .areas-lit").get_attribute("d") == outline

    page.locator(
        f'.areas-whole .areas-link[data-code="{code}"]'
    ).focus()  # the map itself is opened by the keyboard too
    page.keyboard.press("Enter")
    page.wait_for_url(f"**region={code}")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    expect(page.locator(".areas-card[data-chosen] .watch-number")).to_have_text(figure)
    street = page.locator(".areas-row").first
    figure = street.locator("strong").inner_text()
    street.click()
    expect(page.locator("#rows")).to_contain_text(f"{figure} 家")
    institutions = page.locator(".areas-rows li")
    expect(institutions.first).to_be_visible()
    assert institutions.count() == min(8, int(figure))
    assert page.locator(".areas-dot title").count() == int(figure)  # each where it stands
    name = institutions.first.locator("strong").inner_text()
    institutions.first.get_by_role("link").click()
    expect(page.get_by_role("heading", name=name).first).to_be_visible()
    page.go_back()
    page.get_by_role("link", name="到台账看全部").click()
    page.wait_for_url("**/desk/ledgers/unconfirmed-places**")
    expect(page.locator("main")).to_contain_text(re.compile(rf"(?<!\d){figure} 家"))
    page.go_back()
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_contain_text("余位超 30 天未确认")


@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), SCREENS)
def test_it_is_whole_on_every_screen(open_page: Any, filled: str, width: int, height: int, look: str) -> None:
    page = open_page(width, height, color_scheme=look)
    sign_in(page, filled, "shi", "/watch/areas/place_reports")
    expect(page.locator(".areas-map").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert faults_of(page) == []
    if width >= 1440:  # figures, ranking, map, legend, line and rows in one screen
        for part in (".areas-cards", ".areas-rank", ".areas-map-panel", ".areas-legend", ".areas-line", ".areas-side"):
            box = page.locator(part).evaluate("(one) => one.getBoundingClientRect().bottom")
            assert box <= page.evaluate("innerHeight") * (2 if width == 3840 else 1), part
    labels = page.locator(".areas-label").evaluate_all("(all) => all.map((each) => each.firstChild.textContent)")
    assert len(labels) == len(set(labels)) == 16


def test_without_script_the_links_do_the_same(open_page: Any, filled: str) -> None:
    page = open_page(390, 844)
    sign_in(page, filled, "qu", "/watch/areas/childcare")
    without_script(page)
    page.reload()
    expect(page.locator(".areas-map").first).to_be_visible()
    expect(page.get_by_role("button", name="全屏")).to_be_hidden()
    name = page.locator(".areas-row-name").first.inner_text()
    page.locator(".areas-row").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{name} · 托育机构")
    page.get_by_text("怎么分级").click()
    page.get_by_label("方法").select_option("equal")
    page.get_by_role("button", name="重新分级").click()
    page.wait_for_url("**method=equal**")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{name} · 托育机构")


def test_it_renews_itself_and_keeps_what_somebody_is_at(open_page: Any, filled: str) -> None:
    from services.facilities.models import Facility

    page = open_page(1440, 900)
    page.clock.install()
    sign_in(page, filled, "shi", "/watch/areas/kindergartens")
    total = page.locator(".areas-card[data-chosen] .watch-number")
    before = int(total.inner_text())
    one = Facility.objects.filter(kind="kindergarten", status="open", retired_at=None).order_by("pk").first()
    assert one is not None
    Facility.objects.filter(pk=one.pk).update(status="closed")
    page.get_by_text("怎么分级").click()
    page.clock.run_for(601_000)
    expect(total).to_have_text(str(before))  # a menu is open: nothing moves under the hand
    page.get_by_text("怎么分级").click()
    page.clock.run_for(601_000)
    expect(total).to_have_text(str(before - 1))
    Facility.objects.filter(pk=one.pk).update(status="open")
