"""Progress fed back: kept with the act, sent afterwards in the order of a case, tried again, given up, and tried anew."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from services.integrations.outbox import MOST_ATTEMPTS
from services.integrations.progress import simulator as magic
from services.integrations.progress.simulator import Simulator
from services.kernel.workflow.feedback import deliver_feedback, send_again
from services.kernel.workflow.models import Case, Feedback
from tests.services.kernel.workflow.conftest import World


@pytest.fixture
def source(settings: Any) -> Iterator[Simulator]:
    cache.clear()
    with Simulator(app="quantu", secret="s") as running:
        settings.PROGRESS = {"one_stop": {"url": running.url, "app": "quantu", "secret": "s"}}
        settings.INSIDE_HOSTS, settings.PROGRESS_TIMEOUT_S = ["127.0.0.1"], 10
        yield running


def opened(world: World, number: str) -> Case:
    return world.open(user=world.wang, source="one_stop", source_number=number)


def due() -> None:
    Feedback.objects.update(next_at=timezone.now() - dt.timedelta(seconds=1))


def test_of_one_case_nothing_overtakes_what_was_before(world: World, source: Simulator) -> None:
    slow, fine = opened(world, magic.BUSY_TWICE), opened(world, "YWTB-9")
    world.decide(slow, world.wang, outcome="refuse", opinion="不符")
    world.decide(fine, world.wang, outcome="refuse", opinion="不符")
    assert deliver_feedback() == 3  # all of the one; the first of the other is still to be taken
    assert [each.state for each in source.journal.of(fine.number)] == ["accepted", "handling", "refused"]
    assert source.journal.of(slow.number) == []
    for _ in range(8):
        due()
        deliver_feedback()
    assert [each.state for each in source.journal.of(slow.number)] == ["accepted", "handling", "refused"]
    assert set(Feedback.objects.values_list("state", flat=True)) == {"sent"}


def test_a_refusal_is_given_up_and_may_be_tried_anew(world: World, source: Simulator) -> None:
    case = opened(world, magic.UNKNOWN)
    deliver_feedback()
    row = Feedback.objects.get(case=case)
    assert (row.state, row.code) == ("given_up", "unknown_case")
    Case.objects.filter(pk=case.pk).update(source_number="YWTB-1")
    row.what = {**row.what, "source_number": "YWTB-1"}
    row.save()
    assert send_again(case=case) == 1
    deliver_feedback()
    assert [each.source_number for each in source.journal.of(case.number)] == ["YWTB-1"]


def test_what_never_answers_sense_ends_after_ten_attempts(world: World, source: Simulator, monkeypatch: Any) -> None:
    from services.integrations.breaker import Breaker

    monkeypatch.setattr(Breaker, "admits", lambda self: True)  # its rest would only make this longer
    case = opened(world, magic.GARBAGE)
    for _ in range(MOST_ATTEMPTS):
        due()
        deliver_feedback()
    row = Feedback.objects.get(case=case)
    assert (row.state, row.attempts) == ("given_up", MOST_ATTEMPTS)


def test_without_a_connection_it_waits_and_cases_of_the_net_say_nothing(world: World, settings: Any) -> None:
    settings.PROGRESS = {}
    opened(world, "YWTB-3")
    world.open()
    assert deliver_feedback() == 0
    assert list(Feedback.objects.values_list("state", "attempts")) == [("waiting", 0)]
