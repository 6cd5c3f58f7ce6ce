"""The fences that count at a moment, listed by key, and one fence with every version of it."""

from __future__ import annotations

import datetime as dt
import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final
from uuid import UUID

import numpy as np
import shapely

from geo.errors import NotFound
from geo.fences.drafts import EditionState
from geo.fences.evaluate.index import Booleans
from geo.fences.models import Fence, FenceEdition
from geo.geometry import to_plane
from geo.regions.queries import current_city
from geo.scope import Scope
from services.fencing.live import LiveFences, live_fences, may_ask

Box = tuple[float, float, float, float]
BOX_STEPS: Final = 16
"""Sides of a box in degrees are curves on the plane: some so many pieces each."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which fences are wanted; ``box`` and ``point`` in CGCS2000 degrees, ``owner`` a part of the name."""

    purposes: Sequence[str] = ()
    district_id: int | None = None
    owner: str = ""
    box: Box | None = None
    point: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """A fence as one edition says it, and when that edition counted: from a moment until another, ``None`` for no end yet."""

    fence: Fence
    from_moment: dt.datetime
    until: dt.datetime | None


def rows_wanted(wanted: Wanted, live: LiveFences, *, scope: Scope) -> list[int]:
    """Return the rows of the fences that the scope may ask and that are wanted, whatever their days and hours."""
    chosen = live.rows_for(scope=scope, purposes=wanted.purposes)
    if wanted.point is not None:
        east, north = live.plane.project(*(np.array([value]) for value in wanted.point))
        holding = np.zeros(len(chosen), dtype=bool)
        holding[live.index.at(east, north).fences] = True
        chosen &= holding
    if wanted.box is not None:
        chosen &= _meet(wanted.box, live)
    return [
        int(row)
        for row in np.flatnonzero(chosen)
        if (wanted.district_id is None or live.fences[row].district_id == wanted.district_id)
        and wanted.owner in live.fences[row].owner
    ]


def page_of(rows: Sequence[int], live: LiveFences, *, after: str, limit: int) -> tuple[list[int], str | None]:
    """Return a page of rows by the key of their fences, and the key to go on after, ``None`` at the end."""
    left = [row for row in rows if live.index.ids[row] > after]
    found = heapq.nsmallest(limit + 1, left, key=lambda row: live.index.ids[row])
    more = live.index.ids[found[limit - 1]] if len(found) > limit else None
    return found[:limit], more


def fences_of_rows(rows: Sequence[int], live: LiveFences) -> list[Fence]:
    """Return the stored fences of rows, in their order, with their editions."""
    editions = {live.fences[row].edition_id for row in rows}
    keys = [live.fences[row].same for row in rows]
    found = Fence.objects.filter(edition__in=editions, same__in=keys).select_related("edition")
    by_key = {fence.same: fence for fence in found}
    return [by_key[key] for key in keys]


def fence_live(same: UUID, *, at: dt.datetime, scope: Scope) -> Fence:
    """Return a fence as it counts at a moment. Raises ``NotFound`` where it counts not, or not for this scope."""
    live = live_fences(at=at)
    may = live.rows_for(scope=scope)
    rows = [row for row, fence in enumerate(live.fences) if fence.same == same and may[row]]
    if not rows:
        raise NotFound("fence_unknown", "这个时刻没有这个围栏，或者它不对您开放。可以用 at 查别的时刻。")
    return fences_of_rows(rows, live)[0]


def versions_of_fence(same: UUID, *, scope: Scope) -> list[Version]:
    """Return what every published edition says of a fence and when it counted, the last first; editions not begun included.

    Raises ``NotFound`` where there is none for this scope.
    """
    fences = list(Fence.objects.filter(same=same, edition__state=EditionState.PUBLISHED).select_related("edition"))
    sets = {(fence.edition.purpose, fence.edition.district_id) for fence in fences}
    ours = may_ask(scope)
    times = {pk: span for each in sets if ours(*each) for pk, span in _times(*each).items()}
    found = [Version(fence, *times[fence.edition_id]) for fence in fences if fence.edition_id in times]
    if not found:
        raise NotFound("fence_unknown", "没有找到这个围栏，或者它不对您开放。")
    return sorted(found, key=lambda version: version.from_moment, reverse=True)


def _times(purpose: str, district_id: int) -> dict[UUID, tuple[dt.datetime, dt.datetime | None]]:
    """Return when each published edition of a purpose in a district counts; one that another overtook at once never does."""
    rows = FenceEdition.objects.filter(purpose=purpose, district=district_id, state=EditionState.PUBLISHED)
    begun = [
        (pk, moment) for pk, moment in rows.order_by("from_moment", "number").values_list("pk", "from_moment") if moment
    ]
    ends = [after for _, (_, after) in pairwise(begun)] + [None]
    return {
        pk: (moment, until) for (pk, moment), until in zip(begun, ends, strict=True) if until is None or moment < until
    }


def _meet(wanted: Box, live: LiveFences) -> Booleans:
    """Say of each fence whether it meets a box, which may reach beyond the city."""
    city = current_city().bbox
    box = shapely.box(*wanted).intersection(shapely.box(city.west, city.south, city.east, city.north))
    if box.area == 0:
        return np.zeros(len(live.fences), dtype=bool)
    ground = to_plane(shapely.segmentize(box, math.sqrt(box.area) / BOX_STEPS), current_city())
    shapely.prepare(ground)
    meets: Booleans = shapely.intersects(ground, live.index.shapes)
    return meets
