"""“我的上门”: who serves at people's homes sees the visits around now, and confirms each by face and place from the telephone."""

from __future__ import annotations

import secrets
from typing import Any, Final
from uuid import UUID

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from geo.errors import CityError, NotFound
from services.access.personal.actions import give_consent
from services.access.personal.queries import has_consented
from services.access.queries import caller_of, check_duty, scope_for
from services.crypto.identifiers import new_id
from services.crypto.primitives import sm3
from services.fencing.checkins.checking import LONGEST_WORDS, Sent, check_in
from services.fencing.checkins.duties import ATTEND
from services.fencing.checkins.faces import PURPOSE, TEXTS, begin_face
from services.fencing.checkins.models import Act, CheckIn, Visit, VisitState
from services.fencing.checkins.photos import MOST_BYTES
from services.fencing.checkins.queries import counted, home_shown, last_attempt, own_visit, own_visits
from services.fencing.checkins.readings import read_reading
from services.integrations.faces.schemas import MOST_PICTURES
from web.api.errors import status_of
from web.doors.common.typed import key_typed, number_typed, typed

COOKIE: Final = "checkin-device"
COOKIE_S: Final = 400 * 86_400
POSITION: Final = ("lon", "lat", "crs", "accuracy", "altitude", "speed", "source", "mock", "fixed_ms", "sent_ms")
CAMERA: Final = "geolocation=(self), camera=(self), microphone=()"


@never_cache
@login_required
@require_safe
def list_page(request: HttpRequest) -> HttpResponse:
    """Show the visits of who asks, by day."""
    scope, now = scope_for(request), timezone.now()
    rows = own_visits(scope=scope, now=now)
    context = {
        "rows": [row for row in rows if row.open],
        "done": [row for row in rows if row.state == VisitState.DONE],
        "today": timezone.localdate(now),
        "now": now,
    }
    return render(request, "my/visits.html", context)


@never_cache
@login_required
@require_safe
def visit_page(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show one visit, what is confirmed of it, and what to do next."""
    return _shown(request, uid)


@never_cache
@login_required
@require_POST
def check(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Confirm the beginning or the end of a visit; the page's script reads JSON, every other browser a page."""
    scope, user = scope_for(request), caller_of(request).user
    device = request.get_signed_cookie(COOKIE, default="", max_age=COOKIE_S) or secrets.token_hex(16)
    try:
        if user is None:
            raise NotFound("visit_unknown", "请先登录。")
        row = check_in(visit_uid=uid, sent=_sent(request, device), user=user, scope=scope)
    except CityError as fault:
        if _scripted(request):
            return JsonResponse({"fault": fault.message, "key": str(new_id())}, status=status_of(fault))
        return _shown(request, uid, fault)
    if row.counts:
        said.success(request, f"{row.get_act_display()}成功：{row.said}")
    answer = JsonResponse({"counts": row.counts}) if _scripted(request) else redirect("my-visit", uid)
    answer.set_signed_cookie(
        COOKIE, device, max_age=COOKIE_S, httponly=True, samesite="Lax", secure=request.is_secure()
    )  # fmt: skip
    return answer


@never_cache
@login_required
@require_POST
def face(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Open a check of the caller's face: the token of it, and what to ask of the face."""
    scope, user = scope_for(request), caller_of(request).user
    own_visit(uid, scope=scope)
    if user is None or not has_consented(user, PURPOSE):
        raise NotFound("consent_missing", "请先同意人脸核验。")
    begun = begin_face(user)
    return JsonResponse({"token": begun.token, "said": begun.said, "waits": begun.waits})


@login_required
@require_POST
def consent(request: HttpRequest) -> HttpResponse:
    """Keep that the caller agrees to have his face checked, and go back to the visit."""
    check_duty(scope_for(request), ATTEND)
    user = caller_of(request).user
    if user is not None:
        give_consent(user=user, purpose=PURPOSE, version=number_typed(request, "version"), request=request)
        said.success(request, "已同意人脸核验，可以打卡了。")
    try:
        return redirect("my-visit", UUID(typed(request, "visit")))
    except ValueError:
        return redirect("my-visits")


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Explain check-ins to who serves, to centres and to supervisors."""
    return render(request, "help/checkins.html")


def _shown(request: HttpRequest, uid: UUID, fault: CityError | None = None) -> HttpResponse:
    scope, user, now = scope_for(request), caller_of(request).user, timezone.now()
    visit = own_visit(uid, scope=scope)
    done, last = counted(visit), last_attempt(visit)
    context: dict[str, Any] = {
        "visit": visit,
        "kind": visit.spec,
        "home": home_shown(visit, scope=scope, now=now),
        "done": _steps(visit, done),
        "act": _next(visit, done),
        "tried": last if last is not None and not last.counts else None,
        "key": new_id(),
        "consented": not visit.spec.face or (user is not None and has_consented(user, PURPOSE)),
        "terms": TEXTS[-1],
        "version": len(TEXTS),
        "fault": fault,
        "words": typed(request, "words") if fault else "",
        "most": LONGEST_WORDS,
    }
    answer = render(request, "my/visit.html", context, status=status_of(fault) if fault else 200)
    answer["Permissions-Policy"] = CAMERA
    return answer


def _steps(visit: Visit, done: dict[str, CheckIn]) -> list[tuple[str, CheckIn | None]]:
    return [(str(act.label), done.get(act)) for act in Act]


def _next(visit: Visit, done: dict[str, CheckIn]) -> Act | None:
    """Return what is to be confirmed next, None when nothing is."""
    if not visit.open:
        return None
    return Act.OUT if Act.IN in done else Act.IN


def _sent(request: HttpRequest, device: str) -> Sent:
    pictures = tuple(file.read(MOST_BYTES + 1) for file in request.FILES.getlist("photo")[:MOST_PICTURES] if file.size)
    return Sent(
        key=key_typed(request),
        act=typed(request, "act"),
        reading=read_reading({name: typed(request, name) for name in POSITION}),
        pictures=pictures,
        token=typed(request, "token")[:64],
        manual=typed(request, "manual") == "1",
        words=typed(request, "words")[: LONGEST_WORDS + 1],
        device=sm3(device.encode()).hex(),
    )


def _scripted(request: HttpRequest) -> bool:
    return request.headers.get("Accept", "") == "application/json"
