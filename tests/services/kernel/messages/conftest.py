"""A gateway that listens, people with a number, and the regions of the tiny city."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from geo.regions.models import Region
from geo.scope import Scope
from services.integrations.sms.simulator import Simulator
from services.kernel.messages.models import Delivery

APP, SECRET = "quantu", "a-secret-for-tests"
PHONE = "13800000000"
VALUES = {"儿童": "王小明", "幼儿园": "瑞金一路幼儿园", "报名编号": "HP001", "验证时间": "5月16日"}


@pytest.fixture
def simulator(settings: Any) -> Iterator[Simulator]:
    """Connect the house to a gateway of its own of which slow answers never come."""
    cache.clear()
    with Simulator(app=APP, secret=SECRET, slow_s=60, late_s=0.4) as running:
        settings.SMS_URL, settings.SMS_APP, settings.SMS_SECRET = running.url, APP, SECRET
        settings.SMS_TIMEOUT_S, settings.INSIDE_HOSTS = 10, ["127.0.0.1"]
        yield running


def region(code: str) -> Region:
    return Region.objects.get(versions__code=code, versions__edition__state="published")


def scope(*duties: str, path: str = "310000.", actor: str = "shi") -> Scope:
    return Scope(paths=(path,), duties=frozenset(duties), actor=actor)


def make_due(**narrow: Any) -> None:
    """Let the time come for what waits, as if it had passed."""
    Delivery.objects.filter(**narrow).update(next_at=timezone.now() - dt.timedelta(seconds=1))


@pytest.fixture
def noon(time_machine_at: Any) -> None:
    """Let it be noon in the city, when nothing is quiet."""
    time_machine_at(dt.datetime(2026, 5, 11, 12, 0, tzinfo=dt.timezone(dt.timedelta(hours=8))))


@pytest.fixture
def time_machine_at() -> Iterator[Any]:
    """Return a function that moves the clock to a moment, from which it goes on ticking."""
    import time_machine

    travels: list[Any] = []

    def move(moment: dt.datetime) -> None:
        if travels:
            travels.pop().stop()
        travels.append(time_machine.travel(moment, tick=True))
        travels[-1].start()

    yield move
    for travel in travels:
        travel.stop()
