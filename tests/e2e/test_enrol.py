"""入园: a parent asks for the kindergarten of an address and gets every kind of answer with a way on; a check comes back answered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e import enrolling
from tests.e2e.conftest import faults_of
from tests.e2e.test_desk import sign_in

SHOTS: Path | None = None


def ask(page: Any, root: str, address: str, entry: str = "户口和住址一致", year: str = "") -> None:
    page.goto(f"{root}/enrol")
    page.get_by_role("radio", name=entry).check()
    if year:
        page.get_by_label("哪一年入园").select_option(year)
    page.get_by_label("地址", exact=True).fill(address)
    page.get_by_role("button", name="查对口幼儿园").click()
    page.locator("[data-outcome]").wait_for()


def outcome(page: Any) -> str:
    return str(page.locator("[data-outcome]").get_attribute("data-outcome"))


def looks_right(page: Any, name: str) -> None:
    if SHOTS:
        page.screenshot(path=str(SHOTS / f"{name}.png"), full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert faults_of(page) == []


LOOKS = pytest.mark.parametrize(("width", "look"), [(390, "light"), (1440, "dark")])


@LOOKS
def test_one_kindergarten_or_several_with_the_rules_that_say_so(
    open_page: Any, live_city: str, width: int, look: str
) -> None:
    page = open_page(width, 900, color_scheme=look)
    page.goto(live_city)
    page.get_by_role("navigation", name="主导航").get_by_role("link", name="入园").locator("visible=true").click()
    page.wait_for_url("**/enrol")
    looks_right(page, f"enrol_ask_{width}")

    one = enrolling.one()
    ask(page, live_city, one.address)
    assert outcome(page) == "one"
    expect(page.locator(".enrol-badge")).to_have_text("找到 1 所对口园")
    expect(page.locator(".enrol-name")).to_have_text(one.names[0])
    expect(page.locator(".enrol-main .second")).to_contain_text("推婴儿车")
    expect(page.locator(".enrol-main .second")).to_contain_text("公办")
    why = page.locator(".enrol-why")
    expect(why).to_contain_text("全路")
    expect(page.get_by_text("第 1 版")).to_be_visible()
    expect(page.get_by_role("link", name="问招办")).to_have_attribute("href", "tel:02155510000")
    expect(page.get_by_role("link", name="下一步：填登记表")).to_have_attribute(
        "href", "/forms/enrolment?entry=local&region=310101"
    )
    page.locator("#enrol-map[data-ready]").wait_for(state="attached", timeout=60_000)
    drawn = json.loads(page.locator("#enrol-answer").text_content())
    assert drawn["places"][0]["name"] == one.names[0]
    assert len(drawn["line"]) > 1
    assert "address" not in page.url
    assert page.url == f"{live_city}/enrol", "the address is in no link"
    looks_right(page, f"enrol_one_{width}")

    several = enrolling.several()
    ask(page, live_city, several.address)
    assert outcome(page) == "several"
    shown = page.locator(".enrol-main .enrol-schools b").all_inner_texts()
    assert sorted(shown) == sorted(several.names)
    expect(page.locator(".enrol-main")).to_contain_text("021-55510000")
    looks_right(page, f"enrol_several_{width}")
    page.get_by_role("link", name="放在一起比").click()
    page.wait_for_url("**/places/compare?ids=*")
    for name in several.names:
        expect(page.locator("main")).to_contain_text(name)


@LOOKS
def test_none_or_not_enough_said_leads_on(open_page: Any, live_city: str, width: int, look: str) -> None:
    page = open_page(width, 900, color_scheme=look)
    ask(page, live_city, enrolling.none().address)
    assert outcome(page) == "none"
    expect(page.locator(".enrol-main")).to_contain_text("不等于不能入园：请问黄浦区学前教育招生办公室")
    looks_right(page, f"enrol_none_{width}")

    ask(page, live_city, enrolling.UNKNOWN.address)
    assert outcome(page) == "unknown"
    expect(page.locator(".enrol-main")).to_contain_text("请核对有没有错字")
    looks_right(page, f"enrol_unknown_{width}")

    unclear = enrolling.unclear()
    ask(page, live_city, unclear.address)
    assert outcome(page) == "unclear"
    for name in unclear.names:
        expect(page.locator(".enrol-main")).to_contain_text(name)
    looks_right(page, f"enrol_unclear_{width}")
    pick = page.locator(".enrol-pick").first
    chosen = pick.locator("span").first.inner_text()
    pick.click()
    expect(page.locator(".enrol-asked")).to_contain_text(chosen.partition("区")[2])
    assert outcome(page) == "one"


def test_the_rules_are_read_in_full_and_an_old_year_says_so(open_page: Any, live_city: str) -> None:
    page = open_page(1440, 900)
    one = enrolling.one()
    ask(page, live_city, one.address)
    page.get_by_role("link", name="看规则全文").click()
    page.wait_for_url("**/enrol/rules/*")
    rows = page.locator("tbody tr")
    names = set(page.locator('td[data-head="对口"]').all_inner_texts())
    assert names == set(one.names), "only those of this kindergarten"
    looks_right(page, "enrol_rules_1440")
    page.get_by_role("link", name="看全部").click()
    expect(page.get_by_role("heading", level=2, name=f"规则 {len(enrolling.edition().rules)} 条")).to_be_visible()
    assert rows.count() == 50
    page.get_by_role("link", name="下一页").click()
    expect(page.get_by_text("第 2 / 3 页")).to_be_visible()
    road = one.address.removeprefix("黄浦区").split("路")[0] + "路"
    page.get_by_label("在规则里找").fill(road)
    page.get_by_role("button", name="查找").click()
    expect(page.get_by_text(f"只看有“{road}”的")).to_be_visible()
    assert all(road in text for text in page.locator('td[data-head="哪些地址"]').all_inner_texts())

    ask(page, live_city, one.address, year="2026")
    expect(page.get_by_text("这是 2026 年的对口范围，只供查对")).to_be_visible()
    expect(page.get_by_text("《演示：黄浦区 2026 年")).to_be_visible()
    assert not page.get_by_role("link", name="下一步：填登记表").count()
    ask(page, live_city, one.address, entry="外省市户口")
    assert outcome(page) == "several"
    expect(page.locator(".enrol-name")).to_have_text("可以从公办园和民办园里选")
    ask(page, live_city, "徐汇区天平街道")
    expect(page.locator(".enrol-main")).not_to_contain_text("对口园 1")


def test_a_district_without_rules_says_so(open_page: Any, live_city: str) -> None:
    from services.catchments.models import CatchmentEdition

    page = open_page(390, 844)
    one = enrolling.one()
    CatchmentEdition.objects.filter(year=2026, entry="apart").update(from_day="2099-01-01")
    try:
        ask(page, live_city, one.address, entry="户口和住址不一致", year="2026")
        assert outcome(page) == "none"
        expect(page.locator(".enrol-main")).to_contain_text("黄浦区还没有发布 2026 年“户口和住址不一致”的对口规则")
        expect(page.get_by_role("link", name="问招办")).to_have_attribute("href", "tel:02155510000")
        looks_right(page, "enrol_vacuum_390")
    finally:
        CatchmentEdition.objects.filter(year=2026, entry="apart").update(from_day="2026-03-01")


def test_candidates_come_while_typing_and_nothing_of_it_is_in_a_link(open_page: Any, live_city: str) -> None:
    page = open_page(390, 844)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{live_city}/enrol")
    one = enrolling.one()
    page.get_by_label("地址", exact=True).press_sequentially(one.address.removesuffix("1号"), delay=20)
    page.locator("#suggestions [role=option]").first.wait_for()
    looks_right(page, "enrol_typing_390")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_label("地址", exact=True)).to_have_value(page.get_by_label("地址", exact=True).input_value())
    assert page.url.endswith("/enrol"), "choosing fills the box and asks nothing"
    page.get_by_label("地址", exact=True).fill(one.address)
    page.keyboard.press("Enter")
    page.locator("[data-outcome]").wait_for()
    assert not [url for url in asked if "%E" in url]


@pytest.mark.parametrize("elder", [False, True])
def test_it_works_without_script_and_in_large_type(open_page: Any, live_city: str, elder: bool) -> None:
    page = open_page(390, 844, java_script_enabled=elder)
    if elder:
        page.context.add_cookies([{"name": "elder", "value": "1", "url": live_city}])
    one = enrolling.one()
    ask(page, live_city, one.address)
    expect(page.locator(".enrol-name")).to_have_text(one.names[0])
    if elder:
        looks_right(page, "enrol_one_elder")
        assert page.evaluate("parseFloat(getComputedStyle(document.querySelector('.enrol-why span')).fontSize)") >= 18
    ask(page, live_city, enrolling.unclear().address)
    page.locator(".enrol-pick").first.click()
    expect(page.locator("[data-outcome]")).to_have_attribute("data-outcome", "one")


def test_a_doubted_answer_is_checked_and_the_answer_comes_back(open_page: Any, live_city: str) -> None:
    from services.access.demo import make_demo_accounts
    from services.kernel.forms.models import Submission
    from services.kernel.workflow.models import Case

    make_demo_accounts()
    phone = open_page(390, 844, has_touch=True)
    one = enrolling.one()
    ask(phone, live_city, one.address)
    phone.get_by_role("button", name="申请核对").click()
    phone.wait_for_url("**/sign-in?*")
    expect(phone.get_by_text("请先登录，再查一次这个地址")).to_be_visible()
    sign_in(phone, live_city, "jumin", "/my/cases")
    ask(phone, live_city, one.address)
    phone.get_by_role("button", name="申请核对").click()
    phone.wait_for_url("**/forms/fill/*")
    expect(phone.locator("#f-checked_address")).to_have_value(f"上海市{one.address}")
    expect(phone.locator("#f-checked_answer")).to_have_value(f"有一所对口园：{one.names[0]}")
    phone.get_by_label("片区或规则和公布的不一样").check()
    phone.locator("#f-doubt_said").fill("公告里写的是另一所，请核对。")
    looks_right(phone, "enrol_check_390")
    phone.get_by_role("button", name="预览并提交").click()
    phone.wait_for_url("**/preview")
    phone.get_by_role("button", name="确认提交").click()
    phone.wait_for_url("**/my/cases/*-*")
    case = Case.objects.get(matter="catchment_check")
    assert one.address not in json.dumps(list(Submission.objects.values("answers")), ensure_ascii=False), "it is sealed"
    assert one.address not in case.title

    desk = open_page(1440, 900)
    sign_in(desk, live_city, "qu", "/desk/cases")
    expect(desk.locator("main")).to_contain_text("对口核对")
    desk.goto(f"{live_city}/desk/cases/{case.uid}")
    assert "还有 5 个工作日" in desk.locator(".case-clock").inner_text()
    desk.get_by_role("radio", name="规则将更正").check()
    desk.get_by_role("textbox", name="意见").fill("公告有误，下一版更正为所写的那一所。")
    desk.get_by_role("button", name="提交").click()
    desk.locator(".notice", has_text="已办理").wait_for()
    looks_right(desk, "enrol_checked_1440")

    phone.reload()
    expect(phone.locator(".timeline")).to_contain_text("下一版更正为所写的那一所")
    phone.goto(f"{live_city}/desk/messages")
    expect(phone.locator("main")).to_contain_text("规则将更正")
