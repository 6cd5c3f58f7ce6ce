"""Compiles, or loads from the cache, every kernel a request needs, so that the first request is as quick as the next.

``python -m routing.warming`` fills the cache before any process starts.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.crs import warm_up
from geo.fences.evaluate import index
from routing.directions import route
from routing.edges import RoadEdges, highway_codes
from routing.graph import Floats, GraphStore, build_graph
from routing.isochrones import isochrone
from routing.places import PlaceIndex, nearest_places
from routing.snap import snap
from routing.travellers import TRAVELLERS


class _Flat:
    """A plane whose degrees are already metres: enough to compile on."""

    def forward(self, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
        return lon, lat


def warm() -> None:
    """Draw one small circle with places and a route on a graph of four streets around a pond.

    It takes a moment when nothing is cached. Call it once when a process starts. Safe to call again.
    """
    warm_up()
    index.warm_up()
    with tempfile.TemporaryDirectory(prefix="quantu-warm-") as folder:
        store = GraphStore(Path(folder))
        pond = np.array([shapely.box(120.0, 120.0, 280.0, 280.0)], dtype=object)
        build_graph(_square(), _Flat(), store.versions, source="warm", as_of="", water=pond, threads=1)
        graph = store.current()
        walk = TRAVELLERS["walk"]
        start, target = snap(graph, 10.0, 5.0, walk), snap(graph, 390.0, 420.0, walk)
        x, y = np.array([200.0, 390.0]), np.array([5.0, 260.0])
        places = PlaceIndex.build(graph, np.arange(2), x, y)
        _, found = nearest_places(graph, [start], walk, places, 2)
        isochrone(found, [found.limit_ms / 60_000], places)
        route(graph, start, target)


def _square() -> RoadEdges:
    corners = np.array(((0.0, 0.0), (400.0, 0.0), (400.0, 400.0), (0.0, 400.0)))
    points = np.stack((corners, np.roll(corners, -1, axis=0)), axis=1).reshape(-1, 2)
    nodes: NDArray[np.int64] = np.arange(4, dtype=np.int64)
    flags: dict[str, Any] = {key: np.ones(4, dtype=bool) for key in ("foot", "bicycle", "car")}
    flags |= {key: np.zeros(4, dtype=bool) for key in ("bridge", "tunnel", "steps", "ferry", "kerb")}
    return RoadEdges(
        ext_id=nodes,
        from_node=nodes,
        to_node=np.roll(nodes, -1),
        highway=highway_codes(["residential"] * 4),
        oneway=np.zeros(4, dtype=np.int8),
        duration_s=np.full(4, np.nan),
        offsets=np.arange(0, 9, 2, dtype=np.int64),
        lon=points[:, 0].copy(),
        lat=points[:, 1].copy(),
        **flags,
    )


if __name__ == "__main__":
    warm()
