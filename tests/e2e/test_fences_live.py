"""Staff look on while a platform is told of what happened at fences, and send again what did not arrive."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache

from services.fencing.following.delivering import deliver_due
from services.integrations.receivers.simulator import Simulator
from tests.e2e.conftest import faults_of
from tests.e2e.test_desk import sign_in
from tests.services.fencing.following.platforms import edition, platform, rows_of
from tests.services.fencing.following.test_intake import drive, start
from tests.services.fencing.sets import square


@pytest.mark.parametrize("width", [390, 1440])
def test_what_did_not_arrive_is_seen_and_sent_again(live_city: str, open_page: Any, settings: Any, width: int) -> None:
    settings.RECEIVER_HOSTS, settings.INSIDE_HOSTS = ["127.0.0.1"], ["127.0.0.1"]
    cache.clear()
    name = f"环卫车辆平台{width}"
    edition({"料场": square(0, 0), "码头": square(200, 0)})
    made = platform(name)
    made.follow(dwell_s=20)
    page = open_page(width, 900)
    with Simulator(app=made.app, secret="") as receiver:
        receiver.secret = made.call("PUT", "receiver", said={"url": receiver.url}).said["secret"]
        made.report(rows_of("truck-1", drive(start())))
        receiver.fails = "never"
        deliver_due()
        sign_in(page, live_city, "qu", "/plan/fences")
        page.get_by_role("link", name="围栏跟踪").click()
        platforms = page.get_by_role("region", name="平台一览")
        row = platforms.get_by_role("row").filter(has_text=name)
        assert "进入、离开、停留 20 秒" in row.inner_text()
        lately = page.get_by_role("region", name="事件一览").inner_text()
        assert "料场" in lately
        assert "码头" not in lately
        assert "truck-1" not in page.content(), "nobody's id, and no position"
        undelivered = page.get_by_role("region", name="未送达一览")
        assert undelivered.get_by_role("row").filter(has_text=name).count() == 2
        assert "对方答复 422" in undelivered.inner_text()
        receiver.fails = ""
        page.get_by_role("button", name=f"重发给{name}").click()
        page.get_by_text("2 件事件已重新排入").wait_for()
        assert deliver_due() == 2
        assert [each.kind for each in receiver.kept] == ["enter", "exit"]
        page.reload()
        assert page.get_by_role("button", name=f"重发给{name}").count() == 0
        assert "正常" in platforms.get_by_role("row").filter(has_text=name).inner_text()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert faults_of(page) == []
