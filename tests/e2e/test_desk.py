"""The desk: what the city's manager sets there is what a parent meets on the next page."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import requests

from tests.e2e.conftest import Spot, faults_of
from tests.e2e.test_find import metres_apart_in_gcj


def sign_in(page: Any, live_city: str, username: str, target: str) -> None:
    """Open a page as a demo account, whose password goes through the door without the browser drawing it: others look at it."""
    from services.access.demo import DEMO_PASSWORD, make_demo_accounts

    make_demo_accounts()
    with requests.Session() as door:
        door.get(f"{live_city}/sign-in", timeout=60).raise_for_status()
        sent = {"username": username, "password": DEMO_PASSWORD, "next": target}
        sent["csrfmiddlewaretoken"] = door.cookies["csrftoken"]
        answer = door.post(
            f"{live_city}/sign-in", sent, headers={"Referer": live_city}, allow_redirects=False, timeout=60
        )
        assert (answer.status_code, answer.headers["Location"]) == (302, target)
        page.context.add_cookies([{"name": one.name, "value": one.value, "url": live_city} for one in door.cookies])
    page.goto(f"{live_city}{target}")
    page.wait_for_url(f"**{target}")


def choose(page: Any, name: str) -> None:
    page.get_by_role("radio", name=name).check()
    page.get_by_role("button", name="保存").click()
    page.get_by_text(f"已保存。家长点“导航”，现在先打开{name}。").wait_for()
    assert page.get_by_role("radio", name=name).is_checked()


@pytest.mark.covers("PRE-FIND-02d", via="services.facilities.navigation:first_navigation_app")
def test_the_app_set_in_the_back_office_takes_a_parent_to_the_institution(
    open_page: Any, live_city: str, families: Spot
) -> None:
    from services.facilities.models import CitySettings, Facility

    # The manager sets 百度 as the default.
    desk = open_page(1440, 900)
    sign_in(desk, live_city, "shi", "/account")
    desk.get_by_role("link", name="去办理").click()
    desk.locator(".desk-side summary", has_text="系统").click()
    desk.get_by_role("link", name="系统设置").click()
    desk.wait_for_url("**/desk/settings")
    assert desk.get_by_role("radio", name="高德地图").is_checked()
    assert "还没有在这里设置过" in desk.locator("main").inner_text()
    choose(desk, "百度地图")
    assert CitySettings.objects.get().navigation_app == "baidu_web"
    assert "shi 设置，现在生效" in desk.locator(".changes li").first.inner_text()
    assert faults_of(desk) == []

    # A parent finds an institution and taps the button: 百度 opens with the institution as the destination.
    phone = open_page(390, 844, has_touch=True)
    phone.goto(f"{live_city}/?{families.query(mode='pram')}")
    phone.locator("#rows .row-name").first.click()
    phone.wait_for_url("**/places/*")
    facility = Facility.objects.get(pk=int(re.search(r"/places/(\d+)", phone.url).group(1)))
    button = phone.locator("a[data-navigate]")
    assert button.is_visible()
    assert "导航" in button.inner_text()
    box = button.bounding_box()
    assert box["width"] >= 44
    assert box["height"] >= 42
    phone.context.route("https://api.map.baidu.com/**", lambda route: route.fulfill(body="导航"))
    with phone.expect_popup() as opened:
        button.click()
    opened.value.wait_for_load_state()
    target = urlsplit(opened.value.url)
    assert target.hostname == "api.map.baidu.com"
    said = parse_qs(target.query)
    place, name = said["destination"][0].split("|name:")
    lat, lon = place.removeprefix("latlng:").split(",")
    assert (name, said["coord_type"], said["mode"]) == (facility.name, ["gcj02"], ["walking"])
    assert metres_apart_in_gcj(float(lon), float(lat), facility.geom.x, facility.geom.y) < 0.1

    # In 长辈版 too; the other apps stay one tap away.
    phone.locator(".navigate-menu summary").click()
    assert phone.locator(".navigate-menu li a").all_inner_texts()[0] == "百度地图"
    assert len(phone.locator(".navigate-menu li a").all()) == 5
    phone.context.add_cookies([{"name": "elder", "value": "1", "url": live_city}])
    phone.goto(f"{live_city}/?{families.query(kinds='childcare')}")
    assert phone.get_by_role("link", name="怎么走").first.get_attribute("href").startswith("https://api.map.baidu.com/")

    # Set back, the next parent is taken there by 高德.
    choose(desk, "高德地图")
    assert [item.split()[0] for item in desk.locator(".changes li").all_inner_texts()] == ["高德地图", "百度地图"]
    phone.context.clear_cookies()
    phone.goto(f"{live_city}/places/{facility.pk}")
    target = urlsplit(phone.locator("a[data-navigate]").get_attribute("href"))
    assert target.hostname == "uri.amap.com"
    lon, lat, name = unquote(parse_qs(target.query)["to"][0]).split(",")
    assert name == facility.name
    assert metres_apart_in_gcj(float(lon), float(lat), facility.geom.x, facility.geom.y) < 0.1


@pytest.mark.parametrize("username", ["qu", "jiezhen", "jigou", "guihua", "jumin"])
def test_nobody_else_comes_to_the_settings(page: Any, live_city: str, username: str) -> None:
    sign_in(page, live_city, username, "/account")
    assert page.get_by_role("link", name="系统设置").count() == 0
    answer = page.goto(f"{live_city}/desk/settings")
    assert answer.status == 403
    assert "您的账号没有这项权限" in page.locator("h1").inner_text()


@pytest.mark.parametrize("look", ["light", "dark", "elder"])
def test_the_settings_are_for_everybody_who_may(open_page: Any, live_city: str, look: str) -> None:
    page = open_page(390, 844, color_scheme="dark" if look == "dark" else "light")
    if look == "elder":
        page.context.add_cookies([{"name": "elder", "value": "1", "url": live_city}])
    sign_in(page, live_city, "shi", "/desk/settings")
    assert faults_of(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
