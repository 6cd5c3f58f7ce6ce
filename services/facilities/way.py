"""The way to one facility: the line to draw from door to door, with the very time and length the circle gives that facility."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.crs import Coordinate
from geo.errors import NotFound
from geo.regions.queries import current_city
from geo.roads.models import RoadSegment
from geo.scope import Scope
from routing.directions import Leg, NoRoute, route
from routing.guidance import Step, steps_of
from services.facilities.journeys import BUDGET, LONGEST, Assumptions, Journey, Reached, begin_journey, check_journey
from services.facilities.places import Place
from services.facilities.queries import facility_detail


class NoWay(NotFound):
    """There is no way to the place, or none within the most minutes of its mode."""


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """The quickest way: ``line`` is (n, 2) of (lon, lat) in CGCS2000 degrees from ``origin`` to the door of the place reached.

    ``steps`` are its parts by road, without the access legs at both ends.
    """

    origin: Coordinate
    snap_m: float
    line: NDArray[np.float64]
    reached: Reached
    assumptions: Assumptions
    steps: tuple[Step, ...]


def way_to(
    *, scope: Scope, origin: Coordinate, place_id: int, mode: str = "walk", now: dt.datetime | None = None
) -> Way:
    """Return the quickest way from ``origin`` (any system) to a facility, whatever its status, by ``mode``.

    Raises ``NotFound`` for a facility the scope cannot see, ``NoWay`` when there is none within the most minutes of the mode,
    ``BadInput`` for an unknown mode, ``NoGraph`` before a road graph was built, ``TooLarge`` when the search meets its budget.
    """
    traveller = check_journey(mode, 1)
    detail = facility_detail(place_id, scope=scope, now=now)
    place = detail.place
    journey = begin_journey(scope=scope, origin=origin, traveller=traveller, published=detail.published, now=now)
    start, target = journey.start, journey.snapped(place.lon, place.lat)
    if start.reason is not None:
        raise NoWay(f"origin_{start.reason}", start.reason.message)
    if target.reason is not None:
        raise NoWay(
            f"place_{target.reason}", f"“{place.name}”附近没有{traveller.name}可走的道路，请换一种出行方式再试。"
        )
    graph = journey.ground.graph
    try:
        found = route(graph, start, target, seconds=LONGEST[mode] * 60, budget=BUDGET, closed=journey.closed)
    except NoRoute:
        raise _too_far(journey, place) from None
    straight = float(np.hypot(target.x - start.x, target.y - start.y))
    reached = Reached(place, found.seconds, max(found.metres, straight), straight)
    line = found.degrees(current_city().plane)
    # Who stands at the very door has no way to go, but a line has two ends.
    line = line if len(line) > 1 else np.repeat(line, 2, axis=0)
    return Way(journey.origin, start.metres, line, reached, journey.assumptions, _steps(found.legs))


def _steps(legs: tuple[Leg, ...]) -> tuple[Step, ...]:
    rows = RoadSegment.objects.filter(pk__in={leg.road for leg in legs})
    return steps_of(legs, dict(rows.values_list("pk", "name")))


def _too_far(journey: Journey, place: Place) -> NoWay:
    traveller = journey.traveller
    return NoWay(
        "no_way",
        f"{traveller.name} {LONGEST[traveller.key]} 分钟内走不到“{place.name}”，请换一种出行方式，或换一家看看。",
        most=LONGEST[traveller.key],
    )
