"""What stops tell of roads: a stop bears the names of the road it stands on and of the crossing nearby."""

from __future__ import annotations

import re
from typing import Final

from geo.imports.models import CURRENT
from geo.roads.actions import replace_road_points
from services.facilities.kinds.declared import DECLARED
from services.facilities.models import Facility

NAMING: Final = tuple(kind.key for kind in DECLARED if kind.names_roads)
_ROAD: Final = re.compile(r"[\u4e00-\u9fff]{1,8}?(?:公路|大道|路|街)")
STEP: Final = 0.0015
"""Degrees within which stops of one road tell the same; both sides of the road have one."""


def roads_named_in(name: str) -> list[str]:
    """Return the roads that the name of a stop holds, in the order written: 政立路国定路 names two."""
    return list(dict.fromkeys(_ROAD.findall(name)))


def tell_roads(*, source_id: int) -> int:
    """Put the points at which the stops of a source say that a road runs in place of those it told before; return how many."""
    stops = Facility.objects.filter(CURRENT, source=source_id, kind__in=NAMING).order_by("ext_id")
    told: dict[tuple[str, int, int], tuple[str, float, float]] = {}
    for name, geom in stops.values_list("name", "geom"):
        for road in roads_named_in(name):
            told.setdefault((road, round(geom.x / STEP), round(geom.y / STEP)), (road, geom.x, geom.y))
    return replace_road_points(source_id=source_id, points=list(told.values()))
