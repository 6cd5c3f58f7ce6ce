"""How long the longest walk in an area is, through the network with a pram: from its kindergarten to the farthest door."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from routing.graph import Graph, NoGraph
from routing.places import PlaceIndex, costs_to
from routing.search import Budget, reach
from routing.snap import snap
from routing.travellers import TRAVELLERS, Traveller
from services.facilities.ground import current_graph

PRAM: Final = TRAVELLERS["pram"]
LONGEST_S: Final = 3_600.0
"""Beyond an hour's walk nobody looks how far it is."""
BUDGET: Final = Budget(nodes=2_000_000, seconds=60.0)
"""More than an hour's walk ever settles."""


def longest_walk_s(point: tuple[float, float], doors: npt.NDArray[np.float64]) -> float | None:
    """Return the seconds to the farthest of doors (metres of the plane, (n, 2)), at most ``LONGEST_S``.

    ``None`` without roads or doors.
    """
    if not len(doors):
        return None
    try:
        graph = current_graph()
    except NoGraph:
        return None
    index = PlaceIndex.build(graph, np.arange(len(doors), dtype=np.int64), doors[:, 0], doors[:, 1])
    return float(min(LONGEST_S, seconds_to(graph, index, point, PRAM, LONGEST_S).max()))


def seconds_to(
    graph: Graph, index: PlaceIndex, point: tuple[float, float], traveller: Traveller, limit_s: float
) -> npt.NDArray[np.float64]:
    """Return the seconds from a point (metres of the plane) to every place, legs beside roads included.

    Infinite beyond ``limit_s`` and where no road is near. Raises ``SearchTooLarge``.
    """
    away = np.full(len(index.ids), np.inf)
    found = reach(graph, [snap(graph, *point, traveller)], traveller, limit_s, budget=BUDGET)
    found.require_complete()
    if found.reason is None:
        costs = costs_to(found, index)
        away[costs.place] = costs.seconds
    return away
