"""The nearest facilities in a straight line, by metres on the ellipsoid and exactly: never by degrees, never about right."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Q, QuerySet

from geo.addresses.distances import SPHERE_SLACK, ellipsoid_metres, sphere_metres
from geo.addresses.gazetteer import names_of, published_now
from geo.errors import BadInput
from geo.scope import Scope
from services.facilities.filters import Filters
from services.facilities.kinds import every_kind
from services.facilities.models import Facility
from services.facilities.places import COLUMNS, Place, place_of
from services.facilities.queries import NO_FILTERS, OPEN, city_now, days_around, visible

MOST: Final = 100
SPARE: Final = 16
KINDS_APART: Final = 8
"""Up to so many kinds each is asked of its own index; beyond, one walk over all of them finds enough soon."""
_KIND: Final = "\0"
"""Stands for the kind in a statement; no text of a question or of the database can be this."""

Row = tuple[float, int, float]
"""Metres on the ellipsoid, id, metres on the sphere."""


@dataclass(frozen=True, slots=True)
class Near:
    """A place and how far it is in a straight line, in metres on the ellipsoid."""

    place: Place
    metres: float


def facilities_near(
    lon: float,
    lat: float,
    *,
    scope: Scope,
    kinds: Sequence[str] = (),
    k: int = 10,
    filters: Filters = NO_FILTERS,
    statuses: Iterable[str] = OPEN,
    now: dt.datetime | None = None,
) -> list[Near]:
    """Return the ``k`` facilities nearest to a point (CGCS2000 degrees), nearest first; equal distances by id.

    ``kinds`` are keys; none means all. Fewer than ``k`` are returned only when there are no more. Raises ``BadInput``.
    """
    if not 1 <= k <= MOST:
        raise BadInput("k_invalid", f"k 要在 1 到 {MOST} 之间。", parameter="k")
    now = now or city_now()
    days = days_around(now)
    published = published_now()
    rows = _nearest(lon, lat, visible(scope, published, statuses) & filters.condition(now, days), kinds, k)
    metres = {facility_id: far for far, facility_id, _ in rows}
    names = names_of(published)
    found = {
        row["id"]: place_of(row, names, now, days) for row in Facility.objects.filter(pk__in=metres).values(*COLUMNS)
    }
    return [Near(found[facility_id], far) for facility_id, far in metres.items() if facility_id in found]


def _nearest(lon: float, lat: float, condition: Q, kinds: Sequence[str], k: int) -> list[Row]:
    """Return the nearest ``k`` rows, asking for more until nothing unseen can be nearer than the last of them."""
    wanted = k + SPARE
    while True:
        groups = _walks(lon, lat, condition, kinds, wanted)
        best = sorted(row for group in groups for row in group)[:k]
        # Each group is complete up to the sphere distance of its last row; one that ran out is complete altogether.
        seen = min((group[-1][2] for group in groups if len(group) == wanted), default=float("inf"))
        if seen == float("inf") or (len(best) == k and best[-1][0] * SPHERE_SLACK < seen):
            return best
        wanted *= 4


def _walks(lon: float, lat: float, condition: Q, kinds: Sequence[str], wanted: int) -> list[list[Row]]:
    """Return the first ``wanted`` rows in the order of the index, of each kind apart or of all of them together."""
    if not kinds or len(kinds) == len(every_kind()):
        return [_rows(_walk(lon, lat, condition, wanted))]
    if len(kinds) > KINDS_APART:
        return [_rows(_walk(lon, lat, condition & Q(kind__in=kinds), wanted))]
    try:
        # Compiled once for all kinds: that takes several times as long as asking.
        sql, given = _walk(lon, lat, condition & Q(kind=_KIND), wanted).query.sql_with_params()
    except EmptyResultSet:
        return []
    groups = []
    with connection.cursor() as cursor:
        for kind in kinds:
            cursor.execute(sql, [kind if one == _KIND else one for one in given])
            groups.append(_rows(cursor.fetchall()))
    return groups


def _walk(lon: float, lat: float, condition: Q, wanted: int) -> QuerySet[Facility, tuple[int, float, float]]:
    """Return (id, metres on the sphere, metres on the ellipsoid) of the first ``wanted`` rows in the order of the index."""
    rows = Facility.objects.filter(condition)
    rows = rows.annotate(sphere=sphere_metres(lon, lat), metres=ellipsoid_metres(lon, lat))
    return rows.order_by("sphere").values_list("id", "sphere", "metres")[:wanted]


def _rows(found: Iterable[tuple[int, float, float]]) -> list[Row]:
    return [(far, facility_id, sphere) for facility_id, sphere, far in found]
