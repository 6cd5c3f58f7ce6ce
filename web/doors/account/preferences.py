"""How a person wants to read: the switch between the standard pages and 长辈版, and the size of its type."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from web.context import CHANNEL_COOKIE, ELDER_COOKIE, ELDER_STEPS, elder_step

ONE_YEAR_S = 365 * 24 * 3600
STANDARD = "0"


@require_POST
def choose_view(request: HttpRequest) -> HttpResponse:
    """Turn 长辈版 on or off, or make its type one step larger, and go back to where the caller was."""
    response = redirect(_target(request))
    if request.POST.get("view") == "standard":
        if CHANNEL_COOKIE not in request.COOKIES:
            response.delete_cookie(ELDER_COOKIE, samesite="Lax")
            return response
        keep_step(response, STANDARD)  # who came by a channel that begins in 长辈版 has chosen otherwise
        return response
    keep_step(response, _step(request))
    return response


def keep_step(response: HttpResponse, step: str) -> None:
    """Let the device keep the step of 字更大, or ``STANDARD`` for the standard pages chosen on purpose."""
    response.set_cookie(
        ELDER_COOKIE, step, max_age=ONE_YEAR_S, secure=settings.SECURE_TLS, httponly=True, samesite="Lax"
    )


def _step(request: HttpRequest) -> str:
    """Return the wanted step: a named one, the next larger (after the largest the first again), or the kept one."""
    wanted = request.POST.get("text", "")
    if wanted in ELDER_STEPS:
        return wanted
    kept = elder_step(request) or "1"
    if wanted == "larger":
        steps = list(ELDER_STEPS)
        return steps[(steps.index(kept) + 1) % len(steps)]
    return kept


def _target(request: HttpRequest) -> str:
    target = request.POST.get("next", "")
    inside = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if inside and target.startswith("/") else "/"
