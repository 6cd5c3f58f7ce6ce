"""Draws small road graphs in ASCII, and builds graphs in a temporary folder.

One character is 50 m; rows run north to south. Upper-case letters and ``+`` are junctions; between them a straight run of ``-`` or
``|`` is a street, ``> < ^ v`` anywhere in it make it one way, ``#`` steps, ``=`` a bridge, ``~`` a ferry, ``.`` a motorway.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from geo.crs import SHANGHAI
from routing.edges import RoadEdges, highway_codes
from routing.graph import Graph, GraphStore, build_graph

PLANE = SHANGHAI.plane
STEP = 50.0
FLAGS = ("foot", "bicycle", "car", "bridge", "tunnel", "steps", "ferry", "kerb")


def road_edges(lines: list[np.ndarray], ends: list[tuple[int, int]], **columns: Any) -> RoadEdges:
    """Return residential streets along ``lines`` (metres in the plane) between numbered nodes; columns may be overridden."""
    count = len(lines)
    points = np.concatenate(lines)
    lon, lat = PLANE.inverse(points[:, 0].copy(), points[:, 1].copy())
    flags: dict[str, Any] = {flag: np.full(count, flag in {"foot", "bicycle", "car"}) for flag in FLAGS}
    given: dict[str, Any] = {
        "ext_id": np.arange(count, dtype=np.int64),
        "from_node": np.array([a for a, _ in ends], dtype=np.int64),
        "to_node": np.array([b for _, b in ends], dtype=np.int64),
        "highway": highway_codes(["residential"] * count),
        "oneway": np.zeros(count, dtype=np.int8),
        "duration_s": np.full(count, np.nan),
        "offsets": np.concatenate(([0], np.cumsum([len(line) for line in lines]))).astype(np.int64),
        "lon": lon,
        "lat": lat,
        **flags,
    }
    return RoadEdges(**(given | columns))


class Drawing:
    """A drawn graph: its edges, and where its letters stand (metres in the plane)."""

    def __init__(self, picture: str) -> None:
        rows = [row.rstrip() for row in picture.strip("\n").splitlines()]
        width = max(map(len, rows))
        self.cells = np.array([list(row.ljust(width)) for row in rows])
        self.at: dict[str, tuple[float, float]] = {}
        self._runs: list[tuple[tuple[int, int], tuple[int, int], str]] = []
        for r, c in np.argwhere(self._junctions()):
            if self.cells[r, c] != "+":
                self.at[str(self.cells[r, c])] = self.metres(r, c)
            self._run(int(r), int(c), 0, 1, "-=#~.<>")
            self._run(int(r), int(c), 1, 0, "|=#~.^v")

    def _junctions(self) -> np.ndarray:
        return np.char.isupper(self.cells) | (self.cells == "+")

    def metres(self, row: float, column: float) -> tuple[float, float]:
        return column * STEP, -row * STEP

    def _run(self, r: int, c: int, dr: int, dc: int, allowed: str) -> None:
        junctions = self._junctions()
        signs = ""
        at = (r + dr, c + dc)
        while at[0] < self.cells.shape[0] and at[1] < self.cells.shape[1]:
            if junctions[at]:
                if signs:
                    self._runs.append(((r, c), at, signs))
                return
            if self.cells[at] not in allowed:
                return
            signs += self.cells[at]
            at = (at[0] + dr, at[1] + dc)

    def edges(self, **columns: Any) -> RoadEdges:
        number = {place: i for i, place in enumerate(sorted({end for run in self._runs for end in run[:2]}))}
        lines = [np.array([self.metres(*a), self.metres(*b)]) for a, b, _ in self._runs]
        signs = [run[2] for run in self._runs]
        has = {sign: np.array([sign in text for text in signs]) for sign in "=#~.<>^v"}
        words = [
            "ferry" if "~" in s else "steps" if "#" in s else "motorway" if "." in s else "residential" for s in signs
        ]
        oneway = (has[">"] | has["v"]).astype(np.int8) - (has["<"] | has["^"]).astype(np.int8)
        drawn: dict[str, Any] = {
            "highway": highway_codes(words),
            "oneway": oneway,
            "foot": ~has["."],
            "bicycle": ~has["."],
            "car": ~(has["#"] | has["~"]),
            "bridge": has["="],
            "steps": has["#"],
            "ferry": has["~"],
        }
        return road_edges(lines, [(number[a], number[b]) for a, b, _ in self._runs], **(drawn | columns))

    def graph(self, folder: Path, **columns: Any) -> Graph:
        return graph_of(self.edges(**columns), folder)


def graph_of(edges: RoadEdges, folder: Path) -> Graph:
    """Build a graph under ``folder`` and open it."""
    store = GraphStore(folder)
    build_graph(edges, PLANE, store.versions, source="drawing", as_of="2025-01-01", threads=1)
    return store.current()
