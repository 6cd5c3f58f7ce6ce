"""The contract with the platform of supervision, held by our client and the simulator over real HTTP."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from pydantic import ValidationError

from services.integrations.faults import AnswerUnclear, NotConnected
from services.integrations.http import Upstream
from services.integrations.supervision.client import Platform, is_connected, platform
from services.integrations.supervision.schemas import Code, Facts, Finding, Rating
from services.integrations.supervision.simulator import Simulator

GINKGO, PLANE = "52310101MJ4910001A", "52310101MJ4910002B"
FACTS = Facts(
    credit_code=GINKGO, as_of=dt.date(2026, 11, 1), inspected_on=dt.date(2026, 10, 8), finding=Finding.GOOD, grade="三级",
    credit="A",
)  # fmt: skip


def rating(report_id: str = "r1", code: str = GINKGO, **over: Any) -> Rating:
    return Rating(
        report_id=report_id, credit_code=code, as_of=dt.date(2026, 11, 2), comments=3, mean=4.3, aspects={"服务态度": 5}
    ).model_copy(update=over)


@pytest.fixture
def running(settings: Any) -> Iterator[Simulator]:
    cache.clear()
    with Simulator(app="quantu", secret="s3cret", facts=[FACTS]) as simulator:
        settings.SUPERVISION_URL, settings.SUPERVISION_APP, settings.SUPERVISION_SECRET = (
            simulator.url, "quantu", "s3cret",
        )  # fmt: skip
        settings.INSIDE_HOSTS = ["127.0.0.1"]
        yield simulator


def test_facts_come_of_those_that_are_known(running: Simulator) -> None:
    assert is_connected()
    assert platform().facts_of([GINKGO, PLANE]) == [FACTS]
    assert platform().facts_of([PLANE]) == []
    with pytest.raises(ValidationError):
        platform().facts_of(["not a code"])


@pytest.mark.parametrize(
    ("fails", "code"),
    [("broken", "refused"), ("garbage", "answer_unclear"), ("stranger", "answer_strange")],
)
def test_a_wrong_answer_is_a_fault(running: Simulator, fails: Any, code: str) -> None:
    running.fails = fails
    with pytest.raises(AnswerUnclear) as fault:
        platform().facts_of([GINKGO])
    assert fault.value.code == code


def test_a_rating_told_twice_counts_once(running: Simulator) -> None:
    assert platform().tell(rating()) == Code.TAKEN
    assert platform().tell(rating(mean=1.0)) == Code.TAKEN
    assert running.ratings[GINKGO].mean == 4.3
    assert platform().tell(rating("r2", comments=4, mean=None)) == Code.TAKEN
    assert (running.ratings[GINKGO].comments, running.ratings[GINKGO].mean) == (4, None)
    assert platform().tell(rating("r3", PLANE)) == Code.UNKNOWN_INSTITUTION
    assert PLANE not in running.ratings


def test_nobody_knows_whether_a_silent_platform_took_it_and_asking_again_is_safe(running: Simulator) -> None:
    running.fails = "silent"
    with pytest.raises(AnswerUnclear):
        platform().tell(rating())
    running.fails = "busy"
    assert platform().tell(rating("r2")) == Code.BUSY
    running.fails = ""
    assert platform().tell(rating()) == Code.TAKEN
    assert list(running.reports) == ["r1"]


def test_a_wrong_secret_is_refused_and_without_settings_nothing_is_asked(running: Simulator, settings: Any) -> None:
    stranger = Platform(Upstream(key="supervision", name="监管", root=running.url, inside=True), "quantu", "wrong")
    assert stranger.tell(rating()) == Code.NOT_SIGNED
    with pytest.raises(AnswerUnclear, match="401"):
        stranger.facts_of([GINKGO])
    settings.SUPERVISION_URL = ""
    assert not is_connected()
    with pytest.raises(NotConnected):
        platform()
