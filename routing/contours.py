"""Draws the line around all that a time surface puts within a limit, and makes of it rings fit for a map.

Marching squares with a difference: where the line crosses a grid edge is found by asking the surface itself along that
edge, not by interpolating between its ends, because travel time jumps where the nearest road changes.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from routing.compiled import inlined, kernel
from routing.roadindex import ACCESS_LIMIT_M, SPACING_M
from routing.surface import Road, Surface, piece_at, road_of, time_by

HALVINGS: Final = 4
"""Halvings of a grid edge between two roads: on the finest grid the line is right to a metre or two there."""


@inlined
def _is_within(
    x: float,
    y: float,
    one: Road,
    other: Road,
    has_one: bool,
    has_other: bool,
    limit: float,
    ms_per_metre: float,
    origins: Any,
) -> bool:
    """Return whether a point is reached in time by the nearer of two roads, if that is near enough to count."""
    squared, time = time_by(one, x, y, origins)
    if has_other:
        squared_other, time_other = time_by(other, x, y, origins)
        if not has_one or squared_other < squared:
            squared, time = squared_other, time_other
    return bool(squared <= ACCESS_LIMIT_M**2 and time + np.sqrt(squared) * ms_per_metre <= limit)


@kernel
def trace(  # noqa: C901 - one loop, kept whole for the compiler
    times: Surface,
    limit: float,
    visited: NDArray[np.uint8],
    point: NDArray[np.float64],
    ring: NDArray[np.int32],
) -> tuple[int, int]:
    """Write all contours at ``limit`` as open rings with the inside on their left; return the number of rings and of points.

    Ring ``i`` owns ``point[ring[i]:ring[i + 1]]``. Returns (-1, -1) when ``point`` or ``ring`` is too short.
    """
    ms, row, column, stride, ms_per_metre, generation, ground = times
    pieces, cost, label, origins, closed, block, cell, start, item, bucket_columns, bucket_rows = ground
    rows, columns = ms.shape
    visited[: rows * columns] = 0
    rings = 0
    points = 0
    ring[0] = 0
    for start_r in range(1, rows - 1):
        for start_c in range(columns - 1):
            left_in = ms[start_r, start_c] <= limit
            if left_in == (ms[start_r, start_c + 1] <= limit) or visited[start_r * columns + start_c] != 0:
                continue
            # Cross a grid edge with the inside on the left: (r, c) is the inside point, (r + dr, c + dc) the outside one.
            r, c, dr, dc = start_r, start_c, 0, 1
            if not left_in:
                c, dc = start_c + 1, -1
            while True:
                if dr == 0:
                    at = r * columns + min(c, c + dc)
                    if visited[at] != 0:
                        break
                    visited[at] = 1
                if points >= len(point):
                    return -1, -1
                # The last inside and the first outside base grid point along this grid edge.
                inside = 0
                outside = stride
                in_r, in_c = row + r * stride, column + c * stride
                one = piece_at(in_r, in_c, pieces, closed, block, cell, start, item, bucket_columns, bucket_rows)
                out_r, out_c = in_r + dr * stride, in_c + dc * stride
                other = piece_at(out_r, out_c, pieces, closed, block, cell, start, item, bucket_columns, bucket_rows)
                while outside - inside > 1:
                    middle = (inside + outside) // 2
                    here_r, here_c = in_r + dr * middle, in_c + dc * middle
                    piece = piece_at(
                        here_r, here_c, pieces, closed, block, cell, start, item, bucket_columns, bucket_rows
                    )
                    x, y = here_c * SPACING_M, here_r * SPACING_M
                    road = road_of(piece, generation, pieces, cost, label, origins)
                    if _is_within(x, y, road, road, True, False, limit, ms_per_metre, origins):
                        inside, one = middle, piece
                    else:
                        outside, other = middle, piece
                low, high = float(inside), float(outside)
                if one == other and stride == 1:
                    # Along one road time grows evenly: no need to ask.
                    low += (limit - ms[r, c]) / (ms[r + dr, c + dc] - ms[r, c])
                    high = low
                else:
                    road = road_of(one, generation, pieces, cost, label, origins)
                    far_road = road_of(other, generation, pieces, cost, label, origins)
                    for _ in range(HALVINGS):
                        between = (low + high) / 2
                        x, y = (in_c + dc * between) * SPACING_M, (in_r + dr * between) * SPACING_M
                        if _is_within(x, y, road, far_road, one >= 0, other >= 0, limit, ms_per_metre, origins):
                            low = between
                        else:
                            high = between
                between = (low + high) / 2
                x, y = (in_c + dc * between) * SPACING_M, (in_r + dr * between) * SPACING_M
                point[points, 0] = x
                point[points, 1] = y
                points += 1
                # Ahead is to the left of the way from inside to outside.
                ahead_r, ahead_c = dc, -dr
                if not ms[r + ahead_r, c + ahead_c] <= limit:
                    # Turn left around the inside point; at a saddle too, so that inside corners never join.
                    dr, dc = ahead_r, ahead_c
                elif ms[r + ahead_r + dr, c + ahead_c + dc] <= limit:
                    r, c = r + ahead_r + dr, c + ahead_c + dc
                    dr, dc = -ahead_r, -ahead_c
                else:
                    r, c = r + ahead_r, c + ahead_c
            rings += 1
            if rings + 1 >= len(ring):
                return -1, -1
            ring[rings] = points
    return rings, points


@inlined
def _signed_area(point: NDArray[np.float64], first: int, last: int, keep: NDArray[np.uint8]) -> float:
    """Return the area of the kept points of a ring, positive when it runs anticlockwise. The first is always kept."""
    total = 0.0
    x0 = point[first, 0]
    y0 = point[first, 1]
    x1 = y1 = 0.0
    for i in range(first + 1, last):
        if keep[i] != 0:
            x2 = point[i, 0] - x0
            y2 = point[i, 1] - y0
            total += x1 * y2 - x2 * y1
            x1, y1 = x2, y2
    return total / 2


@inlined
def _keep_farthest(
    point: NDArray[np.float64],
    first: int,
    last: int,
    size: int,
    base: int,
    squared: float,
    keep: NDArray[np.uint8],
    stack: Any,
) -> None:
    """Douglas-Peucker between two kept points of a ring (``last`` may pass its end, meaning its start again)."""
    top = 0
    stack[0, 0] = first
    stack[0, 1] = last
    top = 1
    while top > 0:
        top -= 1
        a = stack[top, 0]
        b = stack[top, 1]
        ax = point[base + a % size, 0]
        ay = point[base + a % size, 1]
        dx = point[base + b % size, 0] - ax
        dy = point[base + b % size, 1] - ay
        length = dx * dx + dy * dy
        worst = -1.0
        at = -1
        for i in range(a + 1, b):
            px = point[base + i % size, 0] - ax
            py = point[base + i % size, 1] - ay
            share = 0.0
            if length > 0:
                share = min(1.0, max(0.0, (px * dx + py * dy) / length))
            off = (px - share * dx) ** 2 + (py - share * dy) ** 2
            if off > worst:
                worst = off
                at = i
        if worst > squared:
            keep[base + at % size] = 1
            stack[top, 0] = a
            stack[top, 1] = at
            stack[top + 1, 0] = at
            stack[top + 1, 1] = b
            top += 2


@kernel
def simplify(
    point: NDArray[np.float64],
    ring: NDArray[np.int32],
    rings: int,
    tolerance: float,
    min_hole: float,
    min_island: float,
    keep: NDArray[np.uint8],
    stack: NDArray[np.int32],
    area: NDArray[np.float64],
) -> int:
    """Flag the points to keep so that no dropped one is farther than ``tolerance`` off, and note each ring's area.

    Rings too small, in square metres, or left with fewer than three points, get area 0. Returns the number of points kept.
    """
    kept = 0
    for i in range(rings):
        first = ring[i]
        last = ring[i + 1]
        size = last - first
        keep[first:last] = 0
        area[i] = 0.0
        if size < 3:
            continue
        far = 0
        worst = -1.0
        for k in range(first, last):
            off = (point[k, 0] - point[first, 0]) ** 2 + (point[k, 1] - point[first, 1]) ** 2
            if off > worst:
                worst = off
                far = k - first
        keep[first] = 1
        keep[first + far] = 1
        _keep_farthest(point, 0, far, size, first, tolerance * tolerance, keep, stack)
        _keep_farthest(point, far, size, size, first, tolerance * tolerance, keep, stack)
        count = 0
        for k in range(first, last):
            count += keep[k]
        area[i] = 0.0
        if count >= 3:
            area[i] = _signed_area(point, first, last, keep)
        # Simplifying may have shrunk it.
        if (area[i] < 0 and -area[i] < min_hole) or (area[i] >= 0 and area[i] < min_island):
            area[i] = 0.0
        if area[i] != 0:
            kept += count
    return kept


@inlined
def _contains(point: NDArray[np.float64], first: int, last: int, x: float, y: float) -> bool:
    inside = False
    j = last - 1
    for i in range(first, last):
        above_i = point[i, 1] > y
        above_j = point[j, 1] > y
        if above_i != above_j:
            cut = point[i, 0] + (y - point[i, 1]) / (point[j, 1] - point[i, 1]) * (point[j, 0] - point[i, 0])
            if x < cut:
                inside = not inside
        j = i
    return inside


@kernel
def nest(
    point: NDArray[np.float64], ring: NDArray[np.int32], rings: int, area: NDArray[np.float64], shell: NDArray[np.int32]
) -> None:
    """Write into ``shell`` the ring each hole lies in (the smallest around it), itself for a shell, -1 for a dropped ring."""
    for i in range(rings):
        shell[i] = -1
        if area[i] > 0:
            shell[i] = i
        elif area[i] < 0:
            for k in range(rings):
                if area[k] <= -area[i] or (shell[i] >= 0 and area[k] >= area[shell[i]]):
                    continue
                if _contains(point, ring[k], ring[k + 1], point[ring[i], 0], point[ring[i], 1]):
                    shell[i] = k


@kernel
def emit(
    point: NDArray[np.float64],
    ring: NDArray[np.int32],
    keep: NDArray[np.uint8],
    order: NDArray[np.int64],
    east: float,
    north: float,
    out: NDArray[np.float64],
    offset: NDArray[np.int64],
) -> None:
    """Write the kept points of the rings in ``order``, each ring closed, shifted to plane coordinates."""
    at = 0
    offset[0] = 0
    for n in range(len(order)):
        begin = at
        for k in range(ring[order[n]], ring[order[n] + 1]):
            if keep[k] != 0:
                out[at, 0] = point[k, 0] + east
                out[at, 1] = point[k, 1] + north
                at += 1
        out[at, 0] = out[begin, 0]
        out[at, 1] = out[begin, 1]
        at += 1
        offset[n + 1] = at
