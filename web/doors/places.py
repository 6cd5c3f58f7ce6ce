"""Pages of facilities: all of them as a list, the card of one, and what stands at a point of the map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from geo.addresses.gazetteer import NamedRegion, Names, names_of, published_now
from geo.addresses.queries import reverse
from geo.errors import BadInput, NotFound, TooLarge
from services.access.queries import scope_for
from services.facilities.queries import (
    NO_FILTERS,
    Order,
    counts_by_kind,
    facilities_in,
    facility_detail,
)
from web.doors.asking import Ask, Origin, kind_menu, read_ask
from web.doors.cards import Card, make_card, row_of, way_for
from web.doors.find import filter_chips
from web.doors.nearby import straight_nearest
from web.doors.shown import Row

PAGE: Final = 20
HERE_M: Final = 60.0
HERE_MOST: Final = 5
ORDERS: Final[dict[str, Order]] = {"distance": "distance", "name": "name", "relevance": "relevance"}
LIST_SORTS: Final = {"distance": "近的在前", "name": "按名称", "relevance": "最像的在前"}


@dataclass(frozen=True, slots=True)
class Listing:
    """What the list of all places is narrowed to: words, region, order and where the page begins, beside the usual question."""

    q: str
    region: str
    order: Order | None
    cursor: str
    everything: bool

    def params(self, ask: Ask) -> dict[str, str]:
        """Return the listing and its question as parameters."""
        own = {"q": self.q, "region": self.region, "order": self.order or ""}
        kept = {key: value for key, value in ask.params().items() if key in {"lon", "lat", "at"}}
        kinds = {"kinds": "all"} if self.everything else {"kinds": ask.kinds} | ask.filter_params()
        return {key: value for key, value in (kept | kinds | own).items() if value}


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of the list: its rows, the address of the next page, how many there are in all, or why there is none."""

    rows: list[Row]
    next: str | None = None
    total: int = 0
    fault: str = ""


@never_cache
@require_safe
def all_places(request: HttpRequest) -> HttpResponse:
    """List every facility with its name, address, kind, favourite mark and distance; searched, filtered and sorted."""
    ask = replace(read_ask(request.GET), mode="walk")
    listing = read_listing(request, ask)
    listed = _listed(request, ask, listing)
    names = names_of(published_now())
    context = {
        "ask": ask,
        "listing": listing,
        "rows": listed.rows,
        "next": listed.next,
        "total": listed.total,
        "fault": ask.fault or listed.fault,
        "everything": listing.everything,
        "what": "服务设施" if listing.everything else ask.kind_name,
        "kind_menu": kind_menu(),
        "districts": [region for region in names.regions.values() if region.level == "district"],
        "streets": _streets(names, listing.region),
        "sorts": {
            key: name
            for key, name in LIST_SORTS.items()
            if (key != "distance" or ask.origin) and (key != "relevance" or listing.q)
        },
        "filters": [] if listing.everything else [chip for chips in filter_chips(ask) for chip in chips],
    }
    fragment = request.headers.get("HX-Request") == "true"
    response = render(request, "places/rows.html" if fragment else "places/list.html", context)
    response["Vary"] = "HX-Request, Cookie"
    return response


def _listed(request: HttpRequest, ask: Ask, listing: Listing) -> Listed:
    asked: dict[str, Any] = {
        "scope": scope_for(request),
        "region": listing.region,
        "kinds": () if listing.everything else ask.kind_keys,
        "q": listing.q,
        "filters": ask.filters,
    }
    near = (ask.origin.lon, ask.origin.lat) if ask.origin else None
    try:
        page = facilities_in(**asked, near=near, order=listing.order, cursor=listing.cursor, limit=PAGE)
        total = sum(counts_by_kind(**asked).values())
    except (BadInput, NotFound, TooLarge) as error:
        return Listed([], fault=error.message)
    metres: Sequence[float | None] = page.metres or [None] * len(page.places)
    rows = [
        Row(place, ask.place_url(place.id), straight_m=away) for place, away in zip(page.places, metres, strict=True)
    ]
    following = f"/places?{urlencode(listing.params(ask) | {'cursor': page.next})}" if page.next else None
    return Listed(rows, following, total)


def _streets(names: Names, code: str) -> list[NamedRegion]:
    """Return the streets of the district that is chosen, or that the chosen street lies in."""
    chosen = names.by_code.get(code)
    district = names.above(chosen, "district") if chosen else None
    if district is None:
        return []
    return [one for one in names.regions.values() if one.level == "street" and one.path.startswith(district.path)]


def read_listing(request: HttpRequest, ask: Ask) -> Listing:
    """Return how the list is narrowed, from the address."""
    order: Order | None = ORDERS.get(request.GET.get("order", ""))
    if (order == "distance" and not ask.origin) or (order == "relevance" and not ask.q):
        order = None
    return Listing(
        q=ask.q,
        region=request.GET.get("region", "")[:12],
        order=order,
        cursor=request.GET.get("cursor", "")[:2000],
        everything=request.GET.get("kinds", "") in {"", "all"},
    )


@never_cache
@require_safe
def place_card(request: HttpRequest, place_id: int) -> HttpResponse:
    """Return the card of one place as a fragment for the map."""
    return render(request, "door/card.html", {"card": card_for(request, place_id, read_ask(request.GET))})


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
