"""The road graph as a folder of arrays that every process memory-maps, and the builder that writes such a folder.

Coordinates on disk are metres in the city's plane less the graph's ``origin``; times are whole milliseconds. Nodes and
edges are numbered along a space-filling curve, so that what is near on the ground is near in memory.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.errors import BadInput, Unavailable
from routing.edges import BadRoads, RoadEdges
from routing.roadindex import ACCESS_LIMIT_M, PIECE, Buckets, Guide, NearestTable, Pieces, build_buckets, build_table
from routing.travellers import TRAVELLERS, Network, Traveller
from routing.versions import Hold, VersionedFolder
from routing.water import MARGIN_M, Shapes, Water, water_arrays

FORMAT: Final = 1
ARC: Final = np.dtype([("to", "i4"), ("edge", "i4"), ("ms", "i4")])
"""One way to leave a node: where to, along which edge, in how many milliseconds (-1: forbidden to this traveller)."""
COST: Final = np.dtype([("u", "i4"), ("v", "i4"), ("forward", "i4"), ("backward", "i4")])
"""An edge for one traveller: its ends, and milliseconds from u to v and back (-1: forbidden)."""
MIN_COMPONENT_NODES: Final = 50
"""A door is not put on a scrap of road from which one can get nowhere: smaller components are data faults, or private."""

NO_WATER: Final[Shapes] = np.empty(0, dtype=object)
KEEP_CLOSURES: Final = 8
_flagged: dict[tuple[str, frozenset[int]], NDArray[np.bool_]] = {}

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]


class NoGraph(Unavailable):
    """No road graph has been built yet."""


class UnknownTraveller(BadInput):
    """The graph has no costs for such a traveller."""


class Plane(Protocol):
    """What the builder needs of a city's plane: metres from degrees and back, on arrays."""

    def forward(self, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
        """Return (east, north) in metres."""
        ...


@dataclass(frozen=True, slots=True)
class GraphMeta:
    """What a graph says of itself; ``as_of`` is the date of the road data, ``source`` names it."""

    version: str
    format: int
    built_at: str
    as_of: str
    source: str
    nodes: int
    edges: int
    kilometres: float
    origin: tuple[float, float]
    size: tuple[float, float]
    fastest_mps: Mapping[str, float]
    """The greatest speed each traveller attains on any road; its keys are the travellers the graph serves."""


@dataclass(frozen=True, slots=True)
class Roads:
    """The roads one network may use: ways out of each node, buckets and table of the roads a door can be on."""

    first_arc: Ints
    buckets: Buckets
    table: NearestTable


@dataclass(frozen=True, slots=True)
class Travel:
    """What the roads cost one traveller; ``arc`` runs parallel to its network's ``first_arc``."""

    traveller: Traveller
    arc: NDArray[np.void]
    cost: NDArray[np.void]
    roads: Roads
    fastest_mps: float

    def usable(self) -> NDArray[np.bool_]:
        """Return which edges this traveller may use in at least one direction."""
        usable: NDArray[np.bool_] = (self.cost["forward"] >= 0) | (self.cost["backward"] >= 0)
        return usable


@dataclass(frozen=True, slots=True)
class Graph:
    """One version of the road graph, mapped read-only. Open it through ``Graph.open`` or ``GraphStore``."""

    meta: GraphMeta
    node_x: Floats
    node_y: Floats
    ext_id: NDArray[np.int64]
    metres: NDArray[np.float32]
    first_point: Ints
    point_x: Floats
    point_y: Floats
    pieces: Pieces
    first_piece: Ints
    bounds: NDArray[np.float32]
    travels: Mapping[str, Travel] = field(repr=False)
    _hold: Hold = field(repr=False)
    water: Water | None = None
    """Open water, where the graph was built with any."""

    def travel(self, traveller: Traveller) -> Travel:
        """Return the costs of a traveller. Raises ``UnknownTraveller``."""
        try:
            return self.travels[traveller.key]
        except KeyError:
            raise UnknownTraveller(
                "routing.traveller", "没有这种出行方式，请另选一种。", traveller=traveller.key
            ) from None

    def closures(self, ext_ids: Iterable[int]) -> NDArray[np.bool_]:
        """Return the flags that ``snap`` and ``reach`` take to keep travellers off the roads with these outer ids.

        Asked again for the same roads it returns the same array.
        """
        ids = frozenset(int(ext_id) for ext_id in ext_ids)
        key = (self.meta.version, ids)
        flags = _flagged.get(key)
        if flags is None:
            flags = np.isin(self.ext_id, list(ids)) if ids else np.zeros(0, dtype=np.bool_)
            flags.setflags(write=False)
            while len(_flagged) >= KEEP_CLOSURES:
                _flagged.pop(next(iter(_flagged)), None)
            _flagged[key] = flags
        return flags

    @classmethod
    def open(cls, folder: Path, travellers: Mapping[str, Traveller] = TRAVELLERS) -> Graph:
        """Map the graph in ``folder``. Raises ``FileNotFoundError`` when it is gone, ``NoGraph`` for another format."""
        handle = Hold(folder)
        try:
            record = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
            if record["format"] != FORMAT:
                raise NoGraph("routing.format", "路网数据需要重建，请稍后再试。", found=record["format"])
            record |= {key: tuple(record[key]) for key in ("origin", "size")}
            meta = GraphMeta(**record)
            roads = {network: _open_roads(folder, network) for network in _networks(meta, travellers)}
            travels = {
                key: Travel(
                    travellers[key],
                    *(
                        _load(folder, f"{key}-arc"),
                        _load(folder, f"{key}-cost"),
                        roads[travellers[key].network],
                        fastest,
                    ),
                )
                for key, fastest in meta.fastest_mps.items()
            }
            shared = {name: _load(folder, name) for name in _SHARED}
            return cls(meta=meta, travels=travels, _hold=handle, water=Water.open(folder), **shared)
        except BaseException:
            handle.close()
            raise


_SHARED: Final = (
    *("node_x", "node_y", "ext_id", "metres", "first_point", "point_x", "point_y", "pieces", "first_piece", "bounds"),
)


def _networks(meta: GraphMeta, travellers: Mapping[str, Traveller]) -> set[Network]:
    return {travellers[key].network for key in meta.fastest_mps}


def _open_roads(folder: Path, network: Network) -> Roads:
    rows, columns = (int(value) for value in _load(folder, f"{network}-buckets"))
    return Roads(
        _load(folder, f"{network}-first_arc"),
        Buckets(_load(folder, f"{network}-bucket_start"), _load(folder, f"{network}-bucket_item"), columns, rows),
        NearestTable(_load(folder, f"{network}-table_block"), _load(folder, f"{network}-table_cell")),
    )


def _load(folder: Path, name: str) -> NDArray[Any]:
    array = np.load(folder / f"{name}.npy", mmap_mode="r")
    # numba dispatches on the plain class at once and on memmap, a subclass, by a slow path.
    return np.asarray(array)


class GraphStore:
    """The current graph of one root folder, reopened when another version has been published. Safe to share between threads."""

    def __init__(self, root: Path) -> None:
        self._versions = VersionedFolder(root)
        self._opened: tuple[tuple[int, int, int], Graph] | None = None

    @property
    def versions(self) -> VersionedFolder:
        """Return the versions on disk."""
        return self._versions

    def current(self) -> Graph:
        """Return the current graph; costs one stat when nothing has changed. Raises ``NoGraph`` before the first was built."""
        for _ in range(5):
            stamp = self._versions.stamp()
            opened = self._opened
            if stamp is None:
                break
            if opened is not None and opened[0] == stamp:
                return opened[1]
            folder = self._versions.current()
            if folder is None:
                break
            try:
                graph = Graph.open(folder)
            except FileNotFoundError:
                # Published and removed again between our reading its name and opening it: ask for the newer one.
                continue
            self._opened = (stamp, graph)
            return graph
        raise NoGraph("routing.none", "路网还没有准备好，请稍后再试。")


def build_graph(
    edges: RoadEdges,
    plane: Plane,
    store: VersionedFolder,
    *,
    source: str,
    as_of: str,
    water: Shapes = NO_WATER,
    travellers: Mapping[str, Traveller] = TRAVELLERS,
    threads: int = 2,
) -> Path:
    """Build a graph of ``edges``, publish it as the current version of ``store`` and return its folder.

    ``water`` are polygons in (lon, lat) degrees that nobody crosses but by road. Raises ``BadRoads`` when there is no road at
    all, ``AlreadyBuilding`` when another process builds in the same place.
    """
    if edges.count == 0:
        raise BadRoads("roads.empty", "没有任何道路，无法建立路网。")
    digest = hashlib.sha256()
    for column in fields(edges):
        digest.update(np.ascontiguousarray(getattr(edges, column.name)).tobytes())
    for shape in shapely.to_wkb(water):
        digest.update(shape)
    built_at = datetime.now(UTC)
    version = f"{built_at:%Y%m%dT%H%M%S}-{digest.hexdigest()[:8]}"
    with store.building(version) as folder:
        arrays, meta = _assemble(edges, plane, water, travellers, threads)
        for name, array in arrays.items():
            np.save(folder / f"{name}.npy", array)
        said = GraphMeta(
            version=version,
            format=FORMAT,
            built_at=built_at.isoformat(timespec="seconds"),
            as_of=as_of,
            source=source,
            **meta,  # type: ignore[arg-type]
        )
        (folder / "meta.json").write_text(json.dumps(asdict(said), ensure_ascii=False, indent=1), encoding="utf-8")
    published = store.current()
    assert published is not None  # noqa: S101 - just published
    return published


def _assemble(
    edges: RoadEdges, plane: Plane, water: Shapes, travellers: Mapping[str, Traveller], threads: int
) -> tuple[dict[str, NDArray[Any]], dict[str, object]]:
    """Return all arrays of a graph by file name, and what is said of it."""
    east, north = plane.forward(edges.lon, edges.lat)
    margin = ACCESS_LIMIT_M + 100.0
    origin = (float(np.floor(east.min() - margin)), float(np.floor(north.min() - margin)))
    size = (float(east.max() + margin - origin[0]), float(north.max() + margin - origin[1]))
    order, u, v = _number(edges, east - origin[0], north - origin[1])
    edges = edges.take(order)
    # The points moved with their edges: project once more rather than carry a permutation of points along.
    east, north = plane.forward(edges.lon, edges.lat)
    x, y = east - origin[0], north - origin[1]
    pieces, first_piece, metres = _cut(edges.offsets, x, y)
    nodes = int(max(u.max(), v.max())) + 1
    node_x, node_y = np.empty(nodes), np.empty(nodes)
    node_x[v], node_y[v] = x[edges.offsets[1:] - 1], y[edges.offsets[1:] - 1]
    node_x[u], node_y[u] = x[edges.offsets[:-1]], y[edges.offsets[:-1]]
    arrays: dict[str, NDArray[Any]] = {
        "node_x": node_x,
        "node_y": node_y,
        "ext_id": edges.ext_id,
        "metres": metres.astype(np.float32),
        "first_point": edges.offsets.astype(np.int32),
        "point_x": x,
        "point_y": y,
        "pieces": pieces,
        "first_piece": first_piece,
        "bounds": _bounds(edges.offsets, x, y),
    }
    if len(water):
        usable = {str(traveller.network): traveller.usable(edges) for traveller in travellers.values()}
        arrays |= _water(edges, east, north, plane, water, usable)
    fastest = {key: _fastest(traveller, edges, metres) for key, traveller in travellers.items()}
    # The nearest road of any kind is, at most points, also the nearest of each kind.
    every = build_table(pieces, build_buckets(pieces, np.ones(edges.count, dtype=bool), *size), *size, threads)
    for network in {traveller.network for traveller in travellers.values()}:
        group = [traveller for traveller in travellers.values() if traveller.network is network]
        arrays |= _roads(network, group, edges, metres, u, v, nodes, pieces, every, size, threads)
    meta: dict[str, object] = {
        "nodes": nodes,
        "edges": edges.count,
        "kilometres": round(float(metres.sum()) / 1000, 3),
        "origin": origin,
        "size": size,
        "fastest_mps": fastest,
    }
    return arrays, meta


def _water(
    edges: RoadEdges,
    east: Floats,
    north: Floats,
    plane: Plane,
    water: Shapes,
    usable: Mapping[str, NDArray[np.bool_]],
) -> dict[str, NDArray[Any]]:
    """Return the arrays of the water around the roads; ``east`` and ``north`` are the points of the edges."""

    def project(degrees: Floats) -> Floats:
        lon, lat = np.ascontiguousarray(degrees[:, 0]), np.ascontiguousarray(degrees[:, 1])
        return np.stack(plane.forward(lon, lat), axis=1)

    around = ACCESS_LIMIT_M + 2 * MARGIN_M
    box = (east.min() - around, north.min() - around, east.max() + around, north.max() + around)
    shapes = shapely.clip_by_rect(shapely.make_valid(shapely.transform(water, project)), *box)
    lines = shapely.from_ragged_array(
        shapely.GeometryType.LINESTRING, np.stack((east, north), axis=1), (edges.offsets,)
    )
    return water_arrays(shapely.make_valid(shapes), lines, ~edges.ferry, usable)


def _fastest(traveller: Traveller, edges: RoadEdges, metres: Floats) -> float:
    there, back = traveller.seconds(edges, metres)
    seconds = np.minimum(there, back)
    usable = np.isfinite(seconds) & (seconds > 0)
    return float((metres[usable] / seconds[usable]).max()) if usable.any() else traveller.speed_mps


def _number(edges: RoadEdges, x: Floats, y: Floats) -> tuple[NDArray[np.int64], Ints, Ints]:
    """Return the new order of the edges and the new numbers of their ends, both along a Morton curve of 10 m steps."""
    starts, ends = edges.offsets[:-1], edges.offsets[1:] - 1
    names, at = np.unique(np.concatenate((edges.from_node, edges.to_node)), return_index=True)
    point = np.concatenate((starts, ends))[at]
    key = _morton((x[point] / 10).astype(np.uint64), (y[point] / 10).astype(np.uint64))
    number = np.empty(len(names), dtype=np.int32)
    number[np.argsort(key, kind="stable")] = np.arange(len(names), dtype=np.int32)
    u = number[np.searchsorted(names, edges.from_node)]
    v = number[np.searchsorted(names, edges.to_node)]
    order = np.lexsort((edges.ext_id, np.maximum(u, v), np.minimum(u, v)))
    return order, u[order], v[order]


def _morton(x: NDArray[np.uint64], y: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Interleave the low 21 bits of two coordinates."""
    key = np.zeros(len(x), dtype=np.uint64)
    one = np.uint64(1)
    for bit in range(21):
        place = np.uint64(bit)
        key |= ((x >> place) & one) << np.uint64(2 * bit)
        key |= ((y >> place) & one) << np.uint64(2 * bit + 1)
    return key


def _cut(offsets: NDArray[np.int64], x: Floats, y: Floats) -> tuple[Pieces, Ints, Floats]:
    """Return the straight pieces of all edges, the first piece of each edge (one more at the end), and the edges' metres."""
    count = len(offsets) - 1
    first_piece = offsets - np.arange(count + 1)
    edge: NDArray[np.int64] = np.repeat(np.arange(count), np.diff(first_piece))
    begin = np.arange(len(edge)) + edge
    dx, dy = x[begin + 1] - x[begin], y[begin + 1] - y[begin]
    length = np.hypot(dx, dy)
    metres = np.bincount(edge, weights=length, minlength=count).astype(np.float64)
    before = np.cumsum(length) - length
    before -= before[first_piece[:-1]][edge]
    whole = np.where(metres > 0, metres, 1.0)[edge]
    pieces = np.zeros(len(edge), dtype=PIECE)
    pieces["x"], pieces["y"], pieces["dx"], pieces["dy"] = x[begin], y[begin], dx, dy
    squared = length * length
    pieces["inverse"] = np.divide(1.0, squared, out=np.zeros_like(squared), where=squared > 1e-8)
    pieces["start"], pieces["share"], pieces["edge"] = before / whole, length / whole, edge
    return pieces, first_piece.astype(np.int32), metres


def _bounds(offsets: NDArray[np.int64], x: Floats, y: Floats) -> NDArray[np.float32]:
    """Return the box of each edge as (west, south, east, north)."""
    at = offsets[:-1]
    sides = (
        np.minimum.reduceat(x, at),
        np.minimum.reduceat(y, at),
        np.maximum.reduceat(x, at),
        np.maximum.reduceat(y, at),
    )
    return np.stack(sides, axis=1).astype(np.float32)


def _roads(
    network: Network,
    group: list[Traveller],
    edges: RoadEdges,
    metres: Floats,
    u: Ints,
    v: Ints,
    nodes: int,
    pieces: Pieces,
    every: NearestTable,
    size: tuple[float, float],
    threads: int,
) -> dict[str, NDArray[Any]]:
    """Return the arrays of one network and of the travellers that use it."""
    seconds = {traveller.key: traveller.seconds(edges, metres) for traveller in group}
    forward = np.logical_or.reduce([np.isfinite(pair[0]) for pair in seconds.values()])
    backward = np.logical_or.reduce([np.isfinite(pair[1]) for pair in seconds.values()])
    tail = np.concatenate((u[forward], v[backward]))
    head = np.concatenate((v[forward], u[backward]))
    edge = np.concatenate((np.flatnonzero(forward), np.flatnonzero(backward))).astype(np.int32)
    order = np.lexsort((edge, tail))
    arrays: dict[str, NDArray[Any]] = {
        f"{network}-first_arc": np.concatenate(([0], np.cumsum(np.bincount(tail, minlength=nodes)))).astype(np.int32)
    }
    for key, (there, back) in seconds.items():
        cost = np.zeros(edges.count, dtype=COST)
        cost["u"], cost["v"], cost["forward"], cost["backward"] = u, v, _milliseconds(there), _milliseconds(back)
        arc = np.zeros(len(edge), dtype=ARC)
        arc["to"], arc["edge"] = head[order], edge[order]
        milliseconds = np.concatenate((cost["forward"][forward], cost["backward"][backward]))
        arc["ms"] = milliseconds[order]
        arrays |= {f"{key}-cost": cost, f"{key}-arc": arc}
    # Nobody lives on a ferry.
    snappable = (forward | backward) & ~edges.ferry & _leads_somewhere(u, v, tail, head, nodes)
    buckets = build_buckets(pieces, snappable, *size)
    table = build_table(pieces, buckets, *size, threads, Guide(every, snappable))
    arrays |= {
        f"{network}-buckets": np.array([buckets.rows, buckets.columns]),
        f"{network}-bucket_start": buckets.start,
        f"{network}-bucket_item": buckets.item,
        f"{network}-table_block": table.block,
        f"{network}-table_cell": table.cell,
    }
    return arrays


def _milliseconds(seconds: Floats) -> Ints:
    """Return whole milliseconds, -1 for forbidden; nothing takes longer than two days."""
    limited = np.where(np.isfinite(seconds), np.minimum(np.rint(seconds * 1000), 2**27), -1)
    return limited.astype(np.int32)


def _leads_somewhere(u: Ints, v: Ints, tail: Ints, head: Ints, nodes: int) -> NDArray[np.bool_]:
    """Return which edges touch a set of mutually reachable nodes that is big enough, or the biggest there is."""
    from scipy.sparse import coo_array  # slow to import, and only whoever builds a graph needs it
    from scipy.sparse.csgraph import connected_components

    matrix = coo_array((np.ones(len(tail), dtype=np.int8), (tail, head)), shape=(nodes, nodes)).tocsr()
    _, label = connected_components(matrix, directed=True, connection="strong")
    sizes = np.bincount(label)
    enough = sizes >= min(MIN_COMPONENT_NODES, int(sizes.max()))
    big: NDArray[np.bool_] = enough[label]
    return big[u] | big[v]
