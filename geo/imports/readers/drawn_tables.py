"""Tables whose rows are shapes: a column of WKT, or longitude and latitude of a point."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from shapely.geometry.base import BaseGeometry

from geo.crs import System
from geo.errors import CityError
from geo.geometry import geometry_from_object, parse_wkt
from geo.imports.readers.reading import Reading
from geo.imports.readers.shapes import reason_of
from geo.imports.readers.tables import read_csv, read_xlsx

WKT: Final = ("wkt", "图形", "图形wkt", "几何", "geometry", "geom", "the_geom", "shape")
LON: Final = ("经度", "圆心经度", "中心经度", "lon", "lng", "longitude", "x", "东坐标", "横坐标")
LAT: Final = ("纬度", "圆心纬度", "中心纬度", "lat", "latitude", "y", "北坐标", "纵坐标")
ADDRESSES: Final = ("地址", "详细地址", "地点", "坐落", "address", "addr")


def read_drawn_csv(path: Path, datum: System) -> Reading:
    """Read a CSV file of shapes. A shape that cannot be read is that row's fault."""
    return _with_shapes(read_csv(path, _is_head), datum)


def read_drawn_xlsx(path: Path, datum: System, sheet: str = "") -> Reading:
    """Read a sheet of shapes, as ``read_drawn_csv`` does."""
    return _with_shapes(read_xlsx(path, sheet, _is_head), datum)


def _is_head(cells: Sequence[Any]) -> bool:
    """Say whether a row says where things are: by a shape, by an address, or by both figures of a position."""
    words = {str(cell).strip().lower() for cell in cells}
    return not words.isdisjoint((*WKT, *ADDRESSES)) or not (words.isdisjoint(LON) or words.isdisjoint(LAT))


def _with_shapes(reading: Reading, datum: System) -> Reading:
    named = {name.strip().lower(): name for name in reversed(reading.columns)}
    # a column without a name, where people write notes, is none of them
    wkt, lon, lat = (next((named[word] for word in words if word in named), None) for words in (WKT, LON, LAT))
    shapes: list[BaseGeometry | None] = []
    faults = dict(reading.faults)
    corners: list[tuple[float, float]] = []
    for at, record in enumerate(reading.records):
        text = str(record.get(wkt) or "").strip() if wkt else ""
        place = (record.get(lon, ""), record.get(lat, "")) if lon and lat and not text else ("", "")
        shape, reason = _shape(text, place, datum)
        shapes.append(shape)
        corners += _corner(text, place)
        if reason:
            faults.setdefault(at, reason)
    columns = [name for name in reading.columns if name and name != wkt]
    records: Sequence[dict[str, Any]] = [{name: record.get(name) for name in columns} for record in reading.records]
    return replace(reading, columns=tuple(columns), records=records, shapes=shapes, faults=faults, corners=corners)


def _shape(text: str, place: tuple[Any, Any], datum: System) -> tuple[BaseGeometry | None, str]:
    try:
        if text:
            return parse_wkt(text, datum), ""
        if all(str(figure).strip() == "" or figure is None for figure in place):
            return None, "empty_shape"
        at = [float(figure) for figure in place]
        return geometry_from_object({"type": "Point", "coordinates": at}, datum), ""
    except CityError as fault:
        return None, reason_of(fault)
    except (TypeError, ValueError):
        return None, "bad_position"


def _corner(text: str, place: tuple[Any, Any]) -> list[tuple[float, float]]:
    """Return the first position as it is written, where there is one."""
    figures = text.rpartition("(")[2].partition(",")[0].partition(")")[0].split()[:2] if text else list(place)
    try:
        x, y = (float(figure) for figure in figures)
    except (TypeError, ValueError):
        return []
    return [(x, y)] if math.isfinite(x + y) else []
