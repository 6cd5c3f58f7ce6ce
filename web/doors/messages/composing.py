"""Sending short messages by hand on the desk: an event's text, the numbers, what stands in its fields, now or at a moment."""

from __future__ import annotations

from uuid import UUID, uuid4

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from geo.errors import BadInput, CityError, Forbidden
from services.access.queries import scope_for
from services.integrations.sms.client import is_connected
from services.kernel.messages.by_hand import MOST_PHONES, regions_to_send_for, send_by_hand
from services.kernel.messages.choosing import text_for
from services.kernel.messages.registry import event_named, events
from services.kernel.messages.spec import Event
from web.api.errors import status_of
from web.doors.common.typed import moment_of, typed


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def compose(request: HttpRequest) -> HttpResponse:
    """Ask for numbers, fields and a moment, and put the messages into the outbox; what is refused keeps what was typed."""
    scope = scope_for(request)
    asked = request.POST if request.method == "POST" else request.GET
    regions = regions_to_send_for(scope=scope)
    by_sms = [event for event in events().values() if "sms" in event.texts]
    event = event_named(asked.get("event") or by_sms[0].key)
    if "sms" not in event.texts:
        raise BadInput("channel_unknown", f"“{event.title}”没有短信渠道。")
    fault = None
    if request.method == "POST":
        try:
            count = _send(request, event)
        except CityError as wrong:
            if isinstance(wrong, Forbidden):
                raise
            fault = wrong
        else:
            later = "" if is_connected() else "短信平台未接通，接通后发出。"
            said.success(request, f"已登记 {count} 条短信。{later}")
            return redirect("desk-sms")
    region = next((each for each in regions if each.code == asked.get("region", "")), regions[0] if regions else None)
    entry = asked.get("entry", "") if any(each.key == asked.get("entry") for each in event.entries) else ""
    context = {
        "events": by_sms, "event": event, "regions": regions, "region": region, "entry": entry, "fault": fault,
        "most": MOST_PHONES, "connected": is_connected(), "form": asked, "token": typed(request, "token") or uuid4(),
        "fields": [(f"field-{at}", each, typed(request, f"field-{at}")) for at, each in enumerate(event.fields)],
        "text": text_for(event, "sms", region_id=region.region_id, entry=entry).text.body if region else "",
        "now": timezone.now(),
    }  # fmt: skip
    return render(request, "desk/sms_new.html", context, status=status_of(fault) if fault else 200)


def _send(request: HttpRequest, event: Event) -> int:
    try:
        token = UUID(typed(request, "token"))
    except ValueError:
        raise BadInput("token_missing", "页面已过期，请刷新后再发。") from None
    return send_by_hand(
        token=token,
        event=event.key,
        region=typed(request, "region"),
        entry=typed(request, "entry"),
        values={each.name: typed(request, f"field-{at}")[:200] for at, each in enumerate(event.fields)},
        phones=typed(request, "phones")[:20_000],
        at=moment_of(typed(request, "at"), "定时发送的时间"),
        scope=scope_for(request),
    )
