"""Between stored degrees, other systems and metres: conversion, the city's plane, and the ellipsoid."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import Geod
from shapely.geometry.base import BaseGeometry

from geo.crs import City, Coordinates, System, convert

Geometries = TypeVar("Geometries", BaseGeometry, npt.NDArray[np.object_])
FloatArray = npt.NDArray[np.float64]


def to_stored(geometry: Geometries, system: System) -> Geometries:
    """Return a geometry, or an array of them, given in ``system`` as CGCS2000 degrees."""
    return _convert(geometry, system, System.CGCS2000)


def from_stored(geometry: Geometries, system: System) -> Geometries:
    """Return a stored geometry, or an array of them, in another system."""
    return _convert(geometry, System.CGCS2000, system)


def polygons_of(geometry: BaseGeometry) -> list[BaseGeometry]:
    """Return the polygons of a geometry, collections opened, everything without area left out."""
    found = []
    waiting = [geometry]
    while waiting:
        each = waiting.pop()
        if each.is_empty:
            continue
        if each.geom_type == "Polygon":
            found.append(each)
        elif each.geom_type in ("MultiPolygon", "GeometryCollection"):
            waiting.extend(reversed(list(shapely.get_parts(each))))
    return found


def to_plane(geometry: Geometries, city: City) -> Geometries:
    """Project CGCS2000 degrees to metres (east, north) on the city's plane; raises ``OutOfRange`` far from the city."""
    return _transform(geometry, city.plane.forward)


def from_plane(geometry: Geometries, city: City) -> Geometries:
    """Return a geometry on the city's plane in CGCS2000 degrees."""
    return _transform(geometry, city.plane.inverse)


def length_m(geometry: BaseGeometry, city: City) -> float:
    """Return the length of a line, or the perimeter of an area, in metres on the city's plane."""
    return float(shapely.length(to_plane(geometry, city)))


def lengths_m(geometries: npt.NDArray[np.object_], city: City) -> FloatArray:
    """Return the lengths of many lines in metres on the city's plane."""
    return np.asarray(shapely.length(to_plane(geometries, city)), dtype=np.float64)


def area_m2(geometry: BaseGeometry, city: City) -> float:
    """Return the area in square metres on the city's plane."""
    return float(shapely.area(to_plane(geometry, city)))


def areas_m2(geometries: npt.NDArray[np.object_], city: City) -> FloatArray:
    """Return the areas of many geometries in square metres on the city's plane."""
    return np.asarray(shapely.area(to_plane(geometries, city)), dtype=np.float64)


def geodesic_length_m(geometry: BaseGeometry) -> float:
    """Return the length of a line on the ellipsoid of CGCS2000, in metres."""
    return float(_ellipsoid().geometry_length(geometry))


def geodesic_area_m2(geometry: BaseGeometry) -> float:
    """Return the area on the ellipsoid of CGCS2000 in square metres, rings in either direction."""
    if geometry.is_empty:
        return 0.0
    return sum(abs(_ellipsoid().geometry_area_perimeter(each)[0]) for each in _ringed(geometry))


def geodesic_distance_m(lon: float, lat: float, other_lon: float, other_lat: float) -> float:
    """Return the shortest distance between two points on the ellipsoid of CGCS2000, in metres."""
    return float(_ellipsoid().inv(lon, lat, other_lon, other_lat)[2])


@lru_cache(maxsize=1)
def _ellipsoid() -> Geod:
    return Geod(a=6378137.0, rf=298.257222101)


def _ringed(geometry: BaseGeometry) -> Iterator[BaseGeometry]:
    for polygon in polygons_of(geometry):
        yield shapely.geometry.polygon.orient(polygon)


def _convert(geometry: Geometries, source: System, to: System) -> Geometries:
    if source is to or {source, to} == {System.WGS84, System.CGCS2000}:
        # the same numbers; only their range is checked
        convert(_coordinates(geometry, source), to)
        return geometry

    def move(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        moved = convert(Coordinates(x, y, source), to)
        return moved.x, moved.y

    return _transform(geometry, move)


def _coordinates(geometry: Any, system: System) -> Coordinates:
    points = shapely.get_coordinates(geometry)
    return Coordinates(points[:, 0], points[:, 1], system)


def _transform(geometry: Geometries, move: Any) -> Geometries:
    moved: Geometries = shapely.transform(geometry, move, interleaved=False)
    return moved
