"""Undoing changes on the desk: ask from the page of a line, agree or refuse what others asked."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from geo.errors import CityError, Forbidden, NotFound
from services.access.queries import scope_for
from services.kernel.logs.models import UndoState
from services.kernel.logs.queries import line_seen
from services.kernel.logs.registry import kind_words
from services.kernel.logs.rolling_back import ROLL_BACK, ask_undo, decide_undo, undos_visible
from services.kernel.logs.wording import label_of, worded
from web.api.errors import status_of
from web.doors.common.typed import number_typed, typed
from web.doors.logs.lines import frame_of, line_context

SHOWN = 100


@login_required
@require_POST
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Undo a change, or ask a second person to agree; what stands in the way is said on the page of the line."""
    scope = scope_for(request)
    try:
        done = ask_undo(
            pk=pk, reason=typed(request, "reason"), seen=number_typed(request, "seen"), scope=scope, request=request
        )
    except CityError as fault:
        if isinstance(fault, Forbidden | NotFound):
            raise
        context = {
            **line_context(line_seen(pk, scope=scope), scope),
            "fault": fault,
            "reason": typed(request, "reason"),
        }
        return render(request, "desk/log_line.html", context, status=status_of(fault))
    if done.state == UndoState.DONE:
        said.success(request, "已回退。这次回退本身也会成为一条新的改动，稍后出现在日志里，需要时可以再回退。")
    else:
        said.success(request, "已提交，等另一位管理员确认后回退。")
    return redirect("desk-log-line", pk=pk)


@never_cache
@login_required
@require_safe
def undos_page(request: HttpRequest) -> HttpResponse:
    """List what was undone or waits for a second person, the newest first."""
    scope = scope_for(request)
    kinds = kind_words()
    rows = [
        {
            "row": each,
            "kind": kinds.get(each.kind, each.kind),
            "differences": [
                (label_of(each.kind, key), worded(each.kind, key, after), worded(each.kind, key, before))
                for key, (before, after) in each.changes.items()
            ],
            "mine": each.asked_by == scope.actor,
        }
        for each in undos_visible(scope=scope)[:SHOWN]
    ]
    context = {**frame_of(scope, "undos"), "rows": rows, "may_decide": scope.holds(ROLL_BACK)}
    return render(request, "desk/log_undos.html", context)


@login_required
@require_POST
def decide(request: HttpRequest, undo_id: UUID) -> HttpResponse:
    """Agree to what another asked, or refuse it."""
    agree = typed(request, "act") == "agree"
    try:
        decide_undo(
            undo_id=undo_id, agree=agree, note=typed(request, "note"), scope=scope_for(request), request=request
        )
    except CityError as fault:
        if isinstance(fault, Forbidden | NotFound):
            raise
        said.error(request, fault.message)
    else:
        said.success(request, "已确认并回退。" if agree else "已记下不同意的原因。")
    return redirect("desk-log-undos")
