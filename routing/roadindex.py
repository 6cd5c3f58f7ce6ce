"""Which road is nearest: buckets of road pieces for exact answers, and a table that holds the answer at every grid point.

A piece is one straight stretch of an edge. Coordinates in this module are metres in the plane relative to the graph's origin.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from routing.compiled import inlined, kernel

BUCKET_M: Final = 100.0
SPACING_M: Final = 30.0
BLOCK: Final = 32
ACCESS_LIMIT_M: Final = 500.0
"""How far from a road a door may lie and still be said to be on it."""

PIECE: Final = np.dtype(
    [
        ("x", "f4"),
        ("y", "f4"),
        ("dx", "f4"),
        ("dy", "f4"),
        ("inverse", "f4"),
        ("start", "f4"),
        ("share", "f4"),
        ("edge", "i4"),
    ]
)
"""A straight stretch: start, vector, 1/length² (0 for a point), fraction of its edge at its start, fraction it covers."""

Pieces = NDArray[np.void]
Ints = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Buckets:
    """Pieces by square bucket: those of bucket ``row * columns + column`` are ``item[start[b]:start[b + 1]]``."""

    start: Ints
    item: Ints
    columns: int
    rows: int


@dataclass(frozen=True, slots=True)
class NearestTable:
    """The nearest piece, or -1, at grid points ``SPACING_M`` apart.

    That of row r, column c is ``cell[block[r // BLOCK, c // BLOCK], r % BLOCK, c % BLOCK]``; a block of -1 has none at all.
    """

    block: Ints
    cell: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Guide:
    """A table over more roads than are wanted, and which edges are: where its answer is wanted, it is the answer."""

    table: NearestTable
    usable: NDArray[np.bool_]


@inlined
def squared_distance(pieces: Any, piece: int, x: float, y: float) -> tuple[float, float]:
    """Return the squared distance from a point to a piece, and where along the piece (0..1) the nearest point lies."""
    row = pieces[piece]
    along = ((x - row["x"]) * row["dx"] + (y - row["y"]) * row["dy"]) * row["inverse"]
    along = min(1.0, max(0.0, along))
    off_x = x - row["x"] - along * row["dx"]
    off_y = y - row["y"] - along * row["dy"]
    return off_x * off_x + off_y * off_y, along


@kernel
def nearest_piece(  # noqa: C901 - one loop, kept whole for the compiler
    x: float,
    y: float,
    limit: float,
    seed: int,
    pieces: Any,
    start: Any,
    item: Any,
    columns: int,
    rows: int,
    closed: Any,
) -> tuple[int, float]:
    """Return the nearest piece within ``limit`` metres and its distance, or -1; ``seed`` is a guess that only saves work.

    ``closed`` flags edges to pass over; an empty array means none. Of equally near pieces the first by number wins.
    """
    size = BUCKET_M
    best = limit * limit
    found = -1
    check = closed.size > 0
    if seed >= 0 and not (check and closed[pieces[seed]["edge"]]):
        guess, _ = squared_distance(pieces, seed, x, y)
        if guess <= best:
            best = guess
            found = seed
    column = int(np.floor(x / size))
    row = int(np.floor(y / size))
    ring = 0
    inset = min(min(x - column * size, (column + 1) * size - x), min(y - row * size, (row + 1) * size - y))
    while True:
        reach = inset + (ring - 1) * size if ring > 0 else 0.0
        if reach * reach > best:
            break
        for r in range(max(0, row - ring), min(rows - 1, row + ring) + 1):
            step = 1 if abs(r - row) == ring else max(1, 2 * ring)
            gap_y = max(0.0, max(r * size - y, y - (r + 1) * size))
            for c in range(column - ring, column + ring + 1, step):
                if c < 0 or c >= columns:
                    continue
                gap_x = max(0.0, max(c * size - x, x - (c + 1) * size))
                if gap_x * gap_x + gap_y * gap_y > best:
                    continue
                bucket = r * columns + c
                for k in range(start[bucket], start[bucket + 1]):
                    piece = item[k]
                    if check and closed[pieces[piece]["edge"]]:
                        continue
                    distance, _ = squared_distance(pieces, piece, x, y)
                    if distance < best or (distance == best and (found < 0 or piece < found)):
                        best = distance
                        found = piece
        ring += 1
    return found, np.sqrt(best)


@kernel
def _count_or_fill(pieces: Any, chosen: Any, columns: int, rows: int, start: Any, item: Any, fill: bool) -> None:
    """Count the pieces of each bucket into ``start``, or write them into ``item`` moving ``start`` along."""
    for piece in chosen:
        row = pieces[piece]
        first_c = max(0, int(np.floor(min(row["x"], row["x"] + row["dx"]) / BUCKET_M)))
        last_c = min(columns - 1, int(np.floor(max(row["x"], row["x"] + row["dx"]) / BUCKET_M)))
        first_r = max(0, int(np.floor(min(row["y"], row["y"] + row["dy"]) / BUCKET_M)))
        last_r = min(rows - 1, int(np.floor(max(row["y"], row["y"] + row["dy"]) / BUCKET_M)))
        for r in range(first_r, last_r + 1):
            for c in range(first_c, last_c + 1):
                if fill:
                    item[start[r * columns + c]] = piece
                start[r * columns + c] += 1


def build_buckets(pieces: Pieces, snappable: NDArray[np.bool_], width: float, height: float) -> Buckets:
    """Return the buckets of the pieces whose edge is ``snappable``, over an area ``width`` by ``height`` metres."""
    columns, rows = int(width // BUCKET_M) + 1, int(height // BUCKET_M) + 1
    chosen = np.flatnonzero(snappable[pieces["edge"]]).astype(np.int32)
    counts = np.zeros(columns * rows, dtype=np.int32)
    _count_or_fill(pieces, chosen, columns, rows, counts, np.empty(0, dtype=np.int32), False)
    start = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
    item = np.empty(int(start[-1]), dtype=np.int32)
    _count_or_fill(pieces, chosen, columns, rows, start[:-1].copy(), item, True)
    return Buckets(start, item, columns, rows)


@kernel
def _fill_blocks(
    positions: Any,
    cell: Any,
    first: int,
    last: int,
    pieces: Any,
    start: Any,
    item: Any,
    columns: int,
    rows: int,
    none: Any,
    guide_block: Any,
    guide_cell: Any,
    usable: Any,
) -> None:
    """Fill blocks ``first`` to ``last``; where the guide's nearest piece is ``usable``, or it has none, that is the answer."""
    guided = guide_block.size > 0
    for index in range(first, last):
        block = guide_block[positions[index, 0], positions[index, 1]] if guided else -1
        for r in range(BLOCK):
            y = (positions[index, 0] * BLOCK + r) * SPACING_M
            seed = cell[index, r - 1, 0] if r > 0 else -1
            for c in range(BLOCK):
                x = (positions[index, 1] * BLOCK + c) * SPACING_M
                known = guide_cell[block, r, c] if block >= 0 else -1
                if guided and (known < 0 or usable[pieces[known]["edge"]]):
                    seed = known
                else:
                    seed, _ = nearest_piece(x, y, ACCESS_LIMIT_M, seed, pieces, start, item, columns, rows, none)
                cell[index, r, c] = seed


def block_shape(width: float, height: float) -> tuple[int, int]:
    """Return the rows and columns of blocks that the table of an area of this size has."""
    side = BLOCK * SPACING_M
    return int(height // side) + 1, int(width // side) + 1


def build_table(
    pieces: Pieces,
    buckets: Buckets,
    width: float,
    height: float,
    threads: int = 2,
    guide: Guide | None = None,
) -> NearestTable:
    """Return the nearest piece at every grid point within ``ACCESS_LIMIT_M`` of one.

    Exact; the guess that speeds each look-up is its neighbour's answer, and ``guide`` spares most look-ups.
    """
    shape = block_shape(width, height)
    positions = np.argwhere(_blocks_near(buckets, shape)).astype(np.int32)
    cell = np.full((len(positions), BLOCK, BLOCK), -1, dtype=np.int32)
    none = np.empty(0, dtype=np.bool_)
    known = guide or Guide(NearestTable(np.empty((0, 0), np.int32), np.empty((0, BLOCK, BLOCK), np.int32)), none)
    shares = np.linspace(0, len(positions), threads * 8 + 1).astype(int)

    def fill(share: int) -> None:
        first, last = int(shares[share]), int(shares[share + 1])
        _fill_blocks(
            *(positions, cell, first, last, pieces),
            *(buckets.start, buckets.item, buckets.columns, buckets.rows, none),
            *(known.table.block, known.table.cell, known.usable),
        )

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(fill, range(threads * 8)))
    block = np.full(shape, -1, dtype=np.int32)
    block[positions[:, 0], positions[:, 1]] = np.arange(len(positions), dtype=np.int32)
    return NearestTable(block, cell)


def _blocks_near(buckets: Buckets, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return which blocks lie within ``ACCESS_LIMIT_M`` of a bucket that holds a piece."""
    side = BLOCK * SPACING_M
    filled = np.flatnonzero(np.diff(buckets.start) > 0)
    row, column = filled // buckets.columns, filled % buckets.columns
    low, high = (
        [
            np.clip((at * BUCKET_M + reach) // side, 0, most - 1).astype(np.int64)
            for at, most in ((row + step, shape[0]), (column + step, shape[1]))
        ]
        for step, reach in ((0, -ACCESS_LIMIT_M), (1, ACCESS_LIMIT_M))
    )
    # Corners of rectangles, summed up: positive wherever a rectangle lies.
    corners = np.zeros((shape[0] + 1, shape[1] + 1), dtype=np.int64)
    np.add.at(corners, (low[0], low[1]), 1)
    np.add.at(corners, (high[0] + 1, low[1]), -1)
    np.add.at(corners, (low[0], high[1] + 1), -1)
    np.add.at(corners, (high[0] + 1, high[1] + 1), 1)
    near: NDArray[np.bool_] = corners.cumsum(axis=0).cumsum(axis=1)[:-1, :-1] > 0
    return near
