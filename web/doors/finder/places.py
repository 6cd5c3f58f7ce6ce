"""Pages of facilities: the card of one, and what stands at a point of the map."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from geo.addresses.queries import reverse
from services.access.queries import scope_for
from services.facilities.queries import (
    NO_FILTERS,
    facility_detail,
)
from services.modules.finder.models import Act
from web.doors.finder.asking import Ask, Origin, read_ask
from web.doors.finder.cards import Card, make_card, row_of, way_for
from web.doors.finder.nearby import straight_nearest
from web.doors.finder.uses import note_place

HERE_M: Final = 60.0
HERE_MOST: Final = 5


@never_cache
@require_safe
def place_card(request: HttpRequest, place_id: int) -> HttpResponse:
    """Return the card of one place as a fragment for the map."""
    card = card_for(request, place_id, read_ask(request.GET))
    note_place(request, Act.DETAIL, card.place)
    return render(request, "door/card.html", {"card": card})


def card_for(request: HttpRequest, place_id: int, ask: Ask) -> Card:
    """Return the card of a place, with the way there when an origin is known. Raises ``NotFound``."""
    detail = facility_detail(place_id, scope=scope_for(request))
    way = way_for(request, place_id, ask)
    return make_card(request, detail, row_of(detail, way, ask), ask, way)


@never_cache
@require_safe
def here(request: HttpRequest) -> HttpResponse:
    """Say what stands at a point of the map: facilities with their attributes, and the ways on from there."""
    ask = read_ask(request.GET)
    point = read_ask({"lon": request.GET.get("here_lon", ""), "lat": request.GET.get("here_lat", "")})
    near = straight_nearest(request, replace(ask, origin=point.origin, filters=NO_FILTERS), HERE_MOST)
    where = where_is(request, point.origin) if point.origin else ""
    close = [row for row in near if (row.straight_m or 0) <= HERE_M]
    context = {
        "fault": point.fault or ("" if point.origin else "没有拿到点的位置，请在地图上再点一次。"),
        "where": where,
        "start_url": replace(ask, origin=point.origin, at=where, q="", place=None).url() if point.origin else "",
        "ask": ask,
        "close": [
            make_card(request, facility_detail(row.place.id, scope=scope_for(request)), row, ask) for row in close
        ],
        "near": [row for row in near if row not in close][:3],
    }
    return render(request, "door/here.html", context)


def where_is(request: HttpRequest, origin: Origin) -> str:
    """Return the words for a point: the nearest address, or the region it lies in."""
    found = reverse(origin.lon, origin.lat, scope=scope_for(request))
    return f"{found[0].label}附近" if found else ""
