"""The ways in: the short address of each channel, and the desk where managers see, set and print them."""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.contrib import messages as said
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from geo.errors import CityError
from services.access.queries import scope_for
from services.facilities.qr import qr_png, qr_svg
from services.modules.finder.channels import queries
from services.modules.finder.channels.actions import set_channel
from services.modules.finder.channels.queries import DAYS, Standing
from services.modules.finder.channels.words import ENTRY_PAGES, Channel
from services.modules.finder.counting import count_use
from services.modules.finder.models import Act
from web.api.errors import status_of
from web.context import CHANNEL_COOKIE, ELDER_COOKIE
from web.doors.account.preferences import keep_step
from web.doors.common.typed import number_typed, typed
from web.doors.finder.uses import TOLD, is_use
from web.favourites import COOKIE as SAVED_COOKIE

DRAWN: Final = {"svg": ("image/svg+xml", qr_svg), "png": ("image/png", qr_png)}
FIRST_STEP: Final = "1"


@never_cache
@require_safe
def enter(request: HttpRequest, code: str) -> HttpResponse:
    """Open the page a channel leads to, in its theme, and count one visit; a channel that is off says so. Raises ``NotFound``."""
    standing = queries.channel_coded(code)
    if not standing.on:
        return render(request, "channels/off.html", {"standing": standing}, status=404)
    if request.method == "GET" and is_use(request):
        count_use(Act.VISIT, region_id=None, filters=[queries.counted_as(standing.channel.key)])
    response = redirect(standing.entry)
    anew = standing.channel.shared and request.COOKIES.get(CHANNEL_COOKIE) == standing.channel.key
    if anew:
        _forget_the_last(request, response)
    if standing.elder and (anew or ELDER_COOKIE not in request.COOKIES):
        keep_step(response, FIRST_STEP)
    response.set_cookie(CHANNEL_COOKIE, standing.channel.key, secure=settings.SECURE_TLS, httponly=True, samesite="Lax")
    return response


def _forget_the_last(request: HttpRequest, response: HttpResponse) -> None:
    """Leave nothing of who used a shared screen before."""
    logout(request)
    for name in (ELDER_COOKIE, SAVED_COOKIE):
        response.delete_cookie(name, samesite="Lax")


@never_cache
@login_required
@require_safe
def list_page(request: HttpRequest) -> HttpResponse:
    """List every channel with its address, its QR code, how it is set, and how often somebody came by it."""
    scope = scope_for(request)
    counts = queries.visits(scope=scope)
    rows = [
        (each, address_of(request, each.channel), _told(counts.get(each.channel.key), " 次"))
        for each in queries.standings(scope=scope)
    ]
    return render(request, "desk/channels.html", {"rows": rows, "days": DAYS})


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def one_page(request: HttpRequest, key: str) -> HttpResponse:
    """Show one channel with its visits by day, and set it."""
    scope, fault = scope_for(request), None
    standing = queries.standing_of(key, scope=scope)
    form: dict[str, Any] = {"on": standing.on, "elder": standing.elder, "entry": standing.entry}
    if request.method == "POST":
        form = {
            "on": typed(request, "on") == "1",
            "elder": typed(request, "elder") == "1",
            "entry": typed(request, "entry"),
        }
        try:
            set_channel(key=key, seen=number_typed(request, "seen"), scope=scope, **form)
        except CityError as wrong:
            fault = wrong
        else:
            said.success(request, "已保存，马上生效。" if form["on"] else "已停用：打开这个网址的人会看到从哪里进。")
            return redirect("desk-channel", key)
    context = {
        "standing": standing,
        "address": address_of(request, standing.channel),
        "form": form,
        "entries": ENTRY_PAGES,
        "days": [(one.label, _told(one)) for one in queries.visits_by_day(key, scope=scope)],
        "span": DAYS,
        "changes": queries.changes_of(key, scope=scope),
        "fault": fault,
    }
    return render(request, "desk/channel.html", context, status=status_of(fault) if fault else 200)


@never_cache
@login_required
@require_safe
def code_page(request: HttpRequest, key: str, form: str) -> HttpResponse:
    """Send the QR code of a channel's address, to print. Raises ``NotFound``, ``Forbidden``."""
    standing: Standing = queries.standing_of(key, scope=scope_for(request))
    kind, drawn = DRAWN[form]
    return HttpResponse(drawn(address_of(request, standing.channel)), content_type=kind)


def address_of(request: HttpRequest, channel: Channel) -> str:
    """Return the whole address of a channel, as people reach the site."""
    path = reverse("channel", args=[channel.code])
    return f"{settings.SITE_URL}{path}" if settings.SITE_URL else request.build_absolute_uri(path)


def _told(use: Any, unit: str = "") -> str:
    """Return a count in words: few is not told."""
    return TOLD if use is not None and use.count is None else f"{use.count if use else 0}{unit}"


ROUTES = [
    path("c/<slug:code>", enter, name="channel"),
    path("desk/channels", list_page, name="desk-channels"),
    path("desk/channels/<slug:key>", one_page, name="desk-channel"),
    path("desk/channels/<slug:key>/code.svg", code_page, {"form": "svg"}, name="desk-channel-svg"),
    path("desk/channels/<slug:key>/code.png", code_page, {"form": "png"}, name="desk-channel-png"),
]
