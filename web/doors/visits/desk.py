"""Visits at the desk: arranged by the centre one by one or from a list, seen by those who supervise, taken back."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from geo.errors import BadInput, CityError
from services.access.queries import check_duty, scope_for
from services.crypto.identifiers import new_id
from services.fencing.checkins.assigning import (
    COLUMNS,
    MOST_BYTES,
    MOST_ROWS,
    RowFault,
    assign_list,
    assign_visit,
    cancel_visit,
    template_csv,
    wanted_from,
)
from services.fencing.checkins.duties import ASSIGN, VIEW
from services.fencing.checkins.models import Visit, VisitState
from services.fencing.checkins.queries import (
    MOST_LISTED,
    checkins_seen,
    masked_home,
    organisations_assigning,
    visit_arranged,
    visits_arranged,
    workers_of,
)
from services.fencing.checkins.registry import visit_kinds
from web.api.errors import status_of
from web.doors.common.typed import key_typed, number_typed, typed

STATES: Final = tuple(VisitState.choices)


@never_cache
@login_required
@require_safe
def list_page(request: HttpRequest) -> HttpResponse:
    """Show the visits of a day, the earliest first."""
    scope, day = scope_for(request), day_typed(request)
    rows = list(visits_arranged(scope=scope, day=day, state=typed(request, "state"))[: MOST_LISTED + 1])
    context = {
        "rows": [(row, *masked_home(row)) for row in rows[:MOST_LISTED]],
        "more": len(rows) > MOST_LISTED,
        "most": MOST_LISTED,
        "day": day,
        "before": day - dt.timedelta(days=1),
        "after": day + dt.timedelta(days=1),
        "state": typed(request, "state"),
        "states": STATES,
        "assigns": scope.holds(ASSIGN),
        "kinds": visit_kinds(),
    }
    return render(request, "desk/visits.html", context)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def new_page(request: HttpRequest) -> HttpResponse:
    """Arrange a visit; what is refused is said there and keeps what was typed."""
    scope, fault = scope_for(request), None
    organisations = organisations_assigning(scope=scope)
    chosen = number_typed(request, "organisation") or organisations[0].pk
    row = {name: typed(request, name) for name in COLUMNS}
    if request.method == "POST":
        try:
            made = assign_visit(
                organisation=chosen, wanted=wanted_from(row), key=key_typed(request), scope=scope
            )  # fmt: skip
        except CityError as refused:
            fault = refused
        else:
            said.success(request, f"已安排给{made.worker}，手机上“我的上门”马上看到。")
            return redirect("desk-visit", made.number)
    context = {
        "organisations": organisations,
        "chosen": chosen,
        "workers": workers_of(chosen),
        "kinds": visit_kinds(),
        "typed": row | {"day": row["day"] or f"{timezone.localdate():%F}"},
        "key": key_typed(request) if fault else new_id(),
        "fault": fault,
        "wrong": fault.detail.get("field", "") if fault else "",
    }
    return render(request, "desk/visit_new.html", context, status=status_of(fault) if fault else 200)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def list_upload(request: HttpRequest) -> HttpResponse:
    """Arrange all visits of a list, or none and say line by line why."""
    scope, fault = scope_for(request), None
    organisations = organisations_assigning(scope=scope)
    chosen = number_typed(request, "organisation") or organisations[0].pk
    faults: list[RowFault] = []
    if request.method == "POST":
        file = request.FILES.get("list")
        try:
            if file is None:
                raise BadInput("list_missing", "请先选一份名单。", field="list")
            content = file.read(MOST_BYTES + 1)
            made, faults = assign_list(organisation=chosen, content=content, key=key_typed(request), scope=scope)
        except CityError as refused:
            fault = refused
        else:
            if not faults:
                said.success(request, f"已安排 {len(made)} 次上门。")
                return redirect("desk-visits")
    context = {
        "organisations": organisations,
        "chosen": chosen,
        "key": new_id(),
        "fault": fault,
        "faults": faults,
        "most": MOST_ROWS,
        "columns": COLUMNS.values(),
    }
    status = status_of(fault) if fault else 400 if faults else 200
    return render(request, "desk/visit_list.html", context, status=status)


@login_required
@require_safe
def template(request: HttpRequest) -> HttpResponse:
    """Give an empty list to fill in."""
    check_duty(scope_for(request), ASSIGN)
    answer = HttpResponse(template_csv(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = (
        "attachment; filename=visits.csv; filename*=UTF-8''%E4%B8%8A%E9%97%A8%E5%90%8D%E5%8D%95.csv"
    )
    return answer


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def visit_page(request: HttpRequest, number: str) -> HttpResponse:
    """Show a visit with its check-ins; a POST takes it back."""
    scope, fault = scope_for(request), None
    if request.method == "POST":
        try:
            cancel_visit(number=number, why=typed(request, "why"), seen=number_typed(request, "seen"), scope=scope)
        except CityError as refused:
            fault = refused
        else:
            said.success(request, "已取消，服务人员的手机上不再显示。")
            return redirect("desk-visit", number)
    visit = visit_arranged(number, scope=scope)
    context: dict[str, Any] = {
        "visit": visit,
        "kind": visit.spec,
        "home": masked_home(visit),
        "rows": list(checkins_seen(scope=scope).filter(visit=visit)) if scope.holds(VIEW) else [],
        "cancels": _cancels(visit, scope.holds(ASSIGN), scope.organisations),
        "fault": fault,
        "why": typed(request, "why") if fault else "",
    }
    return render(request, "desk/visit.html", context, status=status_of(fault) if fault else 200)


def _cancels(visit: Visit, assigns: bool, organisations: frozenset[int]) -> bool:
    return assigns and visit.organisation_id in organisations and visit.state == VisitState.PLANNED


def day_typed(request: HttpRequest) -> dt.date:
    """Return the day that was asked for, today for none or no day."""
    try:
        return dt.date.fromisoformat(typed(request, "day"))
    except ValueError:
        return timezone.localdate()
