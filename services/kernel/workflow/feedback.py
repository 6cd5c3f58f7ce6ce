"""What the source of a case (一网通办, 社区事务受理) is told: kept in the transaction of the act, sent afterwards, in order."""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any, Final

from celery import current_app
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from services.integrations.faults import AnswerUnclear, NotReached
from services.integrations.progress.client import CHANNELS, channel_named, connected
from services.integrations.progress.schemas import FINAL, Code, Progress, ProgressState
from services.kernel.workflow.models import Case, CaseEvent, Feedback, FeedbackState
from services.kernel.workflow.registry import matter_named
from services.kernel.workflow.transitions import Act, State

log = logging.getLogger(__name__)
DELIVER_TASK: Final = "services.kernel.workflow.deliver_feedback"
CLAIM: Final = dt.timedelta(minutes=2)
"""Longer than any request may take: a claim that ran out belongs to a worker that is gone."""
PAUSES: Final = tuple(dt.timedelta(minutes=minutes) for minutes in (1, 2, 5, 15, 30, 60, 120, 240, 480))
MOST_ATTEMPTS: Final = len(PAUSES) + 1
AT_ONCE: Final = 200
_STATES: Final = {
    State.OPEN: ProgressState.HANDLING, State.SUPPLEMENT: ProgressState.SUPPLEMENT, State.SUSPENDED: ProgressState.SUSPENDED,
    State.APPROVED: ProgressState.APPROVED, State.REFUSED: ProgressState.REFUSED, State.WITHDRAWN: ProgressState.WITHDRAWN,
    State.TERMINATED: ProgressState.TERMINATED,
}  # fmt: skip
_AFTER: Final[dict[str, ProgressState]] = {
    Act.OPEN: ProgressState.ACCEPTED, Act.ASK_SUPPLEMENT: ProgressState.SUPPLEMENT, Act.REVIEW: ProgressState.SUPPLEMENT,
    Act.SUSPEND: ProgressState.SUSPENDED,
}  # fmt: skip


def queue_feedback(event: CaseEvent) -> Feedback | None:
    """Keep what a line of the timeline tells the source of its case; nothing where that source takes no feedback."""
    case = event.case
    if case.source not in CHANNELS:
        return None
    state = _AFTER.get(event.act, ProgressState.HANDLING)
    needed = [str(each) for each in event.detail.get("items", ())] if state == ProgressState.SUPPLEMENT else []
    return _keep(case, state, event.what, event.opinion, event.at, needed)


def queue_result(case: Case, why: str = "") -> Feedback | None:
    """Keep that a case is over, and how, for its source."""
    if case.source not in CHANNELS or case.closed_at is None:
        return None
    return _keep(case, _STATES[State(case.state)], case.get_state_display(), why, case.closed_at, [])


def _keep(case: Case, state: ProgressState, what: str, opinion: str, at: dt.datetime, needed: list[str]) -> Feedback:
    told: dict[str, Any] = {
        "number": case.number, "source_number": case.source_number, "matter": matter_named(case.matter).title,
        "state": state.value, "what": what[:200], "opinion": opinion[:2_000], "needed": needed, "at": at.isoformat(),
    }  # fmt: skip
    row = Feedback.objects.create(case=case, channel=case.source, what=told, made_at=at, next_at=at)
    transaction.on_commit(_wake, robust=True)  # without a queue it waits for the next minute
    return row


def _wake() -> None:
    current_app.send_task(DELIVER_TASK)


def deliver_feedback(*, most: int = AT_ONCE) -> int:
    """Send what is due to the channels that are connected, of each case in its order; return how many were sent or given up."""
    channels = [each for each in CHANNELS if connected(each)]
    done = 0
    for _ in range(most):
        row = _claim(channels)
        if row is None:
            break
        done += _send(row)
    return done


@transaction.atomic
def _claim(channels: list[str]) -> Feedback | None:
    """Take the next piece that is due and has no earlier one of its case before it."""
    now = timezone.now()
    earlier = Feedback.objects.filter(case=OuterRef("case"), state=FeedbackState.WAITING, id__lt=OuterRef("id"))
    due = Feedback.objects.select_for_update(skip_locked=True, of=("self",)).filter(
        ~Exists(earlier), state=FeedbackState.WAITING, next_at__lte=now, channel__in=channels
    )
    row = due.order_by("next_at", "id").first()
    if row is not None:
        row.attempts, row.next_at = row.attempts + 1, now + CLAIM
        row.save(update_fields=["attempts", "next_at"])
    return row


def _send(row: Feedback) -> int:
    """Send one piece, and write down what came of it; 1 when it is over."""
    try:
        code = channel_named(row.channel).tell(Progress(feedback_id=str(row.uid), **row.what))
    except (NotReached, AnswerUnclear) as fault:
        return _later(row, fault.code)
    if code == Code.TAKEN:
        return _close(row, FeedbackState.SENT, "")
    return _close(row, FeedbackState.GIVEN_UP, code) if code in FINAL else _later(row, code)


def _later(row: Feedback, code: str) -> int:
    if row.attempts >= MOST_ATTEMPTS:
        return _close(row, FeedbackState.GIVEN_UP, code)
    after = timezone.now() + PAUSES[row.attempts - 1]
    Feedback.objects.filter(pk=row.pk, state=FeedbackState.WAITING).update(next_at=after, code=code[:40])
    return 0


def _close(row: Feedback, state: FeedbackState, code: str) -> int:
    if state == FeedbackState.GIVEN_UP:
        log.error("feedback given up", extra={"feedback": str(row.pk), "channel": row.channel, "code": code})
    rows = Feedback.objects.filter(pk=row.pk, state=FeedbackState.WAITING)
    return rows.update(state=state, code=code[:40], ended_at=timezone.now())


def send_again(*, case: Case) -> int:
    """Let what was given up of a case be tried anew, from now; return how much that is."""
    rows = case.feedback.filter(state=FeedbackState.GIVEN_UP)
    again = rows.update(state=FeedbackState.WAITING, attempts=0, next_at=timezone.now(), ended_at=None)
    if again:
        transaction.on_commit(_wake, robust=True)
    return again
