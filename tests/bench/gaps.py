"""The walk from every cell of the city to the nearest of some places, beside scipy's search over the same roads; then the whole
measuring of a city: all kinds, all cells, residents by age and region, and from a change of one place to the new figures.

The real roads, institutions, communities and addresses of ``QUANTU_DATA`` are imported over the invented city, whose committees
and residents by age stay: the real data tell residents of districts only, without ages, and of those nothing may be told.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from typing import Any, Final

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
from tests.bench._scratch import scratch
from tests.bench.report import Bar
from tests.bench.routing import PLANE, Ground, graph_of, invented, real
from tests.routing import mosaic

WALK: Final = TRAVELLERS["walk"]
FARTHEST_S: Final = 2 * 3_600.0
"""As ``services.gaps.measuring`` has it, which needs a database."""
PLACES: Final = (100, 1_000, 10_000)
ROUNDS: Final = 9
SEED: Final = 29
SOURCES: Final = (
    *("shanghai-osm-roads", "shanghai-communities-2019", "shanghai-public-rental-2024", "shanghai-osm-addresses"),
    *("shanghai-community-addresses-2019", "shanghai-rental-addresses-2016", "shanghai-osm-places"),
    *(
        "yangpu-public-facilities-2024",
        "yangpu-canteens-2024",
        "shanghai-metro-stations-2025",
        "shanghai-osm-bus-stops",
    ),
    *("shanghai-elderly-institutions-2016", "shanghai-activity-rooms-2016", "shanghai-private-schools-2024"),
)
"""All that is real but regions and residents."""
SAME_MS: Final = 5
"""Both add up the same costs; ours in whole milliseconds."""


def run() -> list[Bar]:
    """Return what measuring one kind of so many places takes, the search of it beside the peer's, and the measuring of a city."""
    return [*_searches(), *_city()]


def _searches() -> list[Bar]:
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
        Bar(
            "gaps",
            whole,
            None,
            None,
            "s",
            f"one kind whole, every cell, put on the roads before; {len(chosen):,} places, {reached}",
        ),
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


def _city() -> list[Bar]:
    """Return what the measuring of a whole city takes, in the database and with all that is read and kept."""
    with scratch("gaps") as database:
        _say("loading the invented city")
        database.manage("load_city", "--scale", os.environ.get("QUANTU_SCALE", "demo"))
        real = mosaic.EDGES.exists()
        if real:
            _say("importing the real roads, institutions, communities and addresses")
            only = [part for source in SOURCES for part in ("--only", source)]
            database.manage("import_data", str(mosaic.DATA), "--commit", *only)
        _say("measuring")
        found = database.part("_gaps", "city")
    return [*_measured(found, "real places and roads, invented residents" if real else "the invented city")]


def _measured(found: dict[str, Any], name: str) -> list[Bar]:
    seconds = {key: float(np.median(found[key])) for key in ("changes", "measurings", "boards", "looks")}
    size = f"{found['cells']:,} cells, {found['junctions']:,} junctions; {name}"
    told = f"60+ of {found['residents']:,} residents, {found['told']} of {found['lines']} streets told, {found['hidden']} committees not"
    whole = f"all {found['kinds']} kinds from nothing, {found['places']:,} places (most of a kind {found['most']:,}), {size}"
    change = f"one place closed to the new board of its kind, p50 of {len(found['changes'])}; measuring alone {seconds['measurings']:.2f}"
    return [
        Bar("gaps city", found["first"], None, None, "s", whole),
        Bar("gaps change", seconds["changes"], None, None, "s", f"{change}, board {seconds['boards']:.2f}; {told}"),
        Bar("gaps look", seconds["looks"], None, None, "s", "the clock's look whether anything changed, nothing did"),
    ]


def _say(text: str) -> None:
    sys.stderr.write(f"  {text}\n")
