"""Who follows what at fences, what was done there lately, and whether platforms are told; never where anything is."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from geo.fences.evaluate.positions import Refusal
from geo.fences.purposes import purpose_of
from services.access.queries import scope_for
from services.fencing.following.actions import send_again
from services.fencing.following.models import Following
from services.fencing.following.queries import (
    Health,
    busy_fences,
    client_followed,
    dead_letters,
    followings_seen,
    health_seen,
    left_out_of,
)
from services.fencing.queries import EDIT
from web.doors.common.typed import number_typed, typed
from web.doors.fences.streams import fence_events

LATELY: Final = dt.timedelta(hours=24)
FENCES: Final = 50
LETTERS: Final = 50
LONG_WAIT: Final = dt.timedelta(minutes=10)
WHY: Final = {
    "not_reached": "连不上",
    "name_unknown": "找不到主机",
    "address_refused": "地址在内网，不允许访问",
    "certificate_refused": "证书不可信",
    "answer_missing": "没有按时答复",
    "redirected": "要求转到别处",
    "receiver_host": "主机不在允许回调的名单里",
    "receiver_not_https": "地址不是 https",
}
"""Why an event did not arrive, by its code."""


@never_cache
@login_required
@require_safe
def live_page(request: HttpRequest) -> HttpResponse:
    """Show the platforms that follow fences of the caller's districts, the busiest fences of a day, and what did not arrive."""
    scope = scope_for(request)
    followings = list(followings_seen(scope=scope))
    lately = busy_fences(scope=scope, since=timezone.now() - LATELY, most=FENCES)
    letters = list(dead_letters(scope=scope)[:LETTERS])
    context = {
        "platforms": [_platform(each, followings) for each in health_seen(scope=scope)],
        "lately": [{"row": row, "purpose": getattr(purpose_of(row.purpose), "name", "")} for row in lately],
        "letters": [{"row": row, "why": why_of(row.code)} for row in letters], "seen": letters[0].pk if letters else 0,
        "letter_count": dead_letters(scope=scope).count(),
        "may_send": scope.holds(EDIT),
    }  # fmt: skip
    return render(request, "plan/fence_following.html", context)


def _platform(health: Health, followings: list[Following]) -> dict[str, Any]:
    own = [row for row in followings if row.client_id == health.client.pk]
    slow = health.oldest is not None and health.oldest < timezone.now() - LONG_WAIT
    left_out = left_out_of(health.client)
    return {
        "health": health,
        "followings": [{"row": row, "wants": _wants(row)} for row in own],
        "trouble": slow or bool(health.fault) or bool(health.dead),
        "why": why_of(health.fault),
        "left_out": [(reason.label, left_out[reason.value]) for reason in Refusal if left_out.get(reason.value)],
    }


def why_of(code: str) -> str:
    """Return why an event did not arrive, '' for ''."""
    status = code.removeprefix("status_")
    return f"对方答复 {status}" if status != code else WHY.get(code, code)


def _wants(row: Following) -> str:
    words = [word for word, wanted in (("进入", row.enter), ("离开", row.exit), ("穿越", row.cross)) if wanted]
    words += [f"停留 {row.dwell_s} 秒"] if row.dwell_s else []
    words += [f"接近 {row.approach_m} 米"] if row.approach_m else []
    named = f"，只跟踪 {len(row.fences)} 个围栏" if row.fences else ""
    return "、".join(words) + named


@login_required
@require_POST
def again(request: HttpRequest) -> HttpResponse:
    """Send the undelivered events of a platform again, as far as they were seen."""
    scope = scope_for(request)
    client = client_followed(typed(request, "app"), scope=scope)
    count = send_again(scope=scope, client=client, up_to=number_typed(request, "up_to"))
    if count:
        messages.success(request, f"{client.name}的 {count} 件事件已重新排入，马上再送。")
    else:
        messages.info(request, "这些事件已经重新排过了，请看下面的最新情况。")
    return redirect("fences-live")


ROUTES: Final = (
    path("plan/fences/live", live_page, name="fences-live"),
    path("plan/fences/live/again", again, name="fences-live-again"),
    path("sse/fences/events", fence_events, name="fence-event-stream"),
)
