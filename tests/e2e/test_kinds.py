"""A manager adds a kind of institutions on a phone and on a desk; its pages are there for everybody. A real browser."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import faults_of
from tests.e2e.test_access_journeys import sign_in


@pytest.mark.parametrize(("look", "width", "name"), [("light", 390, "露营地"), ("dark", 1440, "观鸟点")])
def test_a_manager_adds_a_kind_and_takes_it_away(
    open_page: Any, live_city: str, look: str, width: int, name: str
) -> None:
    page, faults = open_page(width, 900, color_scheme=look), {}

    def looked(what: str) -> None:
        found = faults_of(page)
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found = [*found, "wider than the window"]
        if found:
            faults[what] = found

    sign_in(page, live_city)
    page.goto(f"{live_city}/desk/kinds")
    looked("list")
    page.locator("#tourism").get_by_role("link", name="新增").click()
    looked("new")
    page.get_by_label("名称", exact=True).fill(name)
    page.locator("label[title=帐篷]").click()
    page.get_by_label("1. 名称").fill("住法")
    page.get_by_label("怎么填").first.select_option(label="选项")
    page.get_by_label("选项（选项才填）").first.fill("自带帐篷、木屋")
    page.get_by_label("居民可按它筛选").first.check()
    page.get_by_role("button", name="新增", exact=True).click()
    expect(page.get_by_text(f"已新增“{name}”")).to_be_visible()
    page.get_by_role("button", name=f"上移“{name}”").click()
    page.get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_label("1. 名称")).to_have_value("住法")
    looked("one")
    page.get_by_role("button", name="删除类别").click()
    expect(page.get_by_text(f"已删除“{name}”")).to_be_visible()
    expect(page.get_by_role("link", name=name, exact=True)).to_have_count(0)
    assert faults == {}
