"""Mends a drawn circle so that it and the list of places never disagree.

The drawn line is right to a metre or two; a place that close to it may fall on the wrong side. Where that happens the line is
bent around the place by a notch a few metres wide.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.compiled import inlined, kernel
from routing.places import PlaceIndex, doors_for
from routing.rings import Rings, banded, meet
from routing.roadindex import BLOCK, SPACING_M
from routing.search import SAME_PLACE, Reach, labels
from routing.surface import NEVER, Surface

HALF_WIDTH_M: Final = 3.0
MARGIN_M: Final = 0.5
"""How far beyond and beside the place the notch reaches."""
FARTHEST_STEPS: Final = 1.5
"""Places farther than so many grid steps from the line are not the line's fault."""


class Nearby(NamedTuple):
    """Places by block of the table of nearest roads, where they and the graph's origin are, and their doors on the roads."""

    first_in_block: NDArray[np.int32]
    in_block: NDArray[np.int32]
    block_columns: int
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    west: float
    south: float
    door: NDArray[np.int32]
    edge: NDArray[np.int32]
    fraction: NDArray[np.float32]
    metres: NDArray[np.float32]


class Sides(NamedTuple):
    """Points of rings, and their sides by band as ``rings.banded`` sorts them."""

    coordinates: NDArray[np.float64]
    band: NDArray[np.float64]
    start: NDArray[np.int32]
    side: NDArray[np.int32]


def mended(
    found: Reach,
    times: Surface,
    limit_ms: float,
    rings: Rings,
    places: PlaceIndex,
    most: int,
    *,
    everywhere: bool = False,
) -> tuple[Rings, int]:
    """Return the rings with at most ``most`` notches around places on the wrong side, and how many there are.

    The line is taken to run where the surface says, or with ``everywhere`` anywhere, along shores too. A notch that would
    touch another part of the line is left out, so valid rings stay valid.
    """
    wrong = _wrong_places(found, times, limit_ms, rings, places, everywhere)[:most]
    if len(wrong) == 0:
        return rings, 0
    size = len(rings.coordinates)
    room = np.empty((size + 4 * len(wrong), 2))
    room[:size] = rings.coordinates
    ends = rings.ends.copy()
    farthest = FARTHEST_STEPS * SPACING_M * times.stride
    notches = _bend(room, ends, places.x[wrong], places.y[wrong], farthest, np.empty((4, 2)))
    return Rings(room[: size + 4 * notches], ends), notches


def _wrong_places(
    found: Reach, times: Surface, limit_ms: float, rings: Rings, places: PlaceIndex, everywhere: bool
) -> NDArray[np.int32]:
    """Return the places near the line that are inside it but not reached by ``limit_ms``, or the other way round."""
    graph = found.graph
    space = labels(found)
    doors = doors_for(found, places)
    west, south = graph.meta.origin
    out = space.scratch.get("misplaced")
    if out is None:
        out = space.scratch["misplaced"] = np.empty(256, dtype=np.int32)
    blocks = graph.travel(found.traveller).roads.table.block.shape[1]
    nearby = Nearby(
        *(places.first_in_block, places.in_block, blocks, places.x, places.y, west, south),
        *(doors.door, doors.edge, doors.fraction, doors.metres),
    )
    sides = Sides(rings.coordinates, *banded(rings, space.scratch))
    count = _misplaced(times, limit_ms, nearby, sides, everywhere, out)
    return out[:count].copy()


@inlined
def _is_inside(sides: Sides, x: float, y: float) -> bool:
    coordinates, band, start, side = sides
    inside = False
    at = int(np.floor((y - band[0]) / band[1]))
    if at >= 0 and at < len(start) - 1:
        for k in range(start[at], start[at + 1]):
            i = side[k]
            y0, y1 = coordinates[i, 1], coordinates[i + 1, 1]
            if (y0 > y) != (y1 > y):
                x0, x1 = coordinates[i, 0], coordinates[i + 1, 0]
                if x < x0 + (y - y0) / (y1 - y0) * (x1 - x0):
                    inside = not inside
    return inside


@kernel
def _bend(  # noqa: C901 - one loop, kept whole for the compiler
    room: NDArray[np.float64],
    ends: NDArray[np.int64],
    xs: NDArray[np.float64],
    ys: NDArray[np.float64],
    farthest: float,
    notch: NDArray[np.float64],
) -> int:
    """Bend the line nearest to each point around it, in place; return how many notches of four points were put in."""
    notches = 0
    for p in range(len(xs)):
        x, y = xs[p], ys[p]
        at, foot, least = -1, 0.0, farthest * farthest
        for ring in range(len(ends) - 1):
            for i in range(ends[ring], ends[ring + 1] - 1):
                dx, dy = room[i + 1, 0] - room[i, 0], room[i + 1, 1] - room[i, 1]
                squared = dx * dx + dy * dy
                if squared == 0.0:
                    continue
                along = min(1.0, max(0.0, ((x - room[i, 0]) * dx + (y - room[i, 1]) * dy) / squared))
                away = (x - room[i, 0] - along * dx) ** 2 + (y - room[i, 1] - along * dy) ** 2
                if away < least:
                    at, foot, least = i, along, away
        if at < 0:
            continue
        dx, dy = room[at + 1, 0] - room[at, 0], room[at + 1, 1] - room[at, 1]
        length = np.sqrt(dx * dx + dy * dy)
        half = HALF_WIDTH_M / length
        far = np.sqrt(least)
        # Away from the line through the point, or square to the line when the point lies on it.
        out_x, out_y = -dy / length, dx / length
        if far > 1e-6:
            out_x, out_y = (x - room[at, 0] - foot * dx) / far, (y - room[at, 1] - foot * dy) / far
        tip_x, tip_y = x + MARGIN_M * out_x, y + MARGIN_M * out_y
        begin, finish = max(0.01, foot - half), min(0.99, foot + half)
        notch[0, 0], notch[0, 1] = room[at, 0] + begin * dx, room[at, 1] + begin * dy
        notch[1, 0], notch[1, 1] = tip_x - MARGIN_M * dx / length, tip_y - MARGIN_M * dy / length
        notch[2, 0], notch[2, 1] = tip_x + MARGIN_M * dx / length, tip_y + MARGIN_M * dy / length
        notch[3, 0], notch[3, 1] = room[at, 0] + finish * dx, room[at, 1] + finish * dy
        free = begin < finish
        for ring in range(len(ends) - 1):
            for i in range(ends[ring], ends[ring + 1] - 1):
                if i == at or not free:
                    continue
                for k in range(3):
                    if meet(
                        notch[k, 0],
                        notch[k, 1],
                        notch[k + 1, 0],
                        notch[k + 1, 1],
                        room[i, 0],
                        room[i, 1],
                        room[i + 1, 0],
                        room[i + 1, 1],
                    ):
                        free = False
        if not free:
            continue
        for i in range(ends[len(ends) - 1] - 1, at, -1):
            room[i + 4, 0], room[i + 4, 1] = room[i, 0], room[i, 1]
        for k in range(4):
            room[at + 1 + k, 0], room[at + 1 + k, 1] = notch[k, 0], notch[k, 1]
        for ring in range(len(ends)):
            if ends[ring] > at:
                ends[ring] += 4
        notches += 1
    return notches


@kernel
def _misplaced(  # noqa: C901 - one loop, kept whole for the compiler
    times: Surface,
    limit: float,
    nearby: Nearby,
    sides: Sides,
    everywhere: bool,
    out: NDArray[np.int32],
) -> int:
    """Write the places in or next to cells that the line crosses that are on its wrong side; return how many."""
    ms, row, column, stride, ms_per_metre, generation, ground = times
    cost, label, origins = ground.cost, ground.label, ground.origins
    first_in_block, in_block, block_columns, place_x, place_y, west, south, door, edges, fractions, metres = nearby
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
                if not everywhere and (inner == 0 or inner == 16):
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
                inside = _is_inside(sides, place_x[place], place_y[place])
                if (time <= limit) != inside and count < len(out):
                    out[count] = place
                    count += 1
    return count
