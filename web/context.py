"""What every template knows: who is signed in, the map's approval number, whether invented data is shown, elder mode."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from geo.imports.queries import shows_invented
from services.access.queries import Caller, caller_of

ELDER_COOKIE = "elder"
ELDER_STEPS = {"1": "1.0", "2": "1.25", "3": "1.5"}


def house(request: HttpRequest) -> dict[str, Any]:
    """Return the context that all pages share."""
    step = request.COOKIES.get(ELDER_COOKIE, "")
    # An error page must not fail on the very thing it reports.
    caller = getattr(request, "_quantu_caller", None) or (
        caller_of(request) if request.path[:5] != "/api/" else Caller(None)
    )
    return {
        "caller": caller,
        "map_approval": settings.MAP_APPROVAL,
        "demo_data": shows_invented(),
        "elder": step in ELDER_STEPS,
        "elder_step": step if step in ELDER_STEPS else "",
    }
