"""One turn of a case: locked, checked against what was seen, judged by the table, written down once.

Then its tasks are brought in line with where its flow stands.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property, wraps
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from geo.errors import BadInput, Conflict, NotFound
from geo.regions.queries import one_edition
from geo.scope import Scope
from services.access.models import User
from services.kernel.messages.choosing import chain_of
from services.kernel.workflow import message_events as told
from services.kernel.workflow.choosing import (
    as_set,
    calendar,
    city_zone,
    region_at,
    runnable_of,
    settings_of,
)
from services.kernel.workflow.clock import deadline, due_after, end_of_today, shifted
from services.kernel.workflow.dispatch import handlers_for
from services.kernel.workflow.engine import Decision, Runnable, Standing, stand
from services.kernel.workflow.feedback import queue_feedback, queue_result
from services.kernel.workflow.handlers import (
    Handler,
    case_visible,
    handler_of,
    open_tasks,
    parts_of,
    task_for,
)
from services.kernel.workflow.models import Case, CaseEvent, StepSetting, Task, TaskState
from services.kernel.workflow.signals import case_ended
from services.kernel.workflow.spec import REPORT, Step
from services.kernel.workflow.telling import tell_applicant, tell_arrived
from services.kernel.workflow.transitions import STATES, Act, State, check_act

LONGEST_OPINION = 2_000
LONGEST_KEY = 80
Given = ParamSpec("Given")
Found = TypeVar("Found")


def act(function: Callable[Given, Found]) -> Callable[Given, Found]:
    """Let a function be one act: one transaction, in which the published edition of regions is asked for once."""

    @wraps(function)
    def done(*args: Given.args, **kwargs: Given.kwargs) -> Found:
        with transaction.atomic(), one_edition():
            return function(*args, **kwargs)

    return done


@dataclass
class Turn:
    """One act on a case that is locked until the transaction ends; ``replayed`` says that it was done before under its key."""

    case: Case
    act: Act
    key: str
    handler: Handler
    now: dt.datetime
    replayed: bool = False
    scope: Scope = field(default_factory=Scope.public)
    tasks: list[Task] = field(default_factory=list)
    task: Task | None = None

    @property
    def user(self) -> User:
        """Return who acts."""
        return self.handler.user

    @property
    def giver(self) -> User | None:
        """Return in whose name they act, where it is another's."""
        giver = self.handler.for_whom(self.task) if self.task else None
        return giver if giver != self.user else None

    @cached_property
    def settings(self) -> list[StepSetting]:
        """What the regions of the case set of its matter's steps, read once."""
        return settings_of(self.case.matter, self.chain)

    @cached_property
    def chain(self) -> list[int]:
        """The region of the case and those above it, the nearest first."""
        return chain_of(self.case.region_id)

    def as_set(self, step: Step) -> tuple[Step, str]:
        """Return a step as its region set it, and the post."""
        return as_set(step, self.settings, self.chain)

    def own_task(self) -> Task:
        """Return the task by which they act. Raises ``Conflict`` where there is none any more."""
        if self.task is None:
            raise Conflict("task_gone", "这个环节已由别人办理或已取消，请刷新页面。")
        return self.task

    def note(self, what: str, *, opinion: str = "", open_to_applicant: bool = False, **detail: Any) -> CaseEvent:
        """Write the line of the timeline, once, and count the act."""
        self.case.version += 1
        step = self.task.step if self.task else ""
        event = CaseEvent.objects.create(
            case=self.case, act=self.act, actor=self.user, behalf_of=self.giver, step=step, what=what[:200],
            opinion=opinion, detail=detail, open_to_applicant=open_to_applicant, key=self.key, at=self.now,
        )  # fmt: skip
        if open_to_applicant:
            queue_feedback(event)
        return event


def begin(
    uid: UUID | str, act: Act, *, user: User, scope: Scope, key: str, version: int, task_id: int | None = None
) -> Turn:
    """Lock a case for an act and check that it may be done. Call it in a transaction.

    Raises ``NotFound`` for a case the caller may not see, ``Conflict`` where it changed since it was seen, or where the act is
    not one for its state, ``Forbidden`` where it is one for others, ``BadInput`` without a key.
    """
    checked_key(key)
    case = Case.objects.select_for_update(of=("self",)).select_related("applicant", "flow").filter(uid=uid).first()
    handler = handler_of(user)
    tasks = open_tasks(case) if case else []
    if case is None or not may_see(case, handler, scope, tasks):
        raise NotFound("case_unknown", "没有找到这个办件，或者它不在您的管辖范围内。")
    turn = Turn(case, act, key, handler, timezone.now(), scope=scope, tasks=tasks)
    if was_done(key, act, user, case):
        turn.replayed = True
        return turn
    if case.version != version:
        raise Conflict("case_changed", "这个办件刚被别人办理过，请刷新页面，看过最新情况再办。", version=case.version)
    mine = [task for task in tasks if task_id is None or task.pk == task_id]
    check_act(State(case.state), act, parts_of(case, handler, tasks, decider=act == Act.TAKE_BACK))
    turn.task = task_for(case, handler, mine)
    return turn


def checked_key(key: str) -> None:
    """Raise ``BadInput`` for a key that names no act."""
    if not key.strip() or len(key) > LONGEST_KEY:
        raise BadInput("key_missing", "页面已过期，请刷新后再办一次。")


def was_done(key: str, act: Act, user: User, case: Case | None = None) -> bool:
    """Say whether an act was done under its key. Raises ``Conflict`` for a key that named another act."""
    before = CaseEvent.objects.filter(key=key).first()
    if before is None:
        return False
    if before.act != act or before.actor_id != user.pk or (case is not None and before.case_id != case.pk):
        raise Conflict("key_reused", "页面已过期，请刷新后再办一次。")
    return True


def may_see(case: Case, handler: Handler, scope: Scope, tasks: Sequence[Task]) -> bool:
    """Say whether somebody may see a case."""
    if case.applicant_id == handler.user.pk or task_for(case, handler, tasks) is not None:
        return True
    return Case.objects.filter(case_visible(handler.user, scope), pk=case.pk).exists()


def worded(opinion: str, *, needed: bool, what: str = "意见") -> str:
    """Return an opinion as it is kept. Raises ``BadInput`` where one is needed and missing, or too long."""
    text = opinion.replace("\x00", "").strip()
    if needed and not text:
        raise BadInput("opinion_missing", f"请写下{what}。")
    if len(text) > LONGEST_OPINION:
        raise BadInput("opinion_too_long", f"{what}最多 {LONGEST_OPINION} 个字，现在是 {len(text)} 个。")
    return text


def decisions_of(case: Case) -> list[Decision]:
    """Return what people decided so far."""
    return [Decision(each["step"], each["outcome"], each["facts"]) for each in case.passed]


def decision(case: Case, step: str, outcome: str) -> Decision:
    """Return a decision with the facts that the conditions of its flow read."""
    reads = runnable_of(case.flow).reads
    return Decision(step, outcome, {key: case.facts.get(key) for key in reads})


def standing_of(case: Case, decisions: Sequence[Decision]) -> Standing:
    """Return where a case stands with these decisions."""
    return stand(runnable_of(case.flow), decisions, case.begun)


def advance(turn: Turn, decisions: Sequence[Decision], *, again: dict[str, User] | None = None) -> list[Task]:
    """Bring a case and its tasks in line with what was decided, and return the tasks that came of it.

    ``again`` names who did a step before, where it is opened for them once more. The case is saved.
    """
    case = turn.case
    standing = standing_of(case, decisions)
    kept = [each for each, took in zip(decisions, standing.kept, strict=True) if took]
    case.passed = [each.written() for each in kept]
    flow = runnable_of(case.flow)
    waiting = (REPORT.key,) if goes_up(case, flow, standing, kept) else standing.waiting
    current = open_tasks(case)
    gone = [task for task in current if task.step not in waiting]
    if gone:
        Task.objects.filter(pk__in=[task.pk for task in gone]).update(state=TaskState.DROPPED, next_at=None)
    there = {task.step for task in current}
    made = [
        task
        for step in waiting
        if step not in there
        for task in open_step(turn, flow, step, who=(again or {}).get(step))
    ]
    if waiting:
        case.step_names = "、".join(step_named(flow, step).name for step in waiting)[:200]
        settle_light(case)
        case.save()
    else:
        end_case(turn, State(standing.result))
    tell_arrived(case, made, turn.key)
    return made


def goes_up(case: Case, flow: Runnable, standing: Standing, kept: Sequence[Decision]) -> bool:
    """Say whether the result of a 上报件 is still to be decided by the city: nobody there was the last to decide."""
    if case.route != "report" or not standing.result or not kept:
        return False
    return flow.step(kept[-1].step).level != "city"


def step_named(flow: Runnable, key: str) -> Step:
    """Return a step of a flow, or the one a 上报件 is decided in at the end. Raises ``KeyError``."""
    return REPORT if key == REPORT.key else flow.step(key)


def open_step(turn: Turn, flow: Runnable, key: str, *, who: User | None = None) -> list[Task]:
    """Open a step of a case: one task, or one for each who shares in it; it takes its deadline from now."""
    case = turn.case
    step, post = turn.as_set(step_named(flow, key))
    last = case.tasks.filter(step=key).aggregate(last=Max("pass_no"))["last"] or 0
    task = task_of(case, step, post, turn.now, last + 1)
    if who is None and case.route == "instant" and turn.act == Act.OPEN and case.source != "online":
        who = turn.user if turn.handler.for_whom(task) == turn.user else None  # done on the spot by who took it in
    people: list[User | None] = [who] if who and step.mode == "one" else list(handlers_for(task, step, case))
    made = []
    for person in people or [None]:
        made.append(copy(task))
        made[-1].assignee = person
        made[-1].save(force_insert=True)
    return made


def task_of(case: Case, step: Step, post: str, now: dt.datetime, pass_no: int) -> Task:
    """Return an unsaved task of a step, for nobody in particular."""
    days, zone = calendar(), city_zone()
    due = due_after(now, step.days, days, zone)
    if case.route == "instant":
        due = end_of_today(now, days, zone)
    if case.promised_at is not None:
        due = min(due or case.promised_at, case.promised_at)
    limit = deadline(due, step.remind, now, days, zone)
    task = Task(
        case=case, matter=case.matter, step=step.key, name=step.name, level=step.level, mode=step.mode, duty=step.duty,
        post=post, pass_no=pass_no, opened_at=now, remind=step.remind, due_at=limit.due_at, next_at=limit.next_at,
        lit=limit.lit, notices=list(step.notices),
    )  # fmt: skip
    if step.level == "organisation":
        task.organisation = case.organisation
    elif step.level != "applicant":
        task.region_id = region_at(case.region_id, step.level)
    return task


def end_case(turn: Turn, state: State, *, why: str = "") -> None:
    """Close a case: its tasks end, its lights go out, and who applied is told. The case is saved."""
    case = turn.case
    case.tasks.filter(state__in=(TaskState.OPEN, TaskState.HELD)).update(state=TaskState.DROPPED, next_at=None)
    case.state, case.closed_at, case.step_names, case.lit = state, turn.now, "", ""
    case.stopped_on = None
    case.save()
    queue_result(case, why)
    case_ended.send(sender=Case, case=case, scope=turn.scope)
    if state != State.WITHDRAWN:
        tell_applicant(told.CASE_ENDED, case, f"{turn.key}:end", 结果=STATES[state], 说明=why)


def settle_light(case: Case) -> None:
    """Let a case show the worst card of its open tasks; it is not saved."""
    lit = set(case.tasks.filter(state__in=(TaskState.OPEN, TaskState.HELD)).values_list("lit", flat=True))
    case.lit = "red" if "red" in lit else "yellow" if "yellow" in lit else ""


def stop_clock(turn: Turn, state: State) -> None:
    """Stop the clock of a case and hold its tasks. The case is saved."""
    case = turn.case
    case.state, case.stopped_on = state, turn.now.astimezone(city_zone()).date()
    case.tasks.filter(state=TaskState.OPEN).update(state=TaskState.HELD, next_at=None)
    case.save()


def start_clock(turn: Turn) -> None:
    """Let the clock of a case go on: each task is put off by the working days that passed while it stood. The case is saved."""
    case, days, zone = turn.case, calendar(), city_zone()
    today = turn.now.astimezone(zone).date()
    lost = days.between(case.stopped_on, today) if case.stopped_on and case.stopped_on < today else 0
    for task in case.tasks.filter(state=TaskState.HELD):
        limit = deadline(shifted(task.due_at, lost, days, zone), task.remind, turn.now, days, zone)
        task.state, task.due_at, task.next_at, task.lit = TaskState.OPEN, limit.due_at, limit.next_at, limit.lit
        task.save(update_fields=["state", "due_at", "next_at", "lit"])
    case.promised_at = shifted(case.promised_at, lost, days, zone)
    case.state, case.stopped_on = State.OPEN, None
    settle_light(case)
    case.save()


def light_anew(task: Task, turn: Turn) -> None:
    """Let a task's cards follow its deadline, and keep both."""
    limit = deadline(task.due_at, task.remind, turn.now, calendar(), city_zone())
    task.next_at, task.lit = limit.next_at, limit.lit
    task.save(update_fields=["due_at", "next_at", "lit"])
