"""Mends a drawn circle so that it and the list of places never disagree.

The drawn line is right to a metre or two; a place that close to it may fall on the wrong side. Where that happens the line is
bent around the place by a notch a few metres wide.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from routing.compiled import inlined, kernel
from routing.places import PlaceIndex, doors_for
from routing.roadindex import BLOCK, SPACING_M
from routing.search import SAME_PLACE, Reach, labels
from routing.surface import NEVER, Surface

HALF_WIDTH_M: Final = 3.0
MARGIN_M: Final = 0.5
"""How far beyond and beside the place the notch reaches."""
FARTHEST_STEPS: Final = 1.5
"""Places farther than so many grid steps from the line are not the line's fault."""


@dataclass(frozen=True, slots=True, eq=False)
class Rings:
    """Closed rings in plane metres: ring ``i`` is ``coordinates[ends[i]:ends[i + 1]]``, its last point its first."""

    coordinates: NDArray[np.float64]
    ends: NDArray[np.int64]

    def notched(self, x: float, y: float, farthest: float) -> Rings | None:
        """Return the rings with the nearest line bent around a point to its other side; ``None`` when it is too far."""
        at, along, away = nearest_side(self.coordinates, self.ends, x, y)
        if at < 0 or away > farthest:
            return None
        begin, end = self.coordinates[at], self.coordinates[at + 1]
        side = end - begin
        length = float(np.hypot(*side))
        unit = side / length
        foot = begin + along * side
        point = np.array((x, y))
        outward = (point - foot) / away if away > 1e-6 else np.array((-unit[1], unit[0]))
        half = HALF_WIDTH_M / length
        tip = point + MARGIN_M * outward
        notch = np.array(
            (
                begin + max(0.0, along - half) * side,
                tip - MARGIN_M * unit,
                tip + MARGIN_M * unit,
                begin + min(1.0, along + half) * side,
            )
        )
        ends = self.ends.copy()
        ends[ends > at] += len(notch)
        return Rings(np.insert(self.coordinates, at + 1, notch, axis=0), ends)


def misplaced(found: Reach, times: Surface, limit_ms: float, rings: Rings, places: PlaceIndex) -> NDArray[np.int32]:
    """Return the places near the line that are inside it but not reached by ``limit_ms``, or the other way round."""
    graph = found.graph
    space = labels(found)
    doors = doors_for(found, places)
    west, south = graph.meta.origin
    out = space.scratch.get("misplaced")
    if out is None:
        out = space.scratch["misplaced"] = np.empty(256, dtype=np.int32)
    travel = graph.travel(found.traveller)
    count = _misplaced(
        times.ms,
        times.row,
        times.column,
        times.stride,
        limit_ms,
        times.ms_per_metre,
        times.generation,
        travel.cost,
        space.label,
        found.origin_records(),
        west,
        south,
        places.first_in_block,
        places.in_block,
        travel.roads.table.block.shape[1],
        places.x,
        places.y,
        doors.door,
        doors.edge,
        doors.fraction,
        doors.metres,
        rings.coordinates,
        rings.ends,
        out,
    )
    return out[:count].copy()


@inlined
def _is_inside(coordinates: NDArray[np.float64], ends: NDArray[np.int64], x: float, y: float) -> bool:
    inside = False
    for ring in range(len(ends) - 1):
        for i in range(ends[ring], ends[ring + 1] - 1):
            y0, y1 = coordinates[i, 1], coordinates[i + 1, 1]
            if (y0 > y) != (y1 > y):
                x0, x1 = coordinates[i, 0], coordinates[i + 1, 0]
                if x < x0 + (y - y0) / (y1 - y0) * (x1 - x0):
                    inside = not inside
    return inside


@kernel
def nearest_side(
    coordinates: NDArray[np.float64], ends: NDArray[np.int64], x: float, y: float
) -> tuple[int, float, float]:
    """Return the side nearest to a point by its first point, where along it (0..1) and how far away."""
    found, best_along, best = -1, 0.0, np.inf
    for ring in range(len(ends) - 1):
        for i in range(ends[ring], ends[ring + 1] - 1):
            x0, y0 = coordinates[i, 0], coordinates[i, 1]
            dx, dy = coordinates[i + 1, 0] - x0, coordinates[i + 1, 1] - y0
            squared = dx * dx + dy * dy
            if squared == 0.0:
                continue
            along = min(1.0, max(0.0, ((x - x0) * dx + (y - y0) * dy) / squared))
            away = (x - x0 - along * dx) ** 2 + (y - y0 - along * dy) ** 2
            if away < best:
                found, best_along, best = i, along, away
    return found, best_along, np.sqrt(best)


@kernel
def _misplaced(  # noqa: C901 - one loop, kept whole for the compiler
    ms: NDArray[np.float32],
    row: int,
    column: int,
    stride: int,
    limit: float,
    ms_per_metre: float,
    generation: int,
    cost: NDArray[np.void],
    label: NDArray[np.void],
    origins: NDArray[np.void],
    west: float,
    south: float,
    first_in_block: NDArray[np.int32],
    in_block: NDArray[np.int32],
    block_columns: int,
    place_x: NDArray[np.float64],
    place_y: NDArray[np.float64],
    door: NDArray[np.int32],
    edges: NDArray[np.int32],
    fractions: NDArray[np.float32],
    metres: NDArray[np.float32],
    coordinates: NDArray[np.float64],
    ends: NDArray[np.int64],
    out: NDArray[np.int32],
) -> int:
    """Write the places in or next to cells that the line crosses that are on its wrong side; return how many."""
    rows, columns = ms.shape
    step = SPACING_M * stride
    count = 0
    for block_r in range((row + stride) // BLOCK, (row + (rows - 2) * stride) // BLOCK + 1):
        for block_c in range((column + stride) // BLOCK, (column + (columns - 2) * stride) // BLOCK + 1):
            block = block_r * block_columns + block_c
            for k in range(first_in_block[block], first_in_block[block + 1]):
                place = in_block[k]
                x, y = place_x[place] - west, place_y[place] - south
                r, c = int((y - row * SPACING_M) / step), int((x - column * SPACING_M) / step)
                if r < 1 or c < 1 or r >= rows - 2 or c >= columns - 2:
                    continue
                # Only near the line, that is where grid points around do not all agree, can a place be on its wrong side.
                inner = 0
                for near_r in range(r - 1, r + 3):
                    for near_c in range(c - 1, c + 3):
                        inner += ms[near_r, near_c] <= limit
                if inner == 0 or inner == 16:
                    continue
                time = NEVER
                at = door[place]
                if at >= 0:
                    edge, fraction = edges[at], fractions[at]
                    there = back = NEVER
                    forward, backward = cost[edge]["forward"], cost[edge]["backward"]
                    u, v = cost[edge]["u"], cost[edge]["v"]
                    if label[u]["stamp"] == generation and forward >= 0:
                        there = label[u]["ms"] + fraction * forward
                    if label[v]["stamp"] == generation and backward >= 0:
                        back = label[v]["ms"] + (1.0 - fraction) * backward
                    time = min(there, back)
                    for o in range(len(origins)):
                        if origins[o]["edge"] == edge:
                            ahead = fraction - origins[o]["fraction"]
                            whole = forward if ahead >= 0 else backward
                            if abs(ahead) < SAME_PLACE:
                                whole = max(forward, backward)
                            if whole >= 0:
                                time = min(time, origins[o]["ms"] + abs(ahead) * whole)
                    time += metres[at] * ms_per_metre
                if (time <= limit) != _is_inside(coordinates, ends, place_x[place], place_y[place]) and count < len(
                    out
                ):
                    out[count] = place
                    count += 1
    return count
