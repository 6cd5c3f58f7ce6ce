"""The short messages of a region on the desk: their states, the history of each, cancel, send again, show the whole number."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.dateparse import parse_date
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from geo.errors import CityError, Conflict, Unavailable
from geo.regions.queries import versions_of, within
from services.access.queries import scope_for
from services.crypto.masking import mask_text
from services.crypto.sealing import unseal
from services.integrations.sms.client import is_connected
from services.kernel.messages.actions import (
    ENDED_BADLY,
    TEXT_FIELD,
    cancel_delivery,
    reveal_phone,
    send_again,
)
from services.kernel.messages.models import Delivery, DeliveryState
from services.kernel.messages.queries import counts_by_state, deliveries_visible, delivery_seen, masked_phone
from services.kernel.messages.registry import events
from web.api.errors import status_of
from web.doors.common.typed import typed

ON_A_PAGE: Final = 30
LOOK: Final = {
    DeliveryState.DELIVERED: ("good", "circle-check"),
    DeliveryState.SENT: ("kind", "send"),
    DeliveryState.WAITING: ("", "clock"),
    DeliveryState.SENDING: ("kind", "loader-circle"),
    DeliveryState.FAILED: ("warn", "triangle-alert"),
    DeliveryState.GIVEN_UP: ("warn", "octagon-alert"),
    DeliveryState.CANCELLED: ("", "circle-x"),
}


@never_cache
@login_required
@require_safe
def outbox(request: HttpRequest) -> HttpResponse:
    """List short messages, newest first, narrowed by state, event, region, day or a whole number."""
    scope = scope_for(request)
    asked = {name: typed(request, name).strip()[:60] for name in ("state", "event", "region", "day")}
    narrow: dict[str, Any] = {name: asked[name] for name in ("event", "region")}
    fault = None
    try:
        rows = deliveries_visible(scope=scope, day=_day(asked["day"]), **narrow)
    except CityError as wrong:
        if not scope.holds("messages.view"):
            raise
        rows, fault = deliveries_visible(scope=scope).none(), wrong
    counts = counts_by_state(rows)
    if asked["state"] in DeliveryState.values:
        rows = rows.filter(state=asked["state"])
    page = Paginator(rows, ON_A_PAGE).get_page(typed(request, "page"))
    context = {
        "asked": asked,
        "states": [(key, label, counts[key]) for key, label in DeliveryState.choices],
        "total": sum(counts.values()),
        "events": events().values(),
        "regions": versions_of(scope=scope).filter(within(scope), level__in=("city", "district", "street")),
        "page": page,
        "rows": [_shown(row) for row in page.object_list],
        "connected": is_connected(),
        "may_send": scope.holds("messages.send"),
        "fault": fault,
    }
    return render(request, "desk/sms.html", context, status=status_of(fault) if fault else 200)


@login_required
@require_POST
def find(request: HttpRequest) -> HttpResponse:
    """Find the short messages to one number; posted, because a number does not belong into an address."""
    scope = scope_for(request)
    found, fault = deliveries_visible(scope=scope).none(), None
    try:
        found = deliveries_visible(scope=scope, phone=typed(request, "phone")[:30] or "-")
    except CityError as wrong:
        if not scope.holds("messages.view"):
            raise
        fault = wrong
    context = {"rows": [_shown(row) for row in found[:ON_A_PAGE]], "fault": fault, "connected": is_connected()}
    return render(request, "desk/sms_found.html", context, status=status_of(fault) if fault else 200)


@never_cache
@login_required
@require_safe
def delivery(request: HttpRequest, delivery_id: UUID) -> HttpResponse:
    """Show one short message with its history."""
    return _delivery(request, delivery_id)


def _delivery(
    request: HttpRequest, delivery_id: UUID, *, whole: str = "", fault: CityError | None = None
) -> HttpResponse:
    scope = scope_for(request)
    row = delivery_seen(delivery_id, scope=scope)
    context = {
        "one": _shown(row),
        "text": _text_of(row),
        "whole": whole,
        "steps": row.steps.all(),
        "region": versions_of(scope=scope).filter(region=row.region_id).first(),
        "again": Delivery.objects.filter(again_of=row).first(),
        "may_cancel": scope.holds("messages.send") and row.state == DeliveryState.WAITING and not row.attempts,
        "may_send": scope.holds("messages.send") and row.state in ENDED_BADLY,
        "may_reveal": scope.holds("messages.reveal"),
        "fault": fault,
    }
    return render(request, "desk/sms_one.html", context, status=status_of(fault) if fault else 200)


@login_required
@require_POST
def cancel(request: HttpRequest, delivery_id: UUID) -> HttpResponse:
    """Take a waiting message back."""
    return _act(request, delivery_id, cancel_delivery, "已取消，这条短信不会发出。")


@login_required
@require_POST
def again(request: HttpRequest, delivery_id: UUID) -> HttpResponse:
    """Send a message that ended badly once more, as a new one."""
    return _act(request, delivery_id, send_again, "已重新排入发送，下面是新的一条。")


@never_cache
@login_required
@require_POST
def reveal(request: HttpRequest, delivery_id: UUID) -> HttpResponse:
    """Show the whole number this once, and write down who saw it."""
    number = reveal_phone(delivery_id=delivery_id, scope=scope_for(request), request=request)
    return _delivery(request, delivery_id, whole=number)


def _text_of(row: Delivery) -> str:
    try:
        return mask_text(unseal(row.text, field=TEXT_FIELD, owner=row.pk))
    except (Unavailable, Conflict) as fault:
        return fault.message


def _act(request: HttpRequest, delivery_id: UUID, act: Callable[..., Delivery], done: str) -> HttpResponse:
    try:
        row = act(delivery_id=delivery_id, scope=scope_for(request))
    except CityError as fault:
        if status_of(fault) != 409:
            raise
        return _delivery(request, delivery_id, fault=fault)
    said.success(request, done)
    return redirect("desk-sms-one", delivery_id=row.pk)


def _shown(row: Delivery) -> dict[str, Any]:
    look, mark = LOOK[DeliveryState(row.state)]
    known = events().get(row.event)
    return {
        "row": row,
        "phone": masked_phone(row),
        "look": look,
        "mark": mark,
        "event": known.title if known else row.event,
    }


def _day(text: str) -> dt.date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None
