"""Finds everything a traveller reaches from one or several points within a time, and how they got there.

The search is Dijkstra's on a binary heap. What it touches is marked with a generation number in buffers that each thread
keeps, so a small search costs little however large the graph; it runs in slices, between which the budget and the caller's
wish to stop are heard.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from geo.errors import BadInput, TooLarge, Unavailable
from routing.compiled import inlined, kernel
from routing.graph import Graph
from routing.snap import NO_CLOSURES, Empty, Snap, Snaps
from routing.travellers import Traveller

LABEL: Final = np.dtype([("stamp", "i4"), ("ms", "i4"), ("arc", "i4"), ("settled", "i4")])
"""What is known of a node in generation ``stamp``: best time, the arc it was reached by (-1 - origin when from an origin)."""
ORIGIN: Final = np.dtype([("edge", "i4"), ("fraction", "f4"), ("ms", "f4"), ("x", "f4"), ("y", "f4")])
"""Where a traveller enters the road and when; ``x``, ``y`` relative to the graph's origin."""
SAME_PLACE: Final = 1e-6
"""Two places on an edge whose fractions differ by less are one place, whichever way the road may be travelled."""
MAX_SECONDS: Final = 4 * 3600.0
SLICE: Final = 20_000
"""Nodes settled between two looks at the clock: some three milliseconds."""


class SearchCancelled(Unavailable):
    """The caller no longer wants the answer."""


class SearchTooLarge(TooLarge):
    """The search met its budget before it met its time limit."""


class BadSearch(BadInput):
    """The search asks for something that cannot be meant."""


class Cut(StrEnum):
    """Which budget ended a search early."""

    NODES = "nodes"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Budget:
    """How much a search may cost: junctions settled, seconds on the clock, and a question asked between slices."""

    nodes: int = 2_000_000
    seconds: float = 10.0
    cancelled: Callable[[], bool] | None = None


@dataclass(eq=False, slots=True)
class Workspace:
    """Buffers of one thread for one graph, reused by every search of that thread."""

    label: NDArray[np.void]
    heap: NDArray[np.int64]
    settled: NDArray[np.int32]
    state: NDArray[np.int64]
    scratch: dict[str, NDArray[Any]] = field(default_factory=dict)
    generation: int = 0
    owner: int = 0
    """Which ``Reach`` the labels belong to, by its ticket."""

    def next_generation(self) -> int:
        """Forget all labels at once."""
        self.generation += 1
        if self.generation >= 2**31 - 1:
            self.label["stamp"] = 0
            self.generation = 1
        return self.generation


_local = threading.local()
_tickets = iter(range(1, 2**62))
KEEP_WORKSPACES: Final = 3


def workspace(graph: Graph) -> Workspace:
    """Return this thread's buffers for a graph; those of long unused graphs are let go."""
    spaces: dict[str, Workspace] = _local.__dict__.setdefault("spaces", {})
    found = spaces.pop(graph.meta.version, None)
    if found is None:
        found = Workspace(
            np.zeros(graph.meta.nodes, dtype=LABEL),
            np.zeros(1024, dtype=np.int64),
            np.zeros(graph.meta.nodes, dtype=np.int32),
            np.zeros(4, dtype=np.int64),
        )
        while len(spaces) >= KEEP_WORKSPACES:
            del spaces[next(iter(spaces))]
    spaces[graph.meta.version] = found
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """All junctions reached: ``node`` in order of arrival, ``ms`` when, ``arc`` along which way (-1 - i: straight from origin i).

    Complete up to ``complete_ms``; that is less than ``limit_ms`` only when ``cut`` names the budget that ended the search. When
    nothing could be searched, ``reason`` says why.
    """

    graph: Graph
    traveller: Traveller
    origins: Sequence[Snap]
    limit_ms: float
    complete_ms: float
    node: NDArray[np.int32]
    ms: NDArray[np.int32]
    arc: NDArray[np.int32]
    closed: NDArray[np.bool_]
    reason: Empty | None
    cut: Cut | None
    ticket: int

    def require_complete(self) -> None:
        """Raise ``SearchTooLarge`` when a budget ended the search early."""
        if self.cut is not None:
            raise SearchTooLarge("routing.budget", "范围太大，计算未能完成，请缩短时间后再试。", cut=str(self.cut))

    def origin_records(self) -> NDArray[np.void]:
        """Return the origins in the form the kernels take."""
        west, south = self.graph.meta.origin
        if isinstance(self.origins, Snaps):
            o = self.origins
            columns = (o.edge, o.fraction, o.access_ms, o.road_x - west, o.road_y - south)
            records = np.empty(len(o), dtype=ORIGIN)
            for name, column in zip(ORIGIN.names or (), columns, strict=True):
                records[name] = column
            return records
        rows = [(o.edge, o.fraction, o.access_ms, o.road_x - west, o.road_y - south) for o in self.origins]
        return np.array(rows, dtype=ORIGIN)


def reach(
    graph: Graph,
    origins: Sequence[Snap],
    traveller: Traveller,
    seconds: float,
    *,
    budget: Budget = Budget(),  # noqa: B008 - frozen
    closed: NDArray[np.bool_] = NO_CLOSURES,
) -> Reach:
    """Search outward from ``origins`` (each snapped for ``traveller``) for ``seconds``, the access legs included.

    ``closed`` flags edges nobody may use (``Graph.closures``); snap the origins with the same flags. Raises ``BadSearch``
    for times out of range, ``SearchCancelled`` when ``budget.cancelled`` says so. A spent budget does not raise: see
    ``Reach.cut``.
    """
    if not 0 < seconds <= MAX_SECONDS:
        raise BadSearch("routing.seconds", f"时间须大于 0 且不超过 {MAX_SECONDS / 60:.0f} 分钟。", seconds=seconds)
    travellers = [origins.traveller] if isinstance(origins, Snaps) else [origin.traveller for origin in origins]
    if any(each.network is not traveller.network for each in travellers):
        raise BadSearch("routing.origin", "起点是按另一种出行方式确定的，请重新选择。")
    return _search(graph, origins, traveller, seconds, budget, closed, (-1, -1))


def reach_between(
    graph: Graph,
    origin: Snap,
    target_edge: int,
    seconds: float,
    *,
    budget: Budget = Budget(),  # noqa: B008 - frozen
    closed: NDArray[np.bool_] = NO_CLOSURES,
) -> Reach:
    """Search from ``origin`` as ``reach`` does, but stop as soon as both ends of ``target_edge`` are settled."""
    if not 0 < seconds <= MAX_SECONDS:
        raise BadSearch("routing.seconds", f"时间须大于 0 且不超过 {MAX_SECONDS / 60:.0f} 分钟。", seconds=seconds)
    ends = graph.travel(origin.traveller).cost[target_edge]
    return _search(graph, [origin], origin.traveller, seconds, budget, closed, (int(ends["u"]), int(ends["v"])))


def _search(
    graph: Graph,
    origins: Sequence[Snap],
    traveller: Traveller,
    seconds: float,
    budget: Budget,
    closed: NDArray[np.bool_],
    stop: tuple[int, int],
) -> Reach:
    limit_ms = seconds * 1000
    useful: Sequence[Snap]
    if isinstance(origins, Snaps):
        useful = origins.within(limit_ms)
    else:
        useful = tuple(origin for origin in origins if origin.found and origin.access_ms <= limit_ms)
    if not useful:
        return _nothing(graph, origins, traveller, limit_ms, closed)
    space = workspace(graph)
    # Every arc is offered once at most, and each origin offers two ends.
    needed = len(graph.travel(traveller).arc) + 2 * len(useful) + 1
    if len(space.heap) < needed:
        space.heap = np.zeros(needed, dtype=np.int64)
    result = Reach(
        *(graph, traveller, useful, limit_ms, limit_ms, _NONE, _NONE, _NONE, closed, None, None, next(_tickets)),
    )
    cut = _run(space, result, budget, *stop)
    return _collect(space, result, cut, complete=cut is None and stop[0] < 0)


_NONE: Final = np.zeros(0, dtype=np.int32)


def _nothing(
    graph: Graph, origins: Sequence[Snap], traveller: Traveller, limit_ms: float, closed: NDArray[np.bool_]
) -> Reach:
    reasons = [origin.reason or Empty.ACCESS_TOO_LONG for origin in origins] or [Empty.NO_ROAD_NEAR]
    # The reason nearest to success is the most useful one.
    best = max(reasons, key=list(Empty).index)
    return Reach(graph, traveller, (), limit_ms, limit_ms, _NONE, _NONE, _NONE, closed, best, None, next(_tickets))


def _run(space: Workspace, wanted: Reach, budget: Budget, stop_a: int, stop_b: int) -> Cut | None:
    """Search until done, or until nodes ``stop_a`` and ``stop_b`` are both settled; return the budget that ended it early."""
    travel = wanted.graph.travel(wanted.traveller)
    generation = space.next_generation()
    space.owner = wanted.ticket
    state = space.state
    state[:] = 0
    _start(
        *(wanted.origin_records(), travel.cost, wanted.limit_ms, wanted.closed),
        *(space.label, space.heap, state, generation),
    )
    deadline = time.monotonic() + budget.seconds
    while True:
        allowed = min(state[1] + SLICE, budget.nodes)
        done = _advance(
            *(travel.roads.first_arc, travel.arc, wanted.limit_ms, wanted.closed, stop_a, stop_b, allowed),
            *(space.label, space.heap, space.settled, state, generation),
        )
        if done:
            return None
        if budget.cancelled is not None and budget.cancelled():
            raise SearchCancelled("routing.cancelled", "计算已取消。")
        if state[1] >= budget.nodes:
            return Cut.NODES
        if time.monotonic() >= deadline:
            return Cut.TIME


def _collect(space: Workspace, wanted: Reach, cut: Cut | None, *, complete: bool) -> Reach:
    node = space.settled[: space.state[1]].copy()
    rows = space.label[node]
    ms = rows["ms"].copy()
    until = wanted.limit_ms if complete else float(ms[-1]) if len(ms) else 0.0
    return Reach(
        *(wanted.graph, wanted.traveller, wanted.origins, wanted.limit_ms, until, node, ms, rows["arc"].copy()),
        *(wanted.closed, None, cut, wanted.ticket),
    )


def labels(found: Reach) -> Workspace:
    """Return this thread's buffers with the labels of ``found`` in them, writing them again if another search came between."""
    space = workspace(found.graph)
    if space.owner != found.ticket:
        generation = space.next_generation()
        _relabel(found.node, found.ms, found.arc, space.label, generation)
        space.owner = found.ticket
    return space


@inlined
def _push(heap: NDArray[np.int64], size: int, key: int) -> int:
    at = size
    while at > 0:
        above = (at - 1) >> 1
        if heap[above] <= key:
            break
        heap[at] = heap[above]
        at = above
    heap[at] = key
    return size + 1


@inlined
def _pop(heap: NDArray[np.int64], size: int) -> int:
    """Drop the least key (the caller has read ``heap[0]``) and return the new size."""
    size -= 1
    key = heap[size]
    at = 0
    while True:
        below = 2 * at + 1
        if below >= size:
            break
        if below + 1 < size and heap[below + 1] < heap[below]:
            below += 1
        if heap[below] >= key:
            break
        heap[at] = heap[below]
        at = below
    heap[at] = key
    return size


@inlined
def _offer(
    node: int, ms: int, arc: int, label: NDArray[np.void], heap: NDArray[np.int64], size: int, generation: int
) -> int:
    """Note a way to a node if it is the best so far; return the heap's new size."""
    row = label[node]
    if row["stamp"] == generation and row["ms"] <= ms:
        return size
    row["stamp"] = generation
    row["ms"] = ms
    row["arc"] = arc
    row["settled"] = 0
    return _push(heap, size, int((np.int64(ms) << 32) | np.int64(node)))


@kernel
def _start(
    origins: NDArray[np.void],
    cost: NDArray[np.void],
    limit_ms: float,
    closed: NDArray[np.bool_],
    label: NDArray[np.void],
    heap: NDArray[np.int64],
    state: NDArray[np.int64],
    generation: int,
) -> None:
    """Put both ends of each origin's edge on the heap. ``state`` holds the heap's size and the number of settled nodes."""
    size = state[0]
    for i in range(len(origins)):
        origin = origins[i]
        edge = cost[origin["edge"]]
        if closed.size > 0 and closed[origin["edge"]]:
            continue
        if edge["forward"] >= 0:
            ms = origin["ms"] + (1.0 - origin["fraction"]) * edge["forward"]
            if ms <= limit_ms:
                size = _offer(edge["v"], int(np.rint(ms)), -1 - i, label, heap, size, generation)
        if edge["backward"] >= 0:
            ms = origin["ms"] + origin["fraction"] * edge["backward"]
            if ms <= limit_ms:
                size = _offer(edge["u"], int(np.rint(ms)), -1 - i, label, heap, size, generation)
    state[0] = size


@kernel
def _advance(
    first_arc: NDArray[np.int32],
    arcs: NDArray[np.void],
    limit_ms: float,
    closed: NDArray[np.bool_],
    stop_a: int,
    stop_b: int,
    allowed: int,
    label: NDArray[np.void],
    heap: NDArray[np.int64],
    settled: NDArray[np.int32],
    state: NDArray[np.int64],
    generation: int,
) -> bool:
    """Settle nodes until ``allowed`` are settled in all, returning False, or until the search is done, returning True."""
    size = state[0]
    count = state[1]
    check = closed.size > 0
    done = True
    while size > 0:
        if count >= allowed:
            done = False
            break
        key = heap[0]
        size = _pop(heap, size)
        node = key & 0xFFFFFFFF
        ms = key >> 32
        row = label[node]
        if row["settled"] != 0 or row["ms"] != ms:
            continue
        row["settled"] = 1
        settled[count] = node
        count += 1
        if stop_a >= 0 and _is_settled(label, stop_a, generation) and _is_settled(label, stop_b, generation):
            break
        for a in range(first_arc[node], first_arc[node + 1]):
            arc = arcs[a]
            if arc["ms"] < 0 or (check and closed[arc["edge"]]):
                continue
            after = ms + arc["ms"]
            if after <= limit_ms:
                size = _offer(arc["to"], after, a, label, heap, size, generation)
    state[0] = size
    state[1] = count
    return done


@inlined
def _is_settled(label: NDArray[np.void], node: int, generation: int) -> bool:
    return bool(label[node]["stamp"] == generation and label[node]["settled"] == 1)


@kernel
def _relabel(
    node: NDArray[np.int32], ms: NDArray[np.int32], arc: NDArray[np.int32], label: NDArray[np.void], generation: int
) -> None:
    for i in range(len(node)):
        row = label[node[i]]
        row["stamp"] = generation
        row["ms"] = ms[i]
        row["arc"] = arc[i]
        row["settled"] = 1
