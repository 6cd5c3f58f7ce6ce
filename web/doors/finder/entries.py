"""By which entry somebody came, and what the city's managers arranged for it: the list's filters and orders, the map app."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.http import HttpRequest

from geo.errors import NotFound
from services.access.queries import scope_for
from services.access.signin.flow import certificate_of
from services.facilities.arranging.queries import arrangement_for, draft_arrangement, navigation_app_for
from services.facilities.browsing.specs import AS_DECLARED, Arrangement
from services.facilities.navigation import first_navigation_app


def entry_of(request: HttpRequest) -> str:
    """Return the entry a request came by, a key of ``arranging.sheets.ENTRIES``."""
    return "container" if certificate_of(request) else "web"


def arrangement_of(request: HttpRequest, kinds: Sequence[str]) -> Arrangement:
    """Return how a list of some kinds is arranged; ``arrangement`` in the address shows a version to those who may set it.

    Raises ``NotFound`` for a version that is not there, ``Forbidden``.
    """
    previewed = request.GET.get("arrangement", "")
    if not previewed:
        return arrangement_for(kinds, entry_of(request)) if kinds else AS_DECLARED
    try:
        version = UUID(previewed)
    except ValueError:
        raise NotFound("arrangement_unknown", "没有这一版查找设置。") from None
    return draft_arrangement(version, scope=scope_for(request))


def first_app(request: HttpRequest, kinds: Sequence[str]) -> str:
    """Return the key of the map app that is offered first for places of some kinds."""
    return navigation_app_for(kinds, entry_of(request)) or first_navigation_app(scope=scope_for(request))
