"""Channels at the sizes of telephones and PADs: the city's app, official accounts, shared screens, paper; old web views too."""

from __future__ import annotations

from typing import Any

import pytest
import redis
from django.conf import settings

from tests.e2e.conftest import Spot, answer_of, faults_of, wait_for_map
from tests.e2e.test_desk import sign_in

WECHAT = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/86.0.4240.99 "
    "XWEB/4313 MMWEBSDK/20220604 Mobile Safari/537.36 MicroMessenger/8.0.24"
)
PHONES, PAD = ((320, 568), (390, 844)), (768, 1024)


def fits(page: Any, width: int) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth") <= width)


def target_heights(page: Any) -> list[float]:
    """Return how high the buttons are that one sees."""
    return [box["height"] for one in page.locator("main .button:visible").all() if (box := one.bounding_box())]


@pytest.mark.covers("ELD-RES-06", via="services.modules.finder.channels.words:container_for")
def test_by_every_channel_the_map_of_elders_opens_as_its_container_and_its_people_need(
    open_page: Any, live_city: str, elders: Spot
) -> None:
    """智能手机 and PAD: 随申办, three 公众号, screens, paper, telephone; no second header; 长辈版 for elders; counted, never who."""
    from services.modules.finder.channels.words import CHANNELS
    from services.modules.finder.models import UseCount

    names = {one.name for one in CHANNELS}
    assert {"随申办", "微信公众号“上海发布”", "微信公众号“上海民政”", "微信公众号“上海养老顾问”"} <= names
    redis.Redis.from_url(settings.REDIS_URL).flushdb()
    UseCount.objects.filter(act="visit").delete()
    reader = open_page(390, 844)
    reader.goto(f"{live_city}/elder?{elders.query()}")
    place = answer_of(reader)["places"][0]["id"]
    paths = (
        f"/elder?{elders.query()}", f"/places/{place}?theme=elder", f"/places/{place}/apply", "/elder/mine",
        "/elder/assistant",
    )  # fmt: skip
    for channel in CHANNELS:
        sizes = (PAD,) if channel.shared else PHONES
        agent = {"user_agent": WECHAT} if channel.container.mark else {}
        page = open_page(*sizes[0], has_touch=True, **agent)
        page.goto(f"{live_city}/c/{channel.code}")
        assert page.url == f"{live_city}/elder"
        root = page.locator("html")
        assert root.get_attribute("data-container") == channel.container.key, channel.key
        assert root.get_attribute("data-view") == ("elder" if channel.elder else "standard"), channel.key
        for path in paths:
            page.goto(f"{live_city}{path}")
            for width, height in sizes:
                page.set_viewport_size({"width": width, "height": height})
                assert fits(page, width), (channel.key, width, path)
            titles = page.locator(".site-header .brand, .elder-title")
            seen = [one.is_visible() for one in titles.all()]
            assert not (channel.container.bar and any(seen)), (channel.key, path)
            if channel.elder:
                assert channel.container.bar or seen == [True], (channel.key, path)
                assert min(target_heights(page)) >= 60, (channel.key, path)
        page.context.close()
    for channel in CHANNELS:  # a counter that is busy stops nobody: who was not counted comes again
        if channel.key not in counted():
            reader.goto(f"{live_city}/c/{channel.code}")
    assert counted() == {one.key: 1 for one in CHANNELS}
    assert not UseCount.objects.filter(act="visit", region__isnull=False).exists()


def counted() -> dict[str, int]:
    """Return how many visits were counted by each channel."""
    from services.modules.finder.counting import flush_counts
    from services.modules.finder.models import UseCount

    flush_counts()
    rows = UseCount.objects.filter(act="visit").exclude(filter="").values_list("filter", "count")
    return {key.removeprefix("channel:"): count for key, count in rows}


def test_in_an_app_the_page_leaves_title_back_and_sharing_to_it(open_page: Any, live_city: str, elders: Spot) -> None:
    inside = open_page(390, 844, has_touch=True, user_agent=WECHAT)
    inside.goto(f"{live_city}/c/shmz")
    inside.goto(f"{live_city}/elder?{elders.query()}")
    wait_for_map(inside)
    place = answer_of(inside)["places"][0]["id"]
    inside.goto(f"{live_city}/places/{place}?theme=elder")
    assert inside.locator(".back").first.is_hidden()  # the app's own way back leads to where one came from
    inside.get_by_text("分享这个结果").click()
    assert "点右上角“…”" in inside.locator("details.share").first.inner_text()
    assert faults_of(inside) == []
    # A page somebody was sent to has nowhere to go back to: ours is there.
    sent = open_page(390, 844, user_agent=WECHAT)
    sent.goto(f"{live_city}/places/{place}?theme=elder")
    if sent.evaluate("window.history.length") == 1:
        assert sent.locator(".back").first.is_visible()
    # The same address in a browser has its title, its way back and a link to copy.
    outside = open_page(390, 844)
    outside.goto(f"{live_city}/places/{place}?theme=elder")
    assert outside.locator(".brand").is_visible()
    assert outside.locator(".back").first.is_visible()
    # On a shared screen one takes a place along by its code.
    screen = open_page(*PAD, has_touch=True)
    screen.goto(f"{live_city}/c/pad")
    screen.locator("form#view-form button").first.click()
    screen.goto(f"{live_city}/places/{place}")
    screen.get_by_text("分享这个结果").click()
    assert "用自己的手机扫" in screen.locator("details.share").first.inner_text()
    assert screen.locator("#share-url").count() == 0
    assert faults_of(screen) == []


@pytest.mark.parametrize("script", [True, False])
def test_managers_see_set_and_print_the_channels(open_page: Any, live_city: str, script: bool) -> None:
    for width, height in ((390, 844), (1440, 900)):
        desk = open_page(width, height, java_script_enabled=script)
        sign_in(desk, live_city, "shi", "/desk/channels")
        shown = desk.locator("main").inner_text()
        assert [one for one in ("随申办", "上海发布", "上海民政", "上海养老顾问", "/c/ssb") if one not in shown] == []
        assert not script or (fits(desk, width) and faults_of(desk) == [])
        desk.get_by_role("link", name="纸质二维码").click()
        desk.wait_for_url("**/desk/channels/paper")
        assert not script or (fits(desk, width) and faults_of(desk) == [])
    desk.get_by_role("radio", name="停用").check(force=True)
    desk.get_by_role("button", name="保存").click()
    desk.get_by_text("已停用：打开这个网址的人会看到从哪里进。").wait_for()
    phone = open_page(390, 844)
    phone.goto(f"{live_city}/c/zhi")
    phone.get_by_role("heading", name="这个入口已停用").wait_for()
    assert faults_of(phone) == []
    desk.get_by_role("radio", name="启用").check(force=True)
    desk.get_by_role("button", name="保存").click()
    desk.get_by_text("已保存，马上生效。").wait_for()
