"""Files of shapes: GeoJSON and zipped Shapefiles. Every geometry passes the limits of ``geo.geometry`` before GEOS sees it."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Final

import numpy as np
import orjson
import shapely
from shapely.geometry.base import BaseGeometry

from geo.crs import System
from geo.errors import CityError
from geo.geometry import geometry_from_object, parse_wkb
from geo.imports.faults import SourceRefused
from geo.imports.readers.bytes import checked_zip, extract, file_bytes, members_of, text_of
from geo.imports.readers.dbf import told_encoding
from geo.imports.readers.reading import Reading

SHAPEFILE_ENDINGS: Final = (".shp", ".shx", ".dbf", ".prj", ".cpg")
_HEAD: Final = 100
_CODE, _VERSION = (9994).to_bytes(4, "big"), (1000).to_bytes(4, "little")
"""How a .shp and a .shx begin, and what they say at the 28th byte."""
_REASONS: Final = {
    "geometry_vertices": "too_many_vertices",
    "geometry_rings": "too_many_rings",
    "geometry_collection_depth": "too_deep",
    "geometry_body": "too_many_vertices",
    "geometry_type": "wrong_shape",
    "geometry_coordinates": "bad_position",
    "outside_system": "outside_system",
}


def read_geojson(path: Path, datum: System) -> Reading:
    """Read the features of a GeoJSON file, or the one feature or geometry it is; properties are the columns.

    A geometry that cannot be read is that row's fault.
    """
    text, encoding = text_of(file_bytes(path), path.name)
    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError as fault:
        cut = "unexpected end" in str(fault).lower()
        raise SourceRefused("file_truncated" if cut else "file_unreadable", path.name) from fault
    features = _features(data)
    if features is None:
        raise SourceRefused("file_unreadable", f"{path.name}，不是 GeoJSON")
    told = [feature if isinstance(feature, dict) else {} for feature in features]
    records = [dict(each["properties"]) if isinstance(each.get("properties"), dict) else {} for each in told]
    shapes, faults, corners = shapes_of_objects([each.get("geometry") for each in told], datum)
    columns = tuple(dict.fromkeys(name for record in records for name in record))
    return Reading(columns, records, shapes, encoding, faults, corners, _system_said(data))


def _features(data: Any) -> list[Any] | None:
    """Return the features a document of GeoJSON holds, whichever of its kinds it is; ``None`` for what is none of them."""
    if not isinstance(data, dict):
        return None
    if isinstance(data.get("features"), list):
        return list(data["features"])
    if data.get("type") == "Feature":
        return [data]
    return [{"geometry": data}] if "coordinates" in data or "geometries" in data else None


def _system_said(data: dict[str, Any]) -> str:
    """Return the name in the ``crs`` member, as GIS programs still write it."""
    member = data.get("crs")
    properties = member.get("properties") if isinstance(member, dict) else None
    return str(properties.get("name") or "")[:200] if isinstance(properties, dict) else ""


def read_shapefile(path: Path, datum: System, layer: str = "") -> Reading:
    """Read one layer of a zipped Shapefile (the only one when ``layer`` is ''), its text in UTF-8 or GB18030."""
    with checked_zip(path) as archive, tempfile.TemporaryDirectory(prefix="quantu-shp-") as folder:
        stem = _stem(archive, layer, path.name)
        for member in members_of(archive):
            inside = PurePosixPath(member.filename.replace("\\", "/"))
            if inside.stem == stem and inside.suffix.lower() in SHAPEFILE_ENDINGS:
                extract(archive, member, Path(folder))
        return _layer(Path(folder), stem, datum, path.name)


def shapefiles_in(archive: zipfile.ZipFile) -> list[str]:
    """Return the names of the Shapefiles in an archive."""
    names = (PurePosixPath(member.filename.replace("\\", "/")) for member in members_of(archive))
    return sorted({name.stem for name in names if name.suffix.lower() == ".shp"})


def _object(node: Any, datum: System) -> tuple[BaseGeometry | None, str]:
    try:
        return geometry_from_object(node, datum), ""
    except CityError as fault:
        return None, reason_of(fault)


def _corner(node: Any) -> tuple[float, float] | None:
    """Return the first two numbers of a GeoJSON geometry as written, None when it holds none."""
    at = node.get("coordinates") if isinstance(node, dict) else None
    for _ in range(4):  # a multipolygon holds its positions three lists deep
        if isinstance(at, list) and at and isinstance(at[0], list):
            at = at[0]
    if not isinstance(at, list) or len(at) < 2 or not all(isinstance(figure, int | float) for figure in at[:2]):
        return None
    return float(at[0]), float(at[1])


def _stem(archive: zipfile.ZipFile, layer: str, name: str) -> str:
    stems = shapefiles_in(archive)
    if layer in stems:
        return layer
    if layer or len(stems) != 1:
        raise SourceRefused("format_unknown", f"{name} 里的图层：{'、'.join(stems)[:120] or '无'}")
    return stems[0]


def _layer(folder: Path, stem: str, datum: System, name: str) -> Reading:
    from pyogrio.errors import DataLayerError, DataSourceError
    from pyogrio.raw import read

    tables = {found.suffix.lower(): found for found in folder.iterdir()}
    if not {".shp", ".dbf", ".shx"} <= set(tables):
        raise SourceRefused("file_truncated", f"{name} 缺少 .shp、.shx 或 .dbf")
    _check_heads(tables, name)
    encoding = told_encoding(tables[".dbf"], name)
    try:
        meta, _, wkb, fields = read(str(tables[".shp"]), encoding=encoding, force_2d=True)
    except (DataSourceError, DataLayerError, ValueError, RuntimeError) as fault:
        raise SourceRefused("file_unreadable", name) from fault
    names = tuple(str(column) for column in meta["fields"])
    records = [
        {column: _plain(values[at]) for column, values in zip(names, fields, strict=True)} for at in range(len(wkb))
    ]
    shapes, faults, corners = shapes_of(wkb, datum)
    return Reading(names, records, shapes, encoding.lower(), faults, corners, str(meta.get("crs") or "")[:4000])


def _check_heads(tables: Mapping[str, Path], name: str) -> None:
    """Refuse what only bears the ending: GDAL opens a file by its content, and some contents name other files and hosts."""
    for ending in (".shp", ".shx"):
        with tables[ending].open("rb") as file:
            head = file.read(_HEAD)
        if len(head) < _HEAD or head[:4] != _CODE or head[28:32] != _VERSION:
            raise SourceRefused("file_unreadable", name)


def shapes_of_objects(
    objects: Sequence[Any], datum: System
) -> tuple[list[BaseGeometry | None], dict[int, str], list[tuple[float, float]]]:
    """Return shapes, faults and corners of a ``Reading`` for GeoJSON geometries; ``None`` is an empty one."""
    made = [(None, "empty_shape") if node is None else _object(node, datum) for node in objects]
    corners = [corner for corner in map(_corner, objects) if corner]
    return [shape for shape, _ in made], {at: reason for at, (_, reason) in enumerate(made) if reason}, corners


def reason_of(fault: CityError) -> str:
    """Return the reason code of a geometry that was refused."""
    return _REASONS.get(fault.code, "invalid_shape")


def shapes_of(
    wkb: Sequence[bytes | None], datum: System
) -> tuple[list[BaseGeometry | None], dict[int, str], list[tuple[float, float]]]:
    """Return shapes, faults and corners of a ``Reading`` for the WKB of its records."""
    shapes: list[BaseGeometry | None] = []
    faults: dict[int, str] = {}
    corners: list[tuple[float, float]] = []
    for at, raw in enumerate(wkb):
        try:
            shapes.append(None if raw is None else parse_wkb(raw, datum))
        except CityError as fault:
            shapes.append(None)
            faults[at] = reason_of(fault)
        # what fails for its place alone, and what is read, has passed the limits
        if raw is not None and faults.get(at, "outside_system") == "outside_system":
            corners += [(float(x), float(y)) for x, y in shapely.get_coordinates(shapely.from_wkb(raw))[:1]]
    return shapes, faults, corners


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
