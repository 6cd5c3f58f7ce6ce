"""Closed rings of points, their sides sorted into bands, and the proof that no two sides meet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from routing.compiled import inlined, kernel

BANDS: Final = 64


@dataclass(frozen=True, slots=True, eq=False)
class Rings:
    """Closed rings in plane metres: ring ``i`` is ``coordinates[ends[i]:ends[i + 1]]``, its last point its first."""

    coordinates: NDArray[np.float64]
    ends: NDArray[np.int64]


def are_simple(rings: Rings, scratch: dict[str, NDArray[Any]]) -> bool:
    """Return whether no two sides of the rings cross or touch, but for neighbours at their common point."""
    return bool(_are_simple(rings.coordinates, rings.ends, *banded(rings, scratch)[1:]))


def banded(
    rings: Rings, scratch: dict[str, NDArray[Any]]
) -> tuple[NDArray[np.float64], NDArray[np.int32], NDArray[np.int32]]:
    """Return the sides of the rings by band, as ``_band_sides`` writes them, in buffers that the next call uses again."""
    if "band" not in scratch:
        scratch["band"] = np.empty(2)
        scratch["band_start"] = np.empty(BANDS + 1, dtype=np.int32)
        scratch["band_side"] = np.empty(8192, dtype=np.int32)
    while not _band_sides(rings.coordinates, rings.ends, scratch["band"], scratch["band_start"], scratch["band_side"]):
        scratch["band_side"] = np.empty(2 * len(scratch["band_side"]), dtype=np.int32)
    return scratch["band"], scratch["band_start"], scratch["band_side"]


@kernel
def _band_sides(  # noqa: C901 - one loop, kept whole for the compiler
    coordinates: NDArray[np.float64],
    ends: NDArray[np.int64],
    band: NDArray[np.float64],
    start: NDArray[np.int32],
    side: NDArray[np.int32],
) -> bool:
    """Sort the sides of all rings into bands of equal height, ``band`` being the lowest ordinate and the height of one.

    Those of band ``b`` are ``side[start[b]:start[b + 1]]``. Returns False when ``side`` is too short.
    """
    bands = len(start) - 1
    low, high = np.inf, -np.inf
    for i in range(len(coordinates)):
        low, high = min(low, coordinates[i, 1]), max(high, coordinates[i, 1])
    band[0], band[1] = low, max(1e-9, (high - low) / bands * (1 + 1e-12))
    start[:] = 0
    for turn in range(2):
        for ring in range(len(ends) - 1):
            for i in range(ends[ring], ends[ring + 1] - 1):
                y0, y1 = coordinates[i, 1], coordinates[i + 1, 1]
                first = min(bands - 1, int((min(y0, y1) - low) / band[1]))
                last = min(bands - 1, int((max(y0, y1) - low) / band[1]))
                for b in range(first, last + 1):
                    if turn == 0:
                        start[b + 1] += 1
                    else:
                        start[b] -= 1
                        side[start[b]] = i
        if turn == 0:
            for b in range(bands):
                start[b + 1] += start[b]
            if start[bands] > len(side):
                return False
            # Filling counts each band down from its end to its beginning.
            for b in range(bands):
                start[b] = start[b + 1]
    return True


@inlined
def _turn(ax: float, ay: float, bx: float, by: float, cx: float, cy: float) -> float:
    return (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)


@inlined
def meet(ax: float, ay: float, bx: float, by: float, cx: float, cy: float, dx: float, dy: float) -> bool:
    """Return whether two stretches cross or touch."""
    if max(ax, bx) < min(cx, dx) or max(cx, dx) < min(ax, bx) or max(ay, by) < min(cy, dy) or max(cy, dy) < min(ay, by):
        return False
    one, two = _turn(ax, ay, bx, by, cx, cy), _turn(ax, ay, bx, by, dx, dy)
    three, four = _turn(cx, cy, dx, dy, ax, ay), _turn(cx, cy, dx, dy, bx, by)
    return one * two <= 0 and three * four <= 0


@kernel
def _are_simple(
    coordinates: NDArray[np.float64], ends: NDArray[np.int64], start: NDArray[np.int32], side: NDArray[np.int32]
) -> bool:
    for band in range(len(start) - 1):
        for m in range(start[band], start[band + 1]):
            i = side[m]
            for n in range(m + 1, start[band + 1]):
                j = side[n]
                low, high = min(i, j), max(i, j)
                ax, ay, bx, by = (
                    coordinates[low, 0],
                    coordinates[low, 1],
                    coordinates[low + 1, 0],
                    coordinates[low + 1, 1],
                )
                cx, cy, dx, dy = (
                    coordinates[high, 0],
                    coordinates[high, 1],
                    coordinates[high + 1, 0],
                    coordinates[high + 1, 1],
                )
                if not meet(ax, ay, bx, by, cx, cy, dx, dy):
                    continue
                if bx == cx and by == cy and high == low + 1:
                    folded = _turn(ax, ay, bx, by, dx, dy) == 0.0 and (bx - ax) * (dx - cx) + (by - ay) * (dy - cy) < 0
                elif ax == dx and ay == dy and _is_closing(ends, low, high):
                    folded = _turn(cx, cy, ax, ay, bx, by) == 0.0 and (dx - cx) * (bx - ax) + (dy - cy) * (by - ay) < 0
                else:
                    return False
                if folded:
                    return False
    return True


@inlined
def _is_closing(ends: NDArray[np.int64], low: int, high: int) -> bool:
    """Return whether two sides are the first and the last of one ring."""
    closing = False
    for ring in range(len(ends) - 1):
        closing = closing or (ends[ring] == low and ends[ring + 1] - 2 == high)
    return closing
