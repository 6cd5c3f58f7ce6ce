"""Writes of who handles: grab, release, assign by hand, hand on, ask another reviewer, urge, delegate, watch, look."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from geo.errors import BadInput, Conflict, Forbidden, NotFound
from geo.scope import Scope
from services.access.models import User
from services.access.queries import check_duty
from services.kernel.workflow import message_events as told
from services.kernel.workflow.dispatch import least_loaded
from services.kernel.workflow.handlers import dispatches, handler_of, name_of, people_for, posts_of
from services.kernel.workflow.models import Case, CaseEvent, Delegation, Task, TaskState, Watch
from services.kernel.workflow.registry import matter_named
from services.kernel.workflow.telling import tell_arrived, tell_handlers
from services.kernel.workflow.transitions import Act
from services.kernel.workflow.turning import Turn, begin, may_see, worded

URGE_AGAIN = dt.timedelta(hours=4)
LONGEST_DELEGATION = dt.timedelta(days=366)


@transaction.atomic
def claim(*, uid: UUID | str, user: User, scope: Scope, key: str, version: int, task_id: int | None = None) -> Case:
    """Take a task out of its pool. Who comes second is told that it is gone."""
    turn = begin(uid, Act.CLAIM, user=user, scope=scope, key=key, version=version, task_id=task_id)
    if turn.replayed:
        return turn.case
    task = turn.own_task()
    if task.assignee_id is not None:
        raise Conflict("task_taken", f"这个任务已由{name_of(task.assignee)}办理，不用签收。")
    task.assignee, task.seen_at = user, turn.now
    task.save(update_fields=["assignee", "seen_at"])
    return _noted(turn, f"{task.name}：{name_of(user)}签收")


@transaction.atomic
def release(*, uid: UUID | str, reason: str, user: User, scope: Scope, key: str, version: int) -> Case:
    """Put one's task back into the pool. Raises ``Conflict`` for one that was shared out to several, or is in the pool."""
    turn = begin(uid, Act.RELEASE, user=user, scope=scope, key=key, version=version)
    if turn.replayed:
        return turn.case
    task = turn.own_task()
    if task.assignee_id is None or task.mode != "one" or task.added_by_id or task.level == "applicant":
        raise Conflict("task_not_pooled", "这个任务不是从任务池里签收的，不能退回任务池。可以转办给同事。")
    task.assignee, task.seen_at = None, None
    task.save(update_fields=["assignee", "seen_at"])
    return _noted(turn, f"{task.name}：退回任务池", opinion=worded(reason, needed=False))


@transaction.atomic
def assign(
    *,
    uid: UUID | str,
    to: int,
    user: User,
    scope: Scope,
    key: str,
    version: int,
    task_id: int | None = None,
    note: str = "",
) -> Case:
    """Give an open task of a case to somebody who could do it, by the hand of a dispatcher of its region."""
    turn = begin(uid, Act.ASSIGN, user=user, scope=scope, key=key, version=version)
    if turn.replayed:
        return turn.case
    turn.task = task_to_assign(turn.tasks, task_id)
    return _give(turn, turn.task, to, "派给", note)


def task_to_assign(tasks: Iterable[Task], task_id: int | None) -> Task:
    """Return the open task of that id, or the first that waits for somebody. Raises ``NotFound``."""
    found = [task for task in tasks if task.level != "applicant" and task_id in (None, task.pk)]
    if not found:
        raise NotFound("task_unknown", "这个办件没有可派的任务，请刷新页面。")
    return min(found, key=lambda task: (task.assignee_id is not None, task.pk))


@transaction.atomic
def transfer(*, uid: UUID | str, to: int, reason: str, user: User, scope: Scope, key: str, version: int) -> Case:
    """Hand one's task on (转办) to somebody else who could do it."""
    turn = begin(uid, Act.TRANSFER, user=user, scope=scope, key=key, version=version)
    if turn.replayed:
        return turn.case
    task = turn.own_task()
    return _give(turn, task, to, "转给", worded(reason, needed=True, what="转办的理由"))


def _give(turn: Turn, task: Task, to: int, word: str, note: str) -> Case:
    person = next((each for each in people_for(task, most=1_000) if each.pk == to), None)
    if person is None or task.level == "applicant":
        raise BadInput("person_unfit", "这位同事没有办这个环节的岗位，请从名单里选。")
    if task.assignee_id == person.pk:
        raise Conflict("task_taken", f"这个任务已经在{name_of(person)}手里。")
    if turn.case.tasks.filter(step=task.step, state=TaskState.OPEN, assignee=person).exists():
        raise Conflict("task_taken", f"{name_of(person)}已在办这个环节。")
    task.assignee, task.seen_at = person, None
    task.save(update_fields=["assignee", "seen_at"])
    tell_arrived(turn.case, [task], turn.key)
    return _noted(turn, f"{task.name}：{word}{name_of(person)}", opinion=worded(note, needed=False), to=person.pk)


@transaction.atomic
def add_reviewer(*, uid: UUID | str, to: int, reason: str, user: User, scope: Scope, key: str, version: int) -> Case:
    """Ask another to review the same step (加签): the step is done when they have decided too."""
    turn = begin(uid, Act.ADD_REVIEWER, user=user, scope=scope, key=key, version=version)
    if turn.replayed:
        return turn.case
    task, case = turn.own_task(), turn.case
    person = next((each for each in reviewers_for(case, user) if each.pk == to), None)
    if person is None:
        raise BadInput("person_unfit", "这位同事不能加签这个办件，请从名单里选。")
    if case.tasks.filter(step=task.step, state=TaskState.OPEN, assignee=person).exists():
        raise Conflict("task_taken", f"{name_of(person)}已在办这个环节。")
    if task.assignee_id is None:
        task.assignee = user
        task.save(update_fields=["assignee"])
    added = Task.objects.create(
        case=case, matter=case.matter, step=task.step, name=task.name, level=task.level, mode=task.mode,
        pass_no=task.pass_no, duty=task.duty, region_id=task.region_id, organisation_id=task.organisation_id,
        assignee=person, added_by=user, opened_at=turn.now, remind=task.remind, due_at=task.due_at,
        next_at=task.next_at, lit=task.lit, notices=task.notices,
    )  # fmt: skip
    tell_arrived(case, [added], turn.key)
    return _noted(
        turn,
        f"{task.name}：加签{name_of(person)}",
        opinion=worded(reason, needed=True, what="加签的理由"),
        to=person.pk,
    )


def reviewers_for(case: Case, user: User) -> list[User]:
    """Return who may be asked for a review: staff whose region covers the case and who may see its matter."""
    probe = Task(duty=case.duty, region_id=case.region_id)
    return [each for each in people_for(probe) if each.pk != user.pk]


@transaction.atomic
def urge(*, uid: UUID | str, note: str, user: User, scope: Scope, key: str, version: int) -> Case:
    """Urge whoever has a case (催办), at most every four hours by one person."""
    turn = begin(uid, Act.URGE, user=user, scope=scope, key=key, version=version)
    if turn.replayed:
        return turn.case
    case = turn.case
    if case.events.filter(act=Act.URGE, actor=user, at__gt=turn.now - URGE_AGAIN).exists():
        raise Conflict("urged_lately", "您在四小时内已催办过，请给对方一点时间。")
    text = worded(note, needed=False)
    for task in turn.tasks:
        task.urged += 1
        task.save(update_fields=["urged"])
        tell_handlers(told.TASK_URGED, case, task, key, 附言=text or "请尽快办理")
    turn.task = None
    return _noted(turn, "催办", opinion=text, open_to_applicant=case.applicant_id == user.pk)


def _noted(turn: Turn, what: str, *, opinion: str = "", open_to_applicant: bool = False, **detail: int) -> Case:
    turn.note(what, opinion=opinion, open_to_applicant=open_to_applicant, **detail)
    turn.case.save(update_fields=["version"])
    return turn.case


@transaction.atomic
def see(*, case: Case, user: User) -> None:
    """Write down that somebody whose task a case has is looking at it: from now on the one before cannot take it back."""
    tasks = case.tasks.select_for_update().filter(state=TaskState.OPEN, seen_at=None)
    handler = handler_of(user)
    fresh = [task for task in tasks if handler.for_whom(task) is not None]
    if fresh:
        Task.objects.filter(pk__in=[task.pk for task in fresh]).update(seen_at=timezone.now())
        CaseEvent.objects.create(
            case=case, act=Act.SEE, actor=user, step=fresh[0].step, what=f"{fresh[0].name}：开始查看"
        )


@transaction.atomic
def watch(*, uid: UUID | str, on: bool, user: User, scope: Scope) -> Case:
    """Follow a case one may see, or stop."""
    case = Case.objects.filter(uid=uid).first()
    if case is None or not may_see(case, handler_of(user), scope, list(case.tasks.filter(state=TaskState.OPEN))):
        raise NotFound("case_unknown", "没有找到这个办件，或者它不在您的管辖范围内。")
    if on:
        Watch.objects.get_or_create(case=case, user=user)
    else:
        Watch.objects.filter(case=case, user=user).delete()
    return case


@transaction.atomic
def delegate(*, to: int, matter: str, from_day: dt.date, to_day: dt.date, user: User) -> Delegation:
    """Let a colleague do one's tasks (委托) from one day to another, of one matter or ('') of all.

    Raises ``BadInput`` for days that are past, backwards or longer than a year, and for somebody without a post like one's own.
    """
    if matter:
        matter_named(matter)
    if to_day < from_day or to_day < timezone.localdate() or to_day - from_day > LONGEST_DELEGATION:
        raise BadInput("days_odd", "委托的日期要从今天以后开始，先后顺序不能颠倒，最长一年。")
    taker = next((each for each in colleagues_of(user) if each.pk == to), None)
    if taker is None:
        raise BadInput("person_unfit", "只能委托给同一辖区或机构里的同事，请从名单里选。")
    return Delegation.objects.create(giver=user, taker=taker, matter=matter, from_day=from_day, to_day=to_day)


@transaction.atomic
def end_delegation(*, delegation_id: int, user: User) -> Delegation:
    """End one of one's own delegations at once. Raises ``NotFound``."""
    row = Delegation.objects.select_for_update().filter(pk=delegation_id, giver=user).first()
    if row is None:
        raise NotFound("delegation_unknown", "没有找到这条委托。")
    if row.ended_at is None:
        row.ended_at = timezone.now()
        row.save(update_fields=["ended_at"])
    return row


def colleagues_of(user: User) -> list[User]:
    """Return who could stand in for somebody: accounts with one of their duties of cases over one of their regions."""
    found: dict[int, User] = {}
    for post in posts_of(user):
        for duty in sorted(each for each in post.duties if each.startswith("cases.") and each != "cases.view"):
            for region in sorted(post.regions)[:1] if post.regions else []:
                found |= {each.pk: each for each in people_for(Task(duty=duty, region_id=region))}
            if post.organisation:
                found |= {each.pk: each for each in people_for(Task(duty=duty, organisation_id=post.organisation))}
    found.pop(user.pk, None)
    return [found[pk] for pk in sorted(found)]


@transaction.atomic
def redistribute(*, from_user: int, user: User, scope: Scope) -> int:
    """Share out somebody's open tasks evenly among the others who could do them; return how many changed hands.

    For dispatchers of the cases' regions; tasks nobody else could do stay.
    """
    check_duty(scope, "cases.dispatch")
    handler, moved = handler_of(user), 0
    tasks = Task.objects.select_related("case").filter(
        assignee=from_user, state=TaskState.OPEN, mode="one", added_by=None
    )
    allowed = 0
    for row in tasks.exclude(level="applicant").order_by("pk"):
        case = Case.objects.select_for_update(of=("self",)).get(pk=row.case_id)
        task = Task.objects.get(pk=row.pk)
        if not dispatches(case, handler.posts):
            continue
        allowed += 1
        others = [each for each in people_for(task) if each.pk != from_user]
        if task.state != TaskState.OPEN or task.assignee_id != from_user or not others:
            continue
        turn = Turn(case, Act.ASSIGN, f"redistribute:{task.pk}:{case.version}", handler, timezone.now(), task=task)
        _give(turn, task, least_loaded(others)[0].pk, "改派给", "")
        moved += 1
    if tasks.exists() and not allowed:
        raise Forbidden("region_outside_scope", "这些任务不在您的辖区，不能重新分派。")
    return moved
