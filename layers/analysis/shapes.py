"""What is computed of shapes: pairs that meet, nearest ones, overlays, unions, parts worth keeping. Pure; metres on a plane.

Arrays of shapes are one-dimensional, their shapes valid and not empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import shapely

from geo.errors import TooLarge

Shapes = npt.NDArray[np.object_]
Places = npt.NDArray[np.intp]
Step = Callable[[float], None]
"""Told the share that is done, 0 to 1; raises when the work is to stop."""
Pause = Callable[[], object]
"""Called between pieces of work; raises when it is to stop."""
BLOCK: Final = 64
"""Shapes of one side at a time: what all of them may meet must fit into memory."""
DETAILED: Final = 200
"""From so many corners on it pays to ask first whether one shape lies wholly in the other."""
TOGETHER: Final = 2_000
"""Shapes that are united in one go."""
AT_A_TIME: Final = 256
STRIP: Final = 64
BESIDE: Final = 16
"""Parts that are grown in one go, legs of an edge that are, and pieces of one shape that are united in one go."""
MOST_CORNERS: Final = 2_000
MOST_OF_AREA: Final = 1_000
"""Corners of a line with flat or square ends, and of an area, grown whole: pieces take ten times as long for a small distance."""
TILE_M: Final = 4_000
_NOTHING: Final = shapely.GeometryCollection()
_MULTI: Final = {0: shapely.multipoints, 1: shapely.multilinestrings, 2: shapely.multipolygons}


def prepared(shapes: Shapes) -> shapely.STRtree:
    """Return a tree of shapes; those with many corners are prepared for being asked often."""
    shapely.prepare(shapes[shapely.get_num_coordinates(shapes) >= DETAILED])
    return shapely.STRtree(shapes)


def blocks(count: int) -> Iterator[slice]:
    """Yield the slices of a side, one block at a time."""
    for at in range(0, count, BLOCK):
        yield slice(at, min(at + BLOCK, count))


def pairs(tree: shapely.STRtree, shapes: Shapes, predicate: str) -> tuple[Places, Places]:
    """Return which shape stands in a relation to which of the tree, in the order of both."""
    left, right = tree.query(shapes, predicate=predicate)
    order = np.lexsort((right, left))
    return left[order], right[order]


def nearest(
    tree: shapely.STRtree, shapes: Shapes, *, count: int, farthest: float, first: float,
    apart: Callable[[Places, Places], npt.NDArray[np.bool_]] | None = None,
) -> tuple[Places, Places, npt.NDArray[np.float64]]:  # fmt: skip
    """Return for each shape the ``count`` nearest of the tree within ``farthest`` metres: both places and the distance.

    They are sought in circles that begin with ``first`` metres and double; ``apart`` says which pairs count. Equally near ones
    come in the order of the tree.
    """
    found: list[tuple[Places, Places, npt.NDArray[np.float64]]] = []
    waiting, radius = np.arange(len(shapes)), min(max(first, 1.0), farthest)
    while waiting.size:
        left, right = tree.query(shapes[waiting], predicate="dwithin", distance=radius)
        left = waiting[left]
        if apart is not None:
            counts = apart(left, right)
            left, right = left[counts], right[counts]
        enough = np.bincount(left, minlength=len(shapes)) >= count
        ending = enough[waiting] | (radius >= farthest)
        over = np.zeros(len(shapes), dtype=bool)
        over[waiting[ending]] = True
        left, right = left[over[left]], right[over[left]]
        found.append((left, right, shapely.distance(shapes[left], tree.geometries[right])))
        waiting, radius = waiting[~ending], min(2 * radius, farthest)
    left, right, metres = (np.concatenate([each[at] for each in found]) for at in range(3))
    order = np.lexsort((right, metres, left))
    left, right, metres = left[order], right[order], metres[order]
    kept = ranks(left) <= count
    return left[kept], right[kept], metres[kept]


def ranks(groups: Places) -> Places:
    """Return the rank of each in its group, from 1; equal groups stand together."""
    if not groups.size:
        return groups
    begins = np.flatnonzero(np.r_[True, groups[1:] != groups[:-1]])
    return np.arange(groups.size) - np.repeat(begins, np.diff(np.r_[begins, groups.size])) + 1


def common(one: Shapes, other: Shapes) -> Shapes:
    """Return what two arrays of shapes have in common, pair by pair; a shape that lies in the other comes out as it is."""
    found = np.empty(len(one), dtype=object)
    many = np.maximum(shapely.get_num_coordinates(one), shapely.get_num_coordinates(other)) >= DETAILED
    inside = np.zeros(len(one), dtype=bool)
    inside[many] = shapely.covers(other[many], one[many])
    found[inside] = one[inside]
    around = many & ~inside
    around[around] = shapely.covers(one[around], other[around])
    found[around] = other[around]
    rest = ~(inside | around)
    found[rest] = shapely.intersection(one[rest], other[rest])
    return found


def remaining(shapes: Shapes, others: Shapes, left: Places, right: Places, step: Pause = lambda: None) -> Shapes:
    """Return what is left of shapes without those that meet them; ``left`` and ``right`` are the pairs, in order of ``left``.

    ``step`` is called between shapes.
    """
    found = shapes.copy()
    for at, end in _runs(left):
        step()
        mine = left[at]
        theirs = others[right[at:end]]
        whole = theirs[0] if end - at == 1 else shapely.union_all(theirs)
        found[mine] = shapely.difference(shapes[mine], whole)
    return found


def _runs(groups: Places) -> Iterator[tuple[int, int]]:
    edges = np.flatnonzero(np.r_[True, groups[1:] != groups[:-1], True]) if groups.size else np.array([0])
    yield from ((int(at), int(end)) for at, end in zip(edges[:-1], edges[1:], strict=True))


def grown(shapes: Shapes, metres: float, *, segments: int, ends: str, step: Pause = lambda: None) -> Shapes:
    """Return the buffers of shapes, ``segments`` to a quarter circle; areas only may grow by less than nothing.

    Many parts or corners within one distance take GEOS hours at once: they are grown piece by piece and united, and ``step`` is
    called in between. Raises ``TooLarge`` for a line of very many corners whose ends are not round, which has no pieces.
    """
    parts, of = shapely.get_parts(shapes, return_index=True)
    wide = np.empty(len(parts), dtype=object)
    corners, lines = shapely.get_num_coordinates(parts), shapely.get_dimensions(parts) == 1
    detailed = (corners >= DETAILED) & (shapely.get_dimensions(parts) > 0)
    if metres > 0 and ends != "round":
        if (corners[lines] > MOST_CORNERS).any():
            said = f"有一条线的顶点超过 {MOST_CORNERS:,} 个，只能做圆头的缓冲区。请改用圆头，或先简化这条线。"
            raise TooLarge("line_too_detailed", said, most=MOST_CORNERS)
        detailed &= ~lines
    plain = np.flatnonzero(~detailed)
    for at in range(0, len(plain), AT_A_TIME):
        some = plain[at : at + AT_A_TIME]
        wide[some] = shapely.buffer(parts[some], metres, quad_segs=segments, cap_style=ends)
        step()
    for at in np.flatnonzero(detailed).tolist():
        if lines[at] or corners[at] > MOST_OF_AREA:
            wide[at] = _grown_in_strips(parts[at], metres, segments, step)
        else:
            wide[at] = shapely.buffer(parts[at], metres, quad_segs=segments)
            step()
    found = np.full(len(shapes), shapely.Polygon(), dtype=object)
    for at, end in _runs(of):
        found[of[at]] = _whole(wide[at:end], step)
    return found


def _grown_in_strips(part: Any, metres: float, segments: int, step: Pause) -> Any:
    """Return the buffer of one line or area out of those of pieces of its edge."""
    area = shapely.get_dimensions(part) == 2
    if metres < 0 and not area:
        return shapely.Polygon()
    edge = _whole(shapely.buffer(_strips(part), abs(metres), quad_segs=segments), step)
    if not area:
        return edge
    return shapely.union(part, edge) if metres > 0 else shapely.difference(part, edge)


def _strips(part: Any) -> Shapes:
    """Return the edge of an area, or a line, as lines of ``STRIP`` legs at most, one after the other."""
    rings = shapely.get_rings(part) if shapely.get_dimensions(part) == 2 else [part]
    strips = []
    for ring in rings:
        corners = shapely.get_coordinates(ring)
        strips += [shapely.linestrings(corners[at : at + STRIP + 1]) for at in range(0, len(corners) - 1, STRIP)]
    return np.array(strips, dtype=object)


def _whole(pieces: Shapes, step: Pause) -> Any:
    """Return the union of pieces, those beside each other first."""
    while len(pieces) > 1:
        joined = []
        for at in range(0, len(pieces), BESIDE):
            joined.append(shapely.union_all(pieces[at : at + BESIDE]))
            step()
        pieces = np.array(joined, dtype=object)
    return pieces[0]


def united(shapes: Shapes, step: Step) -> Any:
    """Return the union of shapes, neighbours first; parts in an order that depends on them only."""
    boxes = shapely.bounds(shapes)
    tiles = np.floor(boxes[:, :2] / TILE_M)
    parts = shapes[np.lexsort((boxes[:, 1], tiles[:, 1], tiles[:, 0]))]
    total, done = max(len(parts), 1), 0
    while len(parts) > 1:
        joined = []
        for at in range(0, len(parts), TOGETHER):
            joined.append(shapely.disjoint_subset_union_all(parts[at : at + TOGETHER]))
            done += TOGETHER
            step(min(0.99, done / (total * 1.1)))
        parts = np.array(joined, dtype=object)
    return shapely.normalize(parts[0])


def worth(shapes: Shapes, dimension: int, least: float) -> tuple[Shapes, int]:
    """Return shapes with those parts only that have the dimension and at least a size (m² or m), and how many were left out.

    What has no such part becomes empty; a part of a lower dimension, where two areas merely touch, is not counted as left out.
    """
    parts, of = shapely.get_parts(shapes, return_index=True)
    parts, within = shapely.get_parts(parts, return_index=True)
    of = of[within]
    right = (shapely.get_dimensions(parts) == dimension) & ~shapely.is_empty(parts)
    size = (shapely.area, shapely.length)[dimension == 1](parts) if dimension else np.full(len(parts), np.inf)
    kept = right & (size >= least)
    found = np.full(len(shapes), _NOTHING, dtype=object)
    if kept.any():
        there = np.unique(of[kept])
        found[there] = _MULTI[dimension](parts[kept], indices=np.searchsorted(there, of[kept]))
    return found, int((right & ~kept).sum())
