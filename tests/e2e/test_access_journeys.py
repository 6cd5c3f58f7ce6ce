"""A manager lets a platform in, keeps accounts, and looks after his own sign-in; every page of it is there for everybody."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import faults_of

PAGES = (
    "/desk/clients", "/desk/clients/new", "/desk/accounts", "/desk/accounts?kind=resident", "/desk/accounts/new",
    "/desk/accounts/of/qu", "/desk/accounts/roles", "/account", "/account/second-step", "/account/password",
    "/account/lend", "/my/data", "/my/data/all", "/developer", "/help/access",
    "/waste", "/waste/new", "/help/waste", "/desk/onemap",
)  # fmt: skip


def sign_in(page: Any, root: str) -> None:
    from services.access.demo import DEMO_PASSWORD, make_demo_accounts

    make_demo_accounts()
    page.goto(f"{root}/sign-in")
    page.get_by_role("textbox", name="账号").fill("shi")
    page.get_by_label("密码").fill(DEMO_PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.wait_for_url("**/account")


@pytest.mark.parametrize(("look", "width"), [("light", 390), ("dark", 1440)])
def test_the_pages_of_access_are_there_for_everybody(open_page: Any, live_city: str, look: str, width: int) -> None:
    page = open_page(width, 900, color_scheme=look)
    sign_in(page, live_city)
    page.goto(f"{live_city}/desk/clients/new")
    for label, text in {
        "平台名称": "黄浦区养老服务平台", "责任单位和联系人": "黄浦区民政局 张老师", "所属区域代码": "310101",
        "访问地址白名单": "203.0.113.0/28", "允许的区域代码": "310101",
    }.items():  # fmt: skip
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_label("查询养老机构").check()
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("黄浦区养老服务平台")
    client = page.url
    page.get_by_role("button", name="发放密钥").click()
    expect(page.locator(".token")).to_be_visible()
    faults = {"key": faults_of(page)} if faults_of(page) else {}
    page.goto(f"{client}?address=203.0.113.99")
    expect(page.get_by_text("203.0.113.99 不在白名单里")).to_be_visible()
    for path in (client.removeprefix(live_city), *PAGES):
        page.goto(f"{live_city}{path}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        found = faults_of(page)
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found = [*found, "wider than the window"]
        if found:
            faults[path] = found
    assert faults == {}
