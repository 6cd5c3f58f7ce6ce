"""The circle: what can be reached from a place within some minutes, and which facilities lie in it.

List and outline come from one search with one cost for every road, so they say the same.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from shapely.geometry import MultiPolygon

from geo.addresses.gazetteer import Published, published_now
from geo.crs import Coordinate
from geo.errors import BadInput
from geo.regions.queries import current_city
from geo.scope import Scope
from routing.isochrones import isochrone
from routing.places import PlaceCosts, PlaceIndex, nearest_places
from routing.search import Reach
from services.facilities.filters import Filters, keys_of
from services.facilities.journeys import BUDGET, LONGEST, Assumptions, Journey, Reached, begin_journey, check_journey
from services.facilities.kinds import spoken_kinds
from services.facilities.models import Facility
from services.facilities.queries import NO_FILTERS, places_by_id

BANDS: Final = (5, 10, 15, 20, 30, 45, 60)
MOST_PLACES: Final = 500
READ_WHOLE: Final = 600
"""Up to so many facilities are read at once; beyond, only their ids are, and then those that are shown."""


@dataclass(frozen=True, slots=True)
class Step:
    """A way on from an empty answer: the sentence, what to change in the question, and how many would be found."""

    text: str
    changes: Mapping[str, Any]
    count: int


@dataclass(frozen=True, slots=True)
class Emptiness:
    """Why nothing was found: a stable code, a sentence that holds the ways on, and the ways on one by one."""

    code: str
    message: str
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Circle:
    """The answer. ``origin`` is in CGCS2000 degrees; outlines are (lon, lat) of CGCS2000, the last band the circle itself.

    ``total`` counts all places found, of which ``places`` holds the nearest. ``empty`` says why there are none.
    """

    origin: Coordinate
    snap_m: float | None
    minutes: int
    mode: str
    kinds: tuple[str, ...]
    filters: Filters
    bands: tuple[tuple[int, MultiPolygon], ...]
    places: tuple[Reached, ...]
    total: int
    assumptions: Assumptions
    empty: Emptiness | None

    @property
    def outline(self) -> MultiPolygon:
        """Return the outline of the whole circle; empty when nothing is reached."""
        return self.bands[-1][1]


@dataclass(frozen=True, slots=True)
class Nearest:
    """The facilities first reached from ``origin`` (CGCS2000 degrees); ``empty`` says why nothing could be searched."""

    origin: Coordinate
    snap_m: float | None
    mode: str
    places: tuple[Reached, ...]
    assumptions: Assumptions
    empty: Emptiness | None


def circle(
    *,
    scope: Scope,
    origin: Coordinate,
    minutes: int = 15,
    mode: str = "walk",
    kinds: Sequence[str] = (),
    filters: Filters = NO_FILTERS,
    limit: int = 200,
    bands: bool = True,
    published: Published | None = None,
    now: dt.datetime | None = None,
) -> Circle:
    """Return what can be reached from ``origin`` (any system) within ``minutes`` by ``mode``, with the facilities there.

    ``kinds`` are keys; none means all. Without ``bands`` only the outermost outline is drawn. ``published`` saves reading
    again what is published. Raises ``BadInput`` for a mode, minutes or limit that cannot be meant, ``NoGraph`` before a road
    graph was built, ``TooLarge`` when the search meets its budget.
    """
    traveller = check_journey(mode, minutes)
    if not 1 <= limit <= MOST_PLACES:
        raise BadInput("limit_invalid", f"条数要在 1 到 {MOST_PLACES} 之间。", parameter="limit")
    journey = begin_journey(
        scope=scope, origin=origin, traveller=traveller, kinds=kinds, published=published or published_now(), now=now
    )
    found = journey.search(minutes)
    places, total = _places(journey, journey.costs(found), filters, limit)
    return Circle(
        origin=journey.origin,
        snap_m=journey.snap_m,
        minutes=minutes,
        mode=mode,
        kinds=journey.kinds,
        filters=filters,
        bands=outlines(found, journey.ground.index, minutes, BANDS if bands else ()),
        places=places,
        total=total,
        assumptions=journey.assumptions,
        empty=None if total else _why_empty(journey, found, minutes, filters),
    )


def nearest_by_road(
    *,
    scope: Scope,
    origin: Coordinate,
    mode: str = "walk",
    kinds: Sequence[str] = (),
    k: int = 10,
    filters: Filters = NO_FILTERS,
    now: dt.datetime | None = None,
) -> Nearest:
    """Return the ``k`` facilities first reached over the road, within the most minutes of the mode. Raises as ``circle``."""
    traveller = check_journey(mode, 1)
    if not 1 <= k <= 100:
        raise BadInput("k_invalid", "k 要在 1 到 100 之间。", parameter="k")
    journey = begin_journey(
        scope=scope, origin=origin, traveller=traveller, kinds=kinds, published=published_now(), now=now
    )
    stock = journey.ground
    start = journey.start
    if start.reason is not None:
        why = Emptiness(f"origin_{start.reason}", start.reason.message)
        return Nearest(journey.origin, None, mode, (), journey.assumptions, why)
    asked = k
    while True:
        costs, found = nearest_places(
            *(stock.graph, [start], traveller, stock.index, asked),
            wanted=stock.wanted(journey.kinds),
            max_seconds=LONGEST[mode] * 60,
            budget=BUDGET,
            closed=journey.closed,
        )
        found.require_complete()
        places, total = _places(journey, costs, filters, k)
        # Closed or filtered ones were among the nearest: look for more until enough are left or no more are reached.
        if total >= k or len(costs.ids) < asked:
            return Nearest(journey.origin, journey.snap_m, mode, places, journey.assumptions, None)
        asked *= 4


def outlines(
    found: Reach, index: PlaceIndex, minutes: int, shorter: Sequence[int]
) -> tuple[tuple[int, MultiPolygon], ...]:
    """Return the outlines of the shorter minutes, and of those asked for, with every facility on its true side."""
    steps = [*(step for step in shorter if step < minutes), minutes]
    if found.reason is not None:
        return tuple((step, MultiPolygon()) for step in steps)
    plane = current_city().plane
    return tuple(zip(steps, (part.degrees(plane) for part in isochrone(found, steps, index)), strict=True))


def _places(
    journey: Journey, costs: PlaceCosts | None, filters: Filters, limit: int
) -> tuple[tuple[Reached, ...], int]:
    """Return the nearest ``limit`` of the facilities that meet the filters, and how many do."""
    if costs is None:
        return (), 0
    ids = costs.ids.tolist()
    condition = journey.condition(filters)
    chosen = ids
    if len(ids) > READ_WHOLE:
        meeting = set(Facility.objects.filter(condition, pk__in=ids).values_list("id", flat=True))
        chosen = [facility_id for facility_id in ids if facility_id in meeting]
    total = len(chosen)
    rows = places_by_id(
        chosen if len(ids) <= READ_WHOLE else chosen[:limit],
        scope=journey.scope,
        published=journey.published,
        now=journey.now,
        days=journey.days,
        only=filters.condition(journey.now, journey.days),
    )
    if len(ids) <= READ_WHOLE:
        total = len(rows)
    index, start = journey.ground.index, journey.start
    straight = np.hypot(index.x[costs.place] - start.x, index.y[costs.place] - start.y)
    reached = [
        Reached(rows[facility_id], float(seconds), float(max(metres, away)), float(away))
        for facility_id, seconds, metres, away in zip(ids, costs.seconds, costs.metres, straight, strict=True)
        if facility_id in rows
    ]
    return tuple(reached[:limit]), total


def _count(journey: Journey, costs: PlaceCosts | None, filters: Filters) -> int:
    if costs is None:
        return 0
    return Facility.objects.filter(journey.condition(filters), pk__in=costs.ids.tolist()).count()


def _why_empty(journey: Journey, found: Reach, minutes: int, filters: Filters) -> Emptiness:
    """Say why nothing was found and what would be found otherwise: with more time, without a filter, or anywhere at all."""
    if found.reason is not None:
        return Emptiness(f"origin_{found.reason}", found.reason.message)
    name = spoken_kinds(journey.kinds)
    if journey.ground.count(journey.kinds) == 0:
        return Emptiness("kind_absent", f"还没有收录{name}。可以换一类服务看看。")
    steps: list[Step] = []
    longest = LONGEST[journey.traveller.key]
    longer = 30 if minutes < 30 <= longest else longest
    if longer > minutes:
        count = _count(journey, journey.costs(journey.search(longer)), filters)
        steps.append(Step(f"放宽到 {longer} 分钟有 {count} 家", {"minutes": longer}, count))
    here = journey.costs(found)
    for part, words in zip(filters.parts, filters.spoken(), strict=True):
        count = _count(journey, here, filters.without(part))
        steps.append(Step(f"去掉“{words}”看全部 {count} 家", dict.fromkeys(keys_of(part)), count))
    if len(filters.parts) > 1:
        count = _count(journey, here, NO_FILTERS)
        keys = [key for part in filters.parts for key in keys_of(part)]
        steps.append(Step(f"去掉所有条件看全部 {count} 家", dict.fromkeys(keys), count))
    useful = tuple(step for step in steps if step.count)
    missing = f"找不到{'、'.join(filters.spoken())}的{name}" if filters.parts else f"没有{name}"
    said = f"{journey.traveller.name} {minutes} 分钟内{missing}。"
    if useful:
        said += "，或".join(step.text for step in useful[:2]) + "。"
    else:
        said += (
            f"放宽到 {longer} 分钟也没有，可以换一种出行方式或换一类服务看看。"
            if longer > minutes
            else "可以换一种出行方式看看。"
        )
    return Emptiness("none_in_reach", said, useful)
