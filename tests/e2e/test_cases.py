"""A case in a browser: its form filled in on a phone, sent back for what is ticked, mended, approved at a desk; by keys too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import faults_of
from tests.e2e.test_desk import sign_in

SHOTS: Path | None = None


@pytest.fixture(autouse=True)
def accounts(live_city: str) -> None:
    from services.access.demo import make_demo_accounts

    make_demo_accounts()


def fits(page: Any) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def shot(page: Any, name: str) -> None:
    if SHOTS:
        page.screenshot(path=str(SHOTS / f"{name}.png"), full_page=True)


def looks_right(page: Any, name: str) -> None:
    shot(page, name)
    assert fits(page)
    assert faults_of(page) == []


def test_from_a_phone_to_the_districts_approval(open_page: Any, live_city: str, tmp_path: Path) -> None:
    from services.kernel.workflow.models import Case

    # somebody applies on a phone
    phone = open_page(390, 844, has_touch=True)
    sign_in(phone, live_city, "jumin", "/my/cases")
    looks_right(phone, "my_empty_390")
    phone.get_by_role("link", name="社区服务点登记").click()
    phone.get_by_label("在哪个街镇").select_option(label="老西门街道")
    looks_right(phone, "my_new_390")
    phone.get_by_role("button", name="填写申请表").click()
    phone.wait_for_url("**/forms/fill/*")
    for name, text in (("point_name", "小南门社区服务点"), ("point_address", "复兴东路 1 号"), ("area", "80"),
                       ("contact_name", "张三"), ("contact_identity", "310101199001010012"), ("contact_phone", "13800000000")):  # fmt: skip
        phone.locator(f"#f-{name}").fill(text)
    phone.get_by_role("checkbox", name="助餐").check()
    looks_right(phone, "form_390")
    phone.get_by_role("button", name="预览并提交").click()
    phone.wait_for_url("**/preview")
    looks_right(phone, "preview_390")
    phone.get_by_role("button", name="确认提交").click()
    phone.wait_for_url("**/my/cases/*-*")
    expect(phone.locator(".notice").first).to_contain_text("已提交，办件编号")
    expect(phone.locator("main")).to_contain_text("13800000000")  # one's own answers, in full
    looks_right(phone, "my_case_390")
    case = Case.objects.get()
    # the street finds it by keys, opens it, and asks for papers
    desk = open_page(1440, 900)
    sign_in(desk, live_city, "jiezhen", "/desk")
    desk.get_by_role("navigation", name="办理").get_by_role("link", name="我的办件").click()
    desk.wait_for_url("**/desk/cases")
    assert faults_of(desk) == []
    desk.keyboard.press("j")
    desk.keyboard.press("x")
    assert desk.locator("#picked").inner_text() == "已选 1 行"
    shot(desk, "inbox_1440")
    desk.keyboard.press("x")
    desk.keyboard.press("Enter")
    desk.wait_for_url(f"**/desk/cases/{case.uid}")
    assert desk.locator(".case-clock").inner_text().startswith("还有 5 个工作日")
    looks_right(desk, "case_1440")
    desk.locator("summary", has_text="要求补正").click()
    asking = desk.locator("details[open]")
    asking.get_by_role("checkbox", name="面积（平方米）").check()
    asking.get_by_role("checkbox", name="房屋租赁合同或产权证明").check()
    desk.get_by_label("补正说明").fill("面积与合同不符，请补租赁合同的盖章页")
    shot(desk, "asking_1440")
    desk.locator("details[open]").get_by_role("button", name="要求补正").click()
    desk.locator(".tag", has_text="待补正").first.wait_for()
    expect(desk.locator(".file-name", has_text="材料补正通知书")).to_be_visible()
    # what was ticked is mended on the phone, and nothing else can be
    phone.reload()
    expect(phone.locator("#needed + p + ul")).to_contain_text("租赁合同")
    looks_right(phone, "my_supplement_390")
    phone.get_by_role("link", name="去补正").click()
    phone.wait_for_url("**/forms/fill/*")
    expect(phone.locator("#f-point_name")).to_have_attribute("readonly", "")
    phone.locator("#f-area").fill("90")
    phone.locator("#f-area").blur()
    phone.get_by_text("已自动存草稿").wait_for()
    paper = tmp_path / "合同.png"
    phone.screenshot(path=str(paper))
    phone.locator('#papers input[type="file"]').first.set_input_files(str(paper))
    phone.locator(".file-name", has_text="合同").wait_for()
    looks_right(phone, "mending_390")
    phone.get_by_role("button", name="预览并提交").click()
    phone.wait_for_url("**/preview")
    phone.get_by_role("button", name="确认提交").click()
    phone.wait_for_url("**/my/cases/*-*")
    phone.locator(".tag", has_text="办理中").first.wait_for()
    # the street passes it; the district looks at the papers, sends it back once, then approves
    desk.reload()
    desk.get_by_text("通过", exact=True).click()
    desk.get_by_role("textbox", name="意见").fill("材料已齐")
    desk.get_by_role("button", name="提交").click()
    desk.locator(".notice", has_text="已办理").wait_for()
    looks_right(desk, "case_passed_1440")
    district = open_page(1440, 900)
    sign_in(district, live_city, "qu", f"/desk/cases/{case.uid}")
    district.locator("summary", has_text="退回").first.click()
    district.get_by_label("退回的理由").fill("请核对门牌")
    district.locator("details[open]").get_by_role("button", name="退回").click()
    district.locator(".timeline", has_text="请核对门牌").wait_for()
    desk.reload()
    desk.get_by_text("通过", exact=True).click()
    desk.get_by_role("button", name="提交").click()
    desk.locator(".notice", has_text="已办理").wait_for()
    for opinion in ("资料齐全", "同意登记"):
        district.goto(f"{live_city}/desk/cases/{case.uid}")
        district.get_by_text("通过", exact=True).click()
        district.get_by_role("textbox", name="意见").fill(opinion)
        district.get_by_role("button", name="提交").click()
        district.locator(".timeline", has_text=opinion).wait_for()
    phone.reload()
    assert "已通过" in phone.locator(".page-head").inner_text()
    trail = phone.locator(".timeline").inner_text()
    assert all(said in trail for said in ("面积与合同不符，请补租赁合同的盖章页", "材料已齐", "请核对门牌", "同意登记"))
    looks_right(phone, "my_done_390")
    # the dispatcher's pages and the settings, wide and narrow
    for path, name in (("/desk/cases/pool?view=all", "pool"), ("/desk/cases/pool/log", "log"), ("/desk/cases/deputies", "deputies"),
                       ("/desk/cases/pools", "pools"), ("/desk/matters/papers", "papers"), ("/desk/matters/catalogue", "catalogue"),
                       ("/desk/matters/templates", "templates"), ("/desk/matters", "matters"), ("/desk/matters/service_point", "matter"), ("/desk/cases?box=done", "done"),
                       (f"/desk/cases/{case.uid}", "case_done")):  # fmt: skip
        district.goto(f"{live_city}{path}")
        looks_right(district, f"{name}_1440")
        district.set_viewport_size({"width": 390, "height": 844})
        assert fits(district)
        shot(district, f"{name}_390")
        district.set_viewport_size({"width": 1440, "height": 900})
