"""What the platform of supervision is told of ratings: figures of an institution's public comments, sent until they are taken.

A report is made whenever the figures are other than in the newest report; one that still waits is replaced. Nothing in it is of a
person: no name, no words, no means of fewer than ``LEAST_FOR_MEAN`` comments.
"""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any, Final

from celery import current_app
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from pydantic import ValidationError

from services.access.models import Organisation
from services.facilities.models import Facility
from services.integrations.faults import AnswerUnclear, NotConnected, NotReached
from services.integrations.supervision.client import is_connected, platform
from services.integrations.supervision.schemas import FINAL, Code, Rating
from services.modules.opinions.models import Comment, RatingReport, ReportState
from services.modules.opinions.queries import PUBLIC, means_of

log = logging.getLogger(__name__)
TELL_TASK: Final = "services.modules.opinions.tell_ratings"
CLAIM: Final = dt.timedelta(minutes=2)
"""Longer than any request may take: a claim that ran out belongs to a worker that is gone."""
PAUSES: Final = tuple(dt.timedelta(minutes=minutes) for minutes in (1, 2, 5, 15, 30, 60, 120, 240, 480))
MOST_ATTEMPTS: Final = len(PAUSES) + 1
AT_ONCE: Final = 200


def wake() -> None:
    """Let ratings be told soon after the transaction; without a queue they wait for the clock."""
    transaction.on_commit(lambda: current_app.send_task(TELL_TASK), robust=True)


def tell_ratings() -> int:
    """Report every rating that changed, and send what is due; return how many reports were sent or given up.

    Nothing is reported while no platform is connected: what changed meanwhile is found when one is.
    """
    if not is_connected():
        return 0
    for row in _institutions():
        report_rating(organisation_id=row.pk)
    return deliver_ratings()


@transaction.atomic
def report_rating(*, organisation_id: int) -> RatingReport | None:
    """Make a report of an institution's rating where it is other than in the newest one, in place of one that waits."""
    row = Organisation.objects.select_for_update().get(pk=organisation_id)
    what = figures_of(row)
    newest = RatingReport.objects.filter(organisation=row).order_by("-id").first()
    if what == (newest.what if newest else NOTHING | {"credit_code": row.credit_code}):
        return None
    now = timezone.now()
    waiting = RatingReport.objects.filter(organisation=row, state=ReportState.WAITING)
    if waiting.filter(attempts__gt=0, code="", next_at__gt=now).exists():
        return None  # it is on its way: the newer figures follow it, and never arrive before it
    waiting.update(state=ReportState.REPLACED, ended_at=now)
    return RatingReport.objects.create(organisation=row, what=what, next_at=now)


NOTHING: Final[dict[str, Any]] = {"comments": 0, "mean": None, "aspects": {}}


def figures_of(row: Organisation) -> dict[str, Any]:
    """Return how many public comments the places of an institution have, and of enough, their means."""
    standing = means_of(Comment.objects.filter(PUBLIC, facility__organisation=row))
    means = {"mean": standing.mean, "aspects": dict(standing.aspects)}
    return {"credit_code": row.credit_code, "comments": standing.count} | means


def deliver_ratings(*, most: int = AT_ONCE) -> int:
    """Send the reports that are due; return how many were sent or given up."""
    done = 0
    for _ in range(most):
        row = _claim()
        if row is None:
            break
        done += _send(row)
    return done


def _institutions() -> list[Organisation]:
    """Return the institutions with a 统一社会信用代码 that have public comments, or had when they were last reported."""
    commented = Facility.objects.filter(pk__in=Comment.objects.filter(PUBLIC).values("facility"))
    reported = RatingReport.objects.values("organisation")
    rows = Organisation.objects.filter(active=True).exclude(credit_code="")
    return list(rows.filter(Q(pk__in=commented.values("organisation")) | Q(pk__in=reported)).order_by("pk"))


@transaction.atomic
def _claim() -> RatingReport | None:
    now = timezone.now()
    due = RatingReport.objects.select_for_update(skip_locked=True).filter(state=ReportState.WAITING, next_at__lte=now)
    row = due.order_by("next_at", "id").first()
    if row is not None:
        row.attempts, row.code, row.next_at = row.attempts + 1, "", now + CLAIM
        row.save(update_fields=["attempts", "code", "next_at"])
    return row


def _send(row: RatingReport) -> int:
    """Send one report, and write down what came of it; 1 when it is over."""
    try:
        told = Rating(report_id=str(row.uid), as_of=timezone.localdate(row.made_at), **row.what)
    except ValidationError:  # a 统一社会信用代码 that is none: nothing was sent, and nothing ever will be
        return _close(row, ReportState.GIVEN_UP, Code.BAD_CONTENT)
    try:
        code = platform().tell(told)
    except (NotConnected, NotReached, AnswerUnclear) as fault:
        return _later(row, fault.code)
    if code == Code.TAKEN:
        return _close(row, ReportState.SENT, "")
    return _close(row, ReportState.GIVEN_UP, code) if code in FINAL else _later(row, code)


def _later(row: RatingReport, code: str) -> int:
    if row.attempts >= MOST_ATTEMPTS:
        return _close(row, ReportState.GIVEN_UP, code)
    after = timezone.now() + PAUSES[row.attempts - 1]
    RatingReport.objects.filter(pk=row.pk, state=ReportState.WAITING).update(next_at=after, code=code[:40])
    return 0


def _close(row: RatingReport, state: ReportState, code: str) -> int:
    if state == ReportState.GIVEN_UP:
        log.error("rating given up", extra={"report": str(row.pk), "code": code})
    rows = RatingReport.objects.filter(pk=row.pk, state=ReportState.WAITING)
    return rows.update(state=state, code=code[:40], ended_at=timezone.now())
