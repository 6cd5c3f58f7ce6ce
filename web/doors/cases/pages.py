"""The page of one case, for staff at the desk and for who applied: its facts, materials, timeline, and the acts of the caller."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID, uuid4

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from geo.errors import CityError, NotFound
from geo.regions.queries import published_edition
from services.access.queries import scope_for
from services.kernel.workflow import actions, dispatching, setting_aside, supplementing
from services.kernel.workflow.catalogue import guide_to, offered_online
from services.kernel.workflow.choosing import city_region, source_name
from services.kernel.workflow.feedback import send_again
from services.kernel.workflow.handlers import name_of, people_for
from services.kernel.workflow.models import Case, Task, Watch
from services.kernel.workflow.queries import CaseView, case_seen, cases_of_applicant, left_words
from services.kernel.workflow.registry import matter_named
from services.kernel.workflow.spec import Fact
from services.kernel.workflow.telling import day_words, due_words, page_of
from services.kernel.workflow.transitions import ACTS, Act, State
from web.api.errors import status_of
from web.doors.cases.parts import filled_in, parts_shown, revealed
from web.doors.common.callers import user_of
from web.doors.common.typed import number_typed, typed

LOOKS: Final = {
    State.OPEN: ("kind", "clock"), State.SUPPLEMENT: ("warn", "upload"), State.SUSPENDED: ("warn", "timer"),
    State.APPROVED: ("good", "circle-check"), State.REFUSED: ("bad", "circle-x"), State.WITHDRAWN: ("", "undo-2"),
    State.TERMINATED: ("bad", "octagon-alert"), State.DELETED: ("", "trash-2"),
}  # fmt: skip
MARKS: Final = {
    Act.DECIDE: "check", Act.RETURN: "undo-2", Act.TAKE_BACK: "undo-2", Act.ASK_SUPPLEMENT: "upload", Act.URGE: "bell",
    Act.CARD: "flag",
}  # fmt: skip
ON_A_PAGE: Final = 20
Doing = Callable[[HttpRequest, dict[str, Any]], object]


def _text(request: HttpRequest) -> str:
    return typed(request, "opinion")


def _filled(request: HttpRequest, at: dict[str, Any]) -> Any:
    view = case_or_none(at["uid"], request)
    return filled_in(request, view) if view else {}


DOINGS: Final[dict[str, Doing]] = {
    Act.CLAIM: lambda request, at: dispatching.claim(**at),
    Act.RELEASE: lambda request, at: dispatching.release(reason=_text(request), **at),
    Act.DECIDE: lambda request, at: actions.decide(
        outcome=typed(request, "outcome")[:60],
        opinion=_text(request),
        filled=_filled(request, at),
        task_id=number_typed(request, "task") or None,
        **at,
    ),
    Act.RETURN: lambda request, at: actions.return_to(step=typed(request, "step")[:60], opinion=_text(request), **at),
    Act.TAKE_BACK: lambda request, at: actions.take_back(**at),
    Act.ASK_SUPPLEMENT: lambda request, at: supplementing.ask_supplement(
        note=_text(request),
        items=typed(request, "items").replace("、", "\n").splitlines(),
        fields=[each[:60] for each in request.POST.getlist("item")],
        **at,
    ),
    Act.SUPPLEMENT: lambda request, at: supplementing.supplement(note=_text(request), **at),
    Act.WITHDRAW: lambda request, at: setting_aside.withdraw(reason=_text(request), **at),
    Act.TRANSFER: lambda request, at: dispatching.transfer(to=number_typed(request, "to"), reason=_text(request), **at),
    Act.ADD_REVIEWER: lambda request, at: dispatching.add_reviewer(
        to=number_typed(request, "to"), reason=_text(request), **at
    ),
    Act.SUSPEND: lambda request, at: setting_aside.suspend(reason=_text(request), **at),
    Act.RESUME: lambda request, at: setting_aside.resume(reason=_text(request), **at),
    Act.EXTEND: lambda request, at: setting_aside.extend(
        days=number_typed(request, "days"), reason=_text(request), **at
    ),
    Act.DELETE: lambda request, at: setting_aside.delete_case(reason=_text(request), **at),
    Act.RESTORE: lambda request, at: setting_aside.restore_case(reason=_text(request), **at),
    Act.TERMINATE: lambda request, at: setting_aside.terminate(reason=_text(request), **at),
    Act.ASSIGN: lambda request, at: dispatching.assign(
        to=number_typed(request, "to"), task_id=number_typed(request, "task") or None, note=_text(request), **at
    ),
    Act.URGE: lambda request, at: dispatching.urge(note=_text(request), **at),
}


@never_cache
@login_required
@require_safe
def case_page(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show a case to staff; who has a task in it has opened it from now on."""
    view = case_seen(uid, user=user_of(request), scope=scope_for(request))
    dispatching.see(case=view.case, user=user_of(request))
    return _desk(request, uid)


@login_required
@require_safe
def case_of(request: HttpRequest, pk: int) -> HttpResponse:
    """Lead from a row of the ledger to the page of its case."""
    case = Case.objects.filter(pk=pk).first()
    if case is None:
        raise NotFound("case_unknown", "没有找到这个办件，或者它不在您的管辖范围内。")
    return redirect("desk-case", case_seen(case.uid, user=user_of(request), scope=scope_for(request)).case.uid)


@login_required
@require_POST
def act_on(request: HttpRequest, uid: UUID, act: str) -> HttpResponse:
    """Do one act on a case at the desk; or look at a sealed answer, or feed back anew what could not be."""
    if act == "reveal":
        view = case_seen(uid, user=user_of(request), scope=scope_for(request))
        return _desk(request, uid, told=revealed(request, view))
    if act == "feed_again":
        return _feed_again(request, uid)
    return _act(
        request, uid, act, lambda fault: _desk(request, uid, fault=fault, tried=act), reverse("desk-case", args=[uid])
    )


def _feed_again(request: HttpRequest, uid: UUID) -> HttpResponse:
    case = case_seen(uid, user=user_of(request), scope=scope_for(request)).case
    again = send_again(case=case)
    said.success(request, f"{again} 条进度会重新反馈。" if again else "没有要重新反馈的进度。")
    return redirect("desk-case", uid)


@login_required
@require_POST
def watch(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Follow a case, or stop."""
    on = typed(request, "on") == "1"
    dispatching.watch(uid=uid, on=on, user=user_of(request), scope=scope_for(request))
    said.success(request, "已关注，可以在“我的办件 · 关注”里找到。" if on else "不再关注这个办件。")
    return redirect("desk-case", uid)


def _act(
    request: HttpRequest, uid: UUID, act: str, again: Callable[[CityError], HttpResponse], back: str
) -> HttpResponse:
    doing = DOINGS.get(act)
    if doing is None:
        raise NotFound("act_unknown", "没有这种办理动作。")
    at = {
        "uid": uid,
        "user": user_of(request),
        "scope": scope_for(request),
        "key": typed(request, "key")[:80],
        "version": number_typed(request, "version"),
    }
    try:
        doing(request, at)
    except NotFound:
        raise
    except CityError as fault:
        return again(fault)
    said.success(request, f"已{ACTS[Act(act)]}。" if act != Act.DECIDE else "已办理，意见已记入轨迹。")
    following = case_or_none(uid, request)
    return redirect(back if following else "desk-cases")


def case_or_none(uid: UUID, request: HttpRequest) -> CaseView | None:
    """Return a case, or ``None`` where the caller may not see it any more."""
    try:
        return case_seen(uid, user=user_of(request), scope=scope_for(request))
    except NotFound:
        return None if not Case.objects.filter(uid=uid, applicant=user_of(request)).exists() else case_seen(
            uid, user=user_of(request), scope=scope_for(request), as_applicant=True
        )  # fmt: skip


def _desk(
    request: HttpRequest,
    uid: UUID,
    *,
    fault: CityError | None = None,
    tried: str = "",
    told: dict[str, str] | None = None,
) -> HttpResponse:
    user = user_of(request)
    view = case_seen(uid, user=user, scope=scope_for(request))
    task = view.task
    context = _shown(request, view, fault, tried) | {
        "people": people_for(task) if task and Act.TRANSFER in view.acts else [],
        "reviewers": dispatching.reviewers_for(view.case, user) if Act.ADD_REVIEWER in view.acts else [],
        "assignable": _assignable(view),
        "returns": actions.steps_to_return_to(view.case) if Act.RETURN in view.acts else {},
        "revealed": told,
        "reveal_url": reverse("desk-case-act", args=[uid, "reveal"]),
        "watched": Watch.objects.filter(case=view.case, user=user).exists(),
    }  # fmt: skip
    return render(request, "desk/case.html", context, status=status_of(fault) if fault else 200)


def _assignable(view: CaseView) -> list[tuple[Task, Any]]:
    if Act.ASSIGN not in view.acts:
        return []
    return [(task, people_for(task)) for task in view.tasks if task.level != "applicant"]


def _shown(request: HttpRequest, view: CaseView, fault: CityError | None, tried: str) -> dict[str, Any]:
    case, spec = view.case, matter_named(view.case.matter)
    look, mark = LOOKS[State(case.state)]
    stopped = case.stopped_on is not None
    return {
        "view": view,
        "case": case,
        "matter": spec,
        "subject_page": page_of(case),
        "look": look,
        "mark": mark,
        "source": source_name(case.matter, case.source),
        "facts": [(fact.label, _fact_words(fact, case.facts.get(fact.key))) for fact in spec.facts if fact.key in case.facts],
        "acts": {str(act) for act in view.acts},
        "act_names": {str(act): ACTS[act] for act in Act},
        "tasks": [_task_shown(task, stopped) for task in view.tasks],
        "left": left_words(view.task.due_at, stopped=stopped) if view.task else "",
        "promised": day_words(case.promised_at),
        "due_day": due_words(view.task) if view.task else "",
        "events": [
            {"event": event, "who": name_of(event.actor), "mark": MARKS.get(Act(event.act), "")} for event in view.events
        ],
        "needed": case.needed.get("items", []),
        **parts_shown(request, view, fault),
        "key": uuid4(),
        "fault": fault,
        "tried": tried,
        "typed": {name: typed(request, name) for name in ("opinion", "outcome", "items", "step", "days", "to")} if fault else {},
    }  # fmt: skip


def _task_shown(task: Task, stopped: bool) -> dict[str, Any]:
    return {
        "task": task,
        "who": name_of(task.assignee) if task.assignee else "任务池（待签收或派单）",
        "left": left_words(task.due_at, stopped=stopped),
    }


def _fact_words(fact: Fact, value: object) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    return next((each.name for each in fact.choices if each.key == value), str(value))


# For who applied


@never_cache
@login_required
@require_safe
def my_list(request: HttpRequest) -> HttpResponse:
    """List the caller's own applications, and the matters they may apply for."""
    page = Paginator(cases_of_applicant(user_of(request)), ON_A_PAGE).get_page(typed(request, "page"))
    rows = [{"case": case, "matter": matter_named(case.matter), "look": LOOKS[State(case.state)]} for case in page]
    offered = [(spec, guide_to(spec.key)) for spec in offered_online(city_region())] if published_edition() else []
    return render(request, "my/cases.html", {"page": page, "rows": rows, "offered": offered})


@never_cache
@login_required
@require_safe
def my_case(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show who applied how their case goes."""
    return _my(request, uid)


def _my(request: HttpRequest, uid: UUID, *, fault: CityError | None = None, tried: str = "") -> HttpResponse:
    view = case_seen(uid, user=user_of(request), scope=scope_for(request), as_applicant=True)
    return render(
        request, "my/case.html", _shown(request, view, fault, tried), status=status_of(fault) if fault else 200
    )


@login_required
@require_POST
def my_act(request: HttpRequest, uid: UUID, act: str) -> HttpResponse:
    """Do one act on one's own case."""
    case_seen(uid, user=user_of(request), scope=scope_for(request), as_applicant=True)
    return _act(
        request, uid, act, lambda fault: _my(request, uid, fault=fault, tried=act), reverse("my-case", args=[uid])
    )
