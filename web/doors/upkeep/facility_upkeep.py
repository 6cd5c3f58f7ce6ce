"""The page on which staff change whether a facility is open."""

from __future__ import annotations

import datetime as dt

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from geo.errors import BadInput, CityError
from services.access.queries import check_duty, scope_for
from services.crypto.identifiers import new_id
from services.facilities.models import FacilityStatus, StatusChange
from services.facilities.upkeep.actions import set_status
from services.kernel.ledger.queries import record_of
from services.kernel.ledger.registry import ledger_of
from web.api.errors import status_of
from web.doors.common.typed import key_typed, typed


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def status_page(request: HttpRequest, facility_id: int) -> HttpResponse:
    """Show and change the status of a facility; what is refused is said beside the form, which keeps what was typed."""
    scope = scope_for(request)
    check_duty(scope, "facilities.edit")
    record = record_of(ledger_of("facilities", scope=scope), facility_id, scope=scope)
    fault: CityError | None = None
    if request.method == "POST":
        try:
            set_status(
                facility_id=facility_id,
                status=typed(request, "status"),
                key=key_typed(request),
                reason=typed(request, "reason"),
                effective_on=_day(typed(request, "effective_on")),
                scope=scope,
            )
        except CityError as refused:
            fault = refused
        else:
            name = FacilityStatus(typed(request, "status")).label
            messages.success(request, f"已改为“{name}”，地图和搜索马上按新的状态显示。")
            return redirect("desk-ledger-record", "facilities", facility_id)
    context = {
        "record": record,
        "statuses": FacilityStatus.choices,
        "now": record.instance.status,  # type: ignore[attr-defined]
        "changes": StatusChange.objects.filter(facility=facility_id)[:50],
        "today": timezone.localdate().isoformat(),
        "fault": fault,
        "form": request.POST,
        "key": new_id(),
    }
    return render(request, "desk/facility_status.html", context, status=status_of(fault) if fault else 200)


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        raise BadInput("day_invalid", "生效日期要写成 2026-09-01 这样。", field="effective_on") from None
