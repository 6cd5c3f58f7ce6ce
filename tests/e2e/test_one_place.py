"""A family keeps, compares and corrects: with script on a desk, without it on a phone, in 长辈版, and over to its account."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import expect

from tests.e2e.conftest import Spot, answer_of, faults_of, wait_for_map
from tests.e2e.test_desk import sign_in


def test_places_are_kept_compared_and_corrected_wherever_they_are_met(
    open_page: Any, live_city: str, families: Spot
) -> None:
    from services.access.models import User
    from services.facilities.models import Facility
    from services.modules.finder.models import PlaceReport
    from services.modules.finder.queries import favourite_ids

    desk = open_page(1440, 900, color_scheme="dark")
    desk.goto(f"{live_city}/?{families.query(mode='pram')}")
    wait_for_map(desk)
    first, second, third = (place["id"] for place in answer_of(desk)["places"][:3])
    pin = desk.locator(f'.pin[data-id="{first}"]')
    expect(pin).not_to_have_class(re.compile("saved"))

    # Kept from the card: the row, the pin and the count in the header stand out at once.
    desk.locator(f'a[data-place="{first}"]').click()
    desk.locator("#card [data-save]").click()
    expect(pin).to_have_class(re.compile("saved"))
    expect(pin).to_have_attribute("aria-label", re.compile("已收藏"))
    expect(desk.locator(f'.row[data-id="{first}"] [data-marked]')).to_be_visible()
    expect(desk.locator(".site-tools [data-saved-count]")).to_have_text("1")

    # Compared: ticked on two pages of this tab, then side by side.
    for place in (first, second):
        desk.goto(f"{live_city}/places/{place}")
        desk.locator("[data-compare]").check()
    expect(desk.locator("[data-compare-said]")).to_have_text("已选 2 家，最多三家。")
    assert faults_of(desk) == []
    desk.get_by_role("button", name="比较选中的机构").click()
    desk.wait_for_url("**/places/compare**")
    expect(desk.locator(".compare-table thead th")).to_have_count(2)
    expect(desk.locator("tr.differs", has_text="地址")).to_have_count(1)
    assert faults_of(desk) == []
    desk.get_by_role("link", name="只看不同").click()
    desk.wait_for_url("**only=different**")
    expect(desk.locator(".compare-table tbody tr:not(.differs):not(.compare-section)")).to_have_count(1)

    # Signed in, what the device kept is on the account; there a mark is written at once, and a note with it.
    sign_in(desk, live_city, "jumin", "/account")
    desk.goto(f"{live_city}/saved")
    expect(desk.locator(f"#place-{first}")).to_be_visible()
    desk.goto(f"{live_city}/places/{second}")
    desk.locator("[data-save]").click()
    expect(desk.locator("[data-save-words]")).to_have_text("已收藏")
    expect(desk.locator(".site-tools [data-saved-count]")).to_have_text("2")
    assert favourite_ids(User.objects.get(username="jumin")) == [second, first]
    desk.goto(f"{live_city}/saved")
    line = desk.locator(f"#place-{first}")
    line.locator(".note-fold summary").click()
    line.get_by_label("备注").fill("离外婆家近")
    line.get_by_role("button", name="保存").click()
    expect(line.locator(".saved-note")).to_have_text("离外婆家近")
    assert faults_of(desk) == []

    # A phone without script: kept, put back after taking off, ticked in the list, and a mistake reported.
    phone = open_page(390, 844, java_script_enabled=False)
    phone.goto(f"{live_city}/places/{third}")
    phone.get_by_role("button", name="收藏").click()
    expect(phone.get_by_role("button", name="已收藏")).to_be_visible()
    phone.goto(f"{live_city}/saved")
    phone.get_by_role("button", name="取消收藏").click()
    expect(phone.locator(f"#place-{third}")).to_have_count(0)
    phone.get_by_role("button", name="放回去").click()
    expect(phone.locator(f"#place-{third}")).to_be_visible()
    phone.locator(f'#place-{third} input[name="ids"]').check()
    phone.get_by_role("button", name="比较选中的机构").click()
    phone.wait_for_url(f"**/places/compare?ids={third}")
    phone.goto(f"{live_city}/places/{third}")
    phone.get_by_role("link", name="这里有误").click()
    phone.get_by_text("收费不对").click()
    phone.get_by_label("实际是怎样的").fill("<b>每月 4200 元</b>")
    phone.get_by_role("button", name="提交").click()
    phone.wait_for_url(f"**/places/{third}")
    expect(phone.get_by_text("谢谢您")).to_be_visible()
    report = PlaceReport.objects.get(facility=third)
    assert (report.what, report.text) == ("fees", "<b>每月 4200 元</b>")

    # Everything of it in 长辈版, on a phone, without a fault; nothing is wider than the screen.
    elder = open_page(390, 844)
    elder.context.add_cookies([{"name": "elder", "value": "1", "url": live_city}])
    home = Facility.objects.filter(kind="care_home", status="open").first()
    for path in (
        f"/places/{home.pk}",
        f"/places/{home.pk}/wrong",
        f"/places/compare?ids={home.pk},{first}",
        "/saved",
    ):
        elder.goto(f"{live_city}{path}")
        assert faults_of(elder) == [], path
        assert elder.evaluate("document.documentElement.scrollWidth") <= 390, path
    elder.goto(f"{live_city}/places/{home.pk}")
    elder.locator("[data-save]").click()
    expect(elder.get_by_role("button", name="已收藏")).to_be_visible()

    # The same for everybody else, at 390 and at 320 pixels; and staff find what was reported.
    narrow = open_page(320, 640)
    for path in (f"/places/{third}", f"/places/{third}/wrong", f"/places/compare?ids={first},{second},{third}"):
        narrow.goto(f"{live_city}{path}")
        assert faults_of(narrow) == [], path
        assert narrow.evaluate("document.documentElement.scrollWidth") <= 320, path
    clerk = open_page(1440, 900)
    sign_in(clerk, live_city, "shi", "/account")
    clerk.goto(f"{live_city}/desk/place-reports/{report.pk}")
    expect(clerk.locator(".report-text")).to_have_text("<b>每月 4200 元</b>")
    assert faults_of(clerk) == []
    clerk.get_by_text("已改正", exact=True).click()
    clerk.get_by_label("答复报告人").fill("已核实。")
    clerk.get_by_role("button", name="保存").click()
    expect(clerk.locator(".page-head .tag")).to_have_text("已改正")
