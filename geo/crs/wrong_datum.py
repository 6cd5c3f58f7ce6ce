"""Recognising points in the wrong datum: GCJ-02 or BD-09 shows as one constant offset against places known to be right.

Two kinds of evidence: the same places by name (row by row), or a dense network that the points should hug, such as roads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from geo.crs import datums
from geo.crs.codes import System
from geo.crs.coordinates import BoolArray, Coordinates, FloatArray
from geo.crs.faults import ShapeFault
from geo.crs.series import SEMI_MAJOR
from geo.crs.transform import convert, inside

MINIMUM_PAIRS: Final = 5
MINIMUM_NEIGHBOURS: Final = 30
TOLERANCE_M: Final = 60.0
"""Two honest sources place the same kindergarten or gate this far apart without being wrong."""
TOO_VAGUE_M: Final = 150.0
COVERED_M: Final = 250.0
"""A point counts against a network only where every reading of it has a line this near: gaps of the network say nothing."""
STANDS_OUT: Final = 0.5
"""Points hug a network in the one reading whose distance is at most this share of every other reading's."""


class DatumVerdict(StrEnum):
    """What the detector concludes."""

    AS_DECLARED = "as_declared"
    OTHER_DATUM = "other_datum"
    CORRECTED_TWICE = "corrected_twice"
    UNKNOWN_OFFSET = "unknown_offset"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Reading:
    """What the points would be under one assumption: their common offset from the references, and what remains, in metres."""

    name: str
    offset_m: float
    east_m: float
    north_m: float
    spread_m: float


@dataclass(frozen=True, slots=True)
class DatumFinding:
    """The verdict with its evidence; ``likely`` is the datum the file is probably in, None where no single one explains it."""

    verdict: DatumVerdict
    likely: System | None
    count: int
    readings: tuple[Reading, ...]
    sentence: str

    @property
    def as_declared(self) -> Reading | None:
        """Return the evidence for the declared system, None when nothing could be compared."""
        return next((reading for reading in self.readings if reading.name == "declared"), None)


Undo = Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]


def _undo_baidu(lon: FloatArray, lat: FloatArray) -> tuple[FloatArray, FloatArray]:
    return datums.wgs_from_gcj(*datums.gcj_from_baidu(lon, lat))


def _redo_baidu(lon: FloatArray, lat: FloatArray) -> tuple[FloatArray, FloatArray]:
    return datums.baidu_from_gcj(*datums.gcj_from_wgs(lon, lat))


# How to reach the true place when the numbers of the file are ... A "corrected" file was right until someone took a shift
# off it that it never had.
_READINGS: Final[dict[str, Undo]] = {
    "wgs84": lambda lon, lat: (lon, lat),
    "gcj02": datums.wgs_from_gcj,
    "bd09": _undo_baidu,
    "gcj02_corrected": datums.gcj_from_wgs,
    "bd09_corrected": _redo_baidu,
}


def detect_datum(points: Coordinates, references: Coordinates) -> DatumFinding:
    """Compare points with references of the same places, row by row, and name the datum that explains a constant offset.

    Both may be in any system. Medians are used, so up to a third of the pairs may be false. Raises ``ShapeFault`` when the
    two sets differ in length. Needs 5 pairs; fewer, or pairs too scattered, give ``undecided``.
    """
    if len(points) != len(references):
        raise ShapeFault(points.x.shape, references.x.shape)
    usable = _comparable(points) & _comparable(references)
    there = convert(Coordinates(references.x[usable], references.y[usable], references.system), System.CGCS2000)
    count = int(np.count_nonzero(usable))
    if count < MINIMUM_PAIRS:
        return _undecided(count, f"可比较的地点只有 {count} 对，至少需要 {MINIMUM_PAIRS} 对，无法判断坐标系。")
    readings = tuple(
        _reading(name, taken, there)
        for name, taken in _taken_as(Coordinates(points.x[usable], points.y[usable], points.system)).items()
    )
    return _judge(readings, count, points.system)


def detect_datum_by_network(points: Coordinates, network: Coordinates) -> DatumFinding:
    """Compare points with a network they should hug (vertices of roads, at most some 30 m apart), by nearest distance.

    Weaker than ``detect_datum``: needs 30 points in places where the network has no gaps, and only a reading that stands out
    against all others decides. Points that hug no road in any reading, such as the middles of estates, which keep away from
    roads in the right one, are ``undecided``. ``offset_m`` of each reading is the median distance to the network; ``east_m``
    and ``north_m`` are 0.
    """
    from scipy.spatial import cKDTree

    usable = _comparable(points)
    if np.count_nonzero(usable) < MINIMUM_NEIGHBOURS or len(network) == 0:
        return _too_few(int(np.count_nonzero(usable)))
    lines = convert(network, System.CGCS2000)
    middle = float(np.median(lines.x)), float(np.median(lines.y))
    tree = cKDTree(np.column_stack(_flat_metres(lines, middle)))
    distances = {
        name: np.asarray(tree.query(np.column_stack(_flat_metres(taken, middle)))[0])
        for name, taken in _taken_as(Coordinates(points.x[usable], points.y[usable], points.system)).items()
    }
    covered = np.max(list(distances.values()), axis=0) <= COVERED_M
    if np.count_nonzero(covered) < MINIMUM_NEIGHBOURS:
        return _too_few(int(np.count_nonzero(covered)))
    return _judge_distances({name: far[covered] for name, far in distances.items()}, points.system)


def _judge_distances(distances: dict[str, FloatArray], system: System) -> DatumFinding:
    declared = distances["declared"]
    count = len(declared)
    readings = tuple(
        Reading(name, float(np.median(far)), 0.0, 0.0, float(np.median(np.abs(far - np.median(far)))))
        for name, far in distances.items()
    )
    # the declared system is among the named readings too, unless it is a plane
    rivals = [each for each in readings if each.name == "declared" or not _same_place(each.name, system)]
    best = min(rivals, key=lambda reading: reading.offset_m)
    others = [each.offset_m for each in rivals if each is not best]
    wins = float(np.count_nonzero(distances[best.name] < declared))
    clear = best.offset_m <= STANDS_OUT * min(others)
    if clear and best.name == "declared":
        sentence = f"{count} 个点距道路中位 {best.offset_m:.0f} 米，与声明的坐标系相符。"
        return DatumFinding(DatumVerdict.AS_DECLARED, system, count, readings, sentence)
    if not clear or (2 * wins - count) / count**0.5 < 4.0:
        return _undecided(count, "各种坐标系下到道路的距离相差不大，无法判断坐标系。", readings)
    verdict, likely = _meaning(best.name)
    return DatumFinding(
        verdict,
        likely,
        count,
        readings,
        f"{count} 个点与道路相比，按声明的坐标系距离中位 {np.median(declared):.0f} 米；{_assumption(best.name)}则为 "
        f"{best.offset_m:.0f} 米，{wins / count:.0%} 的点更近。{_advice(best.name)}",
    )


def _too_few(count: int) -> DatumFinding:
    return _undecided(count, f"可比较的点只有 {count} 个，至少需要 {MINIMUM_NEIGHBOURS} 个，无法判断坐标系。")


def metres_between(points: Coordinates, references: Coordinates) -> tuple[FloatArray, FloatArray]:
    """Return how far east and north of its reference each point lies, in metres; any systems, good to 1 % within 10 km."""
    here, there = convert(points, System.CGCS2000), convert(references, System.CGCS2000)
    north = np.radians(here.y - there.y) * SEMI_MAJOR
    east = np.radians(here.x - there.x) * SEMI_MAJOR * np.cos(np.radians(there.y))
    return east, north


def _taken_as(points: Coordinates) -> dict[str, Coordinates]:
    """Return where the points would be as declared, and if their numbers were of each other datum."""
    declared = convert(points, System.CGCS2000)
    # numbers on a plane: the mistake was made before somebody projected them
    raw = points if points.system.is_geographic else declared
    taken = {"declared": declared}
    for name, undo in _READINGS.items():
        lon, lat = undo(raw.x, raw.y)
        taken[name] = Coordinates(lon, lat, System.CGCS2000)
    return taken


def _comparable(points: Coordinates) -> BoolArray:
    """Say which points lie so far inside the mainland that every reading of them does too."""
    found = inside(points)
    here = convert(Coordinates(points.x[found], points.y[found], points.system), System.CGCS2000)
    found[found] = datums.MAINLAND.widened(-0.1).holds(here.x, here.y)
    return found


def _reading(name: str, taken: Coordinates, there: Coordinates) -> Reading:
    east, north = metres_between(taken, there)
    middle_east, middle_north = float(np.median(east)), float(np.median(north))
    spread = float(np.median(np.hypot(east - middle_east, north - middle_north)))
    return Reading(name, float(np.hypot(middle_east, middle_north)), middle_east, middle_north, spread)


def _judge(readings: tuple[Reading, ...], count: int, system: System) -> DatumFinding:
    declared = readings[0]
    best = min(readings[1:], key=lambda reading: reading.offset_m)
    # how far chance alone may carry a median of this many scattered pairs
    doubt = 3.0 * declared.spread_m / count**0.5
    if doubt > TOO_VAGUE_M:
        return _undecided(count, f"各点离散 {declared.spread_m:.0f} 米，过于分散，无法判断坐标系。", readings)
    evidence = (
        f"与 {count} 个同名地点相比，整体向{_direction(declared)}偏 {declared.offset_m:.0f} 米，"
        f"各点离散 {declared.spread_m:.0f} 米"
    )
    if declared.offset_m <= max(TOLERANCE_M, doubt):
        return DatumFinding(
            DatumVerdict.AS_DECLARED, system, count, readings, f"{evidence}，在正常范围内，与声明的坐标系相符。"
        )
    if best.offset_m <= max(TOLERANCE_M, doubt) and best.offset_m < declared.offset_m / 3:
        verdict, likely = _meaning(best.name)
        told = f"{evidence}；{_assumption(best.name)}，偏移降为 {best.offset_m:.0f} 米。{_advice(best.name)}"
        return DatumFinding(verdict, likely, count, readings, told)
    return DatumFinding(
        DatumVerdict.UNKNOWN_OFFSET,
        None,
        count,
        readings,
        f"{evidence}，但不符合 GCJ-02（约 476 米）或 BD-09（约 1124 米）的规律，请核对数据来源和坐标系。",
    )


def _undecided(count: int, sentence: str, readings: tuple[Reading, ...] = ()) -> DatumFinding:
    return DatumFinding(DatumVerdict.UNDECIDED, None, count, readings, sentence)


def _meaning(name: str) -> tuple[DatumVerdict, System | None]:
    if name.endswith("_corrected"):
        return DatumVerdict.CORRECTED_TWICE, None
    return DatumVerdict.OTHER_DATUM, System(name)


def _same_place(name: str, system: System) -> bool:
    return name == ("wgs84" if system is System.CGCS2000 else system)


def _assumption(name: str) -> str:
    if name.endswith("_corrected"):
        return f"假定它本是 WGS-84，却被当作 {_short(name)} 改正过"
    return f"按 {_short(name)} 解释"


def _advice(name: str) -> str:
    if name.endswith("_corrected"):
        return f"该文件很可能多做了一次 {_short(name)} 改正，请向提供方索取原始坐标。"
    return f"该文件很可能是 {_short(name)} 坐标，请改选坐标系后重新导入。"


def _short(name: str) -> str:
    return {"wgs84": "WGS-84", "gcj02": "GCJ-02", "bd09": "BD-09"}[name.removesuffix("_corrected")]


def _direction(reading: Reading) -> str:
    names = ("东", "东北", "北", "西北", "西", "西南", "南", "东南")
    return names[round(np.degrees(np.arctan2(reading.north_m, reading.east_m)) / 45.0) % 8]


def _flat_metres(points: Coordinates, middle: tuple[float, float]) -> tuple[FloatArray, FloatArray]:
    east = np.radians(points.x - middle[0]) * SEMI_MAJOR * np.cos(np.radians(middle[1]))
    return east, np.radians(points.y - middle[1]) * SEMI_MAJOR
