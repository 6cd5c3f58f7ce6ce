"""A clerk binds the certificate of a telephone, signs in with it, and loses it: in a real browser with a container's bridge."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import expect

from services.integrations.gateway.container import Container, Shown, SiteRefused
from services.integrations.gateway.simulator import Mood, Simulator
from services.integrations.gateway.texts import Challenge
from tests.e2e.conftest import faults_of
from tests.services.integrations.gateway.conftest import gateway

__all__ = ["gateway"]
STOP = re.compile("停用.*工作手机")
BRIDGE = """
const act = async (name, told) => {
  const answer = await window.containerAct(name, told || {});
  if (answer.refused) throw Object.assign(new Error(answer.refused), { name: answer.refused });
  return answer;
};
window.quantuCertificate = Object.fromEntries(
  ["begin", "request", "install", "sign"].map((name) => [name, (told) => act(name, told)]));
"""


class Bridge:
    """What the container of a telephone answers to its page."""

    def __init__(self, gateway: Simulator, host: str) -> None:
        self.container = Container([gateway.authority.root], host)

    def __call__(self, name: str, told: dict[str, Any]) -> dict[str, str]:
        try:
            answer: dict[str, str] = getattr(self, name)(told)
        except SiteRefused:
            return {"refused": "SiteRefused"}
        return answer

    def begin(self, _: dict[str, Any]) -> dict[str, str]:
        return {"random": text(self.container.random())}

    def request(self, told: dict[str, Any]) -> dict[str, str]:
        return {"request": text(self.container.request(told["subject"] or "telephone"))}

    def install(self, told: dict[str, Any]) -> dict[str, str]:
        self.container.install(base64.b64decode(told["certificate"]))
        return {}

    def sign(self, told: dict[str, Any]) -> dict[str, str]:
        random, challenge, site, encryption, signature = (
            base64.b64decode(told[part]) for part in ("random", "challenge", "site", "encryption", "signature")
        )
        question = Challenge(told["purpose"], told["host"], random, challenge)
        signed = self.container.sign(Shown(question, site, encryption, signature))
        assert self.container.certificate
        return {"certificate": text(self.container.certificate.der), "signature": text(signed)}


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def whole(page: Any, width: int) -> list[str]:
    found = list(faults_of(page))
    return [*found, "wider than the window"] if page.evaluate("document.documentElement.scrollWidth") > width else found


@pytest.mark.parametrize(("look", "width"), [("light", 390), ("dark", 1440)])
def test_a_telephone_is_bound_signs_in_and_is_stopped(
    open_page: Any, live_city: str, gateway: Simulator, look: str, width: int
) -> None:
    from services.access.demo import DEMO_PASSWORD, make_demo_accounts

    make_demo_accounts()
    page = open_page(width, 900, color_scheme=look)
    faults: dict[str, list[str]] = {}
    # in a browser without a container the page says where it is found
    page.goto(f"{live_city}/sign-in/certificate")
    expect(page.get_by_text("请在装有证书的政务移动端应用里打开本页")).to_be_visible()
    expect(page.get_by_role("button", name="用这台手机的证书登录")).to_be_hidden()
    faults["none"] = whole(page, width)
    # the container puts its bridge into the page: a certificate is issued and bound
    page.expose_function("containerAct", Bridge(gateway, live_city.split("://")[1]))
    page.add_init_script(BRIDGE)
    page.goto(f"{live_city}/sign-in")
    page.get_by_role("textbox", name="账号").fill("jiezhen")
    page.get_by_label("密码").fill(DEMO_PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.wait_for_url("**/account")
    page.get_by_role("link", name="管理证书").click()
    page.wait_for_url("**/account/certificates")
    page.get_by_label("设备名称").fill("工作手机")
    page.get_by_role("button", name="申请证书并绑定").click()
    stop = page.get_by_role("button", name=STOP)
    expect(stop).to_be_visible()
    expect(page.get_by_text("还没用过")).to_be_visible()
    faults["devices"] = whole(page, width)
    page.goto(f"{live_city}/account")
    page.get_by_role("button", name="退出登录").click()
    page.wait_for_url(f"{live_city}/")
    # a site that proves nothing is not signed for; the right one lets the clerk in
    page.goto(f"{live_city}/sign-in/certificate")
    gateway.mood = Mood.OTHER_SITE
    go = page.get_by_role("button", name="用这台手机的证书登录")
    go.click()
    expect(page.get_by_role("alert").filter(has_text="手机没有认出这个网站")).to_be_visible()
    gateway.mood = Mood.BROKEN
    go.click()
    expect(page.get_by_role("alert").filter(has_text="安全认证网关")).to_be_visible()
    faults["fault"] = whole(page, width)
    gateway.mood = Mood.WELL
    go.click()
    page.wait_for_url("**/account")
    page.goto(f"{live_city}/account/certificates")
    expect(page.get_by_text("就是这台")).to_be_visible()
    # the desk of accounts shows it, and stopping it ends what was begun with it
    desk = Client(headers={"host": live_city.split("://")[1]})
    desk.post("/sign-in", {"username": "shi", "password": DEMO_PASSWORD})
    keeper = open_page(width, 900, color_scheme=look)
    keeper.context.add_cookies(
        [{"name": "sessionid", "value": desk.cookies["sessionid"].value, "url": live_city}]
    )  # fmt: skip
    keeper.goto(f"{live_city}/desk/accounts/of/jiezhen")
    expect(keeper.get_by_role("heading", name="设备证书")).to_be_visible()
    faults["desk"] = whole(keeper, width)
    keeper.get_by_role("button", name=STOP).click()
    expect(keeper.get_by_text("证书已停用，用它登录的设备都已退出")).to_be_visible()
    page.goto(f"{live_city}/account")
    page.wait_for_url("**/sign-in?next=/account")
    assert faults == {place: [] for place in faults}
