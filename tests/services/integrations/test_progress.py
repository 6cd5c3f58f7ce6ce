"""One contract for both sides: what our client says to a source of cases, and what the simulator answers, over real HTTP."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache

from services.integrations.faults import AnswerUnclear, NotConnected, NotReached
from services.integrations.http import ask
from services.integrations.progress import simulator as magic
from services.integrations.progress.client import Channel, channel_named, connected
from services.integrations.progress.schemas import FEEDBACK_PATH, Answer, Code, Progress, ProgressState
from services.integrations.progress.simulator import Simulator

SECRET = "a-secret-for-tests"


@pytest.fixture
def source(settings: Any) -> Iterator[Simulator]:
    cache.clear()
    with Simulator(app="quantu", secret=SECRET, slow_s=60) as running:
        settings.PROGRESS = {"one_stop": {"url": running.url, "app": "quantu", "secret": SECRET}}
        settings.INSIDE_HOSTS, settings.PROGRESS_TIMEOUT_S = ["127.0.0.1"], 10
        yield running


def piece(number: str = "", **more: Any) -> Progress:
    said: dict[str, Any] = {
        "feedback_id": "019a-1", "number": "FW-20260511-ABCD2345", "source_number": number, "matter": "社区服务点登记",
        "state": ProgressState.SUPPLEMENT, "what": "街镇审核：要求补正", "opinion": "缺合同", "needed": ["租赁合同"],
        "at": dt.datetime(2026, 5, 11, 10, tzinfo=dt.UTC),
    }  # fmt: skip
    return Progress(**(said | more))


def test_what_is_told_arrives_as_it_was_told_and_counts_once(source: Simulator) -> None:
    channel = channel_named("one_stop")
    assert channel.tell(piece("YWTB-1")) == Code.TAKEN
    assert channel.tell(piece("YWTB-1")) == Code.TAKEN
    assert source.journal.taken == [piece("YWTB-1")]
    assert source.journal.requests["019a-1"] == 2


def test_each_way_it_fails_is_told_apart(source: Simulator, settings: Any) -> None:
    channel = channel_named("one_stop")
    settings.PROGRESS_TIMEOUT_S = 0.4
    impatient = channel_named("one_stop")
    assert channel.tell(piece(magic.UNKNOWN, feedback_id="a")) == Code.UNKNOWN_CASE
    assert [channel.tell(piece(magic.BUSY_TWICE, feedback_id="b")) for _ in range(3)] == [
        Code.BUSY,
        Code.BUSY,
        Code.TAKEN,
    ]
    for number in (magic.LOST_ANSWER, magic.SLOW):
        with pytest.raises(AnswerUnclear):
            impatient.tell(piece(number, feedback_id=number))
        assert channel.tell(piece(number, feedback_id=number)) == Code.TAKEN  # asked again, it counted once
    with pytest.raises(AnswerUnclear):
        channel.tell(piece(magic.GARBAGE, feedback_id="c"))
    assert [each.feedback_id for each in source.journal.taken] == ["b", magic.LOST_ANSWER, magic.SLOW]


def test_who_does_not_share_the_secret_or_the_contract_is_refused(source: Simulator) -> None:
    channel = channel_named("one_stop")
    stranger = Channel(channel.upstream, "quantu", "another")
    assert stranger.tell(piece()) == Code.NOT_SIGNED
    assert source.journal.taken == []
    unsigned = ask(channel.upstream, "POST", FEEDBACK_PATH, body=piece().model_dump_json().encode())
    assert (unsigned.status, Answer.model_validate_json(unsigned.body).code) == (401, Code.NOT_SIGNED)


def test_without_an_address_nothing_is_sent(settings: Any) -> None:
    cache.clear()
    settings.PROGRESS = {"one_stop": {"url": "", "app": "", "secret": ""}}
    assert not connected("one_stop")
    with pytest.raises(NotConnected):
        channel_named("one_stop")
    settings.PROGRESS = {"community": {"url": "http://127.0.0.1:9", "app": "a", "secret": "b"}}
    settings.INSIDE_HOSTS = ["127.0.0.1"]
    with pytest.raises(NotReached):
        channel_named("community").tell(piece())
