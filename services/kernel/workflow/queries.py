"""Reads of cases: the inbox with its counts, one case with what the caller may do, lists of applicants, the dispatcher's pool."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import Count, Min, Q, QuerySet
from django.utils import timezone

from geo.errors import BadInput, NotFound
from geo.regions.queries import published_name, within
from geo.scope import Scope
from services.access.models import User
from services.access.queries import check_duty
from services.kernel.messages.choosing import chain_of
from services.kernel.workflow.choosing import calendar, city_zone, runnable_of, step_as_set
from services.kernel.workflow.clock import days_left
from services.kernel.workflow.handlers import (
    Handler,
    case_visible,
    handler_of,
    open_tasks,
    parts_of,
    people_for,
    pool_for,
    task_for,
    undeletable,
)
from services.kernel.workflow.models import Case, CaseEvent, Delegation, FlowVersion, Task, TaskState
from services.kernel.workflow.spec import Step
from services.kernel.workflow.transitions import ENDED, TABLE, Act, State, Who, acts_for
from services.kernel.workflow.turning import step_named

BOXES: Final = {"waiting": "待办", "mine": "我经手的", "done": "已办", "watched": "关注", "deleted": "已删除"}
COUNTED: Final = 999
SORTS: Final = {"due": "期限", "new": "到达时间"}
LONG_WAITING: Final = dt.timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of the inbox: a box, a text, a matter, a card, whether only what is in the pool, and the order."""

    box: str = "waiting"
    text: str = ""
    matter: str = ""
    lit: str = ""
    pool: str = ""
    sort: str = "due"


def waiting_tasks(handler: Handler) -> Q:
    """Return the condition of the open tasks that somebody may do now: their own, their pools', and those of who delegated."""
    wanted = Q(assignee=handler.user) | pool_for(handler.posts)
    for each in handler.behalves:
        theirs = Q(assignee=each.giver) & (Q(matter=each.matter) if each.matter else Q())
        wanted |= theirs | pool_for(each.posts, each.matter)
    return wanted


def inbox(asked: Asked, handler: Handler) -> QuerySet[Task]:
    """Return the tasks of the box "waiting", narrowed, in order, with their cases. Raises ``BadInput`` for an odd order."""
    if asked.sort not in SORTS:
        raise BadInput("sort_unknown", "没有这种排序，请点列表上方的排序。")
    rows = Task.objects.filter(waiting_tasks(handler), state=TaskState.OPEN)
    if asked.pool:
        rows = rows.filter(assignee=None) if asked.pool == "pool" else rows.filter(assignee=handler.user)
    if asked.matter:
        rows = rows.filter(matter=asked.matter)
    if asked.lit:
        rows = rows.filter(lit=asked.lit)
    if asked.text:
        rows = rows.filter(_text(asked.text, "case__"))
    rows = rows.select_related("case", "assignee").annotate(place=published_name("case__region_id"))
    return rows.order_by("-opened_at", "-id") if asked.sort == "new" else rows


def cases_in(asked: Asked, user: User, scope: Scope) -> QuerySet[Case]:
    """Return the cases of the boxes mine, done and watched, narrowed, the newest first."""
    mine = CaseEvent.objects.filter(actor=user).exclude(act=Act.SEE)
    match asked.box:
        case "done":
            mine = mine.filter(act__in=(Act.DECIDE, Act.RETURN, Act.TERMINATE))
            rows = Case.objects.filter(pk__in=mine.values("case"))
        case "watched":
            rows = Case.objects.filter(case_visible(user, scope), watches__user=user)
        case "deleted":
            theirs = Q(opened_by=user.username)
            if scope.holds("cases.dispatch"):
                theirs |= within(scope)
            rows = Case.objects.filter(theirs, state=State.DELETED)
        case _:
            rows = Case.objects.filter(pk__in=mine.values("case"), closed_at=None)
    if asked.box != "deleted":
        rows = rows.exclude(state=State.DELETED)
    if asked.matter:
        rows = rows.filter(matter=asked.matter)
    if asked.lit:
        rows = rows.filter(lit=asked.lit)
    if asked.text:
        rows = rows.filter(_text(asked.text))
    return rows.annotate(place=published_name())


def _text(text: str, before: str = "") -> Q:
    return Q(**{f"{before}number__icontains": text}) | Q(**{f"{before}title__icontains": text})


def counts(handler: Handler, scope: Scope) -> dict[str, int]:
    """Return how many there are in each box, counting no further than 999."""
    found = {"waiting": Task.objects.filter(waiting_tasks(handler), state=TaskState.OPEN).order_by()[:COUNTED].count()}
    for box in ("mine", "done", "watched", "deleted"):
        found[box] = cases_in(Asked(box=box), handler.user, scope).order_by()[:COUNTED].count()
    return found


def tasks_waiting(scope: Scope) -> int:
    """Return how many open tasks wait for the account behind a scope, counting no further than 99."""
    user = User.objects.filter(username=scope.actor, is_active=True).first()
    if user is None:
        return 0
    return Task.objects.filter(waiting_tasks(handler_of(user)), state=TaskState.OPEN).order_by()[:99].count()


@dataclass(frozen=True)
class CaseView:
    """A case as one caller meets it: their parts, their task, what they may do, and all that was said."""

    case: Case
    parts: frozenset[Who]
    task: Task | None
    tasks: Sequence[Task]
    events: Sequence[CaseEvent]
    acts: frozenset[Act]
    step: Step | None
    staff: bool
    place: str


def case_seen(uid: UUID | str, *, user: User, scope: Scope, as_applicant: bool = False) -> CaseView:
    """Return a case to who may see it. Raises ``NotFound`` in the same words whether there is none or none for the caller.

    ``as_applicant`` shows the applicant's own case with the open lines of its timeline only.
    """
    missing = NotFound("case_unknown", "没有找到这个办件，或者它不在您的管辖范围内。")
    rows = Case.objects.select_related("applicant", "organisation", "facility", "flow").annotate(place=published_name())
    case = rows.filter(uid=uid).first()
    if case is None:
        raise missing
    handler, tasks = handler_of(user), open_tasks(case)
    parts = parts_of(case, handler, tasks)
    if case.state == State.DELETED and (as_applicant or not parts & {Who.REGISTRAR, Who.DISPATCHER}):
        raise missing
    if as_applicant:
        if Who.APPLICANT not in parts:
            raise missing
        parts &= {Who.APPLICANT, Who.HANDLER} if any(task.assignee_id == user.pk for task in tasks) else {Who.APPLICANT}
    elif not parts & {Who.HANDLER} and not Case.objects.filter(case_visible(user, scope), pk=case.pk).exists():
        raise missing
    elif parts == {Who.APPLICANT} and not scope.holds(case.duty):
        raise missing  # the applicant has a page of their own
    events = case.events.select_related("actor", "behalf_of")
    task = task_for(case, handler, tasks)
    return CaseView(
        case=case,
        parts=frozenset(parts),
        task=task,
        tasks=tasks,
        events=list(events.filter(open_to_applicant=True) if as_applicant else events),
        acts=_acts(case, parts, task, tasks),
        step=step_of(case, task) if task else None,
        staff=not as_applicant,
        place=case.place or "",
    )


def step_of(case: Case, task: Task) -> Step:
    """Return the step of a task as its region set it."""
    return step_as_set(case.matter, step_named(runnable_of(case.flow), task.step), chain_of(case.region_id))[0]


def _acts(case: Case, parts: set[Who], task: Task | None, tasks: Sequence[Task]) -> frozenset[Act]:
    """Return what the table allows, less what there is no occasion for."""
    acts = set(acts_for(State(case.state), parts))
    if task is None or task.assignee_id is not None:
        acts.discard(Act.CLAIM)
    if task is None or task.assignee_id is None or task.mode != "one" or task.added_by_id or task.level == "applicant":
        acts.discard(Act.RELEASE)
    if task is None or task.level == "applicant":
        acts -= {Act.TRANSFER, Act.ADD_REVIEWER, Act.ASK_SUPPLEMENT}
    if case.subject is not None:
        acts.discard(Act.ASK_SUPPLEMENT)  # it is mended on its own page, and handed in again
    if not case.passed:
        acts.discard(Act.RETURN)
    if Who.HANDLER in parts and task is None:
        acts = {act for act in acts if TABLE[(State(case.state), act)] & (parts - {Who.HANDLER})}
    if case.state == State.OPEN and (case.passed or any(each.seen_at for each in tasks)):
        acts.discard(Act.WITHDRAW)
    if not any(each.due_at for each in tasks):
        acts.discard(Act.EXTEND)
    if undeletable(case):
        acts.discard(Act.DELETE)
    return frozenset(acts)


def left_words(due_at: dt.datetime | None, *, stopped: bool = False, now: dt.datetime | None = None) -> str:
    """Return how long a task has left, in working days: 还有 3 个工作日, 今天到期, 超期 2 个工作日."""
    if stopped:
        return "计时已停"
    if due_at is None:
        return "不限时"
    days = days_left(due_at, now or timezone.now(), calendar(), city_zone())
    if days == 0:
        return "今天到期"
    return f"还有 {days} 个工作日" if days > 0 else f"超期 {-days} 个工作日"


def cases_of_applicant(user: User) -> QuerySet[Case]:
    """Return the cases that an account applied for, the newest first."""
    return Case.objects.filter(applicant=user).exclude(state=State.DELETED).annotate(place=published_name())


def delegations_of(user: User) -> QuerySet[Delegation]:
    """Return the delegations an account gave or was given that are not over."""
    today = timezone.localdate()
    rows = Delegation.objects.filter(Q(giver=user) | Q(taker=user), to_day__gte=today, ended_at=None)
    return rows.select_related("giver", "taker")


# The dispatcher's pool


@dataclass(frozen=True, slots=True)
class Load:
    """What one person of a pool has: open tasks, how many of them lit red or yellow, how many done in 30 days."""

    user: User
    open: int
    red: int
    yellow: int
    done: int


def region_tasks(*, scope: Scope) -> QuerySet[Task]:
    """Return the open tasks of the cases in a dispatcher's regions. Needs ``cases.dispatch``."""
    check_duty(scope, "cases.dispatch")
    rows = Task.objects.filter(within(scope, "case__region"), state=TaskState.OPEN).exclude(level="applicant")
    return rows.select_related("case", "assignee").annotate(place=published_name("case__region_id"))


POOL_VIEWS: Final = {"unassigned": "未分派", "long": "长时间未办", "urged": "被催办", "late": "红黄牌", "all": "全部"}


def pool_view(view: str, *, scope: Scope) -> QuerySet[Task]:
    """Return the tasks of one view of the pool, the most pressing first."""
    rows = region_tasks(scope=scope)
    match view:
        case "unassigned":
            return rows.filter(assignee=None)
        case "long":
            return rows.filter(opened_at__lt=timezone.now() - LONG_WAITING)
        case "urged":
            return rows.filter(urged__gt=0)
        case "late":
            return rows.exclude(lit="")
        case _:
            return rows


def loads(*, scope: Scope) -> list[Load]:
    """Return the people of a dispatcher's pool with what they have, the busiest first. Needs ``cases.dispatch``."""
    tasks = region_tasks(scope=scope).order_by()
    kinds = tasks.values_list("duty", "region", "organisation", "post").distinct()
    people: dict[int, User] = {}
    for duty, region, organisation, post in kinds[:200]:
        probe = Task(duty=duty, region_id=region, organisation_id=organisation, post=post)
        people |= {each.pk: each for each in people_for(probe)}
    people |= {user.pk: user for user in User.objects.filter(pk__in=tasks.exclude(assignee=None).values("assignee"))}
    held = {
        row["assignee"]: row
        for row in tasks.exclude(assignee=None)
        .values("assignee")
        .annotate(open=Count("pk"), red=Count("pk", filter=Q(lit="red")), yellow=Count("pk", filter=Q(lit="yellow")))
    }
    since = timezone.now() - dt.timedelta(days=30)
    done = dict(
        Task.objects.filter(decided_by__in=people, state=TaskState.DONE, decided_at__gte=since)
        .order_by()
        .values_list("decided_by")
        .annotate(Count("pk"))
    )
    none = {"open": 0, "red": 0, "yellow": 0}
    found = [
        Load(user, row["open"], row["red"], row["yellow"], done.get(pk, 0))
        for pk, user in people.items()
        for row in [held.get(pk, none)]
    ]
    return sorted(found, key=lambda load: (-load.open, load.user.pk))


DISPATCH_ACTS: Final = (Act.CLAIM, Act.RELEASE, Act.ASSIGN, Act.TRANSFER, Act.ADD_REVIEWER, Act.URGE)


def dispatch_log(*, scope: Scope, text: str = "", act: str = "") -> QuerySet[CaseEvent]:
    """Return who gave which task to whom in a dispatcher's regions, the newest first. Needs ``cases.dispatch``."""
    check_duty(scope, "cases.dispatch")
    rows = CaseEvent.objects.filter(within(scope, "case__region"), act__in=DISPATCH_ACTS)
    if act in DISPATCH_ACTS:
        rows = rows.filter(act=act)
    if text:
        rows = rows.filter(Q(case__number__icontains=text) | Q(case__title__icontains=text) | Q(what__icontains=text))
    return rows.select_related("case", "actor").order_by("-id")


def oldest_waiting(*, scope: Scope) -> dt.datetime | None:
    """Return when the oldest task came that nobody has, in a dispatcher's regions."""
    oldest: dt.datetime | None = region_tasks(scope=scope).filter(assignee=None).aggregate(at=Min("opened_at"))["at"]
    return oldest


def versions_of(matter: str, region_id: int) -> QuerySet[FlowVersion]:
    """Return the versions of a matter's flow that a region made, the newest first, with how many running cases each has."""
    rows = FlowVersion.objects.filter(matter=matter, region=region_id)
    return rows.annotate(running=Count("cases", filter=Q(cases__closed_at=None)))


def is_over(case: Case) -> bool:
    """Say whether a case is over."""
    return case.state in ENDED
