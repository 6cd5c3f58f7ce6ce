"""What every template knows: who is signed in, the map's approval number, whether invented data is shown, elder mode."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from geo.addresses.gazetteer import published_now
from services.access.queries import Caller, caller_of
from services.modules.finder.channels.words import Container, container_for
from web.favourites import marked_ids

ELDER_COOKIE: Final = "elder"
CHANNEL_COOKIE: Final = "channel"
ELDER_STEPS: Final = {"1": "标准", "2": "大", "3": "特大"}


class Tab(NamedTuple):
    """One entry of the site's navigation; ``prefixes`` are the paths it stands for."""

    href: str
    label: str
    icon: str
    prefixes: tuple[str, ...]


TABS: Final = (
    Tab("/", "找服务", "map-pin", ("/find",)),
    Tab("/enrol", "入园", "baby", ("/enrol",)),
    Tab("/places", "全部机构", "list", ("/places",)),
    Tab("/saved", "收藏", "star", ("/saved",)),
    Tab("/account", "我的", "user", ("/account", "/sign-in")),
)


def house(request: HttpRequest) -> dict[str, Any]:
    """Return the context that all pages share."""
    step = elder_step(request)
    # An error page must not fail on the very thing it reports.
    caller = getattr(request, "_quantu_caller", None) or (
        caller_of(request) if request.path[:5] != "/api/" else Caller(None)
    )
    return {
        "caller": caller,
        "map_approval": settings.MAP_APPROVAL,
        "demo_data": published_now().demo,
        "container": container_of(request),
        "elder": bool(step),
        "elder_step": step,
        "elder_steps": ELDER_STEPS,
        "tabs": TABS,
        "tab": current_tab(request.path),
        # Asked for only by pages that show places: the desk never does.
        "saved_ids": SimpleLazyObject(lambda: marked_ids(request)),
    }


def elder_step(request: HttpRequest) -> str:
    """Return the step of 字更大 ("1" to "3") when 长辈版 is on, else the empty string."""
    step = request.COOKIES.get(ELDER_COOKIE, "")
    return step if step in ELDER_STEPS else ""


def container_of(request: HttpRequest) -> Container:
    """Return what opens the page: an app with a bar of its own, a shared screen, or a browser."""
    return container_for(request.COOKIES.get(CHANNEL_COOKIE, ""), request.headers.get("User-Agent", ""))


def current_tab(path: str) -> str:
    """Return the ``href`` of the navigation entry a path belongs to."""
    for tab in TABS:
        if path == tab.href or path.startswith(tab.prefixes):
            return tab.href
    return ""
