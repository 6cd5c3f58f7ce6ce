"""Reads of roads: the segments a graph is built of, what is closed when, and names for the search. Roads are public."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely
from django.db import connection
from django.db.models import Q, QuerySet

from geo.crs import Coordinates, System
from geo.names import query_grams
from geo.roads.models import Closure, RoadName
from geo.scope import Scope

_BATCH: Final = 50_000
_FLAGS: Final = ("foot", "bicycle", "car", "bridge", "tunnel", "steps", "ferry", "kerb")


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """Current road segments as equally long columns; ``lines`` are LineStrings of CGCS2000 degrees (longitude, latitude).

    ``ids`` are row ids; ``oneway`` is 1, 0 or -1; ``duration_s`` is NaN when unknown. Segments meet only at equal nodes.
    """

    ids: npt.NDArray[np.int64]
    from_node: npt.NDArray[np.int64]
    to_node: npt.NDArray[np.int64]
    name: npt.NDArray[np.object_]
    highway: npt.NDArray[np.object_]
    oneway: npt.NDArray[np.int8]
    foot: npt.NDArray[np.bool_]
    bicycle: npt.NDArray[np.bool_]
    car: npt.NDArray[np.bool_]
    bridge: npt.NDArray[np.bool_]
    tunnel: npt.NDArray[np.bool_]
    steps: npt.NDArray[np.bool_]
    ferry: npt.NDArray[np.bool_]
    kerb: npt.NDArray[np.bool_]
    duration_s: npt.NDArray[np.float64]
    length_m: npt.NDArray[np.float64]
    lines: npt.NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.ids)

    def points(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return (offsets, lon, lat): segment ``i`` owns the points ``offsets[i]:offsets[i + 1]``."""
        coordinates = shapely.get_coordinates(self.lines)
        sizes = shapely.get_num_coordinates(self.lines)
        offsets = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
        return offsets, coordinates[:, 0].copy(), coordinates[:, 1].copy()


def current_segments(*, without_closed_at: datetime.datetime | None = None) -> Segments:
    """Return every current segment of the published sources, by id; without those closed at a moment, when one is given.

    A server-side cursor keeps memory to one batch beside the result.
    """
    closed = "" if without_closed_at is None else f"AND NOT EXISTS (SELECT 1 {_CLOSED} AND c.segment_id = s.id)"
    params = [] if without_closed_at is None else [without_closed_at, without_closed_at]
    rows: list[tuple[object, ...]] = []
    with connection.chunked_cursor() as cursor:
        cursor.execute(_SEGMENTS.format(closed=closed), params)
        while batch := cursor.fetchmany(_BATCH):
            rows.extend(batch)
    columns = list(zip(*rows, strict=True)) if rows else [()] * _COLUMNS
    flags = dict(zip(_FLAGS, (np.array(column, dtype=bool) for column in columns[6:14]), strict=True))
    return Segments(
        ids=np.array(columns[0], dtype=np.int64),
        from_node=np.array(columns[1], dtype=np.int64),
        to_node=np.array(columns[2], dtype=np.int64),
        name=np.array(columns[3], dtype=object),
        highway=np.array(columns[4], dtype=object),
        oneway=np.array(columns[5], dtype=np.int8),
        duration_s=np.array([np.nan if value is None else value for value in columns[14]], dtype=np.float64),
        length_m=np.array(columns[15], dtype=np.float64),
        lines=np.array(shapely.from_wkb([bytes(value) for value in columns[16]]), dtype=object),
        **flags,
    )


def points_along_roads(*, provenance: str) -> Coordinates:
    """Return points at most some 30 m apart along the current roads of published sources of a provenance, ferries left out."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(_LINES, [provenance])
        lines = shapely.from_wkb([bytes(row[0]) for row in cursor])
    points = shapely.get_coordinates(shapely.segmentize(lines, _STEP_DEG)) if len(lines) else np.empty((0, 2))
    return Coordinates(points[:, 0], points[:, 1], System.CGCS2000)


def closures_at(moment: datetime.datetime, *, scope: Scope) -> QuerySet[Closure]:
    """Return what is closed at a moment, the oldest first."""
    return (
        Closure.objects.filter(Q(to_time=None) | Q(to_time__gt=moment), from_time__lte=moment)
        .select_related("segment")
        .order_by("from_time", "pk")
    )


def closed_segments(moment: datetime.datetime, *, scope: Scope) -> list[int]:
    """Return the ids of the segments of ``closures_at``; every journey asks."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT c.segment_id {_CLOSED}", [moment, moment])
        return [row[0] for row in cursor.fetchall()]


def roads_matching(text: str, *, scope: Scope, limit: int = 10) -> list[RoadName]:
    """Return roads whose name holds what was typed, in characters, pinyin or initials; the longest roads first."""
    pieces = query_grams(text)
    if not pieces:
        return []
    return list(RoadName.objects.filter(grams__contains=pieces).order_by("-length_m", "name", "pk")[:limit])


_STEP_DEG: Final = 0.0003
_LINES: Final = """
    SELECT ST_AsBinary(s.geom) FROM roads_roadsegment s
    JOIN imports_source o ON o.id = s.source_id AND o.published_at IS NOT NULL AND o.retired_at IS NULL
    WHERE s.retired_at IS NULL AND NOT s.ferry AND o.provenance = %s"""
_COLUMNS: Final = 17
_SEGMENTS: Final = """
    SELECT s.id, s.from_node, s.to_node, s.name, s.highway, s.oneway, s.foot, s.bicycle, s.car, s.bridge, s.tunnel,
        s.steps, s.ferry, s.kerb, s.duration_s, s.length_m, ST_AsBinary(s.geom)
    FROM roads_roadsegment s
    JOIN imports_source o ON o.id = s.source_id AND o.published_at IS NOT NULL AND o.retired_at IS NULL
    WHERE s.retired_at IS NULL {closed}
    ORDER BY s.id"""
_CLOSED: Final = "FROM roads_closure c WHERE c.from_time <= %s AND (c.to_time IS NULL OR c.to_time > %s)"
