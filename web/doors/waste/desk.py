"""The desk of 装修垃圾预约: one appointment on the map, its position corrected, and how telling 一张图 goes."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from geo.errors import BadInput, CityError, Conflict
from services.access.queries import scope_for
from services.integrations.onemap.client import is_connected
from services.modules.waste.actions import LONGEST_WHY, cancel_for_owner, correct_position
from services.modules.waste.duties import EDIT
from services.modules.waste.models import AppointmentState, OneMapPush, PushState
from services.modules.waste.queries import (
    appointment_seen,
    push_standing,
    pushes_of,
    pushes_seen,
    spot_kept,
)
from services.modules.waste.telling import SAID, send_again
from web.api.errors import status_of
from web.doors.common.typed import number_typed, typed
from web.doors.waste.pages import ASKED, asked_where, standing, where_context

ON_A_PAGE: Final = 30
MOST_PUSHES: Final = 10
LOOK: Final = {
    PushState.WAITING: ("warn", "clock"),
    PushState.SENT: ("good", "circle-check"),
    PushState.REPLACED: ("", "refresh-cw"),
    PushState.GIVEN_UP: ("bad", "octagon-alert"),
}


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def appointment_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show an appointment on the map with its fence, and let its position be corrected with a reason."""
    row, fault = appointment_seen(pk, scope=scope_for(request)), None
    place = where_context(request, spot_kept(row))
    if request.method == "POST":
        ASKED.allow_request(request)
        place = asked_where(request)
        if typed(request, "step") != "find":
            try:
                _corrected(request, pk, place)
            except CityError as refused:
                fault = refused
            else:
                said.success(request, "位置已改正，会同步到“一张图”。预约人能看到为什么改。")
                return redirect("desk-waste", pk)
    return _page(request, pk, place, fault)


@login_required
@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Call an appointment off with a reason; what is missing is said on its page."""
    scope = scope_for(request)
    row = appointment_seen(pk, scope=scope)
    try:
        cancel_for_owner(pk=pk, why=typed(request, "why_not"), seen=number_typed(request, "seen"), scope=scope)
    except (BadInput, Conflict) as refused:
        return _page(request, pk, where_context(request, spot_kept(row)), refused)
    said.success(request, "预约已取消，原因已告诉预约人。")
    return redirect("desk-waste", pk)


def _page(request: HttpRequest, pk: int, place: dict[str, Any], fault: CityError | None) -> HttpResponse:
    scope = scope_for(request)
    row = appointment_seen(pk, scope=scope)
    context = {
        **standing(request, row),
        **place,
        "pushes": [_push_shown(each) for each in pushes_of(row)[:MOST_PUSHES]],
        "may_edit": scope.holds(EDIT) and row.state == AppointmentState.SUBMITTED,
        "may_see_pushes": scope.holds(EDIT),
        "address": typed(request, "address") if request.method == "POST" else "",
        "why": typed(request, "why") if request.method == "POST" else "",
        "why_not": typed(request, "why_not") if request.method == "POST" else "",
        "most": LONGEST_WHY,
        "fault": fault,
    }
    return render(request, "desk/waste.html", context, status=status_of(fault) if fault else 200)


def _corrected(request: HttpRequest, pk: int, place: dict[str, Any]) -> None:
    if place["where_fault"]:
        raise place["where_fault"]
    if place["spot"] is None:
        raise BadInput("spot_missing", "请在地图上点一下正确的位置，或按地址找到后选一个。", field="spot")
    correct_position(
        pk=pk, spot=place["spot"], why=typed(request, "why"), seen=number_typed(request, "seen"), scope=scope_for(request)
    )  # fmt: skip


@never_cache
@login_required
@require_safe
def one_map_page(request: HttpRequest) -> HttpResponse:
    """Show how telling 一张图 goes: the last success, what waits, what failed and why."""
    scope = scope_for(request)
    told = push_standing(scope=scope)
    state = typed(request, "state")
    rows = pushes_seen(scope=scope)
    rows = rows.filter(state=state) if state in PushState.values else rows
    page = Paginator(rows, ON_A_PAGE).get_page(typed(request, "page"))
    context = {
        "standing": told,
        "total": sum(count for *_, count in told.counts),
        "state": state,
        "page": page,
        "rows": [_push_shown(each) for each in page.object_list],
        "connected": is_connected(),
    }
    return render(request, "desk/waste_onemap.html", context)


@login_required
@require_POST
def again(request: HttpRequest, pk: int) -> HttpResponse:
    """Let one piece be sent again."""
    try:
        send_again(pk=pk, scope=scope_for(request))
    except CityError as refused:
        said.error(request, refused.message)
    else:
        said.success(request, "已排到最前面，一分钟内再发一次。")
    return redirect("desk-onemap")


def _push_shown(row: OneMapPush) -> dict[str, Any]:
    return {
        "row": row,
        "look": LOOK[PushState(row.state)],
        "why": SAID.get(row.code, f"出错（{row.code}）") if row.code else "",
        "again": row.state in (PushState.WAITING, PushState.GIVEN_UP),
    }
