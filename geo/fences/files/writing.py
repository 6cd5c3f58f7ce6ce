"""Drawn areas into files people take elsewhere: GeoJSON, GeoPackage, zipped Shapefile, KML, CSV with WKT, in any system.

Every row says its system in the column 坐标系, so the file tells when it comes back. Text holds degrees to 0.1 mm and metres to
0.1 mm, binary files whole figures. What is said of an area are texts, by column.
"""

from __future__ import annotations

import csv
import io
import re
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import orjson
import shapely
from shapely.geometry.base import BaseGeometry

from geo.crs import PLANES, System, notes
from geo.crs.series import INVERSE_FLATTENING, SEMI_MAJOR
from geo.errors import BadInput
from geo.geometry import feature_collection, from_stored, polygons_of
from geo.imports.guessing import COLUMN
from geo.spreadsheets import BOM, plain_cell

DEGREE_DECIMALS: Final = 9
METRE_DECIMALS: Final = 4
PRECISION: Final = "经纬度写到 9 位小数，平面坐标写到 0.1 毫米；文件换回来与原来相差不到 1 毫米。"
OPTIONAL: Final = "画法参数"
"""The column that may stay out of a file that has no room for it: the shape says enough."""
_DBF_BYTES: Final = 254
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class FileFormat:
    """A format of files: its key in addresses, what it is called, its ending and its media type."""

    key: str
    name: str
    ending: str
    media: str


FORMATS: Final = (
    FileFormat("geojson", "GeoJSON", "geojson", "application/geo+json"),
    FileFormat("gpkg", "GeoPackage", "gpkg", "application/geopackage+sqlite3"),
    FileFormat("shp", "Shapefile（zip）", "zip", "application/zip"),
    FileFormat("kml", "KML", "kml", "application/vnd.google-earth.kml+xml"),
    FileFormat("csv", "CSV（WKT）", "csv", "text/csv; charset=utf-8"),
)
SHORT: Final = {
    System.WGS84: "WGS84", System.CGCS2000: "CGCS2000", System.GCJ02: "GCJ02", System.BD09: "BD09", System.SH2000: "上海2000",
}  # fmt: skip
"""The systems that areas are written in, as they are called in names of files."""
_BY_KEY: Final = {each.key: each for each in FORMATS}


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file to take away: its name, its media type, its content."""

    name: str
    media: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Leaving:
    """An area on its way into a file: what is said of it by column, the name first, and its shape in CGCS2000 degrees."""

    said: Mapping[str, str]
    shape: BaseGeometry


def format_of(key: str) -> FileFormat:
    """Return a format by its key. Raises ``BadInput`` that names them all."""
    found = _BY_KEY.get(key)
    if found is None:
        known = "、".join(_BY_KEY)
        raise BadInput("file_format_unknown", f"没有这种格式，请用：{known}。", parameter="format")
    return found


def system_of(crs: str) -> System:
    """Return a system that areas are written in. Raises ``BadInput`` that names them all."""
    system = System.parse(crs)
    if system not in SHORT:
        raise BadInput("datum_unknown", f"请用这几种坐标系：{'、'.join(SHORT)}。", parameter="crs")
    return system


def written_file(areas: Sequence[Leaving], *, format: str, crs: str, title: str) -> WrittenFile:
    """Return areas as a file named by its title and its system. Raises what ``format_of``, ``system_of`` and writing raise."""
    kind, system = format_of(format), system_of(crs)
    name = f"{title.replace(' ', '')}-{SHORT[system]}.{kind.ending}"
    return WrittenFile(name, kind.media, write_areas(areas, format=kind, system=system, title=title))


def write_areas(areas: Sequence[Leaving], *, format: FileFormat, system: System, title: str) -> bytes:
    """Return a file of areas. ``title`` names its layer. Raises ``BadInput`` for what the format has no room for."""
    rows = [{**each.said, COLUMN: system.label} for each in areas]
    moved = from_stored(np.array([each.shape for each in areas], dtype=object), system) if areas else np.array([])
    if format.key == "gpkg":
        return _geopackage(rows, moved, system, title)
    if format.key == "shp":
        return _shapefile(rows, moved, system, title)
    decimals = DEGREE_DECIMALS if system.is_geographic else METRE_DECIMALS
    short = shapely.transform(moved, lambda places: np.round(places, decimals)) if len(moved) else moved
    text = {"geojson": _geojson, "kml": _kml, "csv": _csv}[format.key]
    return text(rows, short, system, title)


def told_of(system: System) -> list[str]:
    """Return the sentences that go with files in a system."""
    return [f"坐标系：{system.label}。", PRECISION, *notes(System.CGCS2000, system)]


def _geojson(rows: Sequence[Mapping[str, str]], shapes: Any, system: System, title: str) -> bytes:
    features = [
        {"type": "Feature", "geometry": orjson.loads(shapely.to_geojson(shape)), "properties": row}
        for row, shape in zip(rows, shapes, strict=True)
    ]
    return orjson.dumps({**feature_collection(features), "name": title})


def _csv(rows: Sequence[Mapping[str, str]], shapes: Any, system: System, title: str) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([*(rows[0] if rows else ()), "WKT"])
    for row, shape in zip(rows, shapes, strict=True):
        writer.writerow([*map(plain_cell, row.values()), shapely.to_wkt(shape, rounding_precision=-1)])
    return (BOM + out.getvalue()).encode()


def _kml(rows: Sequence[Mapping[str, str]], shapes: Any, system: System, title: str) -> bytes:
    marks = []
    for row, shape in zip(rows, shapes, strict=True):
        (name, *_), data = row.values(), list(row.items())[1:]
        told = "".join(f"<Data name={quoteattr(key)}><value>{_xml(value)}</value></Data>" for key, value in data)
        drawn = "".join(map(_kml_polygon, polygons_of(shape)))
        marks.append(
            f"<Placemark><name>{_xml(name)}</name><ExtendedData>{told}</ExtendedData>"
            f"<MultiGeometry>{drawn}</MultiGeometry></Placemark>"
        )
    said = _xml(" ".join(told_of(system)))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2"><Document>'
        f"<name>{_xml(title)}</name><description>{said}</description>{''.join(marks)}</Document></kml>"
    ).encode()


def _kml_polygon(polygon: BaseGeometry) -> str:
    outer, *inner = (_kml_ring(ring) for ring in (polygon.exterior, *polygon.interiors))
    holes = "".join(f"<innerBoundaryIs>{ring}</innerBoundaryIs>" for ring in inner)
    return f"<Polygon><outerBoundaryIs>{outer}</outerBoundaryIs>{holes}</Polygon>"


def _kml_ring(ring: BaseGeometry) -> str:
    places = " ".join(f"{x!r},{y!r}" for x, y in shapely.get_coordinates(ring).tolist())
    return f"<LinearRing><coordinates>{places}</coordinates></LinearRing>"


def _xml(text: str) -> str:
    return escape(_CONTROL.sub("", text))


def _geopackage(rows: Sequence[Mapping[str, str]], shapes: Any, system: System, title: str) -> bytes:
    columns = {name: [row[name] for row in rows] for name in (rows[0] if rows else ())}
    with tempfile.TemporaryDirectory(prefix="quantu-areas-") as folder:
        path = Path(folder) / "areas.gpkg"
        _written(path, columns, shapes, system, driver="GPKG", layer=_CONTROL.sub("", title)[:60] or "areas")
        return path.read_bytes()


def _shapefile(rows: Sequence[Mapping[str, str]], shapes: Any, system: System, title: str) -> bytes:
    names = list(rows[0]) if rows else []
    columns = {
        short: [_fitting(name, row[name]) for row in rows]
        for name, short in zip(names, short_names(names), strict=True)
    }
    packed = io.BytesIO()
    with tempfile.TemporaryDirectory(prefix="quantu-areas-") as folder:
        _written(Path(folder) / "areas.shp", columns, shapes, system, driver="ESRI Shapefile", encoding="UTF-8")
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(Path(folder).iterdir()):
                archive.write(path, path.name)
            archive.writestr("说明.txt", BOM + "\r\n".join([title, *told_of(system)]))
    return packed.getvalue()


def _written(path: Path, columns: Mapping[str, list[str]], shapes: Any, system: System, **more: Any) -> None:
    from pyogrio.raw import write

    values = [np.array(cells, dtype=object) for cells in columns.values()]
    write(
        path, shapely.to_wkb(shapes), values, list(columns), geometry_type="MultiPolygon", crs=_definition(system), **more
    )  # fmt: skip


def _definition(system: System) -> str:
    """Return what a program of others is told of a system: its number, or a definition that bears its name."""
    if system is System.SH2000:
        return PLANES[system].spatial_reference().srtext
    if system.srid is not None:
        return f"EPSG:{system.srid}"
    name = system.label.partition(" ")[0]
    return (
        f'GEOGCS["{name}",DATUM["{name}",SPHEROID["CGCS2000",{SEMI_MAJOR!r},{INVERSE_FLATTENING!r}]],'
        'PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]]'
    )


def short_names(names: Sequence[str]) -> list[str]:
    """Return columns by the ten bytes that a Shapefile has for a name: as many whole signs as fit, told apart by a figure."""
    short: list[str] = []
    for name in names:
        plain = name.encode()[:10].decode(errors="ignore")
        tries = (plain, *(f"{name.encode()[:9].decode(errors='ignore')}{at}" for at in range(1, 10)))
        short.append(next(each for each in tries if each not in short))
    return short


def _fitting(name: str, cell: str) -> str:
    if len(cell.encode()) <= _DBF_BYTES:
        return cell
    if name == OPTIONAL:
        return ""
    said = f"Shapefile 的一格最多 {_DBF_BYTES} 字节，“{cell[:20]}…”写不下。请改用 GeoPackage。"
    raise BadInput("shapefile_narrow", said, parameter="format")
