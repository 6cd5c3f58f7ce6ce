"""The inbox of cases on the desk: what waits, what one handled, what is watched; many at once; and the dispatcher's pool."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final
from uuid import uuid4

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from geo.errors import BadInput, CityError, NotFound
from geo.scope import Scope
from services.access.models import User
from services.access.queries import check_duty, scope_for
from services.kernel.workflow import actions, dispatching
from services.kernel.workflow.choosing import runnable_of
from services.kernel.workflow.handlers import Handler, handler_of, name_of, people_for
from services.kernel.workflow.models import Case, Task, TaskState
from services.kernel.workflow.queries import (
    BOXES,
    DISPATCH_ACTS,
    POOL_VIEWS,
    SORTS,
    Asked,
    cases_in,
    counts,
    delegations_of,
    dispatch_log,
    inbox,
    left_words,
    loads,
    oldest_waiting,
    pool_view,
)
from services.kernel.workflow.registry import matters
from services.kernel.workflow.transitions import ACTS, State
from web.api.errors import status_of
from web.doors.cases.pages import LOOKS
from web.doors.common.callers import user_of
from web.doors.common.typed import typed

ON_A_PAGE: Final = 50
MOST_AT_ONCE: Final = 50
MOST_PAGED: Final = 1_000
BULK: Final = {"claim": "签收", "approve": "通过", "urge": "催办", "assign": "派单"}


class _Pages(Paginator):  # type: ignore[type-arg]
    """Pages of a list that may be long: counted no further than a thousand rows, which is as far as anybody turns pages."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[:MOST_PAGED].count())


@never_cache
@login_required
@require_safe
def inbox_page(request: HttpRequest) -> HttpResponse:
    """List the caller's tasks or cases of one box."""
    scope, user = scope_for(request), user_of(request)
    handler = handler_of(user)
    box = typed(request, "box", "waiting")
    asked = Asked(
        box=box if box in BOXES else "waiting",
        text=typed(request, "q").strip()[:60],
        matter=typed(request, "matter")[:60],
        lit=typed(request, "lit") if typed(request, "lit") in ("yellow", "red") else "",
        pool=typed(request, "pool") if typed(request, "pool") in ("pool", "own") else "",
        sort=typed(request, "sort", "due") if typed(request, "sort", "due") in SORTS else "due",
    )
    page = _page(request, asked, handler, scope)
    counted = counts(handler, scope)
    context = {
        "asked": asked,
        "boxes": [(key, name, counted[key]) for key, name in BOXES.items()],
        "page": page,
        "rows": [_task_row(row) if isinstance(row, Task) else _case_row(row) for row in page],
        "narrowed": bool(asked.text or asked.matter or asked.lit or asked.pool),
        "matters": list(matters().values()),
        "sorts": SORTS.items(),
        "key": uuid4(),
        "windows": [spec for spec in matters().values() if spec.opens and not spec.page and scope.holds(spec.opens)],
        "dispatches": scope.holds("cases.dispatch"),
    }
    return render(request, "desk/cases.html", context)


def _page(request: HttpRequest, asked: Asked, handler: Handler, scope: Scope) -> Any:
    rows: Any = inbox(asked, handler) if asked.box == "waiting" else cases_in(asked, handler.user, scope)
    return _Pages(rows, ON_A_PAGE).get_page(typed(request, "page"))


def _task_row(task: Task) -> dict[str, Any]:
    stopped = task.state == TaskState.HELD
    return {
        "case": task.case, "task": task, "pick": task.pk, "place": getattr(task, "place", ""), "step": task.name,
        "who": name_of(task.assignee) if task.assignee else "待签收", "lit": task.lit,
        "left": left_words(task.due_at, stopped=stopped), "at": task.opened_at, "look": LOOKS[State(task.case.state)],
        "matter": _title(task.matter),
    }  # fmt: skip


def _case_row(case: Case) -> dict[str, Any]:
    return {
        "case": case, "task": None, "pick": 0, "place": getattr(case, "place", ""), "step": case.step_names, "who": "",
        "lit": case.lit, "left": "", "at": case.opened_at, "look": LOOKS[State(case.state)], "matter": _title(case.matter),
    }  # fmt: skip


def _title(matter: str) -> str:
    spec = matters().get(matter)
    return spec.title if spec else matter


@login_required
@require_POST
def bulk(request: HttpRequest) -> HttpResponse:
    """Do one act on all ticked tasks; each is judged by itself, and what is refused is told with its reason."""
    act, back = typed(request, "act"), _back(request)
    ids = [int(each) for each in request.POST.getlist("id") if each.isascii() and each.isdigit() and len(each) < 19]
    if act not in BULK or not ids or len(ids) > MOST_AT_ONCE:
        said.error(request, f"请先选中要办的任务（一次最多 {MOST_AT_ONCE} 个），再选怎么办。")
        return redirect(back)
    key = typed(request, "key")[:40]
    done, refused = 0, []
    tasks = Task.objects.filter(pk__in=ids, state=TaskState.OPEN).select_related("case")
    for task in tasks.order_by("pk"):
        try:
            _do(request, act, task, f"{key}:{task.pk}")
            done += 1
        except NotFound as fault:
            refused.append(fault.message)
        except CityError as fault:
            refused.append(f"{task.case.number}：{fault.message}")
    gone = len(set(ids)) - done - len(refused)
    if done:
        said.success(request, f"已{BULK[act]} {done} 个任务。")
    if gone:
        said.warning(request, f"{gone} 个任务已由别人办理或已取消。")
    for message in refused[:5]:
        said.error(request, message)
    return redirect(back)


def _do(request: HttpRequest, act: str, task: Task, key: str) -> None:
    at: dict[str, Any] = {
        "uid": task.case.uid, "user": user_of(request), "scope": scope_for(request), "key": key, "version": task.case.version,
    }  # fmt: skip
    match act:
        case "claim":
            dispatching.claim(task_id=task.pk, **at)
        case "approve":
            step = runnable_of(task.case.flow).step(task.step)
            actions.decide(outcome=step.outcomes[0].key, opinion=typed(request, "opinion"), task_id=task.pk, **at)
        case "urge":
            dispatching.urge(note=typed(request, "opinion"), **at)
        case _:
            dispatching.assign(to=int(typed(request, "to", "0") or 0), task_id=task.pk, **at)


def _back(request: HttpRequest) -> str:
    page = reverse("desk-cases-pool") if typed(request, "from") == "pool" else reverse("desk-cases")
    query = typed(request, "query")[:500]
    return f"{page}?{query}" if query else page


@never_cache
@login_required
@require_safe
def pool_page(request: HttpRequest) -> HttpResponse:
    """Show a dispatcher the tasks and the people of their regions."""
    scope = scope_for(request)
    check_duty(scope, "cases.dispatch")
    view = typed(request, "view", "unassigned")
    view = view if view in POOL_VIEWS else "unassigned"
    page = _Pages(pool_view(view, scope=scope), ON_A_PAGE).get_page(typed(request, "page"))
    context = {
        "view": view,
        "views": [
            (key, name, pool_view(key, scope=scope).order_by()[:999].count()) for key, name in POOL_VIEWS.items()
        ],
        "page": page,
        "rows": [_task_row(task) for task in page],
        "loads": loads(scope=scope),
        "people": _people(page),
        "oldest": oldest_waiting(scope=scope),
        "key": uuid4(),
    }
    return render(request, "desk/cases_pool.html", context)


def _people(tasks: Any) -> list[User]:
    """Return who could do at least one of some tasks."""
    found: dict[int, User] = {}
    seen = set()
    for task in tasks:
        kind = (task.duty, task.region_id, task.organisation_id, task.post)
        if kind not in seen:
            seen.add(kind)
            found |= {each.pk: each for each in people_for(task)}
    return [found[pk] for pk in sorted(found)]


@login_required
@require_POST
def share_out(request: HttpRequest) -> HttpResponse:
    """Share out the open tasks of one person among the others."""
    who = typed(request, "from_user")
    moved = dispatching.redistribute(
        from_user=int(who) if who.isascii() and who.isdigit() and len(who) < 19 else 0,
        user=user_of(request),
        scope=scope_for(request),
    )
    said.success(request, f"已把 {moved} 个任务分给其他同事。" if moved else "没有可以分给别人的任务。")
    return redirect("desk-cases-pool")


@never_cache
@login_required
@require_safe
def log_page(request: HttpRequest) -> HttpResponse:
    """Show who gave which task to whom, found by words and kind."""
    act = typed(request, "act")
    rows = dispatch_log(scope=scope_for(request), text=typed(request, "q").strip()[:60], act=act)
    page = _Pages(rows, ON_A_PAGE).get_page(typed(request, "page"))
    context = {
        "page": page,
        "rows": [(event, name_of(event.actor)) for event in page],
        "q": typed(request, "q"),
        "act": act,
        "acts": [(str(each), ACTS[each]) for each in DISPATCH_ACTS],
    }
    return render(request, "desk/cases_log.html", context)


@never_cache
@login_required
def deputies(request: HttpRequest) -> HttpResponse:
    """Show and keep whom the caller let do their tasks, and for whom they stand in."""
    user, fault = user_of(request), None
    if request.method == "POST":
        try:
            _delegate(request, user)
        except CityError as wrong:
            fault = wrong
        else:
            return redirect("desk-deputies")
    context = {
        "rows": delegations_of(user),
        "me": user,
        "colleagues": dispatching.colleagues_of(user),
        "matters": list(matters().values()),
        "titles": {key: spec.title for key, spec in matters().items()},
        "today": timezone.localdate().isoformat(),
        "form": {name: typed(request, name) for name in ("to", "matter", "from_day", "to_day")} if fault else {},
        "fault": fault,
    }
    return render(request, "desk/deputies.html", context, status=status_of(fault) if fault else 200)


def _delegate(request: HttpRequest, user: User) -> None:
    ends = typed(request, "end")
    if ends.isascii() and ends.isdigit() and len(ends) < 19:
        dispatching.end_delegation(delegation_id=int(ends), user=user)
        said.success(request, "已停止委托。")
        return
    to = typed(request, "to")
    row = dispatching.delegate(
        to=int(to) if to.isascii() and to.isdigit() and len(to) < 19 else 0,
        matter=typed(request, "matter")[:60],
        from_day=_day(typed(request, "from_day")),
        to_day=_day(typed(request, "to_day")),
        user=user,
    )
    said.success(request, f"已委托{name_of(row.taker)}，{row.to_day:%Y年%-m月%-d日}以后自动停止。")


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text[:10])
    except ValueError:
        raise BadInput("day_odd", "日期要写成 2026-09-01 这样，请重新选择。") from None
