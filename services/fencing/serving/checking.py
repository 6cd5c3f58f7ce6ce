"""Which fences hold each of many positions and addresses at a moment, how deep, and whether an address is sure to lie in them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from geo.addresses.geocode import WIDEST_M, Candidate, Penalty, geocode_many
from geo.addresses.positions import positions
from geo.crs import System
from geo.fences.evaluate.index import Booleans, Floats, Hits, Longs
from geo.regions.queries import current_city
from geo.scope import Scope
from services.fencing.live import LiveFences, live_fences
from services.fencing.serving.asking import Asked

DEPTH_DECIMALS: Final = 1
SWAPPED: Final = Penalty("axes_swapped", "经纬度好像写反了：先写经度（或东坐标），再写纬度（或北坐标）。")
UNKNOWN: Final = Penalty("address_unknown", "没有找到这个地址，请核对路名和门牌，或补上所在的区。")


@dataclass(frozen=True, slots=True)
class Located:
    """Where an address is, and which further fences (rows) it may lie in; ``sure``: wherever it is, the answer is the same."""

    candidate: Candidate
    sure: bool = False
    possible: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Checked:
    """The fences that hold each asked row: ``hits`` by row, ``depths`` (metres to the border) by hit.

    ``faults`` says why a row cannot be answered, ``unknown`` why an address cannot.
    """

    asked: Asked
    live: LiveFences
    hits: Hits
    depths: Floats
    faults: dict[int, Penalty]
    unknown: dict[int, Penalty]
    located: dict[int, Located]


def check(asked: Asked, *, system: System, at: dt.datetime, purposes: Sequence[str], scope: Scope) -> Checked:
    """Answer every row of a question, in its order, from the fences that count and hold at a moment, for the scope."""
    live = live_fences(at=at)
    open_rows = live.rows_for(scope=scope, purposes=purposes)
    lon, lat, swapped = positions(asked.x, asked.y, system, current_city())
    faults = dict(asked.faults)
    for row in np.flatnonzero(np.isnan(lon)).tolist():
        if row not in faults and row not in asked.addresses:
            faults[row] = SWAPPED if swapped[row] else off_map(system)
    circles = _Circles(live, open_rows, moment_ms(at))
    located, unknown = circles.locate(asked.addresses, scope)
    for row in located.keys() - unknown.keys():
        lon[row], lat[row] = located[row].candidate.lon, located[row].candidate.lat
    east, north = live.plane.project(lon, lat)
    hits = live.index.at_times(east, north, moment_ms(at))
    if not open_rows.all():
        hits = hits.where(open_rows[hits.fences])
    depths = live.index.depths(east[hits.points], north[hits.points], hits.fences).round(DEPTH_DECIMALS)
    return Checked(asked, live, hits, depths + 0.0, faults, unknown, located)


def off_map(system: System) -> Penalty:
    """Return what is said of a position outside the city."""
    name = current_city().name
    return Penalty("off_map", f"这个位置不在{name}范围内。请核对坐标和坐标系（现在按 {system} 理解）。")


def moment_ms(at: dt.datetime) -> int:
    """Return a moment in milliseconds since 1970, UTC."""
    return int(at.timestamp() * 1000)


@dataclass(frozen=True, slots=True)
class _Circles:
    """Addresses asked of fences: each is a circle that holds it nine times in ten, or several where several places bear it."""

    live: LiveFences
    open_rows: Booleans
    at_ms: int

    def locate(self, addresses: dict[int, str], scope: Scope) -> tuple[dict[int, Located], dict[int, Penalty]]:
        """Return where addresses are and what it makes of fences, and of which that cannot be said and why."""
        if not addresses:
            return {}, {}
        found = dict(zip(addresses, geocode_many(list(addresses.values()), scope=scope), strict=True))
        unknown = {row: UNKNOWN for row, candidates in found.items() if not candidates}
        unknown |= {
            row: _vague(candidates[0])
            for row, candidates in found.items()
            if candidates and candidates[0].uncertainty_m > WIDEST_M
        }
        asked = {row: candidates for row, candidates in found.items() if row not in unknown}
        vague = {row: Located(candidates[0]) for row, candidates in found.items() if candidates and row in unknown}
        return self._settled(asked) | vague, unknown

    def _settled(self, found: dict[int, list[Candidate]]) -> dict[int, Located]:
        circles = [(row, place) for row, candidates in found.items() for place in candidates]
        if not circles:
            return {}
        points, fences, depths = self._met([place for _, place in circles])
        radii = np.array([place.uncertainty_m for _, place in circles])
        touched: dict[int, set[int]] = {row: set() for row in found}
        whole: dict[tuple[int, int], int] = {}
        best: dict[int, set[int]] = {row: set() for row in found}
        for point, fence, depth in zip(points.tolist(), fences.tolist(), depths.tolist(), strict=True):
            row, place = circles[point]
            touched[row].add(fence)
            whole[row, fence] = whole.get((row, fence), 0) + (depth >= radii[point])
            if place is found[row][0] and depth >= 0:
                best[row].add(fence)
        return {
            row: Located(
                candidates[0],
                all(whole[row, fence] == len(candidates) for fence in touched[row]),
                tuple(sorted(touched[row] - best[row])),
            )
            for row, candidates in found.items()
        }

    def _met(self, places: Sequence[Candidate]) -> tuple[Longs, Longs, Floats]:
        """Return the pairs of a circle and an open fence that it meets and that holds then, and how deep its middle lies."""
        lon, lat = (np.array([getattr(place, name) for place in places]) for name in ("lon", "lat"))
        east, north = self.live.plane.project(lon, lat)
        points, rows = self.live.near(east, north, np.array([place.uncertainty_m for place in places]))
        moments = np.full(len(rows), self.at_ms, dtype=np.int64)
        kept = self.open_rows[rows] & self.live.index.timetable.hold(rows, moments)
        points, rows = points[kept], rows[kept]
        return points, rows, self.live.index.depths(east[points], north[points], rows)


def _vague(candidate: Candidate) -> Penalty:
    said = f"只能查到“{candidate.label}”一带，误差约 {candidate.uncertainty_m / 1000:.1f} 公里。请写到弄、号。"
    return Penalty("address_vague", said)
