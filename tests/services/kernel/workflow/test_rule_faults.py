"""Rules that cannot be followed, with a real worker: the work goes on, the fault is written down, its keepers are told."""

from __future__ import annotations

import time

import pytest

from services.kernel.messages.models import Message
from services.kernel.rules.models import RuleFault
from tests.services.kernel.workflow.conftest import World
from tests.services.kernel.workflow.test_dispatch_rules import client, published, to_site


@pytest.fixture(autouse=True)
def clock() -> None:
    """Let the time go on: a worker lives by it."""


@pytest.fixture
def live(live_city: str, worker: None) -> World:
    return World()


def test_rules_that_name_who_may_not_hold_nothing_up_and_are_told(live: World) -> None:
    published(live, "黄浦区", ("现场核查", "tashan"))
    assert live.waiting(to_site(live, live.wang))["site"] == "li"
    deadline = time.monotonic() + 20
    while not RuleFault.objects.exists() and time.monotonic() < deadline:
        time.sleep(0.05)  # the worker writes it down in a thread and a transaction of its own
    fault = RuleFault.objects.get()
    assert fault.code == "handler_unfit"
    assert "tashan" in fault.message
    page = client(live.shi).get("/desk/rules/cases.dispatch?region=310101").content.decode()
    assert "不能办理“现场核查”" in page
    assert Message.objects.filter(recipient=live.qu, link="/desk/rules/cases.dispatch").exists()
