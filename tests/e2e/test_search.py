"""Looking institutions up by words: every institution can be found, by the button and by the Enter key, and nothing else is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.conftest import Spot
from tests.e2e.test_places import ids_of

BOX = "名称、地址或拼音"


def open_all(page: Any) -> list[int]:
    """Follow 再看 until the whole list is shown, and return its ids."""
    while page.locator(".more a").count():
        before = len(ids_of(page))
        page.locator(".more a").click()
        page.wait_for_function(f"() => document.querySelectorAll('#rows .row').length > {before}")
    return ids_of(page)


@pytest.mark.covers("PRE-FIND-01d", via="services.facilities.queries:matching")
def test_a_word_narrows_all_institutions_by_button_and_by_enter(page: Any, live_city: str, families: Spot) -> None:
    from services.facilities.kinds import kinds_named
    from services.facilities.models import Facility

    finder = Facility.objects.filter(kind__in=kinds_named("childcare"), status="open")
    wanted = finder.order_by("id")[1]
    page.goto(f"{live_city}/places?kinds=childcare")
    everything = int(page.locator(".page-head [role=status]").inner_text().removesuffix(" 家"))
    assert everything == finder.count()
    part = wanted.name[1:5]  # from the middle of the name: a loose match, not a prefix
    page.get_by_label(BOX).fill(part)
    page.get_by_role("button", name="查找").click()
    page.wait_for_url("**q=**")
    by_button = open_all(page)
    assert wanted.pk in by_button
    assert len(by_button) < everything

    page.goto(f"{live_city}/places?kinds=childcare")
    page.get_by_label(BOX).fill(part)
    page.get_by_label(BOX).press("Enter")
    page.wait_for_url("**q=**")
    assert open_all(page) == by_button

    # A word nobody has says so, with a way on.
    page.get_by_label(BOX).fill("不存在的名称")
    page.get_by_label(BOX).press("Enter")
    page.get_by_text("没有找到名称或地址里有“不存在的名称”的").wait_for()
    assert ids_of(page) == []
    assert page.get_by_role("link", name="在全部类型、全市里找").is_visible()
