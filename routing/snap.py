"""Puts a point of the plane on the nearest stretch of road its traveller may use."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from routing.compiled import kernel
from routing.graph import Graph, Travel
from routing.roadindex import ACCESS_LIMIT_M, nearest_piece, squared_distance
from routing.travellers import Traveller

NO_CLOSURES: Final[NDArray[np.bool_]] = np.zeros(0, dtype=np.bool_)
# Read-only like the flags of ``Graph.closures``: kernels are compiled apart for what can be written.
NO_CLOSURES.setflags(write=False)


class Empty(StrEnum):
    """Why there is no answer."""

    OFF_MAP = "off_map"
    NO_ROAD_NEAR = "no_road_near"
    ACCESS_TOO_LONG = "access_too_long"

    @property
    def message(self) -> str:
        """Return the sentence a user reads."""
        return _MESSAGES[self]


_MESSAGES: Final = {
    Empty.OFF_MAP: "这个位置在路网范围之外，请在城市范围内另选一点。",
    Empty.NO_ROAD_NEAR: f"附近 {ACCESS_LIMIT_M:.0f} 米内没有这种出行方式可走的道路，请另选一点或换一种出行方式。",
    Empty.ACCESS_TOO_LONG: "走到最近的道路就已超过所选时间，请把时间调长一些。",
}


@dataclass(frozen=True, slots=True)
class Snap:
    """A point (``x``, ``y``, plane metres) put on the road for one traveller.

    It enters edge ``edge`` at ``fraction`` of its length, at (``road_x``, ``road_y``), after ``metres`` straight across
    country, which take ``access_ms``. When no road is near enough, ``edge`` is -1 and ``reason`` says why.
    """

    traveller: Traveller
    x: float
    y: float
    edge: int
    fraction: float
    metres: float
    access_ms: float
    road_x: float
    road_y: float
    reason: Empty | None = None

    @property
    def found(self) -> bool:
        """Return whether there is a road near enough."""
        return self.reason is None


def snap(
    graph: Graph,
    x: float,
    y: float,
    traveller: Traveller,
    *,
    limit_m: float = ACCESS_LIMIT_M,
    closed: NDArray[np.bool_] = NO_CLOSURES,
) -> Snap:
    """Put the point (east, north in plane metres) on the nearest road this traveller may use, within ``limit_m`` metres.

    Roads that lead nowhere and those flagged in ``closed`` (see ``Graph.closures``) are passed over. Never raises for a bad
    place: the answer then carries a reason. Raises ``UnknownTraveller``.
    """
    travel = graph.travel(traveller)
    west, south = graph.meta.origin
    width, height = graph.meta.size
    at_x, at_y = x - west, y - south
    if not (0 <= at_x <= width and 0 <= at_y <= height):
        return _missed(traveller, x, y, Empty.OFF_MAP)
    buckets = travel.roads.buckets
    edge, fraction, metres, road_x, road_y = _snap_one(
        *(at_x, at_y, limit_m, graph.pieces, buckets.start, buckets.item, buckets.columns, buckets.rows, closed)
    )
    if edge < 0:
        return _missed(traveller, x, y, Empty.NO_ROAD_NEAR)
    access = metres / traveller.access_mps * 1000
    return Snap(traveller, x, y, edge, fraction, metres, access, road_x + west, road_y + south)


def snap_many(
    graph: Graph,
    travel: Travel,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    *,
    closed: NDArray[np.bool_] = NO_CLOSURES,
) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]:
    """Return for every point (plane metres) the edge it is put on, -1 for none, the fraction along it and the metres to it."""
    west, south = graph.meta.origin
    edge = np.full(len(x), -1, dtype=np.int32)
    fraction, metres = np.zeros(len(x), dtype=np.float32), np.full(len(x), np.inf, dtype=np.float32)
    buckets = travel.roads.buckets
    _snap_each(
        *(np.asarray(x - west), np.asarray(y - south), *graph.meta.size, ACCESS_LIMIT_M, graph.pieces, buckets.start),
        *(buckets.item, buckets.columns, buckets.rows, closed, edge, fraction, metres),
    )
    return edge, fraction, metres


def _missed(traveller: Traveller, x: float, y: float, reason: Empty) -> Snap:
    return Snap(traveller, x, y, -1, 0.0, float("inf"), float("inf"), x, y, reason)


@kernel
def _snap_one(
    x: float,
    y: float,
    limit: float,
    pieces: NDArray[np.void],
    start: NDArray[np.int32],
    item: NDArray[np.int32],
    columns: int,
    rows: int,
    closed: NDArray[np.bool_],
) -> tuple[int, float, float, float, float]:
    piece, metres = nearest_piece(x, y, limit, -1, pieces, start, item, columns, rows, closed)
    if piece < 0:
        return -1, 0.0, 0.0, x, y
    _, along = squared_distance(pieces, piece, x, y)
    row = pieces[piece]
    fraction = min(1.0, row["start"] + along * row["share"])
    return row["edge"], fraction, metres, row["x"] + along * row["dx"], row["y"] + along * row["dy"]


@kernel
def _snap_each(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    width: float,
    height: float,
    limit: float,
    pieces: NDArray[np.void],
    start: NDArray[np.int32],
    item: NDArray[np.int32],
    columns: int,
    rows: int,
    closed: NDArray[np.bool_],
    edge: NDArray[np.int32],
    fraction: NDArray[np.float32],
    metres: NDArray[np.float32],
) -> None:
    for i in range(len(x)):
        if not (x[i] >= 0 and x[i] <= width and y[i] >= 0 and y[i] <= height):
            continue
        piece, distance = nearest_piece(x[i], y[i], limit, -1, pieces, start, item, columns, rows, closed)
        if piece < 0:
            continue
        _, along = squared_distance(pieces, piece, x[i], y[i])
        edge[i] = pieces[piece]["edge"]
        fraction[i] = min(1.0, pieces[piece]["start"] + along * pieces[piece]["share"])
        metres[i] = distance
