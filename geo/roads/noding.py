"""Lines without node numbers become segments that meet only at nodes: cut where they share a point, counted where they cross.

A node's number is its position to seven decimals, so that the same place has the same number in every file. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

_LAT_BITS = 31


@dataclass(frozen=True, slots=True, eq=False)
class Noded:
    """Segments as columns: the line each was cut from, its place in that line, its two nodes, its shape.

    ``crossings`` counts pairs of lines that cross with no shared point: bridges, or faults of drawing.
    """

    line: npt.NDArray[np.int64]
    piece: npt.NDArray[np.int64]
    from_node: npt.NDArray[np.int64]
    to_node: npt.NDArray[np.int64]
    shapes: npt.NDArray[np.object_]
    crossings: int


def node_numbers(lon: npt.ArrayLike, lat: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Return the number of each position (CGCS2000 degrees) as a positive 64-bit integer."""
    x = np.round((np.asarray(lon, float) + 180.0) * 1e7).astype(np.int64)
    y = np.round((np.asarray(lat, float) + 90.0) * 1e7).astype(np.int64)
    numbers: npt.NDArray[np.int64] = (x << _LAT_BITS) | y
    return numbers


def node_lines(lines: npt.NDArray[np.object_]) -> Noded:
    """Cut lines (CGCS2000 degrees) at every point that two lines share, or one line passes twice; ends are always nodes."""
    points, owner = shapely.get_coordinates(lines, return_index=True)
    number = node_numbers(points[:, 0], points[:, 1])
    keep = np.ones(len(number), dtype=bool)
    keep[1:] = (number[1:] != number[:-1]) | (owner[1:] != owner[:-1])
    points, owner, number = points[keep], owner[keep], number[keep]
    first = np.ones(len(owner), dtype=bool)
    first[1:] = owner[1:] != owner[:-1]
    last = np.roll(first, -1)
    _, where, times = np.unique(number, return_inverse=True, return_counts=True)
    node = first | last | (times[where] > 1)
    begins = np.flatnonzero(node & ~last)
    ends = np.flatnonzero(node & ~first)
    sizes = ends - begins + 1
    rows = np.repeat(begins - np.concatenate(([0], np.cumsum(sizes)[:-1])), sizes) + np.arange(int(sizes.sum()))
    shapes = (
        shapely.linestrings(points[rows], indices=np.repeat(np.arange(len(sizes)), sizes))
        if len(sizes)
        else np.empty(0, dtype=object)
    )
    line = owner[begins].astype(np.int64)
    starts = np.flatnonzero(np.concatenate(([True], line[1:] != line[:-1]))) if len(line) else np.empty(0, np.int64)
    piece = np.arange(len(line)) - np.repeat(starts, np.diff(np.append(starts, len(line))))
    return Noded(line, piece, number[begins], number[ends], shapes, _crossings(shapes))


def _crossings(shapes: npt.NDArray[np.object_]) -> int:
    """Count pairs that cross in the middle: after cutting, sound neighbours only touch at their ends."""
    if not len(shapes):
        return 0
    pairs: Any = shapely.STRtree(shapes).query(shapes, predicate="crosses")
    return int((pairs[0] < pairs[1]).sum())
