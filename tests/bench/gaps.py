"""The walk from every cell of the city to the nearest of some places, beside scipy's search over the same roads."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Final

import h3.api.numpy_int as h3
import numpy as np
import shapely
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geo.grids.cells import RESOLUTION
from routing.graph import Graph
from routing.nearest import reach_of_many, seconds_at
from routing.places import Doors, doors_at
from routing.snap import Snap
from routing.travellers import TRAVELLERS
from tests.bench.report import Bar
from tests.bench.routing import PLANE, Ground, graph_of, invented, real
from tests.routing import mosaic

WALK: Final = TRAVELLERS["walk"]
FARTHEST_S: Final = 2 * 3_600.0
"""As ``services.gaps.measuring`` has it, which needs a database."""
PLACES: Final = (100, 1_000, 10_000)
ROUNDS: Final = 3
SEED: Final = 29
SAME_MS: Final = 5
"""Both add up the same costs; ours in whole milliseconds."""


def run() -> list[Bar]:
    """Return what measuring one kind of so many places takes, and the search of it beside the peer's."""
    ground = real() if mosaic.EDGES.exists() else invented("demo")
    with graph_of(ground) as graph:
        cells = doors_at(graph, *_cells(ground), WALK)
        _say(f"{graph.meta.nodes:,} junctions, {len(cells.door):,} cells of {ground.name}")
        chosen = np.random.default_rng(SEED).permutation(len(ground.x))
        return [bar for many in PLACES if many <= len(chosen) for bar in _bars(graph, ground, cells, chosen[:many])]


def _bars(graph: Graph, ground: Ground, cells: Doors, chosen: np.ndarray) -> list[Bar]:
    x, y = ground.x[chosen], ground.y[chosen]
    searches, wholes, theirs = [], [], []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        found = reach_of_many(graph, x, y, WALK, FARTHEST_S)
        searches.append(time.perf_counter() - began)
        seconds = seconds_at(found, cells)
        wholes.append(time.perf_counter() - began)
        network = _network(graph, found.origins)
        began = time.perf_counter()
        peer = dijkstra(network, indices=graph.meta.nodes, limit=FARTHEST_S * 1000)[: graph.meta.nodes]
        theirs.append(time.perf_counter() - began)
    ours = np.full(graph.meta.nodes, np.inf)
    ours[found.node] = found.ms
    ours[ours > found.complete_ms], peer[peer > found.complete_ms] = np.inf, np.inf
    both = np.isfinite(ours) & np.isfinite(peer)
    apart = int((np.abs(ours[both] - peer[both]) > SAME_MS).sum())
    edge = np.isfinite(ours) != np.isfinite(peer)
    search, whole, beside = (float(np.median(times)) for times in (searches, wholes, theirs))
    told = (
        f"{len(chosen):,} places, {int(both.sum()):,} junctions reached, {apart} apart, {int(edge.sum())} by one only"
    )
    reached = f"{int(np.isfinite(seconds).sum()):,} of {len(seconds):,} cells reached"
    return [
        Bar("gaps", search, beside, beside / search, "s", f"search and snapping; peer: scipy's search alone; {told}"),
        Bar("gaps", whole, None, None, "s", f"one kind whole, every cell, put on the roads before; {len(chosen):,} places, {reached}"),
    ]


def _network(graph: Graph, origins: Sequence[Snap]) -> csr_array:
    """Return the walking costs (ms) between junctions, and after them one that leads to the ends of the roads of all origins."""
    cost = graph.travel(WALK).cost
    there, back = cost["forward"] >= 0, cost["backward"] >= 0
    begins, ends = [cost["u"][there], cost["v"][back]], [cost["v"][there], cost["u"][back]]
    costs = [cost["forward"][there].astype(float), cost["backward"][back].astype(float)]
    placed = [each for each in origins if each.found]
    edge = cost[[each.edge for each in placed]]
    at, access = (np.array([getattr(each, name) for each in placed]) for name in ("fraction", "access_ms"))
    for end, share, way in (("v", 1 - at, "forward"), ("u", at, "backward")):
        open_ = edge[way] >= 0
        begins.append(np.full(int(open_.sum()), graph.meta.nodes))
        ends.append(edge[end][open_])
        costs.append((access + share * edge[way])[open_])
    begin, end, data = (np.concatenate(parts) for parts in (begins, ends, costs))
    order = np.argsort(begin, kind="stable")
    rows = np.concatenate(([0], np.bincount(begin, minlength=graph.meta.nodes + 1).cumsum()))
    return csr_array((data[order], end[order], rows), shape=(graph.meta.nodes + 1,) * 2)


def _cells(ground: Ground) -> tuple[np.ndarray, np.ndarray]:
    """Return the centres (plane metres) of all cells within the hull of the roads."""
    hull = shapely.convex_hull(shapely.multipoints(np.column_stack([ground.edges.lon, ground.edges.lat])))
    ring = [(lat, lon) for lon, lat in shapely.get_coordinates(hull)]
    cells = h3.h3shape_to_cells(h3.LatLngPoly(ring), RESOLUTION)
    centres = np.array([h3.cell_to_latlng(cell) for cell in cells], dtype=np.float64)
    return PLANE.forward(centres[:, 1].copy(), centres[:, 0].copy())


def _say(text: str) -> None:
    sys.stderr.write(f"  {text}\n")
