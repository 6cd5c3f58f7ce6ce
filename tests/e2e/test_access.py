"""Everybody can use every page: axe finds nothing, in light, dark and 长辈版, on a phone and on a desk."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.conftest import Spot, answer_of, faults_of, wait_for_map
from tests.e2e.test_desk import sign_in

SIZES = {"phone": (390, 844), "desk": (1440, 900)}
SUPERVISED = ("/watch/areas/unconfirmed", "/watch/heat/elder_places", "/plan/gaps", "/plan/analysis", "/help/watch")
UNREACHED = """() => [...document.querySelectorAll('main a[href], main button, main select, main input, main summary, main [tabindex]')]
    .filter((one) => one.checkVisibility() && !one.disabled && one.tabIndex < 0 && one.type !== 'hidden'
        && !(one.type === 'radio' && !one.checked) && !one.matches('h1, [aria-hidden="true"] *')
        && ![...document.querySelectorAll('main a[href]')].some((other) =>
            other.tabIndex >= 0 && other.getAttribute('href') === one.getAttribute('href')))
    .map((one) => one.outerHTML.slice(0, 120))"""
"""What one may click but not reach by the keyboard, here or where the same link stands again."""


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("look", ["light", "dark", "elder"])
def test_axe_finds_nothing(open_page: Any, live_city: str, families: Spot, look: str, size: str) -> None:
    page = open_page(*SIZES[size], color_scheme="dark" if look == "dark" else "light")
    page.goto(f"{live_city}/?{families.query(mode='pram')}")
    places = answer_of(page)["places"]
    if look == "elder":
        page.context.add_cookies([{"name": "elder", "value": "1", "url": live_city}])
    paths = [
        "/",
        f"/?{families.query(mode='pram')}",
        f"/?{families.query(mode='pram', place=places[0]['id'])}",
        f"/?{families.query(kinds='funeral_home', minutes=5)}",
        f"/?q={families.name[:2]}",
        "/places",
        f"/places?kinds=childcare&{families.query()}",
        f"/places/{places[0]['id']}?{families.query(mode='pram')}",
        "/enrol",
        "/help/enrol",
        "/saved",
        "/help",
        "/tools/convert",
        "/tools/standardise",
        "/help/addresses",
        "/islands",
        "/scene",
        "/twin/demo-home",
        "/help/scene",
        "/layers",
        "/layers/places",
        "/layers/places/export",
        "/ogc?f=html",
        "/ogc/collections/places/items?f=html",
        "/ogc/processes?f=html",
        "/ogc/processes/export?f=html",
        "/sign-in",
        "/nowhere",
    ]
    faults = {}
    for path in paths:
        page.goto(f"{live_city}{path}")
        if look != "elder" and path.startswith("/?") and "lon" in path:
            wait_for_map(page)
        found = faults_of(page)
        if found:
            faults[path] = found
    assert faults == {}


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/places",
        "/help",
        "/help/addresses",
        "/tools/convert",
        "/tools/standardise",
        "/sign-in",
        "/saved",
        "/islands",
        "/layers",
        "/layers/places",
        "/ogc?f=html",
        "/ogc/processes/export?f=html",
    ],
)
def test_nothing_is_lost_at_320_pixels(open_page: Any, live_city: str, path: str) -> None:
    page = open_page(320, 640)
    page.goto(f"{live_city}{path}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_the_account_pages_are_accessible_too(open_page: Any, live_city: str) -> None:
    from services.access.demo import DEMO_PASSWORD, make_demo_accounts

    make_demo_accounts()
    page = open_page(390, 844)
    page.goto(f"{live_city}/account")
    page.get_by_role("textbox", name="账号").fill("jumin")
    page.get_by_label("密码").fill(DEMO_PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.wait_for_url("**/account")
    page.get_by_label("这个密钥用在哪里").fill("测试")
    page.get_by_role("button", name="新建密钥").click()
    page.locator(".token").wait_for()
    assert faults_of(page) == []
    page.goto(f"{live_city}/exports")
    assert faults_of(page) == []


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("look", ["light", "dark", "elder"])
def test_axe_finds_nothing_on_what_supervisors_see(open_page: Any, live_city: str, look: str, size: str) -> None:
    """And nothing is wider than the screen, and everything is reached by the keyboard, beginning with the way past the frame."""
    page = open_page(*SIZES[size], color_scheme="dark" if look == "dark" else "light")
    sign_in(page, live_city, "shi", "/account")
    if look == "elder":
        page.context.add_cookies([{"name": "elder", "value": "1", "url": live_city}])
    faults: dict[str, Any] = {}
    for path in SUPERVISED:
        page.goto(f"{live_city}{path}")
        page.locator("main h1").wait_for()
        found = faults_of(page)
        if page.evaluate("document.documentElement.scrollWidth") > SIZES[size][0]:
            found.append("wider than the screen")
        if lost := page.evaluate(UNREACHED):
            found.append(lost)
        if found:
            faults[path] = found
    assert faults == {}
