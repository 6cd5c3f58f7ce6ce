"""Channels: a short address each, set by managers, counted by day and never by person; a shared screen begins anew."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.test import Client
from PIL import Image

from geo.errors import BadInput, Conflict, Forbidden
from services.modules.finder.channels.actions import set_channel
from services.modules.finder.channels.models import ChannelSetting
from services.modules.finder.channels.queries import visits, visits_by_day
from services.modules.finder.channels.words import (
    BROWSER,
    BY_CODE,
    BY_KEY,
    CHANNELS,
    CITIZEN,
    SCREEN,
    WECHAT,
    container_for,
)
from services.modules.finder.counting import flush_counts
from services.modules.finder.models import UseCount
from tests.services.modules.finder.conftest import Family, said, scope, staff

PHONE = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/86.0.4240.99 Mobile Safari/537.36"
)
IN_WECHAT = f"{PHONE} MicroMessenger/8.0.30"


def device(agent: str = PHONE) -> Client:
    return Client(headers={"host": "localhost", "user-agent": agent})


def test_keys_and_codes_are_each_one_channel() -> None:
    assert len(BY_KEY) == len(BY_CODE) == len(CHANNELS)


@pytest.mark.parametrize(
    ("key", "agent", "container"),
    [("", PHONE, BROWSER), ("", IN_WECHAT, WECHAT), ("wechat_civil", IN_WECHAT, WECHAT), ("wechat_civil", PHONE, BROWSER),
     ("citizen_app", PHONE, CITIZEN), ("citizen_app", IN_WECHAT, WECHAT), ("pad", PHONE, SCREEN), ("strange", PHONE, BROWSER)],
)  # fmt: skip
def test_what_opens_a_page_is_told_by_itself_else_by_the_channel(key: str, agent: str, container: Any) -> None:
    assert container_for(key, agent) == container


def test_a_channel_opens_its_page_in_its_theme_until_somebody_chooses_otherwise(family: Family) -> None:
    phone = device()
    answer = phone.get("/c/ylgw")
    assert (answer.status_code, answer["Location"]) == (302, "/elder")
    assert (phone.cookies["channel"].value, phone.cookies["elder"].value) == ("wechat_adviser", "1")
    assert 'data-view="elder"' in said(phone.get("/elder"))
    phone.post("/view", {"view": "standard", "next": "/elder"})
    phone.get("/c/ylgw")
    assert 'data-view="standard"' in said(phone.get("/elder"))
    assert device().get("/c/ssb")["Location"] == "/elder"
    unknown = device().get("/c/nothing")
    assert unknown.status_code == 404
    assert "没有这个入口" in said(unknown)


def test_a_shared_screen_begins_anew(family: Family) -> None:
    screen = device()
    screen.get("/c/pad")
    family.signed_in(screen)
    screen.cookies["saved"] = "1.2"
    screen.cookies["elder"] = "3"
    screen.get("/c/pad")
    assert "_auth_user_id" not in screen.session
    assert (screen.cookies["saved"].value, screen.cookies["elder"].value) == ("", "1")
    # A telephone that is sent there by a link is not signed out.
    phone = family.signed_in(device())
    phone.get("/c/pad")
    assert "_auth_user_id" in phone.session


def test_managers_set_a_channel_with_history_and_stale_forms_change_nothing(family: Family) -> None:
    manager, page = staff("shi"), "/desk/channels/paper"
    assert manager.post(page, {"on": "1", "elder": "0", "entry": "places", "seen": "0"}).status_code == 302
    phone = device()
    assert phone.get("/c/zhi")["Location"] == "/places"
    assert "elder" not in phone.cookies
    stale = manager.post(page, {"on": "0", "elder": "0", "entry": "find", "seen": "0"})
    assert (stale.status_code, "别人刚改过" in said(stale)) == (409, True)
    assert manager.post(page, {"on": "0", "elder": "0", "entry": "places", "seen": "1"}).status_code == 302
    assert (
        manager.post(page, {"on": "0", "elder": "0", "entry": "places", "seen": "1"}).status_code == 302
    )  # sent twice
    assert ChannelSetting.objects.get().revision == 2
    shut = device().get("/c/zhi")
    assert shut.status_code == 404
    assert "这个入口已停用" in said(shut)
    shown = said(manager.get(page))
    assert "全部机构，标准版" in shown
    for name in ("qu", "jiezhen"):
        for path in ("/desk/channels", page, f"{page}/code.svg"):
            assert staff(name).get(path).status_code == 403
        with pytest.raises(Forbidden):
            set_channel(key="paper", on=True, elder=True, entry="find", seen=0, scope=scope(name))
    with pytest.raises(BadInput):
        set_channel(key="paper", on=True, elder=True, entry="desk", seen=2, scope=scope("shi"))
    with pytest.raises(Conflict):
        set_channel(key="paper", on=True, elder=True, entry="find", seen=1, scope=scope("shi"))
    assert manager.get("/desk/channels/nothing").status_code == 404


def test_visits_are_counted_by_day_and_a_few_are_not_told(family: Family) -> None:
    for _ in range(16):
        device().get("/c/ssb")
    for _ in range(2):
        device().get("/c/shmz")
    device("Googlebot/2.1").get("/c/ssb")
    device().head("/c/ssb")
    set_channel(key="kiosk", on=False, elder=True, entry="elder-map", seen=0, scope=scope("shi"))
    device().get("/c/ping")
    flush_counts()
    rows = UseCount.objects.filter(act="visit")
    assert set(rows.values_list("region", flat=True)) == {None}
    assert sum(rows.filter(filter="").values_list("count", flat=True)) == 18
    found = visits(scope=scope("shi"))
    assert set(found) == {"citizen_app", "wechat_civil"}
    assert found["citizen_app"].count is None, "alone it would give the other away"
    assert found["wechat_civil"].count is None
    assert [one.count for one in visits_by_day("citizen_app", scope=scope("shi"))] == [16]
    assert "不公布</td>" in said(staff("shi").get("/desk/channels"))
    assert '<td class="number">16</td>' in said(staff("shi").get("/desk/channels/citizen_app"))


def test_a_code_is_printed_as_png_and_svg(family: Family, settings: Any) -> None:
    settings.SITE_URL = "https://quan.example.cn"
    manager = staff("shi")
    assert "https://quan.example.cn/c/ssb" in said(manager.get("/desk/channels/citizen_app"))
    drawn = Image.open(io.BytesIO(manager.get("/desk/channels/citizen_app/code.png").content))
    assert drawn.format == "PNG"
    assert 600 <= drawn.width <= 800
    assert manager.get("/desk/channels/citizen_app/code.svg").content.startswith(b"<?xml")
