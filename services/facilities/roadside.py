"""What stops tell of roads: a stop bears the names of the road it stands on and of the crossing nearby."""

from __future__ import annotations

import re
from typing import Final

from geo.imports.models import CURRENT, Family
from geo.imports.queries import published_sources
from geo.roads.actions import replace_road_points
from services.facilities.kinds import KINDS
from services.facilities.models import Facility

NAMING: Final = tuple(kind.key for kind in KINDS if kind.names_roads)
_ROAD: Final = re.compile(r"[\u4e00-\u9fff]{1,8}?(?:公路|大道|路|街)")
STEP: Final = 0.0015
"""Degrees within which stops of one road tell the same; both sides of the road have one."""


def roads_named_in(name: str) -> list[str]:
    """Return the roads that the name of a stop holds, in the order written: 政立路国定路 names two."""
    return list(dict.fromkeys(_ROAD.findall(name)))


def tell_roads() -> int:
    """Put the points at which stops on the map now say that a road runs in place of those known so far; return how many."""
    return replace_road_points(_told())


def _told() -> list[tuple[int, str, float, float]]:
    published = published_sources(Family.FACILITIES)
    stops = Facility.objects.filter(CURRENT, source__in=published, kind__in=NAMING).order_by("id")
    told: dict[tuple[int, str, int, int], tuple[int, str, float, float]] = {}
    for source_id, name, geom in stops.values_list("source_id", "name", "geom"):
        for road in roads_named_in(name):
            place = (source_id, road, round(geom.x / STEP), round(geom.y / STEP))
            told.setdefault(place, (source_id, road, geom.x, geom.y))
    return list(told.values())
