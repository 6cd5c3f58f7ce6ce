"""The places a caller marked: on the account when signed in, else in a cookie of the device; merged when somebody signs in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from django.conf import settings
from django.contrib import messages as said
from django.http import HttpRequest, HttpResponse

from services.access.models import User
from services.access.queries import scope_for
from services.facilities.upkeep.queries import led_ids
from services.modules.finder.favourites import MOST, merge_favourites
from services.modules.finder.queries import favourite_ids

COOKIE: Final = "saved"
KEPT_S: Final = 400 * 24 * 3600
"""As long as browsers keep a cookie at most."""
MOST_COOKIE: Final = 3000
_IDS: Final = re.compile(r"\d{1,18}(?:\.\d{1,18})*", re.ASCII)


def device_ids(request: HttpRequest) -> list[int]:
    """Return the ids that the device holds, newest first; none where the cookie cannot be read."""
    text = request.COOKIES.get(COOKIE, "")
    return list(dict.fromkeys(int(one) for one in text.split(".")))[:MOST] if _IDS.fullmatch(text) else []


def marked_ids(request: HttpRequest) -> list[int]:
    """Return the ids of the places that the caller marked, in order; asked once for a request."""
    known: list[int] | None = getattr(request, "_quantu_marked", None)
    if known is None:
        user = request.user
        known = favourite_ids(user) if isinstance(user, User) else led_ids(device_ids(request))
        request._quantu_marked = known  # type: ignore[attr-defined]
    return known


def keep_on_device(response: HttpResponse, ids: Iterable[int]) -> None:
    """Let the device hold these ids; script of ours reads and writes the same cookie."""
    kept = list(ids)[:MOST]
    while len(text := ".".join(str(one) for one in kept)) > MOST_COOKIE:
        kept.pop()
    if not text:
        response.delete_cookie(COOKIE, samesite="Lax")
        return
    response.set_cookie(COOKIE, text, max_age=KEPT_S, secure=settings.SECURE_TLS, samesite="Lax")


class DeviceFavourites:
    """Takes what the device holds over to the account, on the first page after somebody signed in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        merged = self._merge(request)
        response = self.get_response(request)
        if merged:
            response.delete_cookie(COOKIE, samesite="Lax")
        return response

    def _merge(self, request: HttpRequest) -> bool:
        page = request.method == "GET" and not request.path.startswith(("/api/", "/tiles", "/ogc", "/style", "/static"))
        if not page or COOKIE not in request.COOKIES or not isinstance(request.user, User):
            return False
        ids: Sequence[int] = led_ids(device_ids(request))
        if added := merge_favourites(user=request.user, ids=ids, scope=scope_for(request)):
            said.success(request, f"这台设备上收藏的 {added} 家已并到您的账号，换一台设备登录也能看到。")
        return True
