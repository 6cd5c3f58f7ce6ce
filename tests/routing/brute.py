"""The truth about small graphs, found the slow way: shapely for the nearest road, SciPy for the shortest path."""

from __future__ import annotations

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, dijkstra

from routing.edges import RoadEdges
from routing.graph import MIN_COMPONENT_NODES
from routing.travellers import Traveller
from tests.routing.drawing import PLANE


class Truth:
    """Roads as one traveller meets them. All times in seconds, all coordinates in plane metres."""

    def __init__(self, edges: RoadEdges, traveller: Traveller, closed: frozenset[int] = frozenset()) -> None:
        self.traveller = traveller
        x, y = PLANE.forward(edges.lon, edges.lat)
        bounds = zip(edges.offsets[:-1], edges.offsets[1:], strict=True)
        self.lines = [shapely.LineString(np.stack((x[a:b], y[a:b]), axis=1)) for a, b in bounds]
        self.metres = np.array([line.length for line in self.lines])
        self.names, ends = np.unique(np.concatenate((edges.from_node, edges.to_node)), return_inverse=True)
        self.u, self.v = ends[: edges.count], ends[edges.count :]
        self.there, self.back = traveller.seconds(edges, self.metres)
        shut = np.isin(edges.ext_id, list(closed))
        biggest = self._component_sizes()
        good = biggest >= min(MIN_COMPONENT_NODES, biggest.max())
        self.there[shut] = self.back[shut] = np.inf
        usable = np.isfinite(self.there) | np.isfinite(self.back)
        self.snappable = usable & ~edges.ferry & (good[self.u] | good[self.v])
        self.best = self._arcs()
        self._candidates = np.flatnonzero(self.snappable)
        self._tree = shapely.STRtree([self.lines[e] for e in self._candidates])

    def _component_sizes(self) -> np.ndarray:
        pairs = [(self.u, self.v, self.there), (self.v, self.u, self.back)]
        tail = np.concatenate([a[np.isfinite(cost)] for a, _, cost in pairs])
        head = np.concatenate([b[np.isfinite(cost)] for _, b, cost in pairs])
        shape = (len(self.names), len(self.names))
        matrix = coo_array((np.ones(len(tail)), (tail, head)), shape=shape).tocsr()
        _, label = connected_components(matrix, connection="strong")
        sizes: np.ndarray = np.bincount(label)[label]
        return sizes

    def _arcs(self) -> dict[tuple[int, int], float]:
        best: dict[tuple[int, int], float] = {}
        for e in range(len(self.u)):
            for a, b, cost in ((self.u[e], self.v[e], self.there[e]), (self.v[e], self.u[e], self.back[e])):
                if np.isfinite(cost) and a != b:
                    best[int(a), int(b)] = min(cost, best.get((int(a), int(b)), np.inf))
        return best

    def snap(self, x: float, y: float) -> tuple[int, float, float]:
        """Return the nearest usable edge, the fraction along it and the seconds to walk there."""
        point = shapely.Point(x, y)
        edge = int(self._candidates[self._tree.nearest(point)])
        line = self.lines[edge]
        fraction = line.project(point) / line.length if line.length > 0 else 0.0
        return edge, fraction, line.distance(point) / self.traveller.access_mps

    def node_seconds(self, origins: list[tuple[int, float, float]]) -> np.ndarray:
        """Return the seconds to each node from the nearest of several snapped origins."""
        count = len(self.names)
        arcs = dict(self.best)
        for o, (edge, fraction, access) in enumerate(origins):
            # A whole edge that is forbidden stays forbidden, however small the part of it.
            for node, share, whole in (
                (self.v[edge], 1 - fraction, self.there[edge]),
                (self.u[edge], fraction, self.back[edge]),
            ):
                if np.isfinite(whole):
                    key = (count + o, int(node))
                    arcs[key] = min(access + share * whole, arcs.get(key, np.inf))
        total = count + len(origins)
        # SciPy takes a stored zero for a missing arc; a nanosecond does not matter.
        rows = [(a, b, max(cost, 1e-9)) for (a, b), cost in arcs.items()]
        if not rows:
            return np.full(count, np.inf)
        tail, head, cost = zip(*rows, strict=True)
        matrix = coo_array((cost, (tail, head)), shape=(total, total)).tocsr()
        found: np.ndarray = dijkstra(matrix, indices=range(count, total)).min(axis=0)
        return found[:count]

    def point_seconds(self, origins: list[tuple[int, float, float]], x: float, y: float, nodes: np.ndarray) -> float:
        """Return the seconds to any point, over the road nearest to it."""
        edge, fraction, access = self.snap(x, y)
        there, back = self.there[edge], self.back[edge]
        ways = [np.inf]
        if np.isfinite(there):
            ways.append(nodes[self.u[edge]] + fraction * there)
        if np.isfinite(back):
            ways.append(nodes[self.v[edge]] + (1 - fraction) * back)
        for other, at, leg in origins:
            if other == edge and fraction >= at and np.isfinite(there):
                ways.append(leg + (fraction - at) * there)
            if other == edge and fraction <= at and np.isfinite(back):
                ways.append(leg + (at - fraction) * back)
        return float(min(ways)) + access
