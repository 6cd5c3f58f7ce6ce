"""Cuts open water out of a drawn circle, and with it the far banks that were coloured only from across the water."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from routing.compiled import inlined, kernel
from routing.rings import Rings
from routing.search import Reach
from routing.snap import snap

NEAR_M: Final = 1.0
"""How near to a piece of ground a road counts as on it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is too small to draw, in square metres, how many points are too many, and how far the line may be moved then."""

    min_island: float
    min_hole: float
    vertices: int
    tolerance: float


def cut(found: Reach, polygon: Any, limit_ms: float, limits: Limits) -> tuple[Rings, NDArray[np.int64]] | None:
    """Return the rings of a valid polygon less the open water in it, and where among them each part begins; None for no water.

    Roads over and under water keep a strip of it where the traveller may use them. Ground that the water cuts off is left out
    when no road on it was reached by ``limit_ms``, or when it is too small. The rings make a valid polygon.
    """
    graph = found.graph
    if graph.water is None or polygon.is_empty:
        return None
    travel = graph.travel(found.traveller)
    water = graph.water.within(polygon.bounds, travel.traveller.network, travel.usable, found.closed)
    if water is None:
        return None
    # Asking which parts meet the water takes a tenth of cutting it out of them.
    parts = shapely.get_parts(polygon)
    wet = shapely.intersects(parts, water)
    if not wet.any():
        return None
    dry: Any = np.concatenate((shapely.get_parts(shapely.difference(parts[wet], water)), parts[~wet]))
    tolerance = limits.tolerance
    while int(shapely.get_num_coordinates(dry).sum()) > limits.vertices:
        dry = _polygons(shapely.make_valid(shapely.simplify(shapely.multipolygons(_polygons(dry)), tolerance)))
        tolerance *= 1.4
    return sifted(found, dry, limit_ms, limits)


def sifted(found: Reach, shapes: Any, limit_ms: float, limits: Limits) -> tuple[Rings, NDArray[np.int64]]:
    """Return of valid shapes the rings that are worth drawing, on ground that has a road that was reached, as ``cut`` does."""
    parts = _polygons(shapes)
    outlines, owner = shapely.get_rings(parts, return_index=True)
    points = shapely.get_coordinates(outlines)
    rings = np.zeros(len(outlines) + 1, dtype=np.int64)
    np.cumsum(shapely.get_num_coordinates(outlines), out=rings[1:])
    first = np.searchsorted(owner, np.arange(len(parts) + 1))
    graph = found.graph
    node = found.node[: int(np.searchsorted(found.ms, limit_ms, side="right"))]
    area = np.empty(len(rings) - 1)
    reached = np.empty(len(parts), dtype=np.uint8)
    _look(points, rings, first, node, graph.node_x, graph.node_y, *graph.meta.origin, area, reached)
    kept: list[int] = []
    begins: list[int] = []
    areas, shells = area.tolist(), first.tolist()
    for part in sorted(range(len(parts)), key=lambda i: -areas[shells[i]]):
        shell = shells[part]
        if areas[shell] < limits.min_island or not (reached[part] or _has_its_road(found, parts[part])):
            continue
        begins.append(len(kept))
        kept += [shell, *(hole for hole in range(shell + 1, shells[part + 1]) if areas[hole] >= limits.min_hole)]
    polygons = np.array([*begins, len(kept)], dtype=np.int64)
    if kept == list(range(len(areas))):
        return Rings(points, rings), polygons
    bounds = rings.tolist()
    ends = np.zeros(len(kept) + 1, dtype=np.int64)
    np.cumsum([bounds[i + 1] - bounds[i] for i in kept], out=ends[1:])
    chosen = [points[bounds[i] : bounds[i + 1]] for i in kept]
    return Rings(np.concatenate(chosen or [points[:0]]), ends), polygons


def _polygons(shapes: Any) -> Any:
    """Return the polygons that shapes and collections of shapes are made of."""
    parts = shapely.get_parts(shapely.get_parts(shapes))
    return parts[shapely.area(parts) > 0]


def _has_its_road(found: Reach, part: Any) -> bool:
    """Return whether the road nearest to the middle of a piece of ground runs over that ground, not beyond the water."""
    middle = part.representative_point()
    road = snap(found.graph, middle.x, middle.y, found.traveller, closed=found.closed)
    return road.found and bool(shapely.dwithin(part, shapely.Point(road.road_x, road.road_y), NEAR_M))


@kernel
def _look(
    points: NDArray[np.float64],
    rings: NDArray[np.int64],
    first: NDArray[np.int64],
    node: NDArray[np.int32],
    node_x: NDArray[np.float64],
    node_y: NDArray[np.float64],
    west: float,
    south: float,
    area: NDArray[np.float64],
    reached: NDArray[np.uint8],
) -> None:
    """Write the area of each ring, and whether each part (rings ``first[p]:first[p + 1]``) holds one of the nodes."""
    for ring in range(len(rings) - 1):
        total = 0.0
        x0, y0 = points[rings[ring], 0], points[rings[ring], 1]
        for i in range(rings[ring], rings[ring + 1] - 1):
            ax, ay = points[i, 0] - x0, points[i, 1] - y0
            bx, by = points[i + 1, 0] - x0, points[i + 1, 1] - y0
            total += ax * by - bx * ay
        area[ring] = abs(total) / 2
    for part in range(len(first) - 1):
        begin, end = rings[first[part]], rings[first[part + 1]]
        low_x = high_x = points[begin, 0]
        low_y = high_y = points[begin, 1]
        for i in range(begin, end):
            low_x, high_x = min(low_x, points[i, 0]), max(high_x, points[i, 0])
            low_y, high_y = min(low_y, points[i, 1]), max(high_y, points[i, 1])
        reached[part] = 0
        for n in range(len(node)):
            x, y = node_x[node[n]] + west, node_y[node[n]] + south
            if x < low_x or x > high_x or y < low_y or y > high_y:
                continue
            if _is_on(points, rings, first[part], first[part + 1], x, y):
                reached[part] = 1
                break


@inlined
def _is_on(points: NDArray[np.float64], rings: NDArray[np.int64], first: int, last: int, x: float, y: float) -> bool:
    inside = False
    for ring in range(first, last):
        for i in range(rings[ring], rings[ring + 1] - 1):
            y0, y1 = points[i, 1], points[i + 1, 1]
            if (y0 > y) != (y1 > y):
                x0, x1 = points[i, 0], points[i + 1, 0]
                if x < x0 + (y - y0) / (y1 - y0) * (x1 - x0):
                    inside = not inside
    return inside
