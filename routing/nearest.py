"""How long it takes from many points to the nearest of many places: one search, whatever their number.

A search outward from all places at once tells of every junction which place is first there. That is the way from the junction
to the place too, for a traveller who is bound by no one-way street.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from routing.graph import Graph
from routing.search import SAME_PLACE, Budget, Reach, reach
from routing.snap import snap, snap_many
from routing.travellers import Traveller

Metres = NDArray[np.float64]


def reach_of_many(
    graph: Graph,
    x: Metres,
    y: Metres,
    traveller: Traveller,
    seconds: float,
    *,
    cancelled: Callable[[], bool] | None = None,
) -> Reach:
    """Search outward from all points (plane metres) at once for ``seconds``; those with no road near do not count.

    Raises ``ValueError`` for a traveller who obeys one-way streets, and as ``routing.search.reach``.
    """
    if traveller.obeys_oneway:
        raise ValueError(f"{traveller.key} does not go back the way it came")
    origins = [snap(graph, *point, traveller) for point in zip(x.tolist(), y.tolist(), strict=True)]
    found = reach(graph, origins, traveller, seconds, budget=Budget(2**31, 3_600.0, cancelled))
    found.require_complete()
    return found


def seconds_at(found: Reach, x: Metres, y: Metres) -> NDArray[np.float64]:
    """Return the seconds from the origins of a search to each point (plane metres), the leg beside the road included.

    Infinite beyond the time of the search and where no road is near.
    """
    away = np.full(len(x), np.inf)
    if found.reason is not None:
        return away
    graph = found.graph
    travel = graph.travel(found.traveller)
    edge, fraction, metres = snap_many(graph, travel, x, y, closed=found.closed)
    rows = np.flatnonzero(edge >= 0)
    edge, at = edge[rows], fraction[rows].astype(np.float64)
    ms = np.full(graph.meta.nodes, np.inf)
    ms[found.node] = found.ms
    cost = travel.cost[edge]
    by_u = np.where(cost["forward"] >= 0, ms[cost["u"]] + at * cost["forward"], np.inf)
    by_v = np.where(cost["backward"] >= 0, ms[cost["v"]] + (1 - at) * cost["backward"], np.inf)
    best = np.minimum(by_u, by_v)
    _shorten(best, edge, at, cost, found)
    best += metres[rows] / found.traveller.access_mps * 1000
    best[best > found.complete_ms] = np.inf
    away[rows] = best / 1000
    return away


def _shorten(
    best: NDArray[np.float64], edge: NDArray[np.int32], at: NDArray[np.float64], cost: NDArray[np.void], found: Reach
) -> None:
    """Take the way along one edge, which passes no junction, where an origin lies on the edge of a point."""
    order = np.argsort(edge, kind="stable")
    ordered = edge[order]
    for origin in found.origin_records():
        low, high = np.searchsorted(ordered, origin["edge"], "left"), np.searchsorted(ordered, origin["edge"], "right")
        if low == high:
            continue
        here = order[low:high]
        ahead = at[here] - float(origin["fraction"])
        forward, backward = cost["forward"][here], cost["backward"][here]
        whole = np.where(ahead >= 0, forward, backward)
        whole = np.where(np.abs(ahead) < SAME_PLACE, np.maximum(forward, backward), whole)
        direct = np.where(whole >= 0, float(origin["ms"]) + np.abs(ahead) * whole, np.inf)
        best[here] = np.minimum(best[here], direct)
