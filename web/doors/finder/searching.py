"""The one search box: what typed words may mean, as links that either begin a search there or open a place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from geo.addresses.geocode import Candidate as Found
from geo.addresses.geocode import geocode
from geo.addresses.positions import position
from geo.addresses.suggesting.ranking import Fit, Suggestion
from geo.crs import System
from geo.errors import BadInput, TooLarge
from geo.regions.queries import current_city
from geo.scope import Scope
from services.access.queries import scope_for
from services.facilities.search import search
from web.context import elder_step
from web.doors.finder.asking import Ask, Origin, read_ask

ICONS: Final = {"facility": "store", "community": "house", "road": "route", "address": "map-pin", "region": "map"}
SUGGESTED: Final = 8
DOORS: Final = {"door", "lane", "interpolated"}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One meaning of typed words. ``certain``: no other is meant, so it need not be asked. ``corrected``: not what was typed.

    ``origin`` is the point a search from there begins at, longitude and latitude in CGCS2000 degrees.
    """

    label: str
    note: str
    icon: str
    url: str
    certain: bool = False
    corrected: bool = False
    place: int = 0
    origin: tuple[float, float] | None = None


def candidates_for(ask: Ask, *, scope: Scope, limit: int, near: tuple[float, float] | None = None) -> list[Candidate]:
    """Return what the words of a question may mean, best first; nothing for words that cannot be searched.

    ``near`` is the middle of the map, longitude and latitude in CGCS2000 degrees; without it what is near the origin comes first.
    """
    if near is None and ask.origin:
        near = (ask.origin.lon, ask.origin.lat)
    try:
        found = search(ask.q, scope=scope, near=near, limit=limit)
        # A door that no suggestion begins with may still be known, or be guessed from its neighbours.
        numbered = any(sign.isnumeric() for sign in ask.q) and not any(one.what == "address" for one in found)
        doors = geocode(ask.q, scope=scope, limit=3) if numbered else []
    except (BadInput, TooLarge):
        return []
    listed = [_suggested(ask, one, found) for one in found]
    labels = {one.label for one in found}
    exact = [_geocoded(ask, door) for door in doors if door.level in DOORS and door.label not in labels]
    return [*exact, *listed][:limit]


def _suggested(ask: Ask, one: Suggestion, found: list[Suggestion]) -> Candidate:
    if one.what == "facility":
        url = replace(ask, q="", place=None).url(f"/places/{one.id}")
    else:
        url = origin_url(ask, one.label, one.lon, one.lat)
    alone = sum(other.fit <= one.fit for other in found) == 1
    certain = alone and one.what != "facility" and one.fit < Fit.SCATTERED
    note = "，".join(filter(None, [one.where, one.said]))
    place = one.id if one.what == "facility" else 0
    origin = None if place else (one.lon, one.lat)
    return Candidate(one.label, note, ICONS.get(one.what, "map-pin"), url, certain, one.corrected, place, origin)


def _geocoded(ask: Ask, door: Found) -> Candidate:
    said = "，".join(penalty.reason for penalty in door.penalties) or (door.region.full_name if door.region else "")
    url, certain = origin_url(ask, door.label, door.lon, door.lat), door.level == "door"
    return Candidate(door.label, said, "map-pin", url, certain, origin=(door.lon, door.lat))


@never_cache
@require_safe
def suggest(request: HttpRequest) -> HttpResponse:
    """Return the options of the search box as a fragment."""
    ask = read_ask(request.GET, elder=bool(elder_step(request)))
    near = _middle_of_map(request)
    found = candidates_for(ask, scope=scope_for(request), limit=SUGGESTED, near=near) if ask.q else []
    return render(request, "door/suggestions.html", {"ask": ask, "candidates": found})


def _middle_of_map(request: HttpRequest) -> tuple[float, float] | None:
    """Return the middle of the map that is shown, when the page says so; what cannot be read is as good as nothing."""
    try:
        lon, lat = map(float, request.GET.get("middle", "").split(","))
        middle = position(lon, lat, System.CGCS2000, current_city())
    except (ValueError, BadInput):
        return None
    return middle.x, middle.y


def origin_url(ask: Ask, label: str, lon: float, lat: float) -> str:
    """Return the address of the same question asked from another point (CGCS2000 degrees)."""
    return replace(ask, origin=Origin(lon, lat), at=label, q="", place=None).url()
