"""Coordinates that know their system: one point, or many in arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from geo.crs.codes import System
from geo.crs.faults import NotFinite, OutOfRange, ShapeFault

FloatArray: TypeAlias = npt.NDArray[np.float64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Coordinate:
    """One point: x is longitude in degrees or easting in metres, y is latitude or northing, always in this order."""

    x: float
    y: float
    system: System


@dataclass(frozen=True, slots=True, eq=False)
class Coordinates:
    """Many points of one system in two float64 arrays of the same shape; x is longitude or easting, y latitude or northing.

    Raises ``ShapeFault`` when the arrays differ in shape. The arrays are not copied: treat them as read-only.
    """

    x: FloatArray
    y: FloatArray
    system: System

    def __post_init__(self) -> None:
        x, y = np.asarray(self.x, dtype=np.float64), np.asarray(self.y, dtype=np.float64)
        if x.shape != y.shape:
            raise ShapeFault(x.shape, y.shape)
        object.__setattr__(self, "x", x)
        object.__setattr__(self, "y", y)

    def __len__(self) -> int:
        return int(self.x.size)

    def __getitem__(self, row: int) -> Coordinate:
        return Coordinate(float(self.x.flat[row]), float(self.y.flat[row]), self.system)


@dataclass(frozen=True, slots=True)
class Bbox:
    """A box in degrees of CGCS2000 longitude and latitude, edges included."""

    west: float
    south: float
    east: float
    north: float

    def holds(self, x: FloatArray, y: FloatArray) -> BoolArray:
        """Say for each point whether it lies in the box; NaN does not."""
        return (x >= self.west) & (x <= self.east) & (y >= self.south) & (y <= self.north)

    def holds_all(self, x: FloatArray, y: FloatArray) -> bool:
        """Say whether every point lies in the box, without building a mask; an empty set does, NaN does not."""
        if x.size == 0:
            return True
        return bool(x.min() >= self.west and x.max() <= self.east and y.min() >= self.south and y.max() <= self.north)

    def widened(self, margin: float) -> Bbox:
        """Return the box grown by a margin on every side, in its own unit."""
        return Bbox(self.west - margin, self.south - margin, self.east + margin, self.north + margin)


def blank_outside(x: FloatArray, y: FloatArray, box: Bbox) -> tuple[FloatArray, FloatArray]:
    """Return the points with those outside the box replaced by NaN; the same arrays when there are none."""
    if box.holds_all(x, y):
        return x, y
    held = box.holds(x, y)
    return np.where(held, x, np.nan), np.where(held, y, np.nan)


def refuse_not_finite(x: FloatArray, y: FloatArray) -> None:
    """Raise ``NotFinite`` naming the rows that hold NaN or infinity."""
    bad = np.flatnonzero(~(np.isfinite(x) & np.isfinite(y)))
    if bad.size:
        raise NotFinite(
            "coordinates_not_finite",
            f"有 {bad.size} 个坐标不是有效数字，最先一个在第 {bad[0] + 1} 行，请补全或删除。",
            bad.tolist(),
            int(bad.size),
        )


def refuse_blanks(given: tuple[FloatArray, FloatArray], got: tuple[FloatArray, FloatArray], place: str) -> None:
    """Raise ``NotFinite`` for bad numbers given, ``OutOfRange`` for good ones that became NaN outside the named place."""
    # one sum is enough to notice a NaN, and far cheaper than a mask
    if not np.isnan(got[0].sum() + got[1].sum()):
        return
    refuse_not_finite(*given)
    rows = np.flatnonzero(np.isnan(got[0]) | np.isnan(got[1]))
    raise OutOfRange(
        "outside_system",
        f"有 {rows.size} 个点不在{place}的适用范围内（最先一个在第 {rows[0] + 1} 行），"
        "请检查坐标系、带号，以及经纬度或横纵坐标是否颠倒。",
        rows.tolist(),
        int(rows.size),
    )
