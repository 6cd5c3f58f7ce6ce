"""装修垃圾预约 for residents: made at a position chosen on the map or by address, shown, changed, called off."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final
from uuid import UUID

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from geo.errors import BadInput, CityError
from services.access.queries import scope_for
from services.crypto.identifiers import new_id
from services.kernel.forms.answering import Checked
from services.modules.waste.actions import cancel_appointment, change_appointment, make_appointment
from services.modules.waste.models import Appointment, AppointmentState
from services.modules.waste.placing import Found, Spot, Where, places_of, spot_at, spot_of, where_is
from services.modules.waste.queries import (
    answers_of,
    fence_now,
    known_of,
    own_appointment,
    own_appointments,
    spot_kept,
)
from services.modules.waste.sheet import FORM, MOST_DAYS, check_sheet
from web.api.errors import status_of
from web.api.limits import CallerLimit
from web.doors.common.callers import user_of
from web.doors.common.desk_map import map_context
from web.doors.common.typed import key_typed, number_typed, typed
from web.doors.forms.items import Page, posted, told

ASKED: Final = CallerLimit("waste-where", anonymous=60, keyed=240)
ON_A_PAGE: Final = 50
LOOK: Final = {AppointmentState.SUBMITTED: ("good", "circle-check"), AppointmentState.CANCELLED: ("", "circle-x")}


def shown(row: Appointment) -> dict[str, Any]:
    """Return an appointment as lists show it."""
    return {"row": row, "look": LOOK[AppointmentState(row.state)]}


def standing(request: HttpRequest, row: Appointment) -> dict[str, Any]:
    """Return an appointment as its page shows it: what is where it stands, whose it is now, and what the map draws of it."""
    at = where_is(spot_kept(row), scope=scope_for(request))
    pin = {"lon": row.geom.x, "lat": row.geom.y, "shapes": at.shapes}
    return {**shown(row), "at": at, "now": fence_now(row), "pin": pin, **map_context()}


@never_cache
@login_required
@require_safe
def list_page(request: HttpRequest) -> HttpResponse:
    """List the caller's appointments, the newest first."""
    rows = [shown(row) for row in own_appointments(user_of(request))[:ON_A_PAGE]]
    return render(request, "waste/list.html", {"rows": rows})


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def new_page(request: HttpRequest) -> HttpResponse:
    """Make an appointment: its position first, then what, when and whom to call."""
    return _sheet(request, None)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def change_page(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Change one's own appointment while it may be changed."""
    row = own_appointment(uid, user=user_of(request))
    if row.state != AppointmentState.SUBMITTED:
        return redirect("waste-one", uid)
    return _sheet(request, row)


@never_cache
@login_required
@require_safe
def one_page(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show one's own appointment with its place on the map, its fence, and whose it is now."""
    row = own_appointment(uid, user=user_of(request))
    return render(request, "waste/one.html", standing(request, row))


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def cancel_page(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Ask once more, then call an appointment off."""
    row = own_appointment(uid, user=user_of(request))
    if request.method == "POST":
        cancel_appointment(uid=uid, user=user_of(request), scope=scope_for(request))
        said.success(request, "预约已取消。")
        return redirect("waste-one", uid)
    return render(request, "waste/cancel.html", shown(row))


@never_cache
@login_required
@require_POST
def where(request: HttpRequest) -> HttpResponse:
    """Return, as a fragment, the places of a typed address or what is at a position. Positions come by POST alone."""
    ASKED.allow_request(request)
    return render(request, "waste/where.html", asked_where(request))


def asked_where(request: HttpRequest) -> dict[str, Any]:
    """Return what the fragment shows for what was posted: places to choose from, what is at the chosen one, or the fault."""
    found, spot, fault = None, None, None
    try:
        spot = _posted_spot(request)
        if typed(request, "address").strip():
            found = places_of(typed(request, "address").strip(), scope=scope_for(request))
            spot = spot or _sure(found)
    except BadInput as refused:
        fault = refused
    return where_context(request, spot, found, fault)


def where_context(
    request: HttpRequest, spot: Spot | None, found: Found | None = None, fault: CityError | None = None
) -> dict[str, Any]:
    """Return what the fragment shows: options, the chosen position with what is there, and what is wrong."""
    at: Where | None = where_is(spot, scope=scope_for(request)) if spot else None
    return {
        "found": found,
        "spot": spot,
        "chosen": str(spot) if spot else "",
        "listed": bool(found and spot and str(spot) in {str(each.spot) for each in found.options}),
        "where": at,
        "where_fault": fault,
    }


def _posted_spot(request: HttpRequest) -> Spot | None:
    """Return the position that was posted, as a pin of a named datum or as a form carries it; ``None`` where none was."""
    if typed(request, "lon"):
        try:
            lon, lat = float(typed(request, "lon")), float(typed(request, "lat"))
        except ValueError:
            raise BadInput("spot_missing", "请在地图上点一下位置。", field="spot") from None
        return spot_at(lon, lat, crs=typed(request, "crs") or "cgcs2000")
    if not typed(request, "spot"):
        return None
    given = spot_of(typed(request, "spot"))
    return spot_at(given.lon, given.lat, placed=given.placed, uncertainty_m=given.uncertainty_m)


def _sure(found: Found) -> Spot | None:
    return found.options[0].spot if found.sure else None


def _sheet(request: HttpRequest, row: Appointment | None) -> HttpResponse:
    if request.method != "POST":
        values = answers_of(row) if row else known_of(user_of(request))
        return _form(request, row, values, where_context(request, spot_kept(row) if row else None))
    ASKED.allow_request(request)
    values = posted(FORM, request.POST)
    if typed(request, "step") == "find":
        return _form(request, row, values, asked_where(request))
    checked = check_sheet(values, today=timezone.localdate())
    context = asked_where(request) if not typed(request, "spot") else _standing_where(request)
    fault = context["where_fault"] or _unplaced(context)
    if checked.faults or fault:
        return _form(request, row, values, context | {"where_fault": fault}, checked, BadInput("sheet", ""))
    try:
        made = _kept(request, row, checked, context["spot"])
    except CityError as refused:
        if row is not None:
            row.refresh_from_db()
        return _form(request, row, values, context, checked, refused)
    said.success(request, "已保存修改。" if row else f"预约已提交，单号 {made.number}。")
    return redirect("waste-one", made.uid)


def _standing_where(request: HttpRequest) -> dict[str, Any]:
    """Return what is at the position that was chosen, without looking the address up again."""
    try:
        return where_context(request, _posted_spot(request))
    except BadInput as refused:
        return where_context(request, None, fault=refused)


def _unplaced(context: dict[str, Any]) -> CityError | None:
    if context["spot"]:
        return None
    options = context["found"].options if context["found"] else ()
    words = (
        "这个地址可能是下面几处，请选一个。"
        if options
        else "没有找到这个地址。请在地图上点位置，或把路名和门牌号写全。"
    )
    return BadInput("spot_missing", words, field="spot")


def _kept(request: HttpRequest, row: Appointment | None, checked: Checked, spot: Spot) -> Appointment:
    given: dict[str, Any] = {"answers": checked.answers, "spot": spot, "scope": scope_for(request)}
    if row is None:
        return make_appointment(key=key_typed(request), user=user_of(request), **given)
    return change_appointment(uid=row.uid, user=user_of(request), seen=number_typed(request, "seen"), **given)


def _form(
    request: HttpRequest,
    row: Appointment | None,
    values: dict[str, Any],
    where_said: dict[str, Any],
    checked: Checked | None = None,
    fault: CityError | None = None,
) -> HttpResponse:
    today = timezone.localdate()
    page = Page(FORM, values, checked or check_sheet(values, today=today), "", tell=checked is not None)
    place, *rest = page.sections()
    context = {
        "row": row,
        "place": place,
        "sections": rest,
        "told": told(page),
        "fault": fault if fault and fault.message else None,
        "key": typed(request, "key") or new_id(),
        "last_day": today + dt.timedelta(days=MOST_DAYS),
        **where_said,
        **map_context(),
    }
    return render(request, "waste/form.html", context, status=status_of(fault) if fault else 200)
