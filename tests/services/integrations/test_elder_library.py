"""The contract with the city's library of elders, held by our client and the simulator over real HTTP."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache

from services.integrations.elder_library.client import Library, is_connected, library
from services.integrations.elder_library.schemas import Figure
from services.integrations.elder_library.simulator import Simulator
from services.integrations.faults import AnswerUnclear, NotConnected
from services.integrations.http import Upstream

DAY = dt.date(2026, 9, 1)
FIGURES = [Figure(region_code=f"310101002{n:03d}", over_60=900 + n, over_80=200, alone=90) for n in range(1, 8)]


@pytest.fixture
def running(settings: Any) -> Iterator[Simulator]:
    cache.clear()
    with Simulator(app="quantu", secret="s3cret", figures=FIGURES, as_of=DAY) as simulator:
        settings.ELDERS_URL, settings.ELDERS_APP, settings.ELDERS_SECRET = simulator.url, "quantu", "s3cret"
        settings.INSIDE_HOSTS = ["127.0.0.1"]
        yield simulator


def test_all_pages_of_a_day_come_together(running: Simulator) -> None:
    assert is_connected()
    day = library().newest_day(limit=3)
    assert (day.as_of, list(day.figures), running.requests) == (DAY, FIGURES, 3)
    running.figures = []
    assert library().newest_day().figures == ()


@pytest.mark.parametrize(
    ("fails", "code"),
    [("broken", "refused"), ("garbage", "answer_unclear"), ("half", "incomplete"), ("other_day", "day_changed"),
     ("impossible", "answer_unclear")],
)  # fmt: skip
def test_a_wrong_or_half_answer_is_a_fault(running: Simulator, fails: Any, code: str) -> None:
    running.fails = fails
    with pytest.raises(AnswerUnclear) as fault:
        library().newest_day(limit=3)
    assert fault.value.code == code


def test_a_doubled_code_and_a_wrong_secret_are_faults(running: Simulator) -> None:
    running.figures = [FIGURES[0], FIGURES[0]]
    with pytest.raises(AnswerUnclear, match="不完整"):
        library().newest_day()
    stranger = Library(Upstream(key="elders", name="库", root=running.url, inside=True), "quantu", "wrong")
    with pytest.raises(AnswerUnclear, match="401"):
        stranger.newest_day()


def test_without_settings_nothing_is_asked(settings: Any) -> None:
    settings.ELDERS_URL = ""
    assert not is_connected()
    with pytest.raises(NotConnected):
        library()
