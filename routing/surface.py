"""The surface of travel time over the ground: at each grid point, the time to the nearest road and along it to the origin.

A place is reached over the road nearest to it and no other, so nothing leaks across a river or a railway to a bank whose
own road is not reached. Grid points are those of ``roadindex.NearestTable``, or every second, fourth… of them when the area
is large.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.compiled import inlined, kernel
from routing.roadindex import ACCESS_LIMIT_M, BLOCK, SPACING_M, nearest_piece
from routing.search import SAME_PLACE, Reach, labels
from routing.travellers import Network

NEVER: Final = 3e38
MAX_POINTS: Final = 25_000
"""Grid points evaluated at most; a larger area is looked at with a wider grid."""
MAX_FINEST_ON_FOOT: Final = 10_000
"""The same on the finest grid for those on foot, who ask most: doors are judged as well by every second point of a long line."""
WIDEST: Final = 16
"""Steps of the surface's grid, in steps of the table of nearest roads; what is smaller than a step may be missed."""
LONG_M: Final = 250.0
"""Roads longer than this have the blocks they touch looked up one by one."""
MANY_ORIGINS: Final = 16


class Ground(NamedTuple):
    """What kernels need to ask for the time anywhere: roads and what they cost, the search, the table and buckets of roads."""

    pieces: NDArray[np.void]
    cost: NDArray[np.void]
    label: NDArray[np.void]
    origins: NDArray[np.void]
    closed: NDArray[np.bool_]
    block: NDArray[np.int32]
    cell: NDArray[np.int32]
    start: NDArray[np.int32]
    item: NDArray[np.int32]
    bucket_columns: int
    bucket_rows: int


class Surface(NamedTuple):
    """Times in milliseconds on a grid: ``ms[r, c]`` is that of base grid row ``row + r * stride`` and column likewise.

    The outermost rows and columns are never reached, so every contour closes. Kernels take it whole.
    """

    ms: NDArray[np.float32]
    row: int
    column: int
    stride: int
    ms_per_metre: float
    generation: int
    ground: Ground


def surface(found: Reach, limit_ms: float) -> Surface | None:
    """Return the surface of ``found`` up to ``limit_ms``, in buffers of this thread that the next call uses again."""
    graph = found.graph
    if not len(found.origins):
        return None
    space = labels(found)
    travel = graph.travel(found.traveller)
    table, buckets = travel.roads.table, travel.roads.buckets
    ground = Ground(
        *(graph.pieces, travel.cost, space.label, found.origin_records(), found.closed, table.block, table.cell),
        start=buckets.start,
        item=buckets.item,
        bucket_columns=buckets.columns,
        bucket_rows=buckets.rows,
    )
    active = space.scratch.get(f"active-{travel.traveller.network}")
    if active is None:
        active = space.scratch[f"active-{travel.traveller.network}"] = np.zeros(table.block.shape, dtype=np.uint8)
    ms_per_metre = 1000.0 / found.traveller.access_mps
    pace = max(travel.fastest_mps, found.traveller.access_mps) / 1000
    box = np.empty(5, dtype=np.int64)
    _mark_active(
        *(found.node, found.ms, limit_ms, ms_per_metre, graph.node_x, graph.node_y, graph.metres, graph.bounds),
        *(travel.roads.first_arc, travel.arc, pace, ground, active, box),
    )
    first_r, first_c, last_r, last_c, count = box.tolist()
    if count == 0:
        return None
    on_foot = travel.traveller.network is Network.FOOT
    stride = 2 if on_foot and count * BLOCK**2 > MAX_FINEST_ON_FOOT else 1
    while count * (BLOCK // stride) ** 2 > MAX_POINTS and stride < WIDEST:
        stride *= 2
    rows = (last_r - first_r + 1) * (BLOCK // stride) + 2
    columns = (last_c - first_c + 1) * (BLOCK // stride) + 2
    ms = _buffer(space.scratch, "surface", rows * columns).reshape(rows, columns)
    row, column = first_r * BLOCK - stride, first_c * BLOCK - stride
    _fill(
        *(ms, row, column, stride, first_r, first_c, last_r, last_c, active, limit_ms, ms_per_metre, pace),
        *(space.generation, ground),
    )
    return Surface(ms, row, column, stride, ms_per_metre, space.generation, ground)


def _buffer(scratch: dict[str, NDArray[Any]], name: str, size: int) -> NDArray[np.float32]:
    held = scratch.get(name)
    if held is None or len(held) < size:
        held = scratch[name] = np.empty(max(size, 65_536), dtype=np.float32)
    return held[:size]


Road = tuple[bool, bool, int, float, float, float, float, float, float, float, float, float, float, float]
"""What ``time_by`` needs of a piece: reached?, an origin on it?, edge, x, y, dx, dy, inverse, start, share, and the
milliseconds at which one sets out along its edge from u and from v (``NEVER``: not) and takes for all of it either way."""


@inlined
def road_of(
    piece: int,
    generation: int,
    pieces: NDArray[np.void],
    cost: NDArray[np.void],
    label: NDArray[np.void],
    origins: NDArray[np.void],
) -> Road:
    """Return a piece in the form that ``time_by`` takes; for -1, a road that is not reached."""
    if piece < 0:
        return False, False, int(piece), 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, NEVER, NEVER, 0.0, 0.0
    row = pieces[piece]
    edge = row["edge"]
    u, v = cost[edge]["u"], cost[edge]["v"]
    forward, backward = float(cost[edge]["forward"]), float(cost[edge]["backward"])
    there = back = NEVER
    if label[u]["stamp"] == generation and forward >= 0:
        there = float(label[u]["ms"])
    if label[v]["stamp"] == generation and backward >= 0:
        back = float(label[v]["ms"])
    here = False
    for o in range(len(origins)):
        here = here or origins[o]["edge"] == edge
    reached = there < NEVER or back < NEVER or here
    x, y, dx, dy = float(row["x"]), float(row["y"]), float(row["dx"]), float(row["dy"])
    inverse, start, share = float(row["inverse"]), float(row["start"]), float(row["share"])
    return reached, here, int(edge), x, y, dx, dy, inverse, start, share, there, back, forward, backward


@inlined
def time_by(road: Road, x: float, y: float, origins: NDArray[np.void]) -> tuple[float, float]:
    """Return the squared metres from a point to a road piece, and the milliseconds to the place on it nearest to the point."""
    _, here, edge, road_x, road_y, dx, dy, inverse, start, share, there, back, forward, backward = road
    along = min(1.0, max(0.0, ((x - road_x) * dx + (y - road_y) * dy) * inverse))
    off_x, off_y = x - road_x - along * dx, y - road_y - along * dy
    fraction = start + along * share
    best = min(there + fraction * forward, back + (1.0 - fraction) * backward)
    if here:
        for o in range(len(origins)):
            if origins[o]["edge"] == edge:
                ahead = fraction - origins[o]["fraction"]
                if ahead >= -SAME_PLACE and forward >= 0:
                    best = min(best, origins[o]["ms"] + max(0.0, ahead) * forward)
                if ahead <= SAME_PLACE and backward >= 0:
                    best = min(best, origins[o]["ms"] - min(0.0, ahead) * backward)
    return off_x * off_x + off_y * off_y, best


@inlined
def piece_at(
    row: int,
    column: int,
    pieces: NDArray[np.void],
    closed: NDArray[np.bool_],
    block: NDArray[np.int32],
    cell: NDArray[np.int32],
    start: NDArray[np.int32],
    item: NDArray[np.int32],
    columns: int,
    rows: int,
) -> int:
    """Return the piece nearest to a base grid point, passing over closed roads; -1 for none."""
    block_r = row // BLOCK
    block_c = column // BLOCK
    if row < 0 or column < 0 or block_r >= block.shape[0] or block_c >= block.shape[1]:
        return -1
    slot = block[block_r, block_c]
    if slot < 0:
        return -1
    piece = int(cell[slot, row - block_r * BLOCK, column - block_c * BLOCK])
    if piece >= 0 and closed.size > 0 and closed[pieces[piece]["edge"]]:
        x, y = column * SPACING_M, row * SPACING_M
        piece, _ = nearest_piece(x, y, ACCESS_LIMIT_M, -1, pieces, start, item, columns, rows, closed)
    return piece


@inlined
def _mark_box(
    west: float, south: float, east: float, north: float, active: NDArray[np.uint8], box: NDArray[np.int64]
) -> None:
    side = BLOCK * SPACING_M
    first_r = max(0, int(np.floor(south / side)))
    last_r = min(active.shape[0] - 1, int(np.floor(north / side)))
    first_c = max(0, int(np.floor(west / side)))
    last_c = min(active.shape[1] - 1, int(np.floor(east / side)))
    for r in range(first_r, last_r + 1):
        for c in range(first_c, last_c + 1):
            if active[r, c] == 0:
                active[r, c] = 1
                box[4] += 1
    box[0] = min(box[0], first_r)
    box[1] = min(box[1], first_c)
    box[2] = max(box[2], last_r)
    box[3] = max(box[3], last_c)


@kernel
def _mark_active(
    node: NDArray[np.int32],
    ms: NDArray[np.int32],
    limit_ms: float,
    ms_per_metre: float,
    node_x: NDArray[np.float64],
    node_y: NDArray[np.float64],
    metres: NDArray[np.float32],
    bounds: NDArray[np.float32],
    first_arc: NDArray[np.int32],
    arcs: NDArray[np.void],
    pace: float,
    ground: Any,
    active: NDArray[np.uint8],
    box: NDArray[np.int64],
) -> None:
    """Flag the blocks of the table that can hold a reached point; write their extent (rows and columns) and number."""
    active[:] = 0
    box[0] = box[1] = 1 << 30
    box[2] = box[3] = -1
    box[4] = 0
    origins = ground[3]
    for o in range(len(origins)):
        edge = origins[o]["edge"]
        left = limit_ms - origins[o]["ms"]
        if left < 0:
            continue
        x, y = origins[o]["x"], origins[o]["y"]
        far = left * pace
        access = min(ACCESS_LIMIT_M, left / ms_per_metre)
        b = bounds[edge]
        west = max(b[0], x - far) - access
        south = max(b[1], y - far) - access
        east = min(b[2], x + far) + access
        north = min(b[3], y + far) + access
        _mark_box(west, south, east, north, active, box)
    for i in range(len(node)):
        left = limit_ms - ms[i]
        if left < 0:
            continue
        x = node_x[node[i]]
        y = node_y[node[i]]
        access = min(ACCESS_LIMIT_M, left / ms_per_metre)
        around = 0.0
        for a in range(first_arc[node[i]], first_arc[node[i] + 1]):
            arc = arcs[a]
            if arc["ms"] < 0:
                continue
            far = metres[arc["edge"]] * min(1.0, left / max(1, arc["ms"]))
            if far < LONG_M:
                around = max(around, far)
                continue
            b = bounds[arc["edge"]]
            west = max(b[0], x - far) - access
            south = max(b[1], y - far) - access
            east = min(b[2], x + far) + access
            north = min(b[3], y + far) + access
            _mark_box(west, south, east, north, active, box)
        # Time spent on a short road is not left for walking off it: the traveller's pace bounds both together.
        around = min(around + access, max(access, left * pace))
        _mark_box(x - around, y - around, x + around, y + around, active, box)


@kernel
def _fill(
    ms: NDArray[np.float32],
    row: int,
    column: int,
    stride: int,
    first_r: int,
    first_c: int,
    last_r: int,
    last_c: int,
    active: NDArray[np.uint8],
    limit_ms: float,
    ms_per_metre: float,
    pace: float,
    generation: int,
    ground: Any,
) -> None:
    """Write the time at every grid point of the active blocks; beyond the limit, or elsewhere, ``NEVER`` or anything later."""
    ms[:] = NEVER
    pieces, cost, label, origins, closed, block, cell, start, item, columns, rows = ground
    check = closed.size > 0
    side = BLOCK // stride
    left = column // stride
    known = -1
    road = road_of(-1, generation, pieces, cost, label, origins)
    for r in range(first_r * BLOCK, (last_r + 1) * BLOCK, stride):
        y = r * SPACING_M
        west, east = _span(y, origins, limit_ms, pace)
        from_c = max(first_c * side, int(np.ceil(west / (SPACING_M * stride))))
        to_c = min((last_c + 1) * side, int(np.floor(east / (SPACING_M * stride))) + 1)
        block_r = r // BLOCK
        out = ms[(r - row) // stride]
        for block_c in range(from_c // side, (to_c + side - 1) // side):
            slot = block[block_r, block_c]
            if active[block_r, block_c] == 0 or slot < 0:
                continue
            line = cell[slot, r - block_r * BLOCK]
            for at in range(max(from_c, block_c * side), min(to_c, (block_c + 1) * side)):
                c = at * stride
                x = c * SPACING_M
                piece = line[c - block_c * BLOCK]
                if check and piece >= 0 and closed[pieces[piece]["edge"]]:
                    piece, _ = nearest_piece(x, y, ACCESS_LIMIT_M, -1, pieces, start, item, columns, rows, closed)
                if piece < 0:
                    continue
                if piece != known:
                    # Neighbours mostly share their nearest road: look it up once.
                    known = piece
                    road = road_of(piece, generation, pieces, cost, label, origins)
                if road[0]:
                    squared, time = time_by(road, x, y, origins)
                    out[at - left] = time + np.sqrt(squared) * ms_per_metre


@inlined
def _span(y: float, origins: NDArray[np.void], limit_ms: float, pace: float) -> tuple[float, float]:
    """Return how far west and east one could get on the line ``y`` as the crow flies; all of it when there are many origins."""
    if len(origins) > MANY_ORIGINS:
        return -1e9, 1e9
    west, east = 1e9, -1e9
    for o in range(len(origins)):
        # Times are whole milliseconds: allow for their rounding.
        radius = (limit_ms - origins[o]["ms"]) * pace * 1.01 + SPACING_M
        off = y - origins[o]["y"]
        if radius > abs(off):
            half = np.sqrt(radius * radius - off * off)
            west = min(west, origins[o]["x"] - half)
            east = max(east, origins[o]["x"] + half)
    return west, east
