"""A journey to facilities: who travels from where, over which roads, and what an answer then rests on.

The circle, the nearest and the way to one place begin here, so that they snap, close roads and see facilities alike.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from django.db.models import Q
from numpy.typing import NDArray

from geo.addresses.gazetteer import Published
from geo.calendars.working import WorkingDays
from geo.crs import Coordinate, System, convert
from geo.errors import BadInput
from geo.imports.models import Family
from geo.regions.queries import current_city
from geo.roads.queries import closed_segments
from geo.scope import Scope
from routing.places import PlaceCosts, costs_to
from routing.search import Budget, Reach, reach
from routing.snap import Snap, snap
from routing.travellers import TRAVELLERS, Traveller
from services.facilities.filters import Filters
from services.facilities.ground import Ground, ground
from services.facilities.places import Place
from services.facilities.queries import city_now, days_around, visible

LONGEST: Final[Mapping[str, int]] = {"walk": 60, "elder": 60, "pram": 60, "wheelchair": 60, "bicycle": 60, "car": 45}
"""The most minutes that may be asked for, by traveller."""
BUDGET: Final = Budget(nodes=1_500_000, seconds=4.0)


@dataclass(frozen=True, slots=True)
class Reached:
    """A facility that is reached: seconds and metres over the road, both access legs included, and metres as the crow flies."""

    place: Place
    seconds: float
    metres: float
    straight_m: float

    @property
    def minutes(self) -> int:
        """Return the minutes, rounded up: nobody arrives earlier than is said."""
        return max(1, int(np.ceil(self.seconds / 60 - 1e-4)))


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What the answer rests on."""

    traveller: Traveller
    graph: str
    roads_as_of: str
    roads_source: str
    facilities_as_of: str
    published: Published
    at: dt.datetime


@dataclass(frozen=True, slots=True, eq=False)
class Journey:
    """A question on its ground: who asks, from where (CGCS2000 degrees, and put on the road), for what."""

    scope: Scope
    origin: Coordinate
    ground: Ground
    published: Published
    traveller: Traveller
    start: Snap
    closed: NDArray[np.bool_]
    kinds: tuple[str, ...]
    now: dt.datetime
    days: WorkingDays

    @property
    def snap_m(self) -> float | None:
        """Return the metres from the origin to the road, ``None`` when there is none near."""
        return self.start.metres if self.start.found else None

    @property
    def assumptions(self) -> Assumptions:
        """Return what the answer rests on."""
        meta = self.ground.graph.meta
        facilities_as_of = self.published.as_of.get(Family.FACILITIES, "")
        return Assumptions(
            self.traveller, meta.version, meta.as_of, meta.source, facilities_as_of, self.published, self.now
        )

    def condition(self, filters: Filters) -> Q:
        """Return the condition that a facility is open, may be seen and meets the filters."""
        return visible(self.scope, self.published) & filters.condition(self.now, self.days)

    def snapped(self, lon: float, lat: float) -> Snap:
        """Return a point (CGCS2000 degrees) put on the road that this traveller may use now."""
        return _snapped(self.ground, lon, lat, self.traveller, self.closed)

    def search(self, minutes: float) -> Reach:
        """Return all that is reached within the minutes. Raises ``SearchTooLarge`` when the search meets its budget."""
        found = reach(self.ground.graph, [self.start], self.traveller, minutes * 60, budget=BUDGET, closed=self.closed)
        found.require_complete()
        return found

    def costs(self, found: Reach) -> PlaceCosts | None:
        """Return the facilities of the wanted kinds that a search reached; ``None`` when nothing could be searched."""
        if found.reason is not None:
            return None
        return costs_to(found, self.ground.index, wanted=self.ground.wanted(self.kinds))


def begin_journey(
    *,
    scope: Scope,
    origin: Coordinate,
    traveller: Traveller,
    kinds: Sequence[str] = (),
    published: Published,
    now: dt.datetime | None = None,
) -> Journey:
    """Return the journey from ``origin`` (any system) over the current roads. Raises ``NoGraph`` before a graph was built."""
    stock, now = ground(published), now or city_now()
    point = convert(origin, System.CGCS2000)
    closed = stock.graph.closures(closed_segments(now, scope=scope))
    start = _snapped(stock, point.x, point.y, traveller, closed)
    return Journey(scope, point, stock, published, traveller, start, closed, tuple(kinds), now, days_around(now))


def check_journey(mode: str, minutes: int) -> Traveller:
    """Return the traveller of a mode, or raise ``BadInput`` for an unknown one or minutes out of its range."""
    traveller = TRAVELLERS.get(mode)
    if traveller is None or mode not in LONGEST:
        raise BadInput(
            "mode_unknown", f"没有“{mode[:20]}”这种出行方式。可选：{'、'.join(LONGEST)}。", known=list(LONGEST)
        )
    if not 1 <= minutes <= LONGEST[mode]:
        raise BadInput(
            "minutes_out_of_range",
            f"{traveller.name}可查 1 到 {LONGEST[mode]} 分钟，请调整时间。",
            parameter="minutes",
            most=LONGEST[mode],
        )
    return traveller


def _snapped(stock: Ground, lon: float, lat: float, traveller: Traveller, closed: NDArray[np.bool_]) -> Snap:
    east, north = current_city().plane.forward(np.array([lon]), np.array([lat]))
    return snap(stock.graph, float(east[0]), float(north[0]), traveller, closed=closed)
