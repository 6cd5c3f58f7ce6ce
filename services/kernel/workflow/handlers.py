"""Who handles: the posts somebody holds today, whose deputy they are, who could do a task, and which part they have in a case."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from geo.regions.queries import current_city, within
from geo.scope import Scope
from services.access.models import Grant, User
from services.access.queries import grants_today, holding
from services.kernel.messages.choosing import chain_of
from services.kernel.workflow.choosing import regions_below
from services.kernel.workflow.models import Case, CaseEvent, Delegation, Task, TaskState
from services.kernel.workflow.pools import Closed, closed_to, pooled
from services.kernel.workflow.transitions import RUNNING, Act, Who

MOST_PEOPLE = 50
_TURNS = (Act.DECIDE, Act.RETURN, Act.SUPPLEMENT, Act.MOVE, Act.TAKE_BACK)
"""The acts after which a decision before them cannot be taken back any more."""


@dataclass(frozen=True, slots=True)
class Post:
    """A role over some regions, or over one organisation."""

    role: str
    duties: frozenset[str]
    regions: frozenset[int]
    organisation: int | None
    closed: Closed = ()
    """Where the pools of districts leave matters to others."""

    def fits(self, task: Task) -> bool:
        """Say whether a task in a pool is one for this post."""
        over = task.organisation_id == self.organisation if task.organisation_id else task.region_id in self.regions
        elsewhere = any(task.region_id in regions and task.matter in keys for regions, keys in self.closed)
        return over and not elsewhere and task.duty in self.duties and task.post in ("", self.role)


@dataclass(frozen=True, slots=True)
class Behalf:
    """Somebody whose tasks one may do, of one matter or ('') of all."""

    giver: User
    matter: str
    posts: tuple[Post, ...]


@dataclass(frozen=True, slots=True)
class Handler:
    """Somebody who handles cases: their posts today, and whose deputy they are."""

    user: User
    posts: tuple[Post, ...]
    behalves: tuple[Behalf, ...] = field(default=())

    def for_whom(self, task: Task) -> User | None:
        """Return in whose name they may do a task: their own, or that of who delegated to them; ``None`` when they may not."""
        if _may(self.user, self.posts, task):
            return self.user
        for each in self.behalves:
            if each.matter in ("", task.matter) and _may(each.giver, each.posts, task):
                return each.giver
        return None


def _may(user: User, posts: Iterable[Post], task: Task) -> bool:
    if task.assignee_id is not None:
        return task.assignee_id == user.pk
    return any(post.fits(task) for post in posts)


def handler_of(user: User) -> Handler:
    """Return what an account handles today."""
    today = timezone.localdate()
    rows = Delegation.objects.filter(
        taker=user, from_day__lte=today, to_day__gte=today, ended_at=None, giver__is_active=True
    ).select_related("giver")
    return Handler(
        user, posts_of(user), tuple(Behalf(row.giver, row.matter, posts_of(row.giver)) for row in rows.order_by("pk"))
    )


def posts_of(user: User) -> tuple[Post, ...]:
    """Return the posts that an account holds today."""
    posts = []
    closed = closed_to(user)
    for grant in grants_today(user):
        duties = frozenset(grant.role.duties)
        if grant.organisation_id:
            posts.append(Post(grant.role_id, duties, frozenset(), grant.organisation_id))
        elif grant.region_id:
            posts.append(Post(grant.role_id, duties, regions_below(grant.region_id), None, closed))
    return tuple(posts)


def pool_for(posts: Iterable[Post], matter: str = "") -> Q:
    """Return the condition that a task waits in a pool for somebody with these posts."""
    wanted = Q(pk__in=[])
    for post in posts:
        if not post.duties:
            continue
        over = Q(organisation=post.organisation) if post.organisation else Q(region__in=post.regions)
        for regions, keys in post.closed:
            if regions & post.regions:
                over &= ~Q(region__in=regions & post.regions, matter__in=keys)
        wanted |= over & Q(duty__in=post.duties, post__in=["", post.role])
    return Q(assignee=None) & wanted & (Q(matter=matter) if matter else Q())


def people_for(task: Task, *, most: int = MOST_PEOPLE) -> list[User]:
    """Return the accounts that could do a task that waits in a pool, in the order they were made: its pool's, if any."""
    if task.organisation_id:
        over = Q(organisation=task.organisation_id)
    elif task.region_id:
        over = Q(region__in=chain_of(task.region_id))
    else:
        return []
    grants = Grant.objects.filter(over, holding(timezone.localdate()), role__duties__contains=[task.duty])
    if task.post:
        grants = grants.filter(role=task.post)
    return pooled(task, User.objects.filter(is_active=True, pk__in=grants.values("user")).order_by("pk")[:most])


def dispatches(case: Case, posts: Iterable[Post], duty: str = "cases.dispatch") -> bool:
    """Say whether somebody with these posts dispatches the cases of a region (or holds another duty there)."""
    above = set(chain_of(case.region_id))
    return any(duty in post.duties and above & post.regions for post in posts)


def running_about(matter: str, subject: UUID) -> QuerySet[Case]:
    """Return the case that runs about a thing: one at most."""
    return Case.objects.filter(matter=matter, subject=subject, state__in=RUNNING)


def open_tasks(case: Case) -> list[Task]:
    """Return the tasks of a case that are not over, held ones too, in the order they came."""
    return list(case.tasks.filter(state__in=(TaskState.OPEN, TaskState.HELD)).select_related("assignee").order_by("pk"))


def task_for(case: Case, handler: Handler, tasks: Iterable[Task] | None = None) -> Task | None:
    """Return the task of a case that somebody may do: their own before one of a pool before one on behalf of another."""
    found = [task for task in (open_tasks(case) if tasks is None else tasks) if handler.for_whom(task) is not None]
    return min(
        found,
        key=lambda task: (task.assignee_id != handler.user.pk, handler.for_whom(task) != handler.user, task.pk),
        default=None,
    )


def parts_of(case: Case, handler: Handler, tasks: list[Task] | None = None, *, decider: bool = True) -> set[Who]:
    """Return which parts somebody has in a case; ``decider`` asks whether the last decision is theirs to take back."""
    tasks = open_tasks(case) if tasks is None else tasks
    parts = set()
    if case.applicant_id == handler.user.pk:
        parts.add(Who.APPLICANT)
    if task_for(case, handler, tasks) is not None:
        parts.add(Who.HANDLER)
    if dispatches(case, handler.posts):
        parts.add(Who.DISPATCHER)
    if case.source != "online" and case.opened_by == handler.user.username:
        parts.add(Who.REGISTRAR)
    if decider and last_decision(case, handler.user, tasks) is not None:
        parts.add(Who.DECIDER)
    return parts


def last_decision(case: Case, user: User, tasks: Iterable[Task]) -> Task | None:
    """Return the decided task that somebody may still take back: nothing followed it, and nobody opened what came of it."""
    last = case.events.filter(act__in=_TURNS).order_by("-pk").first()
    if last is None or last.act != Act.DECIDE or last.actor_id != user.pk:
        return None
    if any(task.seen_at is not None for task in tasks if task.opened_at >= last.at):
        return None
    return Task.objects.filter(pk=last.detail.get("task"), state=TaskState.DONE).first()


def undeletable(case: Case) -> str:
    """Return in Chinese why a case cannot be deleted, '' when it can."""
    if case.subject is not None:
        return "这个办件在它自己的页面上提交，不能删除。要收回，请在那里撤回。"
    if case.source == "online":
        return "申请人自己在网上提交的办件不能删除。不该办的请终止，并写明理由。"
    if case.passed or case.tasks.filter(decided_at__isnull=False).exists():
        return "已经有人办理过的办件不能删除。不该办的请终止，并写明理由。"
    return ""


def name_of(user: User | None) -> str:
    """Return what an account is called in a timeline."""
    return (user.display_name or user.username) if user else "系统"


def case_visible(user: User, scope: Scope) -> Q:
    """Return the condition that a case may be seen: by its region and duty, its organisation, its applicant or its tasks."""
    held = Q() if scope.holds("*") else Q(duty__in=scope.duties)
    over = within(scope) | Q(organisation__in=scope.organisations)
    if holds_everywhere(scope):
        over = ~Q(pk__in=[])  # an empty condition would be left out beside another one
    tasks = Task.objects.filter(assignee=user).values("case")
    acted = CaseEvent.objects.filter(actor=user).values("case")
    return Q(applicant=user) | (over & held) | Q(pk__in=tasks) | Q(pk__in=acted)


def holds_everywhere(scope: Scope) -> bool:
    """Say whether a scope covers the whole city."""
    return scope.covers_path(f"{current_city().code}.")
