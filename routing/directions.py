"""One way from a point to a place: the line to draw on the map, its time and its length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.errors import NotFound
from routing.graph import Graph
from routing.isochrones import Unprojector
from routing.search import SAME_PLACE, Budget, Reach, reach_between
from routing.snap import NO_CLOSURES, Snap

LONGEST_S: Final = 2 * 3600.0


class NoRoute(NotFound):
    """There is no way, or none within the time asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class Leg:
    """A stretch of one road as it is travelled: its outer id, metres, and (n, 2) points in plane metres."""

    road: int
    metres: float
    coords: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """The quickest way: ``coords`` (n, 2) in plane metres from door to door, the straight access legs at both ends included.

    ``legs`` are the roads it takes one after another, without the access legs.
    """

    coords: NDArray[np.float64]
    seconds: float
    metres: float
    legs: tuple[Leg, ...]

    def degrees(self, plane: Unprojector) -> NDArray[np.float64]:
        """Return the line as (n, 2) lon, lat degrees, rounded to 7 decimals."""
        lon, lat = plane.inverse(np.ascontiguousarray(self.coords[:, 0]), np.ascontiguousarray(self.coords[:, 1]))
        return np.stack((lon, lat), axis=1).round(7)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Part of an edge, travelled from one fraction to another."""

    edge: int
    begin: float
    end: float


def route(
    graph: Graph,
    start: Snap,
    target: Snap,
    *,
    seconds: float = LONGEST_S,
    budget: Budget = Budget(),  # noqa: B008 - frozen
    closed: NDArray[np.bool_] = NO_CLOSURES,
) -> Route:
    """Return the quickest way from ``start`` to ``target``, both snapped for the same traveller, within ``seconds``.

    Raises ``NoRoute`` when there is none or an end has no road near, ``SearchTooLarge`` when the budget did not suffice.
    """
    for end in (start, target):
        if end.reason is not None:
            raise NoRoute("routing.no_road", end.reason.message, reason=str(end.reason))
    travel = graph.travel(start.traveller)
    ends = travel.cost[target.edge]
    found = reach_between(graph, start, target.edge, seconds, budget=budget, closed=closed)
    ms = dict(zip(found.node.tolist(), found.ms.tolist(), strict=True))
    u, v = int(ends["u"]), int(ends["v"])
    ways: list[tuple[float, int, _Stretch | None]] = []
    if ends["forward"] >= 0 and u in ms:
        ways.append((ms[u] + target.fraction * int(ends["forward"]), u, _Stretch(target.edge, 0.0, target.fraction)))
    if ends["backward"] >= 0 and v in ms:
        ways.append(
            (ms[v] + (1 - target.fraction) * int(ends["backward"]), v, _Stretch(target.edge, 1.0, target.fraction))
        )
    if start.edge == target.edge:
        ahead = target.fraction - start.fraction
        whole = int(ends["forward"] if ahead >= 0 else ends["backward"])
        if abs(ahead) < SAME_PLACE:
            whole = max(int(ends["forward"]), int(ends["backward"]))
        if whole >= 0:
            ways.append((start.access_ms + abs(ahead) * whole, -1, None))
    ways = [way for way in ways if way[0] + target.access_ms <= seconds * 1000]
    if not ways:
        found.require_complete()
        raise NoRoute("routing.no_route", "在限定时间内没有可走的路线，请换一种出行方式。")
    time, node, last = min(ways, key=lambda way: way[0])
    stretches = [_Stretch(start.edge, start.fraction, target.fraction)] if last is None else [*_back(found, node), last]
    origin = np.array(graph.meta.origin)
    legs = tuple(
        Leg(int(graph.ext_id[s.edge]), abs(s.end - s.begin) * float(graph.metres[s.edge]), _line(graph, s) + origin)
        for s in stretches
    )
    metres = sum(leg.metres for leg in legs) + start.metres + target.metres
    coords = np.concatenate(([[start.x, start.y]], *(leg.coords for leg in legs), [[target.x, target.y]]))
    moved = np.any(np.abs(np.diff(coords, axis=0)) > 1e-3, axis=1)
    return Route(coords[np.concatenate(([True], moved))], (time + target.access_ms) / 1000, metres, legs)


def _back(found: Reach, node: int) -> list[_Stretch]:
    """Return the stretches from the origin to a settled node."""
    travel = found.graph.travel(found.traveller)
    position = {int(name): i for i, name in enumerate(found.node)}
    stretches: list[_Stretch] = []
    at = node
    while True:
        i = position[at]
        arc = int(found.arc[i])
        if arc < 0:
            stretches.append(_first(found, -1 - arc, at, int(found.ms[i])))
            return stretches[::-1]
        row = travel.arc[arc]
        edge = int(row["edge"])
        cost = travel.cost[edge]
        # A loop never lies on a quickest way, so the ends differ and tell the direction.
        forward = int(cost["v"]) == at
        stretches.append(_Stretch(edge, 0.0, 1.0) if forward else _Stretch(edge, 1.0, 0.0))
        at = int(cost["u"]) if forward else int(cost["v"])


def _first(found: Reach, number: int, node: int, ms: int) -> _Stretch:
    origin = found.origins[number]
    cost = found.graph.travel(found.traveller).cost[origin.edge]
    forward = int(cost["v"]) == node and int(cost["forward"]) >= 0
    if forward and int(cost["u"]) == node:
        forward = ms == round(origin.access_ms + (1 - origin.fraction) * int(cost["forward"]))
    return _Stretch(origin.edge, origin.fraction, 1.0 if forward else 0.0)


def _line(graph: Graph, stretch: _Stretch) -> NDArray[np.float64]:
    """Return the points of a stretch, relative to the graph's origin."""
    first, last = int(graph.first_point[stretch.edge]), int(graph.first_point[stretch.edge + 1])
    points = np.stack((graph.point_x[first:last], graph.point_y[first:last]), axis=1)
    along = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))))
    low, high = sorted((stretch.begin * along[-1], stretch.end * along[-1]))
    between = (along > low) & (along < high)
    cut = np.array([[np.interp(at, along, points[:, axis]) for axis in (0, 1)] for at in (low, high)])
    line = np.concatenate((cut[:1], points[between], cut[1:]))
    return line if stretch.begin <= stretch.end else line[::-1]
