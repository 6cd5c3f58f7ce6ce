"""An advisory point in a browser: applied for on a phone, reviewed and approved at desks, then in the ledger and on the map."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from playwright.sync_api import expect

from tests.e2e.conftest import faults_of
from tests.e2e.test_desk import sign_in

SHOTS = os.environ.get("QUANTU_SHOTS", "")
STREET = "外滩街道"
NAME = "金陵东路养老顾问点"


def looks_right(page: Any, name: str) -> None:
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert faults_of(page) == []


def prepare() -> str:
    """Make the demo accounts, let the street's clerk be of the street, and return a written address there."""
    from geo.regions.models import Region
    from services.access.actions import grant_role
    from services.access.demo import make_demo_accounts
    from services.access.models import User
    from services.facilities.models import Facility

    make_demo_accounts()
    street = Region.objects.get(versions__name=STREET, versions__edition__state="published")
    grant_role(user=User.objects.get(username="jiezhen"), role="street_clerk", granted_by="test", region=street)
    there = Facility.objects.filter(kind="canteen", region__versions__parent=street, retired_at=None).order_by("pk")
    return str(there[0].address_text)


def decide(page: Any, live_city: str, account: str, uid: Any) -> None:
    sign_in(page, live_city, account, f"/desk/cases/{uid}")
    expect(page.locator("main")).to_contain_text("咨询内容")
    looks_right(page, f"advisers_case_{account}_1440")
    page.locator('input[name="outcome"][value="approve"]').check()
    page.get_by_role("button", name="提交").click()
    page.locator(".notice", has_text="已办理").wait_for()


def test_from_a_phone_to_the_ledger_and_the_map(open_page: Any, live_city: str) -> None:
    from services.facilities.models import Facility
    from services.kernel.workflow.models import Case

    address = prepare()
    phone = open_page(390, 844, has_touch=True)
    sign_in(phone, live_city, "jigou", "/my/cases/new/adviser_site_new")
    phone.get_by_label("在哪个街镇").select_option(label=STREET)
    looks_right(phone, "advisers_new_390")
    phone.get_by_role("button", name="填写申请表").click()
    phone.wait_for_url("**/forms/fill/*")
    for name, text in (("adviser_site_name", NAME), ("adviser_site_address", address), ("adviser_site_phone", "021-63210000"),
                       ("adviser_opened_on", "2026-09-01")):  # fmt: skip
        phone.locator(f"#f-{name}").fill(text)
    phone.locator('input[name="adviser_level"][value="street"]').check()
    phone.locator('input[name="adviser_topics"][value="policy"]').check()
    looks_right(phone, "advisers_form_390")
    phone.get_by_role("button", name="预览并提交").click()
    phone.wait_for_url("**/preview")
    phone.get_by_role("button", name="确认提交").click()
    phone.wait_for_url("**/my/cases/*-*")
    expect(phone.locator(".notice").first).to_contain_text("已提交，办件编号")
    case = Case.objects.get()
    for account, state in (("jiezhen", "open"), ("qu", "approved")):
        desk = open_page(1440, 900)
        decide(desk, live_city, account, case.uid)
        case.refresh_from_db()
        assert case.state == state
    desk.goto(f"{live_city}/desk/modules/advisers")
    looks_right(desk, "advisers_module_1440")
    desk.goto(f"{live_city}/desk/ledgers/adviser-sites?q={NAME}")
    expect(desk.locator("main")).to_contain_text(NAME)
    looks_right(desk, "advisers_sites_1440")
    desk.goto(f"{live_city}/desk/ledgers/adviser-sites?view=map&q={NAME}")
    expect(desk.locator("[data-map] canvas")).to_be_visible()
    looks_right(desk, "advisers_map_1440")
    desk.goto(f"{live_city}/desk/ledgers/adviser-topic")
    expect(desk.locator("main")).to_contain_text(NAME)
    looks_right(desk, "advisers_topic_1440")
    phone.goto(f"{live_city}/places/{Facility.objects.get(name=NAME).pk}")
    expect(phone.locator("main")).to_contain_text(NAME)
    looks_right(phone, "advisers_place_390")
