"""Finding out whether the two columns of a set of coordinates were swapped, and saying so when nobody can tell."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from geo.crs.codes import System
from geo.crs.coordinates import Bbox, BoolArray, Coordinates
from geo.crs.planes import PLANES, SHANGHAI_2000
from geo.crs.transform import convert, inside
from geo.crs.wrong_datum import metres_between

DECISIVE_SHARE: Final = 0.02
AGREEMENT: Final = 0.9


class AxisVerdict(StrEnum):
    """What the detector concludes."""

    AS_DECLARED = "as_declared"
    SWAPPED = "swapped"
    UNDECIDED = "undecided"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True)
class AxisFinding:
    """The verdict with its evidence: how many points lie in the area as declared only, swapped only, both ways, or neither."""

    verdict: AxisVerdict
    as_declared: int
    swapped: int
    both: int
    neither: int
    sentence: str


def detect_axes(points: Coordinates, area: Bbox, references: Coordinates | None = None) -> AxisFinding:
    """Judge whether x and y of the points stand in the declared order.

    ``area`` is the box in CGCS2000 degrees where the points should lie (a city's ``bbox``). On 上海2000 most points lie in the
    city either way round, and near the origin a swap cannot be detected at all: the verdict is then ``undecided``, unless
    ``references`` gives, row by row, where each point should be. Points that are not finite count as neither.
    """
    turned = Coordinates(points.y, points.x, points.system)
    straight, crossed = _in_area(points, area), _in_area(turned, area)
    counts = [
        int(np.count_nonzero(kind))
        for kind in (straight & ~crossed, crossed & ~straight, straight & crossed, ~straight & ~crossed)
    ]
    verdict = _verdict(*counts)
    if verdict is AxisVerdict.UNDECIDED and references is not None:
        verdict = _by_references(points, turned, references, straight & crossed)
    as_declared, swapped, both, neither = counts
    return AxisFinding(verdict, as_declared, swapped, both, neither, _sentence(verdict, counts, points.system))


def suggest_plane(points: Coordinates, area: Bbox, *, among: Iterable[System] = tuple(PLANES)) -> tuple[System, ...]:
    """Return the planes on which at least nine tenths of the points, taken as metres (east, north), lie in the area.

    For points outside their declared plane: a zone prefix given or forgotten, or a neighbouring zone. 上海2000 comes first.
    """
    if len(points) == 0:
        return ()
    fitting = [
        system
        for system in among
        if np.count_nonzero(_in_area(Coordinates(points.x, points.y, system), area)) >= AGREEMENT * len(points)
    ]
    return tuple(fitting)


def _in_area(points: Coordinates, area: Bbox) -> BoolArray:
    held = inside(points)
    geographic = convert(Coordinates(points.x[held], points.y[held], points.system), System.CGCS2000)
    held[held] = area.holds(geographic.x, geographic.y)
    return held


def _verdict(as_declared: int, swapped: int, both: int, neither: int) -> AxisVerdict:
    total, decisive = as_declared + swapped + both + neither, as_declared + swapped
    if neither > total / 2:
        return AxisVerdict.ELSEWHERE
    # a stray point or two outside the area must not decide for thousands
    if decisive == 0 or decisive < DECISIVE_SHARE * total:
        return AxisVerdict.UNDECIDED
    if swapped >= AGREEMENT * decisive:
        return AxisVerdict.SWAPPED
    return AxisVerdict.AS_DECLARED if as_declared >= AGREEMENT * decisive else AxisVerdict.UNDECIDED


def _by_references(points: Coordinates, turned: Coordinates, references: Coordinates, usable: BoolArray) -> AxisVerdict:
    if np.count_nonzero(usable) < 3:
        return AxisVerdict.UNDECIDED
    there = Coordinates(references.x[usable], references.y[usable], references.system)
    straight, crossed = (
        float(np.median(np.hypot(*metres_between(Coordinates(way.x[usable], way.y[usable], way.system), there))))
        for way in (points, turned)
    )
    # a datum mistake leaves up to 1.2 km either way: only a clear difference counts
    if max(straight, crossed) < 3 * min(straight, crossed) + 100.0:
        return AxisVerdict.UNDECIDED
    return AxisVerdict.SWAPPED if crossed < straight else AxisVerdict.AS_DECLARED


def _sentence(verdict: AxisVerdict, counts: list[int], system: System) -> str:
    as_declared, swapped, both, neither = counts
    if verdict is AxisVerdict.SWAPPED:
        return (
            f"两列坐标很可能写反了：按声明的顺序有 {as_declared} 个点独在市内，对调后有 {swapped} 个。请改选坐标顺序。"
        )
    if verdict is AxisVerdict.AS_DECLARED:
        return f"坐标顺序与声明一致：{as_declared + both} 个点在市内。"
    if verdict is AxisVerdict.ELSEWHERE:
        return f"有 {neither} 个点无论怎样排列都不在市内，请检查坐标系、带号和单位。"
    origin = SHANGHAI_2000.name if system is System.SH2000 else system.label
    return (
        f"无法判断两列坐标是否写反：{both} 个点对调后仍在市内（{origin}原点附近无法检出对调）。"
        "请在文件中声明轴序；测绘成果通常 X 为北、Y 为东。"
    )
