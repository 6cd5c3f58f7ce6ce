"""The log centre in a browser: search, a line, undo it and undo the undoing, figures, alerts; on a desk and on a phone, with axe."""

from __future__ import annotations

import datetime as dt
import os
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from geo.imports.models import CURRENT
from services.access.actions import record_audit
from services.access.models import AuditAct, User
from services.access.queries import Caller, scope_of
from services.facilities.actions import update_facility
from services.facilities.models import Facility
from services.kernel.logs.alerting import judge_rules
from services.kernel.logs.collecting import collect_logs
from tests.e2e.conftest import faults_of
from tests.e2e.test_desk import sign_in

SHOTS = os.environ.get("QUANTU_SHOTS", "")


def look(page: Any, name: str) -> None:
    """Let axe find nothing, let nothing stand out of the page, and keep a picture where one is asked for."""
    assert faults_of(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


def collect() -> None:
    for _ in range(2):
        collect_logs(lag=dt.timedelta(0))


@pytest.fixture
def facility(live_city: str, settings: Any) -> Facility:
    settings.DEVICE_LOGS = []
    found = Facility.objects.filter(CURRENT).order_by("pk").first()
    assert found is not None
    return found


def test_an_administrator_finds_a_change_undoes_it_and_sees_what_is_wrong(
    facility: Facility, open_page: Any, live_city: str
) -> None:
    before = facility.name
    desk = open_page(1440, 900)
    sign_in(desk, live_city, "shi", "/desk/logs")
    city = scope_of(Caller(User.objects.get(username="shi")))
    update_facility(facility_id=facility.pk, changes={"name": "写错的名字"}, scope=city)
    for _ in range(12):
        record_audit(act=AuditAct.SIGN_IN_REFUSED, actor="jumin")
    collect()
    judge_rules()
    desk.goto(f"{live_city}/desk/ledgers/facilities/{facility.pk}")
    desk.get_by_role("link", name="日志", exact=True).click()
    desk.wait_for_url("**/desk/logs?object_kind=facility**")
    expect(desk.locator(".log-rows tbody tr")).to_have_count(1)
    look(desk, "logs_1440")
    desk.locator(".log-rows tbody a").first.click()
    expect(desk.get_by_role("heading", name="修改服务设施")).to_be_visible()
    expect(desk.locator("del").first).to_have_text(before)
    desk.get_by_label("为什么回退").fill("录入有误")
    look(desk, "logs_line_1440")
    desk.get_by_role("button", name="回退").click()
    expect(desk.get_by_text(re.compile("^已回退。"))).to_be_visible()
    facility.refresh_from_db()
    assert facility.name == before
    collect()
    desk.goto(f"{live_city}/desk/logs?object_kind=facility&object_id={facility.pk}")
    expect(desk.locator(".log-rows tbody tr")).to_have_count(3)  # two changes, and the act of undoing in the audit
    desk.goto(f"{live_city}/desk/logs?object_kind=facility&object_id={facility.pk}&act=facility.changed")
    expect(desk.locator(".log-rows tbody tr")).to_have_count(2)
    desk.locator(".log-rows tbody a").first.click()
    desk.get_by_label("为什么回退").fill("原来是对的")
    desk.get_by_role("button", name="回退").click()
    expect(desk.get_by_text(re.compile("^已回退。"))).to_be_visible()
    facility.refresh_from_db()
    assert facility.name == "写错的名字"
    for path, name in (
        ("undos", "回退"),
        ("figures", "统计"),
        ("figures?by=time", "统计"),
        ("alerts", "告警"),
        ("rules", "规则"),
        ("rules/new", "规则"),
        ("storage", "存储"),
    ):
        desk.goto(f"{live_city}/desk/logs/{path}")
        expect(desk.locator("h1")).to_contain_text(name)
        look(desk, f"logs_{path.replace('/', '_').replace('?by=', '_')}_1440")
    desk.goto(f"{live_city}/desk/logs/alerts")
    alert = desk.locator(".log-alert", has_text="同一账号多次登录被拒")
    expect(alert).to_contain_text("12 次")
    alert.get_by_label("处理情况").fill("已联系本人")
    alert.get_by_role("button", name="记下处理").click()
    expect(desk.get_by_text("已联系本人")).to_be_visible()
    phone = open_page(390, 844)
    sign_in(phone, live_city, "shi", "/desk/logs")
    expect(phone.locator(".log-rows tbody tr").first).to_be_visible()
    look(phone, "logs_390")
    phone.locator(".log-rows tbody a").first.click()
    expect(phone.get_by_role("heading", name="详情")).to_be_visible()
    look(phone, "logs_line_390")
    for path in ("figures", "alerts", "storage", "rules/new"):
        phone.goto(f"{live_city}/desk/logs/{path}")
        look(phone, f"logs_{path.replace('/', '_')}_390")
