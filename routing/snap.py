"""Puts a point of the plane on the nearest stretch of road its traveller may use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, overload

import numpy as np
from numpy.typing import NDArray

from routing.compiled import kernel
from routing.graph import Graph, Travel
from routing.roadindex import ACCESS_LIMIT_M, BLOCK, SPACING_M, nearest_piece, squared_distance
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


@dataclass(frozen=True, slots=True, eq=False)
class Snaps(Sequence[Snap]):
    """Many points put on the road for one traveller, in columns; each is the very ``Snap`` that ``snap`` makes of it alone."""

    traveller: Traveller
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    on_map: NDArray[np.bool_]
    edge: NDArray[np.int32]
    fraction: NDArray[np.float64]
    metres: NDArray[np.float64]
    access_ms: NDArray[np.float64]
    road_x: NDArray[np.float64]
    road_y: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.edge)

    @overload
    def __getitem__(self, at: int) -> Snap: ...

    @overload
    def __getitem__(self, at: slice | NDArray[np.bool_]) -> Snaps: ...

    def __getitem__(self, at: int | slice | NDArray[np.bool_]) -> Snap | Snaps:
        if isinstance(at, slice | np.ndarray):
            return Snaps(self.traveller, *(getattr(self, column)[at] for column in _COLUMNS))
        one = {column: getattr(self, column)[at].item() for column in _COLUMNS}
        on_map = one.pop("on_map")
        if one["edge"] < 0:
            return _missed(self.traveller, one["x"], one["y"], Empty.NO_ROAD_NEAR if on_map else Empty.OFF_MAP)
        return Snap(self.traveller, **one)

    def within(self, limit_ms: float) -> Snaps:
        """Return those with a road near enough to be on it within the time."""
        return self[(self.edge >= 0) & (self.access_ms <= limit_ms)]


_COLUMNS: Final = ("x", "y", "on_map", "edge", "fraction", "metres", "access_ms", "road_x", "road_y")


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
    buckets, table = travel.roads.buckets, travel.roads.table
    edge, fraction, metres, road_x, road_y = _snap_one(
        *(at_x, at_y, limit_m, graph.pieces, buckets.start, buckets.item, buckets.columns, buckets.rows),
        *(table.block, table.cell, closed),
    )
    if edge < 0:
        return _missed(traveller, x, y, Empty.NO_ROAD_NEAR)
    access = metres / traveller.access_mps * 1000
    return Snap(traveller, x, y, edge, fraction, metres, access, road_x + west, road_y + south)


def snap_all(
    graph: Graph,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    traveller: Traveller,
    *,
    limit_m: float = ACCESS_LIMIT_M,
    closed: NDArray[np.bool_] = NO_CLOSURES,
) -> Snaps:
    """Put many points (east, north in plane metres) on the road, each just as ``snap`` does. Raises as it does."""
    west, south = graph.meta.origin
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    at_x, at_y = x - west, y - south
    on_map = (at_x >= 0) & (at_x <= graph.meta.size[0]) & (at_y >= 0) & (at_y <= graph.meta.size[1])
    edge, fraction, metres, road = _each(graph, graph.travel(traveller), at_x, at_y, limit_m, closed)
    access = metres / traveller.access_mps * 1000
    missed = edge < 0
    road_x, road_y = (np.where(missed, own, at + low) for own, at, low in ((x, road[0], west), (y, road[1], south)))
    return Snaps(traveller, x, y, on_map, edge, fraction, metres, access, road_x, road_y)


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
    edge, fraction, metres, _ = _each(
        graph, travel, np.asarray(x - west), np.asarray(y - south), ACCESS_LIMIT_M, closed
    )
    return edge, fraction.astype(np.float32), metres.astype(np.float32)


def _each(
    graph: Graph,
    travel: Travel,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    limit_m: float,
    closed: NDArray[np.bool_],
) -> tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return edges (-1: none near), fractions, metres and road points (2, n) of points; all relative to the graph's origin."""
    edge = np.full(len(x), -1, dtype=np.int32)
    fraction, metres, road = np.zeros(len(x)), np.full(len(x), np.inf), np.zeros((2, len(x)))
    buckets, table = travel.roads.buckets, travel.roads.table
    _snap_each(
        *(x, y, *graph.meta.size, limit_m, graph.pieces, buckets.start, buckets.item, buckets.columns, buckets.rows),
        *(table.block, table.cell, closed, edge, fraction, metres, road),
    )
    return edge, fraction, metres, road


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
    block: NDArray[np.int32],
    cell: NDArray[np.int32],
    closed: NDArray[np.bool_],
) -> tuple[int, float, float, float, float]:
    """Put a point on the road; the table of nearest pieces gives a first guess, and says where no road is far around."""
    side = BLOCK * SPACING_M
    if limit <= ACCESS_LIMIT_M and block[int(y // side), int(x // side)] < 0:
        return -1, 0.0, np.inf, x, y
    seed = -1
    r, c = int(np.rint(y / SPACING_M)), int(np.rint(x / SPACING_M))
    if r // BLOCK < block.shape[0] and c // BLOCK < block.shape[1] and block[r // BLOCK, c // BLOCK] >= 0:
        seed = cell[block[r // BLOCK, c // BLOCK], r % BLOCK, c % BLOCK]
    piece, metres = nearest_piece(x, y, limit, seed, pieces, start, item, columns, rows, closed)
    if piece < 0:
        return -1, 0.0, np.inf, x, y
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
    block: NDArray[np.int32],
    cell: NDArray[np.int32],
    closed: NDArray[np.bool_],
    edge: NDArray[np.int32],
    fraction: NDArray[np.float64],
    metres: NDArray[np.float64],
    road: NDArray[np.float64],
) -> None:
    for i in range(len(x)):
        if not (x[i] >= 0 and x[i] <= width and y[i] >= 0 and y[i] <= height):
            continue
        edge[i], fraction[i], metres[i], road[0, i], road[1, i] = _snap_one(
            x[i], y[i], limit, pieces, start, item, columns, rows, block, cell, closed
        )
