"""Distances over the road from a search to many places at once: facilities, doors.

Places are put on the road once for each network and graph version; afterwards a search finds the places along the roads it
reached without looking at any other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from geo.errors import Unavailable
from routing.compiled import kernel
from routing.graph import Graph
from routing.roadindex import BLOCK, SPACING_M, block_shape
from routing.search import MAX_SECONDS, SAME_PLACE, Budget, Reach, labels, reach
from routing.snap import NO_CLOSURES, Snap, snap_many
from routing.travellers import Network, Traveller
from routing.versions import Hold, VersionedFolder

FIRST_LOOK_S: Final = 240.0
"""Where a search for the nearest few begins; it then doubles its time."""


class StalePlaces(Unavailable):
    """The places were put on another version of the road graph."""


@dataclass(frozen=True, slots=True)
class Doors:
    """Places by the edge of one network they lie on: those of edge ``e`` are ``place[first[e]:first[e + 1]]``.

    ``edge``, ``fraction`` along it and ``metres`` to it run parallel to ``place``. Places with no road near are left out;
    ``door[p]`` is where place ``p`` stands in these columns, or -1.
    """

    first: NDArray[np.int32]
    door: NDArray[np.int32]
    place: NDArray[np.int32]
    edge: NDArray[np.int32]
    fraction: NDArray[np.float32]
    metres: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class PlaceIndex:
    """Places with their outer ids and positions (plane metres), put on every network of one graph version."""

    graph_version: str
    ids: NDArray[np.int64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    first_in_block: NDArray[np.int32]
    in_block: NDArray[np.int32]
    """Places by block of the graph's table of nearest roads: ``in_block[first_in_block[b]:first_in_block[b + 1]]``."""
    doors: Mapping[Network, Doors]
    _hold: Hold | None = None

    @classmethod
    def build(cls, graph: Graph, ids: NDArray[np.int64], x: NDArray[np.float64], y: NDArray[np.float64]) -> PlaceIndex:
        """Put places (ids, east and north in plane metres) on all networks of ``graph``."""
        x, y = np.array(x, dtype=np.float64), np.array(y, dtype=np.float64)
        doors = {travel.traveller.network: doors_at(graph, x, y, travel.traveller) for travel in graph.travels.values()}
        first, in_block = _by_block(graph, x, y)
        ids, x, y, first, in_block = _locked(np.array(ids, dtype=np.int64), x, y, first, in_block)
        return cls(graph.meta.version, ids, x, y, first, in_block, doors)

    def save(self, store: VersionedFolder, name: str) -> Path:
        """Publish the index as the current version of ``store`` for every process to map; return its folder."""
        with store.building(name) as folder:
            arrays: dict[str, NDArray[Any]] = {column: getattr(self, column) for column in _COLUMNS}
            for network, doors in self.doors.items():
                arrays |= {f"{network}-{part}": getattr(doors, part) for part in _PARTS}
            for part, array in arrays.items():
                np.save(folder / f"{part}.npy", array)
            meta = {"graph": self.graph_version, "networks": sorted(self.doors)}
            (folder / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
        published = store.current()
        assert published is not None  # noqa: S101 - just published
        return published

    @classmethod
    def open(cls, folder: Path, graph: Graph) -> PlaceIndex:
        """Map a saved index. Raises ``StalePlaces`` when made for another graph, ``FileNotFoundError`` when gone."""
        handle = Hold(folder)
        try:
            meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
            if meta["graph"] != graph.meta.version:
                raise StalePlaces("routing.places", "设施与路网正在更新，请稍后再试。", graph=meta["graph"])
            doors = {
                Network(network): Doors(*(_load(folder, f"{network}-{part}") for part in _PARTS))
                for network in meta["networks"]
            }
            ids, x, y, first_in_block, in_block = (_load(folder, column) for column in _COLUMNS)
            return cls(meta["graph"], ids, x, y, first_in_block, in_block, doors, handle)
        except BaseException:
            handle.close()
            raise


_COLUMNS: Final = ("ids", "x", "y", "first_in_block", "in_block")
_PARTS: Final = ("first", "door", "place", "edge", "fraction", "metres")


def _by_block(
    graph: Graph, x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    rows, columns = block_shape(*graph.meta.size)
    side = BLOCK * SPACING_M
    # Clip before turning into whole numbers: a place may be anywhere on earth.
    column = np.clip((x - graph.meta.origin[0]) // side, -1, columns).astype(np.int64)
    row = np.clip((y - graph.meta.origin[1]) // side, -1, rows).astype(np.int64)
    inside = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
    block = np.where(inside, row * columns + column, rows * columns)
    first = np.concatenate(([0], np.cumsum(np.bincount(block, minlength=rows * columns + 1)))).astype(np.int32)
    return first, np.argsort(block, kind="stable").astype(np.int32)


def _load(folder: Path, name: str) -> NDArray[Any]:
    return np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r"))


def doors_at(graph: Graph, x: NDArray[np.float64], y: NDArray[np.float64], traveller: Traveller) -> Doors:
    """Put points (east and north in plane metres) on the roads of a traveller's network. Raises ``UnknownTraveller``."""
    return _doors(graph, *snap_many(graph, graph.travel(traveller), x, y))


def _doors(graph: Graph, edge: NDArray[np.int32], fraction: NDArray[np.float32], metres: NDArray[np.float32]) -> Doors:
    order = np.argsort(edge, kind="stable")
    order = order[int(np.count_nonzero(edge < 0)) :]
    counts = np.bincount(edge[order], minlength=graph.meta.edges)
    first = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
    door = np.full(len(edge), -1, dtype=np.int32)
    door[order] = np.arange(len(order), dtype=np.int32)
    return Doors(*_locked(first, door, order.astype(np.int32), edge[order], fraction[order], metres[order]))


def _locked(*arrays: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """Make arrays read-only, as those mapped from disk are: kernels are compiled apart for what can be written."""
    for array in arrays:
        array.setflags(write=False)
    return arrays


@dataclass(frozen=True, slots=True, eq=False)
class PlaceCosts:
    """Places reached, nearest first: ``place`` is the position in the index, ``ids`` the outer id; all run parallel.

    ``metres`` are those of the quickest way, both access legs included.
    """

    place: NDArray[np.int32]
    ids: NDArray[np.int64]
    seconds: NDArray[np.float32]
    metres: NDArray[np.float32]

    def first(self, count: int) -> PlaceCosts:
        """Return the nearest ``count`` of them."""
        return PlaceCosts(self.place[:count], self.ids[:count], self.seconds[:count], self.metres[:count])


def costs_to(found: Reach, places: PlaceIndex, *, wanted: NDArray[np.bool_] | None = None) -> PlaceCosts:
    """Return every place reached within the time ``found`` is complete for, by seconds, then metres, then id.

    ``wanted`` flags the positions in the index that count; by default all do. Raises ``StalePlaces``.
    """
    graph = found.graph
    doors = doors_for(found, places)
    space = labels(found)
    travel = graph.travel(found.traveller)
    scratch = space.scratch
    if "metres" not in scratch:
        scratch["metres"] = np.zeros(graph.meta.nodes, dtype=np.float32)
        scratch["seen"] = np.zeros(graph.meta.edges, dtype=np.int64)
        scratch["seen_generation"] = np.zeros(1, dtype=np.int64)
    scratch["seen_generation"] += 1
    if "place_at" not in scratch or len(scratch["place_at"]) < len(doors.place):
        scratch["place_at"] = np.zeros(len(doors.place), dtype=np.int32)
        scratch["place_ms"] = np.zeros(len(doors.place), dtype=np.float32)
        scratch["place_metres"] = np.zeros(len(doors.place), dtype=np.float32)
    origins = found.origin_records()
    legs = np.array([origin.metres for origin in found.origins], dtype=np.float32)
    _measure(found.node, found.ms, found.arc, origins, legs, travel.arc, travel.cost, graph.metres, scratch["metres"])
    count = _gather(
        *(found.node, origins, legs, travel.roads.first_arc, travel.arc, travel.cost, graph.metres, scratch["metres"]),
        *(space.label, space.generation, 1000.0 / found.traveller.access_mps, found.complete_ms, found.closed),
        *(doors.first, doors.place, doors.fraction, doors.metres),
        *(scratch["seen"], int(scratch["seen_generation"][0])),
        *(scratch["place_at"], scratch["place_ms"], scratch["place_metres"]),
    )
    place, ms, metres = (scratch[name][:count] for name in ("place_at", "place_ms", "place_metres"))
    if wanted is not None:
        chosen = wanted[place]
        place, ms, metres = place[chosen], ms[chosen], metres[chosen]
    ids = places.ids[place]
    order = np.lexsort((ids, metres, ms))
    return PlaceCosts(place[order], ids[order], (ms[order] / 1000).astype(np.float32), metres[order])


def doors_for(found: Reach, places: PlaceIndex) -> Doors:
    """Return the doors of the traveller of ``found``, those on closed roads put on the next open one. Raises ``StalePlaces``."""
    graph = found.graph
    if places.graph_version != graph.meta.version:
        raise StalePlaces("routing.places", "设施与路网正在更新，请稍后再试。", graph=places.graph_version)
    doors = places.doors[found.traveller.network]
    if not found.closed.size:
        return doors
    key = (id(places), id(found.closed), found.traveller.network)
    held = _around.get(key)
    # The key names objects by address: only those that are held here are sure to be the same.
    if held is None or held[0] is not places or held[1] is not found.closed:
        while len(_around) >= KEEP_MOVED:
            _around.pop(next(iter(_around)), None)
        held = _around[key] = (places, found.closed, _moved(found, places, doors))
    return held[2]


KEEP_MOVED: Final = 8
_around: dict[tuple[int, int, Network], tuple[PlaceIndex, NDArray[np.bool_], Doors]] = {}


def _moved(found: Reach, places: PlaceIndex, doors: Doors) -> Doors:
    """Return doors with those on closed roads put on the next open one."""
    moved = doors.place[found.closed[doors.edge]]
    if len(moved) == 0:
        return doors
    edge = np.full(len(places.ids), -1, dtype=np.int32)
    fraction, metres = np.zeros(len(edge), dtype=np.float32), np.zeros(len(edge), dtype=np.float32)
    edge[doors.place], fraction[doors.place], metres[doors.place] = doors.edge, doors.fraction, doors.metres
    graph = found.graph
    travel = graph.travel(found.traveller)
    edge[moved], fraction[moved], metres[moved] = snap_many(
        graph, travel, places.x[moved], places.y[moved], closed=found.closed
    )
    return _doors(graph, edge, fraction, metres)


def nearest_places(
    graph: Graph,
    origins: Sequence[Snap],
    traveller: Traveller,
    places: PlaceIndex,
    count: int,
    *,
    wanted: NDArray[np.bool_] | None = None,
    max_seconds: float = 3600.0,
    budget: Budget = Budget(),  # noqa: B008 - frozen
    closed: NDArray[np.bool_] = NO_CLOSURES,
) -> tuple[PlaceCosts, Reach]:
    """Return the ``count`` places nearest in time, fewer when fewer lie within ``max_seconds``, and the search that found them.

    The search begins small and doubles until enough are found, so near places cost little. Raises as ``reach``.
    """
    limit = min(max_seconds, MAX_SECONDS)
    seconds = min(FIRST_LOOK_S, limit)
    while True:
        found = reach(graph, origins, traveller, seconds, budget=budget, closed=closed)
        costs = costs_to(found, places, wanted=wanted)
        if len(costs.ids) >= count or seconds >= limit or found.cut is not None:
            return costs.first(count), found
        seconds = min(2 * seconds, limit)


@kernel
def _measure(
    node: NDArray[np.int32],
    ms: NDArray[np.int32],
    arc: NDArray[np.int32],
    origins: NDArray[np.void],
    legs: NDArray[np.float32],
    arcs: NDArray[np.void],
    cost: NDArray[np.void],
    length: NDArray[np.float32],
    metres: NDArray[np.float32],
) -> None:
    """Write the metres of the quickest way to each settled node, in the order they were settled."""
    for i in range(len(node)):
        if arc[i] >= 0:
            edge = arcs[arc[i]]["edge"]
            before = cost[edge]["u"] + cost[edge]["v"] - node[i]
            metres[node[i]] = metres[before] + length[edge]
        else:
            o = -1 - arc[i]
            edge = origins[o]["edge"]
            forward = cost[edge]["forward"]
            ahead = 1.0 - origins[o]["fraction"]
            # On a loop both ends are this node: the time tells which way round.
            by_v = cost[edge]["v"] == node[i] and forward >= 0
            if by_v and cost[edge]["u"] == node[i]:
                by_v = ms[i] == int(np.rint(origins[o]["ms"] + ahead * forward))
            share = ahead if by_v else origins[o]["fraction"]
            metres[node[i]] = legs[o] + share * length[edge]


@kernel
def _gather(  # noqa: C901 - one loop, kept whole for the compiler
    node: NDArray[np.int32],
    origins: NDArray[np.void],
    legs: NDArray[np.float32],
    first_arc: NDArray[np.int32],
    arcs: NDArray[np.void],
    cost: NDArray[np.void],
    length: NDArray[np.float32],
    metres: NDArray[np.float32],
    label: NDArray[np.void],
    generation: int,
    ms_per_metre: float,
    limit_ms: float,
    closed: NDArray[np.bool_],
    first: NDArray[np.int32],
    place: NDArray[np.int32],
    fraction: NDArray[np.float32],
    away: NDArray[np.float32],
    seen: NDArray[np.int64],
    turn: int,
    out_place: NDArray[np.int32],
    out_ms: NDArray[np.float32],
    out_metres: NDArray[np.float32],
) -> int:
    """Write the places on reached roads with their times and metres; return how many."""
    count = 0
    check = closed.size > 0
    for i in range(-len(origins), len(node)):
        if i < 0:
            begin, end = 0, 1
        else:
            begin, end = first_arc[node[i]], first_arc[node[i] + 1]
        for a in range(begin, end):
            edge = origins[i + len(origins)]["edge"] if i < 0 else arcs[a]["edge"]
            if seen[edge] == turn or (check and closed[edge]):
                continue
            seen[edge] = turn
            if first[edge] == first[edge + 1]:
                continue
            u, v = cost[edge]["u"], cost[edge]["v"]
            forward, backward = cost[edge]["forward"], cost[edge]["backward"]
            by_u = label[u]["stamp"] == generation and forward >= 0
            by_v = label[v]["stamp"] == generation and backward >= 0
            for p in range(first[edge], first[edge + 1]):
                at = fraction[p]
                best = np.inf
                far = 0.0
                if by_u:
                    best = label[u]["ms"] + at * forward
                    far = metres[u] + at * length[edge]
                if by_v and label[v]["ms"] + (1.0 - at) * backward < best:
                    best = label[v]["ms"] + (1.0 - at) * backward
                    far = metres[v] + (1.0 - at) * length[edge]
                for o in range(len(origins)):
                    if origins[o]["edge"] != edge:
                        continue
                    ahead = at - origins[o]["fraction"]
                    whole = forward if ahead >= 0 else backward
                    if abs(ahead) < SAME_PLACE:
                        whole = max(forward, backward)
                    direct = origins[o]["ms"] + abs(ahead) * whole
                    if whole >= 0 and direct < best:
                        best = direct
                        far = legs[o] + abs(ahead) * length[edge]
                best += away[p] * ms_per_metre
                if best <= limit_ms:
                    out_place[count] = place[p]
                    out_ms[count] = best
                    out_metres[count] = far + away[p]
                    count += 1
    return count
