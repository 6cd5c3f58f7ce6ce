"""A ``bbox`` of four or six numbers as a shape in CGCS2000 degrees. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geo.crs import System
from geo.geometry import to_stored
from layers.filtering.crs import FilterCrs
from layers.filtering.faults import BadFilter

STEPS: Final = 9
"""Points on each edge of a box on a plane: straight lines there are curves in degrees."""


def box_shape(numbers: Sequence[Any], crs: FilterCrs) -> BaseGeometry:
    """Return the box of four numbers, or of six with heights, which are not looked at; in the declared order of the axes.

    In degrees a west greater than the east crosses the 180th meridian. Raises ``BadFilter`` and the errors of
    ``geo.crs.convert`` for what lies outside the system.
    """
    if len(numbers) not in (4, 6) or not all(_is_finite(one) for one in numbers):
        raise BadFilter("bbox_form", "范围（bbox）应是用英文逗号分开的 4 个数，带高程的是 6 个数。")
    half = len(numbers) // 2
    (x1, y1), (x2, y2) = (_ordered(numbers[at : at + 2], crs) for at in (0, half))
    if y1 > y2 or (x1 > x2 and not crs.system.is_geographic):
        raise BadFilter("bbox_order", "范围（bbox）的前一半应小于后一半，请核对坐标系的轴序。")
    if x1 <= x2:
        return _stored(x1, y1, x2, y2, crs.system)
    return shapely.union(_stored(x1, y1, 180.0, y2, crs.system), _stored(-180.0, y1, x2, y2, crs.system))


def _is_finite(number: Any) -> bool:
    return isinstance(number, int | float) and not isinstance(number, bool) and math.isfinite(number)


def _ordered(pair: Sequence[Any], crs: FilterCrs) -> tuple[float, float]:
    first, second = float(pair[0]), float(pair[1])
    return (second, first) if crs.swapped else (first, second)


def _stored(west: float, south: float, east: float, north: float, system: System) -> BaseGeometry:
    step = np.array([0.0, 1.0]) if system.is_geographic else np.linspace(0.0, 1.0, STEPS)
    x, y = west + (east - west) * step, south + (north - south) * step
    corners = [
        *((one, south) for one in x),
        *((east, one) for one in y[1:]),
        *((one, north) for one in x[-2::-1]),
        *((west, one) for one in y[-2:0:-1]),
    ]
    stored = to_stored(shapely.linestrings([*corners, corners[0]]), system)
    ring = shapely.get_coordinates(stored)
    if west == east and south == north:
        return shapely.points(ring[0])
    if west == east or south == north:
        return shapely.linestrings(ring[: len(ring) // 2 + 1])
    return shapely.polygons(ring)
