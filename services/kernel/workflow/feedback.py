"""What the source of a case (一网通办, 社区事务受理) is told: kept in the transaction of the act, sent afterwards, in order."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from django.db.models import Q

from services.integrations.outbox import AT_ONCE, Outbox
from services.integrations.progress.client import CHANNELS, channel_named, connected
from services.integrations.progress.schemas import FINAL, Progress, ProgressState
from services.kernel.workflow.models import Case, CaseEvent, Feedback
from services.kernel.workflow.registry import matter_named
from services.kernel.workflow.transitions import Act, State

DELIVER_TASK: Final = "services.kernel.workflow.deliver_feedback"
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
    OUTBOX.wake()
    return row


def deliver_feedback(*, most: int = AT_ONCE) -> int:
    """Send what is due to the channels that are connected, of each case in its order; return how many were sent or given up."""
    return OUTBOX.deliver(Q(channel__in=[each for each in CHANNELS if connected(each)]), most=most)


def send_again(*, case: Case) -> int:
    """Let what was given up of a case be tried anew, from now; return how much that is."""
    return OUTBOX.send_again(case.feedback.all())


def _tell(row: Feedback) -> str:
    return channel_named(row.channel).tell(Progress(feedback_id=str(row.uid), **row.what))


OUTBOX: Final = Outbox(Feedback, DELIVER_TASK, _tell, FINAL, line="case")
