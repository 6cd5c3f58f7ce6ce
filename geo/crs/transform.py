"""Conversion between any two systems, through geographic CGCS2000; and what must be said beside a converted result."""

from __future__ import annotations

from typing import Final, TypeVar

import numpy as np

from geo.crs import datums
from geo.crs.codes import System
from geo.crs.coordinates import Bbox, Coordinate, Coordinates, FloatArray, refuse_not_finite
from geo.crs.faults import OutOfRange
from geo.crs.planes import PLANES
from geo.crs.series import SEMI_MAJOR

Positions = TypeVar("Positions", Coordinate, Coordinates)

EARTH: Final = Bbox(-180.0, -90.0, 180.0, 90.0)
MERCATOR_EDGE: Final = 20037508.342789244
MERCATOR_EARTH: Final = Bbox(-180.0, -85.06, 180.0, 85.06)
MERCATOR_PLANE: Final = Bbox(-MERCATOR_EDGE - 1e-6, -20048966.2, MERCATOR_EDGE + 1e-6, 20048966.2)
PLATE_MOTION: Final = "CGCS2000 固定在 2000.0 历元，与当前卫星定位结果相差约 0.7–0.9 米（板块运动），未作改正。"
SHIFTED: Final = "GCJ-02、BD-09 仅用于在持证地图上显示和跳转导航。"


def convert(coordinates: Positions, to: System) -> Positions:
    """Return the same position or positions in another system.

    WGS-84 and CGCS2000 are taken as identical. Raises ``NotFinite`` for NaN or infinity and ``OutOfRange`` for points where
    one of the systems is not defined, both naming the rows; an empty set gives an empty set.
    """
    if isinstance(coordinates, Coordinate):
        x, y = _convert(np.array([coordinates.x]), np.array([coordinates.y]), coordinates.system, to)
        return Coordinate(float(x[0]), float(y[0]), to)
    x, y = _convert(coordinates.x, coordinates.y, coordinates.system, to)
    return Coordinates(x, y, to)


def notes(source: System, to: System) -> tuple[str, ...]:
    """Return the Chinese sentences that must stand beside results converted from one system to another."""
    found = [f"{PLANES[system].name}：{PLANES[system].label}" for system in (source, to) if system is System.SH2000]
    if System.WGS84 in (source, to) and source is not to:
        found.append(PLATE_MOTION)
    if {source, to} & {System.GCJ02, System.BD09}:
        found.append(SHIFTED)
    return tuple(dict.fromkeys(found))


def inside(coordinates: Coordinates) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Say for each point whether its own system is defined there, so that an import can refuse single rows."""
    system = coordinates.system
    if system in PLANES:
        box = PLANES[system].plane_bounds
    elif system is System.WEB_MERCATOR:
        box = MERCATOR_PLANE
    else:
        box = datums.MAINLAND if system in (System.GCJ02, System.BD09) else EARTH
    return box.holds(coordinates.x, coordinates.y)


def warm_up() -> None:
    """Compile every kernel, or load it from the cache, so that the first request does not wait."""
    for system in (System.SH2000, System.WEB_MERCATOR, System.BD09):
        there = _convert(np.array([121.47]), np.array([31.23]), System.CGCS2000, system)
        _convert(*there, system, System.CGCS2000)


def _convert(x: FloatArray, y: FloatArray, source: System, to: System) -> tuple[FloatArray, FloatArray]:
    if source is System.GCJ02 and to is System.BD09:
        return datums.baidu_from_gcj(x, y)
    if source is System.BD09 and to is System.GCJ02:
        return datums.gcj_from_baidu(x, y)
    if source is to:
        _refuse_outside(x, y, EARTH if source.is_geographic else PLANES_AT_LARGE)
        return x.copy(), y.copy()
    return _from_geographic(*_to_geographic(x, y, source), to)


PLANES_AT_LARGE: Final = Bbox(-1e9, -1e9, 1e9, 1e9)


def _to_geographic(x: FloatArray, y: FloatArray, source: System) -> tuple[FloatArray, FloatArray]:
    if source is System.GCJ02:
        return datums.wgs_from_gcj(x, y)
    if source is System.BD09:
        return datums.wgs_from_gcj(*datums.gcj_from_baidu(x, y))
    if source is System.WEB_MERCATOR:
        return _mercator(x, y, forward=False)
    if source in PLANES:
        return PLANES[source].inverse(x, y)
    _refuse_outside(x, y, EARTH)
    return x, y


def _from_geographic(lon: FloatArray, lat: FloatArray, to: System) -> tuple[FloatArray, FloatArray]:
    if to is System.GCJ02:
        return datums.gcj_from_wgs(lon, lat)
    if to is System.BD09:
        return datums.baidu_from_gcj(*datums.gcj_from_wgs(lon, lat))
    if to is System.WEB_MERCATOR:
        return _mercator(lon, lat, forward=True)
    if to in PLANES:
        return PLANES[to].forward(lon, lat)
    return lon.copy(), lat.copy()


def _mercator(x: FloatArray, y: FloatArray, *, forward: bool) -> tuple[FloatArray, FloatArray]:
    from geo.crs import kernels

    _refuse_outside(x, y, MERCATOR_EARTH if forward else MERCATOR_PLANE)
    out_x, out_y = np.empty(x.size), np.empty(x.size)
    kernel = kernels.mercator_forward if forward else kernels.mercator_inverse
    kernel(np.ascontiguousarray(x).reshape(-1), np.ascontiguousarray(y).reshape(-1), out_x, out_y, SEMI_MAJOR)
    return out_x.reshape(x.shape), out_y.reshape(x.shape)


def _refuse_outside(x: FloatArray, y: FloatArray, box: Bbox) -> None:
    if box.holds_all(x, y):
        return
    refuse_not_finite(x, y)
    rows = np.flatnonzero(~box.holds(x, y)).tolist()
    raise OutOfRange(
        "outside_system",
        f"有 {len(rows)} 个坐标超出坐标系范围，最先一个在第 {rows[0] + 1} 行。请检查坐标系，以及经纬度或横纵坐标是否颠倒。",
        rows,
        len(rows),
    )
