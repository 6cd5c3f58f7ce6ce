"""Conversion between any two systems, through geographic CGCS2000; and what must be said beside a converted result."""

from __future__ import annotations

from typing import Final, TypeVar

import numpy as np

from geo.crs import datums
from geo.crs.codes import System
from geo.crs.coordinates import Bbox, BoolArray, Coordinate, Coordinates, FloatArray, blank_outside, refuse_blanks
from geo.crs.planes import PLANES
from geo.crs.series import SEMI_MAJOR

Positions = TypeVar("Positions", Coordinate, Coordinates)

EARTH: Final = Bbox(-180.0, -90.0, 180.0, 90.0)
# The square world of web maps, with a hair for rounding
MERCATOR_LATITUDE: Final = 85.05112877980659
MERCATOR_EARTH: Final = Bbox(-180.0, -MERCATOR_LATITUDE, 180.0, MERCATOR_LATITUDE).widened(1e-9)
MERCATOR_PLANE: Final = Bbox(*(2 * (-np.pi * SEMI_MAJOR,) + 2 * (np.pi * SEMI_MAJOR,))).widened(0.01)
PLATE_MOTION: Final = "CGCS2000 固定在 2000.0 历元，与当前卫星定位结果相差约 0.7–0.9 米（板块运动），未作改正。"
SHIFTED: Final = "GCJ-02、BD-09 仅用于在持证地图上显示和跳转导航。"


def convert(coordinates: Positions, to: System) -> Positions:
    """Return the same position or positions in another system.

    WGS-84 and CGCS2000 are taken as identical. Raises ``NotFinite`` for NaN or infinity and ``OutOfRange`` for points where
    one of the systems is not defined, both naming the rows; an empty set gives an empty set.
    """
    if isinstance(coordinates, Coordinate):
        point = convert(Coordinates(np.array([coordinates.x]), np.array([coordinates.y]), coordinates.system), to)
        return point[0]
    given = (coordinates.x, coordinates.y)
    got = _convert(*given, coordinates.system, to)
    refuse_blanks(given, got, _place(coordinates.system, to))
    return Coordinates(*got, to)


def inside(coordinates: Coordinates, to: System = System.CGCS2000) -> BoolArray:
    """Say for each point whether ``convert(…, to)`` would accept it, so that an import can refuse single rows."""
    x, y = _convert(coordinates.x, coordinates.y, coordinates.system, to)
    return ~(np.isnan(x) | np.isnan(y))


def notes(source: System, to: System) -> tuple[str, ...]:
    """Return the Chinese sentences that must stand beside results converted from one system to another."""
    found = [f"{PLANES[system].name}：{PLANES[system].label}。" for system in (source, to) if system is System.SH2000]
    if System.WGS84 in (source, to) and source is not to:
        found.append(PLATE_MOTION)
    if {source, to} & {System.GCJ02, System.BD09}:
        found.append(SHIFTED)
    return tuple(dict.fromkeys(found))


def warm_up() -> None:
    """Compile every kernel, or load it from the cache, so that the first request does not wait."""
    for system in (System.SH2000, System.WEB_MERCATOR, System.BD09):
        convert(convert(Coordinate(121.47, 31.23, System.CGCS2000), system), System.CGCS2000)


def _convert(x: FloatArray, y: FloatArray, source: System, to: System) -> tuple[FloatArray, FloatArray]:
    """Convert arrays; NaN where a system is not defined."""
    if source is System.GCJ02 and to is System.BD09:
        return datums.baidu_from_gcj(x, y)
    if source is System.BD09 and to is System.GCJ02:
        return datums.gcj_from_baidu(x, y)
    lon, lat = _to_geographic(x, y, source)
    if source is to:
        defined = ~np.isnan(lon)
        return np.where(defined, x, np.nan), np.where(defined, y, np.nan)
    return _from_geographic(lon, lat, to)


def _to_geographic(x: FloatArray, y: FloatArray, source: System) -> tuple[FloatArray, FloatArray]:
    if source is System.GCJ02:
        return datums.wgs_from_gcj(x, y)
    if source is System.BD09:
        return datums.wgs_from_gcj(*datums.gcj_from_baidu(x, y))
    if source is System.WEB_MERCATOR:
        return _mercator(*blank_outside(x, y, MERCATOR_PLANE), forward=False)
    if source in PLANES:
        return PLANES[source].unproject(x, y)
    return blank_outside(x, y, EARTH)


def _from_geographic(lon: FloatArray, lat: FloatArray, to: System) -> tuple[FloatArray, FloatArray]:
    if to is System.GCJ02:
        return datums.gcj_from_wgs(lon, lat)
    if to is System.BD09:
        return datums.baidu_from_gcj(*datums.gcj_from_wgs(lon, lat))
    if to is System.WEB_MERCATOR:
        return _mercator(*blank_outside(lon, lat, MERCATOR_EARTH), forward=True)
    if to in PLANES:
        return PLANES[to].project(lon, lat)
    return lon.copy(), lat.copy()


def _mercator(x: FloatArray, y: FloatArray, *, forward: bool) -> tuple[FloatArray, FloatArray]:
    from geo.crs import kernels

    out_x, out_y = np.empty(x.size), np.empty(x.size)
    kernel = kernels.mercator_forward if forward else kernels.mercator_inverse
    kernel(np.ascontiguousarray(x).reshape(-1), np.ascontiguousarray(y).reshape(-1), out_x, out_y, SEMI_MAJOR)
    return out_x.reshape(x.shape), out_y.reshape(x.shape)


def _place(source: System, to: System) -> str:
    return f"“{source.label}”" if source is to else f"“{source.label}”或“{to.label}”"
