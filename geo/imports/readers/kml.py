"""KML and KMZ: placemarks with their names, data and shapes, read without entities and under the limits of all geometry."""

from __future__ import annotations

import codecs
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml.ElementTree import iterparse

from geo.crs import System
from geo.imports.faults import SourceRefused
from geo.imports.readers.bytes import checked_zip, file_bytes, members_of, text_of
from geo.imports.readers.reading import Reading
from geo.imports.readers.shapes import shapes_of_objects

DEEPEST: Final = 64
FOLDER: Final = "文件夹"
"""The column of the names of the folders that a placemark lies in, the outermost first."""
_DECLARED: Final = re.compile(rb"\s*<\?xml[^>]*?encoding\s*=\s*[\"']([-\w]+)[\"'][^>]*\?>")
_OURS: Final = (b"utf-8", b"gb2312", b"gbk", b"gb18030")
_SIMPLE: Final = {"Point": "Point", "LineString": "LineString", "LinearRing": "LineString"}


def read_kml(path: Path, datum: System) -> Reading:
    """Read the placemarks of a KML file, or of the one KML in a KMZ. A shape that cannot be read is that row's fault.

    The columns are ``name``, ``description``, the names of the extended data, and ``FOLDER`` where folders have names.
    """
    records: list[dict[str, Any]] = []
    objects: list[Any] = []
    try:
        for folder, mark in _placemarks(_utf8(_bytes(path), path.name)):
            records.append(_told(mark) | ({FOLDER: folder} if folder else {}))
            objects.append(_shape(mark))
    except (ParseError, LookupError, ValueError) as fault:
        cut = "no element found" in str(fault) or "unclosed" in str(fault)
        raise SourceRefused("file_truncated" if cut else "file_unreadable", path.name) from fault
    shapes, faults, corners = shapes_of_objects(objects, datum)
    columns = tuple(dict.fromkeys(name for record in records for name in record))
    return Reading(columns, records, shapes, faults=faults, corners=corners)


def _bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        packed = file.read(4) == b"PK\x03\x04"
    if not packed:
        return file_bytes(path)
    with checked_zip(path) as archive:
        inside = [member for member in members_of(archive) if member.filename.lower().endswith(".kml")]
        chosen = [member for member in inside if member.filename.lower() == "doc.kml"] or inside
        if len(chosen) != 1:
            raise SourceRefused("format_unknown", f"{path.name} 里要有一个 .kml")
        try:
            return archive.read(chosen[0])
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as fault:
            raise SourceRefused("file_unreadable", path.name) from fault


def _utf8(data: bytes, name: str) -> bytes:
    """Return a document in UTF-8 when it is in GB18030, whatever it says of itself: the parser does not know that."""
    declared = _DECLARED.match(data)
    if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) or (declared and declared[1].lower() not in _OURS):
        return data
    text, encoding = text_of(data, name)
    if encoding == "utf-8" and (declared is None or declared[1].lower() == b"utf-8"):
        return data
    return text.encode().removeprefix(declared[0] if declared else b"")


def _placemarks(data: bytes) -> Iterator[tuple[str, Element]]:
    """Yield placemarks one by one with the folders they lie in, and let go of each; refuses what nests without end."""
    within: list[str] = []
    folders: list[str] = []
    for event, element in iterparse(io.BytesIO(data), events=("start", "end"), forbid_dtd=True):
        tag = _tag(element)
        if event == "start":
            within.append(tag)
            if len(within) > DEEPEST:
                raise ParseError("too deep")
            folders += [""] if tag == "Folder" else []
            continue
        within.pop()
        if tag == "Placemark":
            yield " / ".join(filter(None, folders)), element
            element.clear()
        elif tag == "name" and within[-1:] == ["Folder"]:
            folders[-1] = _text(element)
        elif tag == "Folder":
            folders.pop()


def _told(mark: Element) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for each in mark:
        if _tag(each) in ("name", "description"):
            told[_tag(each)] = _text(each)
    for each in mark.iter():
        named = each.get("name")
        if named and _tag(each) == "SimpleData":
            told[named] = _text(each)
        elif named and _tag(each) == "Data":
            told[named] = next((_text(value) for value in each if _tag(value) == "value"), "")
    return told


def _shape(mark: Element) -> Any:
    """Return the shape of a placemark as GeoJSON, None for none."""
    found = [made for each in mark if (made := _object(each)) is not None]
    return found[0] if found else None


def _object(element: Element) -> Any:
    kind = _tag(element)
    if kind in _SIMPLE:
        places = _places(element)
        return {"type": _SIMPLE[kind], "coordinates": (places or [[]])[0] if kind == "Point" else places}
    if kind == "Polygon":
        edges = [each for each in element if _tag(each) == "outerBoundaryIs"]
        holes = [each for each in element if _tag(each) == "innerBoundaryIs"]
        rings = [_places(ring) for edge in (*edges[:1], *holes) for ring in edge if _tag(ring) == "LinearRing"]
        return {"type": "Polygon", "coordinates": rings}
    if kind == "MultiGeometry":
        parts = [made for each in element if (made := _object(each)) is not None]
        if parts and all(part["type"] == "Polygon" for part in parts):
            return {"type": "MultiPolygon", "coordinates": [part["coordinates"] for part in parts]}
        return {"type": "GeometryCollection", "geometries": parts}
    return None


def _places(element: Element) -> list[list[float]]:
    """Return the positions of a ring or line; what is no number stays out of them as NaN, and the row is refused for it."""
    text = next((each.text or "" for each in element if _tag(each) == "coordinates"), "")
    return [[_number(figure) for figure in place.split(",")[:2]] for place in text.split()]


def _number(figure: str) -> float:
    try:
        return float(figure)
    except ValueError:
        return float("nan")


def _tag(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _text(element: Element) -> str:
    return " ".join((element.text or "").split())
