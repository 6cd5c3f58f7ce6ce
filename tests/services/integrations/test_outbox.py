"""Pieces on their way to a system of others: one claim each, no attempt while it rests, nothing closed by who was too late."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from pydantic import BaseModel

from services.access.models import Organisation
from services.integrations.faults import RESTING, NotReached
from services.integrations.outbox import MOST_ATTEMPTS, Outbox
from services.modules.opinions.models import RatingReport

pytestmark = pytest.mark.django_db


def piece(**told: Any) -> RatingReport:
    house = Organisation.objects.create(name=f"托育中心{RatingReport.objects.count()}")
    return RatingReport.objects.create(organisation=house, what={}, next_at=timezone.now(), **told)


def box(tell: Callable[[Any], str]) -> Outbox:
    return Outbox(RatingReport, "nobody's task", tell, frozenset({"unknown"}))


def refusing(code: str) -> Callable[[Any], str]:
    def tell(row: RatingReport) -> str:
        raise NotReached(code, "连不上")

    return tell


def test_a_system_that_rests_costs_no_attempt_and_one_that_fails_does() -> None:
    row = piece()
    assert box(refusing(RESTING)).deliver() == 0
    row.refresh_from_db()
    assert (row.state, row.attempts, row.code) == ("waiting", 0, RESTING)
    assert row.next_at > timezone.now()
    RatingReport.objects.update(next_at=timezone.now(), attempts=MOST_ATTEMPTS - 1)
    assert box(refusing("not_reached")).deliver() == 1
    row.refresh_from_db()
    assert (row.state, row.attempts, row.code) == ("given_up", MOST_ATTEMPTS, "not_reached")
    assert box(refusing("not_reached")).send_again(RatingReport.objects.all()) == 1
    row.refresh_from_db()
    assert (row.state, row.attempts, row.code, row.ended_at) == ("waiting", 0, "", None)


def test_whoever_was_too_late_closes_nothing_that_another_has_taken() -> None:
    row = piece()

    def slowly(claimed: RatingReport) -> str:
        # Meanwhile the claim ran out, and another worker tells the same piece.
        RatingReport.objects.filter(pk=claimed.pk).update(next_at=timezone.now() - dt.timedelta(seconds=1))
        box(refusing("not_reached")).deliver()
        return "taken"

    assert box(slowly).deliver() == 0
    row.refresh_from_db()
    assert (row.state, row.attempts, row.code) == ("waiting", 2, "not_reached")


def test_what_can_never_be_told_is_given_up_at_once_and_the_rest_goes_on() -> None:
    class Told(BaseModel):
        credit_code: str

    rows = [piece(), piece(state="replaced")]

    def tell(row: RatingReport) -> str:
        return Told(**row.what).credit_code

    assert box(tell).deliver() == 1
    for row in rows:
        row.refresh_from_db()
    assert [(row.state, row.code) for row in rows] == [("given_up", "bad_content"), ("replaced", "")]
    assert box(lambda row: "unknown").deliver() == 0
