"""What is near as the crow flies: for a tap on the map, and for whoever no street leads anywhere."""

from __future__ import annotations

from django.http import HttpRequest

from services.access.queries import scope_for
from services.facilities.nearest import facilities_near
from web.doors.finder.asking import Ask
from web.doors.finder.shown import Row


def straight_nearest(request: HttpRequest, ask: Ask, k: int) -> list[Row]:
    """Return the places of the question that are nearest in a straight line; none without an origin."""
    if ask.origin is None:
        return []
    found = facilities_near(
        ask.origin.lon, ask.origin.lat, scope=scope_for(request), kinds=ask.kind_keys, k=k, filters=ask.filters
    )
    return [Row(one.place, ask.place_url(one.place.id), straight_m=one.metres) for one in found]
