"""The arithmetic of fences over arrays, compiled by numba on first use: sides of edges, cells, points in fences, depths.

Import this module late: importing numba takes longer than all the rest. Kernels fill arrays they are given and allocate
nothing; the compiled code is kept in NUMBA_CACHE_DIR when that is set. All lengths are metres of a plane.

An edge is a row (ax, ay, bx, by) of ``edges``; a fence owns the rows from ``edge_start[fence]`` to ``edge_start[fence + 1]``:
those of all its rings. Every test of a side is the sign GEOS finds: a filter in doubles, then double-doubles.
"""

from __future__ import annotations

from math import floor, hypot, inf, sqrt

import numpy.typing as npt
from numba import njit
from numpy import float64, int32, int64, uint8

Floats = npt.NDArray[float64]
Ints = npt.NDArray[int32]
Longs = npt.NDArray[int64]
Bytes = npt.NDArray[uint8]

FILTER = 1e-15
"""Beyond this share of the two products their difference has a certain sign."""
SPLIT = 134217729.0
MARGIN = 1e-6
"""Cells: how far beyond a cell an edge still counts as touching it; rounding stays far below."""
OUTSIDE, INSIDE, BORDER = 0, 1, 2
"""What a cell is to a fence."""


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _difference(a: float, b: float) -> tuple[float, float]:
    """Return a - b exactly, as a sum of two doubles."""
    s = a - b
    v = s - a
    return s, (a - (s - v)) - (b + v)


@njit(cache=True, nogil=True, error_model="numpy")
def _product(a: float, a_low: float, b: float, b_low: float) -> tuple[float, float]:
    """Return the product of two double-doubles as one."""
    p = a * b
    t = SPLIT * a
    a1 = t - (t - a)
    a2 = a - a1
    t = SPLIT * b
    b1 = t - (t - b)
    b2 = b - b1
    e = ((a1 * b1 - p) + a1 * b2 + a2 * b1) + a2 * b2
    e += a * b_low + a_low * b
    s = p + e
    return s, e - (s - p)


@njit(cache=True, nogil=True, error_model="numpy")
def _close_side(ax: float, ay: float, bx: float, by: float, px: float, py: float) -> int:
    """Return ``side`` where doubles cannot tell."""
    ux, ux_low = _difference(bx, ax)
    uy, uy_low = _difference(by, ay)
    vx, vx_low = _difference(px, bx)
    vy, vy_low = _difference(py, by)
    left, left_low = _product(ux, ux_low, vy, vy_low)
    right, right_low = _product(uy, uy_low, vx, vx_low)
    high, low = _difference(left, right)
    low += left_low - right_low
    high += low
    return 1 if high > 0.0 else -1 if high < 0.0 else 0


@njit(cache=True, nogil=True, error_model="numpy")
def side(ax: float, ay: float, bx: float, by: float, px: float, py: float) -> int:
    """Return 1 when p lies left of the line from a to b, -1 when right of it, 0 when on it."""
    left = (ax - px) * (by - py)
    right = (ay - py) * (bx - px)
    det = left - right
    bound = FILTER * (abs(left) + abs(right))
    if det > bound:
        return 1
    if det < -bound:
        return -1
    return _close_side(ax, ay, bx, by, px, py)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _ray(ax: float, ay: float, bx: float, by: float, px: float, py: float) -> int:
    """Return 1 when an edge crosses the ray from p to the east, 2 when p lies on the edge, else 0.

    Of a vertex at the height of p only the edge below counts it, so that rays through vertices are counted rightly.
    """
    if ax < px and bx < px:
        return 0
    if bx == px and by == py:
        return 2
    if ay == py and by == py:
        return 2 if min(ax, bx) <= px <= max(ax, bx) else 0
    if (ay > py) == (by > py):
        return 0
    turn = side(ax, ay, bx, by, px, py)
    if turn == 0:
        return 2
    return 1 if (turn > 0) == (by > ay) else 0


@njit(cache=True, nogil=True, error_model="numpy")
def _covers(
    fence: int, px: float, py: float, boxes: Floats, slab_start: Longs, band_start: Ints, bands: Ints, edges: Floats
) -> bool:
    """Say whether a point lies in a fence or on its border; only the edges at its height are looked at."""
    if not (boxes[fence, 0] <= px <= boxes[fence, 2] and boxes[fence, 1] <= py <= boxes[fence, 3]):
        return False
    first = slab_start[fence]
    count = slab_start[fence + 1] - first
    slab = first + slab_of(py, boxes[fence, 1], boxes[fence, 3], count)
    crossings = 0
    for k in range(band_start[slab], band_start[slab + 1]):
        e = bands[k]
        met = _ray(edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3], px, py)
        if met == 2:
            return True
        crossings += met
    return crossings & 1 == 1


@njit(cache=True, nogil=True, error_model="numpy")
def slab_of(y: float, south: float, north: float, count: int) -> int:
    """Return the slab of a fence's height that holds y; monotone in y whatever the rounding, so no edge is missed."""
    if north <= south:
        return 0
    return max(0, min(count - 1, int((y - south) * (count / (north - south)))))


@njit(cache=True, nogil=True, error_model="numpy")
def count_slabs(edge_start: Longs, edges: Floats, boxes: Floats, slabs: Longs, entries: Longs) -> None:
    """Choose into how many slabs each fence is cut, as many as it has edges or fewer, so that at most 4 entries an edge arise."""
    for fence in range(slabs.size):
        size = edge_start[fence + 1] - edge_start[fence]
        count = size
        while True:
            total = 0
            for e in range(edge_start[fence], edge_start[fence + 1]):
                low, high = min(edges[e, 1], edges[e, 3]), max(edges[e, 1], edges[e, 3])
                south, north = boxes[fence, 1], boxes[fence, 3]
                total += slab_of(high, south, north, count) - slab_of(low, south, north, count) + 1
            if total <= 4 * size or count == 1:
                break
            count //= 2
        slabs[fence] = count
        entries[fence] = total


@njit(cache=True, nogil=True, error_model="numpy")
def fill_slabs(
    edge_start: Longs,
    edges: Floats,
    boxes: Floats,
    slab_start: Longs,
    entry_start: Longs,
    band_start: Ints,
    bands: Ints,
) -> None:
    """Sort the edges of each fence into its slabs: ``bands[band_start[s]:band_start[s + 1]]`` are those of slab s."""
    for fence in range(slab_start.size - 1):
        first, count = slab_start[fence], slab_start[fence + 1] - slab_start[fence]
        south, north = boxes[fence, 1], boxes[fence, 3]
        for e in range(edge_start[fence], edge_start[fence + 1]):
            low, high = min(edges[e, 1], edges[e, 3]), max(edges[e, 1], edges[e, 3])
            for slab in range(slab_of(low, south, north, count), slab_of(high, south, north, count) + 1):
                band_start[first + slab + 1] += 1
        band_start[first] = entry_start[fence]
        for slab in range(first, first + count):
            band_start[slab + 1] += band_start[slab]
        # each start is moved on as its slab fills, and all are moved back by one slab afterwards
        for e in range(edge_start[fence], edge_start[fence + 1]):
            low, high = min(edges[e, 1], edges[e, 3]), max(edges[e, 1], edges[e, 3])
            for slab in range(slab_of(low, south, north, count), slab_of(high, south, north, count) + 1):
                bands[band_start[first + slab]] = e
                band_start[first + slab] += 1
        for slab in range(first + count - 1, first, -1):
            band_start[slab] = band_start[slab - 1]
        band_start[first] = entry_start[fence]


@njit(cache=True, nogil=True, error_model="numpy")
def _mark_edge(
    ax: float, ay: float, bx: float, by: float, west: int, south: int, wide: int, high: int, states: Bytes, start: int
) -> None:
    """Mark as border every cell of a window that an edge touches; all is in cells, the window begins at (west, south)."""
    if ay > by:
        ax, ay, bx, by = bx, by, ax, ay
    for row in range(max(south, floor(ay - MARGIN)), min(south + high - 1, floor(by + MARGIN)) + 1):
        x0, x1 = ax, bx
        if by > ay:
            slope = (bx - ax) / (by - ay)
            if ay < row - MARGIN:
                x0 = ax + (row - MARGIN - ay) * slope
            if by > row + 1.0 + MARGIN:
                x1 = ax + (row + 1.0 + MARGIN - ay) * slope
        if x0 > x1:
            x0, x1 = x1, x0
        base = start + (row - south) * wide - west
        for column in range(max(west, floor(x0 - MARGIN)), min(west + wide - 1, floor(x1 + MARGIN)) + 1):
            states[base + column] = BORDER


@njit(cache=True, nogil=True, error_model="numpy")
def classify_cells(
    x0: float,
    y0: float,
    inverse: float,
    windows: Ints,
    state_start: Longs,
    states: Bytes,
    boxes: Floats,
    edge_start: Longs,
    edges: Floats,
    slab_start: Longs,
    band_start: Ints,
    bands: Ints,
) -> None:
    """Say of each cell in the window of each fence whether the fence fills it, leaves it out, or has an edge in it.

    Of neighbours in a row without an edge in them one is asked for all.
    """
    for fence in range(windows.shape[0]):
        west, south, wide, high = windows[fence, 0], windows[fence, 1], windows[fence, 2], windows[fence, 3]
        start = state_start[fence]
        for e in range(edge_start[fence], edge_start[fence + 1]):
            _mark_edge(
                (edges[e, 0] - x0) * inverse,
                (edges[e, 1] - y0) * inverse,
                (edges[e, 2] - x0) * inverse,
                (edges[e, 3] - y0) * inverse,
                west,
                south,
                wide,
                high,
                states,
                start,
            )
        for row in range(high):
            known = BORDER
            for column in range(wide):
                at = start + row * wide + column
                if states[at] == BORDER:
                    known = BORDER
                    continue
                if known == BORDER:
                    px, py = x0 + (west + column + 0.5) / inverse, y0 + (south + row + 0.5) / inverse
                    inside = _covers(fence, px, py, boxes, slab_start, band_start, bands, edges)
                    known = INSIDE if inside else OUTSIDE
                states[at] = known


@njit(cache=True, nogil=True, error_model="numpy")
def count_cells(columns: int, windows: Ints, state_start: Longs, states: Bytes, cell_start: Ints) -> None:
    """Count into ``cell_start[cell + 1]`` the fences that fill or border each cell."""
    for fence in range(windows.shape[0]):
        at = state_start[fence]
        for row in range(windows[fence, 1], windows[fence, 1] + windows[fence, 3]):
            for column in range(windows[fence, 0], windows[fence, 0] + windows[fence, 2]):
                if states[at] != OUTSIDE:
                    cell_start[row * columns + column + 1] += 1
                at += 1


@njit(cache=True, nogil=True, error_model="numpy")
def fill_cells(columns: int, windows: Ints, state_start: Longs, states: Bytes, cell_start: Ints, cells: Ints) -> None:
    """Write the fences of each cell in their order: f where it borders, ~f where f fills the cell.

    ``cell_start`` is moved on by one cell: shift it back afterwards.
    """
    for fence in range(windows.shape[0]):
        at = state_start[fence]
        for row in range(windows[fence, 1], windows[fence, 1] + windows[fence, 3]):
            for column in range(windows[fence, 0], windows[fence, 0] + windows[fence, 2]):
                if states[at] != OUTSIDE:
                    cell = row * columns + column
                    cells[cell_start[cell]] = fence if states[at] == BORDER else ~fence
                    cell_start[cell] += 1
                at += 1


@njit(cache=True, nogil=True, error_model="numpy")
def locate(
    x: Floats,
    y: Floats,
    begin: int,
    used: int,
    offsets: Longs,
    found: Ints,
    x0: float,
    y0: float,
    inverse: float,
    columns: int,
    rows: int,
    cell_start: Ints,
    cells: Ints,
    boxes: Floats,
    edges: Floats,
    slab_start: Longs,
    band_start: Ints,
    bands: Ints,
) -> tuple[int, int]:
    """Find the fences of the points from ``begin``: those of point p will be ``found[offsets[p]:offsets[p + 1]]``.

    Returns the first point not done, for which ``found`` may be too small, and how much of ``found`` is used.
    """
    east, north = float(columns), float(rows)
    for p in range(begin, x.size):
        offsets[p] = used
        px, py = x[p], y[p]
        cx, cy = (px - x0) * inverse, (py - y0) * inverse
        # written so that NaN fails it
        if not (cx >= 0.0 and cx < east and cy >= 0.0 and cy < north):
            continue
        cell = int(cy) * columns + int(cx)
        first, last = cell_start[cell], cell_start[cell + 1]
        if used + last - first > found.size:
            return p, used
        for k in range(first, last):
            fence = cells[k]
            if fence < 0:
                found[used] = ~fence
                used += 1
            elif _covers(fence, px, py, boxes, slab_start, band_start, bands, edges):
                found[used] = fence
                used += 1
    offsets[x.size] = used
    return x.size, used


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _distance2(ax: float, ay: float, bx: float, by: float, px: float, py: float) -> float:
    """Return the square of the distance of p from the edge from a to b."""
    ux, uy = bx - ax, by - ay
    length2 = ux * ux + uy * uy
    along = (px - ax) * ux + (py - ay) * uy
    if along <= 0.0 or length2 == 0.0:
        return (px - ax) * (px - ax) + (py - ay) * (py - ay)
    if along >= length2:
        return (px - bx) * (px - bx) + (py - by) * (py - by)
    across = (ay - py) * ux - (ax - px) * uy
    return across * across / length2


@njit(cache=True, nogil=True, error_model="numpy")
def depths(
    x: Floats,
    y: Floats,
    fences: Ints,
    out: Floats,
    edge_start: Longs,
    boxes: Floats,
    edges: Floats,
    slab_start: Longs,
    band_start: Ints,
    bands: Ints,
) -> None:
    """Give the depth of point k in ``fences[k]``: metres to the border, negative outside, 0 on it, NaN for no point."""
    for k in range(out.size):
        fence, px, py = fences[k], x[k], y[k]
        if not (abs(px) < inf and abs(py) < inf):
            out[k] = px - px + py - py
            continue
        best = inf
        for e in range(edge_start[fence], edge_start[fence + 1]):
            best = min(best, _distance2(edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3], px, py))
        inside = _covers(fence, px, py, boxes, slab_start, band_start, bands, edges)
        out[k] = sqrt(best) if inside else -sqrt(best)


@njit(cache=True, nogil=True, error_model="numpy")
def _apart(a: float, b: float, c: float, d: float) -> bool:
    """Say whether the stretch between a and b ends before that between c and d begins, or after it ends."""
    return max(a, b) < min(c, d) or max(c, d) < min(a, b)


@njit(cache=True, nogil=True, error_model="numpy")
def _cut(ax: float, ay: float, bx: float, by: float, cx: float, cy: float, dx: float, dy: float) -> bool:
    """Say whether two segments have a point in common."""
    if _apart(ax, bx, cx, dx) or _apart(ay, by, cy, dy):
        return False
    if side(ax, ay, bx, by, cx, cy) * side(ax, ay, bx, by, dx, dy) > 0:
        return False
    return side(cx, cy, dx, dy, ax, ay) * side(cx, cy, dx, dy, bx, by) <= 0


@njit(cache=True, nogil=True, error_model="numpy")
def meets(
    fence: int,
    ax: float,
    ay: float,
    bx: float,
    by: float,
    edge_start: Longs,
    boxes: Floats,
    edges: Floats,
    slab_start: Longs,
    band_start: Ints,
    bands: Ints,
) -> bool:
    """Say whether the segment from a to b has a point in common with a fence."""
    if _covers(fence, ax, ay, boxes, slab_start, band_start, bands, edges):
        return True
    for e in range(edge_start[fence], edge_start[fence + 1]):
        if _cut(ax, ay, bx, by, edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3]):
            return True
    return False


@njit(cache=True, nogil=True, error_model="numpy")
def crosses_wholly(
    fence: int,
    ax: float,
    ay: float,
    bx: float,
    by: float,
    aside: float,
    edge_start: Longs,
    boxes: Floats,
    edges: Floats,
    slab_start: Longs,
    band_start: Ints,
    bands: Ints,
) -> bool:
    """Say whether the segment from a to b meets a fence, and still does when moved by ``aside`` to its left and to its right."""
    length = hypot(bx - ax, by - ay)
    if length == 0.0:
        return False
    dx, dy = (ay - by) / length * aside, (bx - ax) / length * aside
    for step in (0.0, 1.0, -1.0):
        if not meets(
            fence,
            ax + step * dx,
            ay + step * dy,
            bx + step * dx,
            by + step * dy,
            edge_start,
            boxes,
            edges,
            slab_start,
            band_start,
            bands,
        ):
            return False
    return True
