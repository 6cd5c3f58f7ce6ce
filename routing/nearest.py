"""How long it takes from many points to the nearest of many places: one search, whatever their number.

A search outward from all places at once tells of every junction which place is first there. That is the way from the junction
to the place too, for a traveller who is bound by no one-way street.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from routing.graph import Graph
from routing.places import Doors
from routing.search import SAME_PLACE, Budget, Reach, reach
from routing.snap import snap_all
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
    found = reach(graph, snap_all(graph, x, y, traveller), traveller, seconds, budget=Budget(2**31, 3_600.0, cancelled))
    found.require_complete()
    return found


def seconds_at(found: Reach, doors: Doors) -> NDArray[np.float64]:
    """Return the seconds from the origins of a search to each of the points that ``doors`` has on its network and graph.

    The legs beside the road are included. Infinite beyond the time of the search and where no road is near.
    """
    away = np.full(len(doors.door), np.inf)
    if found.reason is not None:
        return away
    edge, at = doors.edge, doors.fraction.astype(np.float64)
    ms = np.full(found.graph.meta.nodes, np.inf)
    ms[found.node] = found.ms
    cost = found.graph.travel(found.traveller).cost[edge]
    by_u = np.where(cost["forward"] >= 0, ms[cost["u"]] + at * cost["forward"], np.inf)
    by_v = np.where(cost["backward"] >= 0, ms[cost["v"]] + (1 - at) * cost["backward"], np.inf)
    best = np.minimum(by_u, by_v)
    _shorten(best, doors, at, cost, found)
    best += doors.metres / found.traveller.access_mps * 1000
    best[best > found.complete_ms] = np.inf
    away[doors.place] = best / 1000
    return away


def _shorten(
    best: NDArray[np.float64], doors: Doors, at: NDArray[np.float64], cost: NDArray[np.void], found: Reach
) -> None:
    """Take the way along one edge, which passes no junction, where an origin lies on the edge of a point."""
    origins = found.origin_records()
    first = doors.first[origins["edge"]].astype(np.int64)
    count = doors.first[origins["edge"] + 1] - first
    # Every point that shares its edge with an origin, once for each such origin.
    origin = origins[np.repeat(np.arange(len(origins)), count)]
    here = np.arange(len(origin)) + np.repeat(first - np.cumsum(count) + count, count)
    ahead = at[here] - origin["fraction"].astype(np.float64)
    forward, backward = cost["forward"][here], cost["backward"][here]
    whole = np.where(ahead >= 0, forward, backward)
    whole = np.where(np.abs(ahead) < SAME_PLACE, np.maximum(forward, backward), whole)
    direct = np.where(whole >= 0, origin["ms"].astype(np.float64) + np.abs(ahead) * whole, np.inf)
    np.minimum.at(best, here, direct)
