"""Whether door numbers follow each other: numbers that are missing between known ones, and doors out of their order.

On a road odd and even numbers run on two sides, each by two; lanes (弄) share the numbers of the houses. Inside a lane or
an estate numbers run through, by one, when odd and even ones are both in use. No database here.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from geo.addresses.models import FindingKind
from geo.addresses.upkeep.audit.findings import Finding, Tolerances

NEAR_ROAD_M: Final = 150.0
"""Doors further from the drawn road than this say nothing about its order."""
STRAIGHT_M: Final = 30.0
"""Without a drawn road its doors are only ordered when they stray less than this from one straight line."""
SIDES: Final = {0: "双号", 1: "单号"}


@dataclass(frozen=True, slots=True)
class Door:
    """A number of a road or of a lane: where it stands in degrees and on the plane, and how sure that is, in metres."""

    number: int
    id: int
    label: str
    lon: float
    lat: float
    east: float
    north: float
    uncertainty_m: float
    region_id: int | None


@dataclass(frozen=True, slots=True)
class Row:
    """The numbers that run together: one side of a road, or a lane; ``step`` is what one number is from the next."""

    name: str
    side: str
    step: int
    doors: tuple[Door, ...]


@dataclass(slots=True)
class Judged:
    """How many rows of numbers were looked at, and how many were too few or too sparse to tell."""

    rows: int = 0
    sparse: int = 0
    unordered: int = field(default=0)


def rows_of(name: str, doors: Sequence[Door], *, lane: bool) -> list[Row]:
    """Return the rows of numbers of one road, or ``lane`` or estate, each door once by its number (the surest of several)."""
    best: dict[int, Door] = {}
    for door in sorted(doors, key=lambda each: (each.number, each.uncertainty_m, each.id)):
        best.setdefault(door.number, door)
    ordered = tuple(best[number] for number in sorted(best))
    sides = {parity: tuple(door for door in ordered if door.number % 2 == parity) for parity in SIDES}
    if lane and all(sides.values()):
        return [Row(name, "", 1, ordered)]
    return [Row(name, SIDES[parity], 2, own) for parity, own in sides.items() if own]


def missing(row: Row) -> list[tuple[Door, Door, int]]:
    """Return the runs of missing numbers: the known door before, the one after, and how many are missing between them."""
    pairs = zip(row.doors, row.doors[1:], strict=False)
    return [(one, other, count) for one, other in pairs if (count := (other.number - one.number) // row.step - 1) > 0]


def can_tell(row: Row, tolerances: Tolerances) -> bool:
    """Say whether enough of a row is known to call a number missing."""
    span = (row.doors[-1].number - row.doors[0].number) // row.step + 1
    return len(row.doors) >= tolerances.least_doors and len(row.doors) >= tolerances.least_known * span


def check_gaps(row: Row) -> Iterator[Finding]:
    """Yield one finding for each run of missing numbers, at the middle between its neighbours."""
    for one, other, count in missing(row):
        first, last = one.number + row.step, other.number - row.step
        run = f"{first} 号" if count == 1 else f"{first}–{last} 号{f'（{row.side}）' if row.side else ''}共 {count} 个"
        message = f"{row.name}缺 {run}，在 {one.number} 号与 {other.number} 号之间。"
        subjects = {"road": row.name, "from": first, "to": last, "step": row.step, "addresses": [one.id, other.id]}
        middle = round((one.lon + other.lon) / 2, 7), round((one.lat + other.lat) / 2, 7)
        yield Finding(FindingKind.NUMBER_GAP, message, float(count), "个", *middle, one.region_id, subjects)


def check_order(row: Row, line: BaseGeometry | None, tolerances: Tolerances) -> list[Finding] | None:
    """Return the doors that stand out of order along their road; ``None`` when the road gives no order to compare with.

    ``line`` is the drawn road on the plane. The fewest doors are blamed that leave the others in order.
    """
    doors, along = _along(row.doors, line)
    if len(doors) < tolerances.least_doors:
        return None
    kept = _in_order(along)
    found = []
    for at in sorted(set(range(len(doors))) - set(kept)):
        door = doors[at]
        place = bisect_right(kept, at)
        before, after = kept[place - 1] if place else None, kept[place] if place < len(kept) else None
        astray = _astray(along, at, before, after)
        near = [doors[each] for each in (before, after) if each is not None]
        if astray <= max(tolerances.order_m, door.uncertainty_m + max(each.uncertainty_m for each in near)):
            continue
        between = " 号与 ".join(str(each.number) for each in near) + f" 号{'之间' if len(near) == 2 else '一侧'}"
        message = f"{row.name}{door.number} 号不在应有的次序上，沿路偏了 {astray:,.0f} 米，应在 {between}。"
        subjects = {"road": row.name, "number": door.number, "addresses": [door.id, *(each.id for each in near)]}
        found.append(
            Finding(
                FindingKind.NUMBER_ORDER, message, round(astray, 1), "米", door.lon, door.lat, door.region_id, subjects
            )
        )
    return found


def _astray(along: npt.NDArray[np.float64], at: int, before: int | None, after: int | None) -> float:
    """Return by how many metres a door lies outside the stretch between its neighbours that are in order."""
    ends = [along[each] for each in (before, after) if each is not None]
    if len(ends) == 2:
        return float(max(min(ends) - along[at], along[at] - max(ends), 0.0))
    return float(abs(along[at] - ends[0]))


def _along(doors: Sequence[Door], line: BaseGeometry | None) -> tuple[list[Door], npt.NDArray[np.float64]]:
    """Return the doors that stand at the road, in order of their numbers, and how far along it each is in metres."""
    points = np.array([(door.east, door.north) for door in doors])
    if line is not None and not line.is_empty:
        longest = max(shapely.get_parts(shapely.line_merge(line)), key=lambda part: float(part.length))
        at_road = shapely.distance(longest, shapely.points(points)) <= NEAR_ROAD_M
        if at_road.mean() >= 0.8:
            kept = [door for door, near in zip(doors, at_road, strict=True) if near]
            return kept, np.asarray(shapely.line_locate_point(longest, shapely.points(points[at_road])))
    if len(doors) < 3:
        return [], np.empty(0)
    centred = points - points.mean(axis=0)
    _, spread, axes = np.linalg.svd(centred, full_matrices=False)
    if spread[1] / np.sqrt(len(doors)) > STRAIGHT_M:
        return [], np.empty(0)
    return list(doors), centred @ axes[0]


def _in_order(along: npt.NDArray[np.float64]) -> list[int]:
    """Return the indexes of a longest run of values that never falls, or never rises: whichever is longer."""
    return max((_never_falling(along), _never_falling(-along)), key=len)


def _never_falling(values: npt.NDArray[np.float64]) -> list[int]:
    tails: list[float] = []
    ends: list[int] = []
    back: list[int] = []
    for at, value in enumerate(values.tolist()):
        place = bisect_right(tails, value)
        back.append(ends[place - 1] if place else -1)
        tails[place : place + 1] = [value]
        ends[place : place + 1] = [at]
    run = []
    at = ends[-1] if ends else -1
    while at >= 0:
        run.append(at)
        at = back[at]
    return run[::-1]
