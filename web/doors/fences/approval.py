"""The approval of a draft of fences on its own page: handed in, taken back, decided; the same acts of the case as at the desk."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from geo.errors import Conflict, NotFound
from geo.fences.models import FenceEdition
from geo.scope import Scope
from services.fencing.approval import case_of, changes_said, recall_draft, submit_draft
from services.fencing.queries import edition_seen
from services.kernel.workflow.actions import decide
from services.kernel.workflow.handlers import name_of
from services.kernel.workflow.models import Case
from services.kernel.workflow.queries import CaseView, case_seen
from services.kernel.workflow.telling import day_words
from services.kernel.workflow.transitions import RUNNING, Act, State
from web.doors.common.callers import user_of
from web.doors.common.typed import key_typed, number_typed, typed

_RETURNED: Final = frozenset({State.REFUSED, State.TERMINATED, State.WITHDRAWN})


def approval_shown(request: HttpRequest, edition: FenceEdition, scope: Scope) -> dict[str, Any]:
    """Return what the page of an edition shows of its case: the one that runs, what the caller may decide, why it came back."""
    case = case_of(edition)
    if case is None:
        return {"case": None, "changes_said": changes_said(edition)}
    view = _view(case, request, scope)
    running = case.state in RUNNING
    last = case.events.exclude(opinion="").select_related("actor").order_by("-id").first()
    task = view.task if view is not None and Act.DECIDE in view.acts else None
    return {
        "case": case, "case_view": view, "waiting": running, "task": task, "due": day_words(task.due_at) if task else "",
        "submitted_by": name_of(case.applicant), "returned": last if case.state in _RETURNED else None,
        "returned_by": name_of(last.actor) if last else "",
        "opinion_typed": typed(request, "opinion") if request.method == "POST" else "",
        "outcome_typed": typed(request, "outcome") if request.method == "POST" else "",
        "changes_said": case.facts.get("changes", "") if running else changes_said(edition),
    }  # fmt: skip


def submit(request: HttpRequest, edition_id: UUID, scope: Scope) -> HttpResponse:
    """Hand the draft in."""
    case = submit_draft(
        edition_id=edition_id, seen=number_typed(request, "seen"), accept=bool(typed(request, "accept")),
        user=user_of(request), scope=scope, key=key_typed(request),
    )  # fmt: skip
    messages.success(request, f"已送审，办件编号 {case.number}。批准人会在“我的办件”里看到，结果发到您的消息。")
    return redirect("fences-edition", edition_id=edition_id)


def recall(request: HttpRequest, edition_id: UUID, scope: Scope) -> HttpResponse:
    """Take the draft back."""
    recall_draft(edition_id=edition_id, scope=scope)
    messages.success(request, "已撤回送审。改好、检查以后可以再送审。")
    return redirect("fences-edition", edition_id=edition_id)


def decide_case(request: HttpRequest, edition_id: UUID, scope: Scope) -> HttpResponse:
    """Decide the case of the draft."""
    case = case_of(edition_seen(edition_id, scope=scope))
    if case is None:
        raise Conflict("edition_not_waiting", "这份草稿现在没有在等批准。请刷新页面看最新情况。")
    decided = decide(
        uid=case.uid, outcome=typed(request, "outcome")[:60], opinion=typed(request, "opinion"), user=user_of(request),
        scope=scope, key=typed(request, "key")[:80], version=number_typed(request, "version"),
        task_id=number_typed(request, "task") or None,
    )  # fmt: skip
    if decided.state == State.APPROVED:
        messages.success(request, "已同意。选好生效时间就可以发布。")
    else:
        messages.success(request, "已办理，意见已记入轨迹。")
    return redirect("fences-edition", edition_id=edition_id)


def _view(case: Case, request: HttpRequest, scope: Scope) -> CaseView | None:
    try:
        return case_seen(case.uid, user=user_of(request), scope=scope)
    except NotFound:
        return None
