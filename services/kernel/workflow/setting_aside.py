"""Writes that take a case off its way: withdraw, suspend and resume, extend, terminate, delete what was registered by mistake."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.utils import timezone

from geo.errors import BadInput, Conflict
from geo.scope import Scope
from services.access.actions import record_audit
from services.access.models import AuditAct, User
from services.kernel.workflow.choosing import calendar, city_zone
from services.kernel.workflow.clock import shifted
from services.kernel.workflow.handlers import Handler, running_about, undeletable
from services.kernel.workflow.models import Case, CaseEvent
from services.kernel.workflow.sending_back import close_supplement
from services.kernel.workflow.transitions import Act, State
from services.kernel.workflow.turning import (
    Turn,
    act,
    advance,
    begin,
    decisions_of,
    end_case,
    light_anew,
    start_clock,
    stop_clock,
    worded,
)

MOST_EXTENSION: Final = 60


@act
def withdraw(*, uid: UUID | str, reason: str, user: User, scope: Scope, key: str, version: int) -> Case:
    """Withdraw an application: until somebody opened it, and while it waits for papers of the applicant's own."""
    turn = begin(uid, Act.WITHDRAW, user=user, scope=scope, key=key, version=version)
    if turn.replayed:
        return turn.case
    case = turn.case
    if case.state == State.OPEN and (case.passed or case.tasks.exclude(seen_at=None).exists()):
        raise Conflict("case_seen", "经办人员已经打开您的申请，不能再撤回了。需要的话请联系受理的街镇。")
    turn.note("撤回申请", opinion=worded(reason, needed=False), open_to_applicant=True)
    close_supplement(case)
    end_case(turn, State.WITHDRAWN)
    return case


@act
def call_off(*, matter: str, subject: UUID, why: str, scope: Scope) -> Case | None:
    """End the running case about a thing because it was taken back or changed; the thing's owner checked who may.

    ``None`` where none runs, and where somebody decides it at this very moment: the owner then refuses what they decide.
    """
    running = running_about(matter, subject).select_for_update(of=("self",), skip_locked=True)
    case = running.select_related("applicant", "flow").first()
    if case is None:
        return None
    who, now = User.objects.filter(username=scope.actor).first(), timezone.now()  # a program has no account
    CaseEvent.objects.create(
        case=case, act=Act.WITHDRAW, actor=who, what="撤回提交", opinion=worded(why, needed=True), key=f"off:{case.uid}",
        at=now, open_to_applicant=True,
    )  # fmt: skip
    case.version += 1
    close_supplement(case)
    end_case(Turn(case, Act.WITHDRAW, f"off:{case.uid}", Handler(who or User(), ()), now, scope=scope), State.WITHDRAWN)
    return case


@act
def suspend(*, uid: UUID | str, reason: str, user: User, scope: Scope, key: str, version: int) -> Case:
    """Put a case aside: its clock stands until it is resumed."""
    turn = begin(uid, Act.SUSPEND, user=user, scope=scope, key=key, version=version)
    if turn.replayed:
        return turn.case
    turn.note("挂起", opinion=worded(reason, needed=True, what="挂起的理由"), open_to_applicant=True)
    stop_clock(turn, State.SUSPENDED)
    return turn.case


@act
def resume(*, uid: UUID | str, reason: str = "", user: User, scope: Scope, key: str, version: int) -> Case:
    """Take a case up again; its deadlines are put off by the working days that passed."""
    turn = begin(uid, Act.RESUME, user=user, scope=scope, key=key, version=version)
    if turn.replayed:
        return turn.case
    turn.note("恢复办理", opinion=worded(reason, needed=False), open_to_applicant=True)
    start_clock(turn)
    return turn.case


@act
def extend(*, uid: UUID | str, days: int, reason: str, user: User, scope: Scope, key: str, version: int) -> Case:
    """Put the deadlines of a case's open tasks off by working days (1 to 60)."""
    turn = begin(uid, Act.EXTEND, user=user, scope=scope, key=key, version=version)
    if turn.replayed:
        return turn.case
    if not 1 <= days <= MOST_EXTENSION:
        raise BadInput("days_odd", f"延期要写 1 到 {MOST_EXTENSION} 个工作日。")
    timed = [task for task in turn.tasks if task.due_at is not None]
    if not timed:
        raise Conflict("no_deadline", "这个环节没有办理时限，不用延期。")
    turn.note(
        f"延期 {days} 个工作日",
        opinion=worded(reason, needed=True, what="延期的理由"),
        open_to_applicant=True,
        days=days,
    )
    turn.case.promised_at = shifted(turn.case.promised_at, days, calendar(), city_zone())
    for task in timed:
        task.due_at = shifted(task.due_at, days, calendar(), city_zone())
        light_anew(task, turn)
    advance(turn, decisions_of(turn.case))
    return turn.case


@act
def terminate(*, uid: UUID | str, reason: str, user: User, scope: Scope, key: str, version: int) -> Case:
    """End a case before its time."""
    turn = begin(uid, Act.TERMINATE, user=user, scope=scope, key=key, version=version)
    if turn.replayed:
        return turn.case
    text = worded(reason, needed=True, what="终止的理由")
    turn.note("终止办理", opinion=text, open_to_applicant=True)
    close_supplement(turn.case)
    end_case(turn, State.TERMINATED, why=text)
    return turn.case


@act
def delete_case(*, uid: UUID | str, reason: str, user: User, scope: Scope, key: str, version: int) -> Case:
    """Delete a case that was registered at the window by mistake, while nobody has decided anything: it leaves every list.

    Nothing of it is thrown away; ``restore_case`` brings it back. Raises ``Conflict`` for a case of anybody's own, or decided.
    """
    turn = begin(uid, Act.DELETE, user=user, scope=scope, key=key, version=version)
    if turn.replayed:
        return turn.case
    if why := undeletable(turn.case):
        raise Conflict("case_kept", why)
    text = worded(reason, needed=True, what="删除的理由")
    turn.task = None
    turn.note("删除错误登记的办件", opinion=text)
    stop_clock(turn, State.DELETED)
    record_audit(
        act=AuditAct.CASE_DELETED, actor=user.username, detail={"case": str(turn.case.uid), "reason": text[:200]}
    )
    return turn.case


@act
def restore_case(*, uid: UUID | str, reason: str = "", user: User, scope: Scope, key: str, version: int) -> Case:
    """Bring a deleted case back where it was; its deadlines are put off by the working days that passed."""
    turn = begin(uid, Act.RESTORE, user=user, scope=scope, key=key, version=version)
    if turn.replayed:
        return turn.case
    turn.task = None
    turn.note("恢复已删除的办件", opinion=worded(reason, needed=False))
    start_clock(turn)
    record_audit(act=AuditAct.CASE_RESTORED, actor=user.username, detail={"case": str(turn.case.uid)})
    return turn.case
