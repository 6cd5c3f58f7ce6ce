"""Links to pass on: they never carry a home, only a point moved to the middle of a 200 m square of the city's plane."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

from django.conf import settings

from geo.crs import CITIES
from web.doors.finder.asking import Ask, Origin

SQUARE_M: Final = 200.0


def rounded(origin: Origin) -> Origin:
    """Return the middle of the 200 m square an origin lies in, in CGCS2000 degrees; all points of a square give the same."""
    plane = CITIES[settings.CITY].plane
    east, north = plane.forward(origin.lon, origin.lat)
    middle = [(math.floor(float(metres) / SQUARE_M) + 0.5) * SQUARE_M for metres in (east, north)]
    lon, lat = plane.inverse(*middle)
    return Origin(round(float(lon), 5), round(float(lat), 5))


def shared_ask(ask: Ask) -> Ask:
    """Return the question as it may be passed on: the origin rounded and unnamed, nothing typed, no place opened."""
    if ask.origin is None:
        return replace(ask, at="", q="", place=None)
    return replace(ask, origin=rounded(ask.origin), at="附近（约 200 米内）", q="", place=None)
