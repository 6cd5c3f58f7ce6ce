"""A way in steps: which road, how far, and how one turns into it. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from routing.directions import Leg

SHORT_M: Final = 15.0
"""A stretch without a name shorter than this, the middle of a crossing, is no step of its own."""
LOOK_M: Final = 15.0
"""Over so many metres the direction before and after a turn is taken: the corner itself may be cut."""
STRAIGHT, SLIGHT, SHARP = 30.0, 55.0, 145.0
"""Degrees: below the first one goes straight on, below the second one bears, beyond the last one turns round."""
_WINDS: Final = ("北", "东北", "东", "东南", "南", "西南", "西", "西北")


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A part of a way on one road ('' has no name): metres, ``coords`` (n, 2) in plane metres, and the words of how it begins."""

    said: str
    road: str
    metres: float
    coords: NDArray[np.float64]


@dataclass(slots=True)
class _Part:
    road: str
    metres: float
    lines: list[NDArray[np.float64]]

    @property
    def coords(self) -> NDArray[np.float64]:
        points = np.concatenate(self.lines)
        moved = np.any(np.abs(np.diff(points, axis=0)) > 1e-3, axis=1)
        return points[np.concatenate(([True], moved))]


def steps_of(legs: Sequence[Leg], names: Mapping[int, str]) -> tuple[Step, ...]:
    """Return the steps of a way, their metres those of the legs; ``names`` are the names of roads by outer id."""
    parts = _parts(legs, names)
    steps = []
    for at, part in enumerate(parts):
        if at == 0:
            words = f"沿{part.road}" if part.road else ""
            words += f"向{wind(bearing(part.coords, first=True))}"
        else:
            words = _turn(parts[at - 1].coords, part.coords)
            words += f"进入{part.road}" if part.road else ""
        steps.append(Step(words, part.road, part.metres, part.coords))
    return tuple(steps)


def bearing(coords: NDArray[np.float64], *, first: bool) -> float:
    """Return the direction of a line at its first or at its last ``LOOK_M`` metres, in degrees clockwise from grid north."""
    points = coords if first else coords[::-1]
    along = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))))
    look = min(LOOK_M, float(along[-1]))
    east, north = (float(np.interp(look, along, points[:, axis]) - points[0, axis]) for axis in (0, 1))
    if not first:
        east, north = -east, -north
    return math.degrees(math.atan2(east, north)) % 360


def wind(degrees: float) -> str:
    """Return the direction in words: 北, 东北 and so on."""
    return _WINDS[round(degrees / 45) % 8]


def _parts(legs: Sequence[Leg], names: Mapping[int, str]) -> list[_Part]:
    """Return the legs put together where one goes on: on the same road, or straight on where there is no name."""
    parts: list[_Part] = []
    for leg in legs:
        road = names.get(leg.road, "")
        if len(leg.coords) < 2 or leg.metres <= 0:
            continue
        before = parts[-1] if parts else None
        crossing = not road and leg.metres < SHORT_M
        if before and (crossing or (before.road == road and (road or _goes_on(before.coords, leg.coords)))):
            before.metres += leg.metres
            before.lines.append(leg.coords)
        else:
            parts.append(_Part(road, leg.metres, [leg.coords]))
    if len(parts) > 1 and not parts[0].road and parts[0].metres < SHORT_M:
        begun = parts.pop(0)
        parts[0] = _Part(parts[0].road, begun.metres + parts[0].metres, begun.lines + parts[0].lines)
    return parts


def _angle(before: NDArray[np.float64], after: NDArray[np.float64]) -> float:
    """Return how far one turns, in degrees from -180 to 180; positive to the right."""
    return (bearing(after, first=True) - bearing(before, first=False) + 180) % 360 - 180


def _goes_on(before: NDArray[np.float64], after: NDArray[np.float64]) -> bool:
    return abs(_angle(before, after)) < STRAIGHT


def _turn(before: NDArray[np.float64], after: NDArray[np.float64]) -> str:
    angle = _angle(before, after)
    if abs(angle) < STRAIGHT:
        return "直行"
    if abs(angle) > SHARP:
        return "掉头"
    side = "右" if angle > 0 else "左"
    return f"向{side}前方" if abs(angle) < SLIGHT else f"{side}转"
