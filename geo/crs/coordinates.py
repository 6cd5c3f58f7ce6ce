"""Coordinates that know their system: one point, or many in arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from geo.crs.codes import System
from geo.crs.faults import NotFinite, ShapeFault

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
        """Say whether every point lies in the box, without building a mask; an empty set does."""
        if x.size == 0:
            return True
        return bool(x.min() >= self.west and x.max() <= self.east and y.min() >= self.south and y.max() <= self.north)


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
