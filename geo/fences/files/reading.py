"""Drawn areas out of a file, in any format people send and any datum, read in a process apart; each shape judged by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import shapely
from shapely.geometry.base import BaseGeometry

from geo.crs import System
from geo.errors import BadInput, CityError
from geo.fences.areas import AREA_LIMITS
from geo.fences.repairs import areal
from geo.fences.topology import GRAIN_M2, measure
from geo.geometry import area_m2, fault_of, polygons_of, repair
from geo.imports.guessing import Guess, guess_system
from geo.imports.quarantine import read_apart
from geo.imports.readers import Reading
from geo.imports.reasons import ROW_REASONS
from geo.regions.queries import current_city
from geo.spreadsheets import bare_cell

MOST_BYTES: Final = 20_000_000
SYSTEMS: Final = (System.WGS84, System.CGCS2000, System.GCJ02, System.BD09, System.SH2000)
"""What people are offered; a file that names a zone of CGCS2000 itself is read in that."""
NAMES: Final = ("名称", "片区", "片区名称", "围栏", "围栏名称", "name", "title")
_FORMATS: Final = {
    ".geojson": "geojson", ".json": "geojson", ".zip": "shapefile", ".gpkg": "geopackage", ".kml": "kml", ".kmz": "kml",
    ".csv": "csv_drawn", ".xlsx": "xlsx_drawn",
}  # fmt: skip
ENDINGS: Final = ",".join(_FORMATS)


@dataclass(frozen=True, slots=True)
class DrawnFile:
    """A file as it was read: its records and shapes (CGCS2000), the system it was read in, and what the file says of that."""

    reading: Reading
    system: System
    guess: Guess


@dataclass(frozen=True, slots=True)
class Judged:
    """A shape out of a file: ``whole`` is what can be kept, ``None`` for nothing; ``fault`` says what is wrong with it.

    With a fault and a ``whole``, that is the shape mended, and the fault says by how much it differs.
    """

    whole: BaseGeometry | None
    fault: str


def read_drawn(source: Path, *, name: str, datum: str, most: int, noun: str) -> DrawnFile:
    """Read a file of at most so many areas; without a ``datum`` it is read in the system it seems to be in.

    Raises ``BadInput`` for a file that cannot be read at all, and for one that nobody knows the system of.
    """
    kind = _FORMATS.get(Path(name).suffix.lower())
    if kind is None:
        raise BadInput(
            "file_kind",
            "请上传 GeoJSON、GeoPackage（.gpkg）、KML、压缩成 zip 的 Shapefile，或带 WKT 列的 CSV、Excel（.xlsx）。",
        )
    declared = _system(datum) if datum else None
    reading = read_apart(source, format=kind, datum=declared)
    if not 0 < len(reading.records) <= most:
        raise BadInput("areas_count", f"文件里有 {len(reading.records):,} 个{noun}，请放 1 到 {most} 个。")
    guess = guess_system(reading, name=name, format=kind, area=current_city().bbox)
    system = declared or guess.system
    if system is None:
        raise BadInput("datum_unknown", f"{guess.why}，请选一个再上传；不清楚就问提供文件的人。")
    if declared is None and system is not System.CGCS2000:
        reading = read_apart(source, format=kind, datum=system)
    return DrawnFile(reading, system, guess)


def judge_shape(file: DrawnFile, at: int, *, noun: str) -> Judged:
    """Say what the shape of a row is good for; a shape that crosses itself comes mended."""
    shape = file.reading.shapes[at] if at < len(file.reading.shapes) else None
    reason = file.reading.faults.get(at)
    if reason or shape is None or shape.is_empty:
        return Judged(None, ROW_REASONS.get(reason or "empty_shape", ROW_REASONS["invalid_shape"]))
    west, _, east, _ = shape.bounds
    if east - west > 180:
        return Judged(None, "图形跨过 180° 经线，分不清在哪一边，请分成两块。")
    if not polygons_of(shape):
        return Judged(None, f"是{_word(shape)}，不是面。{noun}要画成面；要用圆，就给一个点和“半径”一列。")
    if shapely.get_num_coordinates(shape) > AREA_LIMITS.vertices:
        return Judged(
            None, f"有 {shapely.get_num_coordinates(shape):,} 个顶点，最多 {AREA_LIMITS.vertices:,} 个，请先减少顶点。"
        )
    box = current_city().bbox
    if not shapely.box(box.west, box.south, box.east, box.north).contains(shapely.box(*shape.bounds)):
        return Judged(None, ROW_REASONS["outside_city"])
    try:
        mended = repair(shape)
    except CityError:
        return Judged(None, f"{noun}没有面积。")
    whole, size = areal(mended.geometry), area_m2(mended.geometry, current_city())
    if size < GRAIN_M2:
        return Judged(None, f"{noun}没有面积。")
    if not mended.changed:
        return Judged(whole, "")
    fault = fault_of(shape) or "、".join(mended.faults)
    return Judged(whole, f"{fault}。修好以后面积 {measure(size)}，请核对后选用。")


def said(record: Mapping[str, Any], words: Sequence[str]) -> str:
    """Return what a record says under the first of some names that it says anything under, numbers without an idle .0."""
    lower = {str(name).strip().lower(): value for name, value in reversed(list(record.items()))}
    value = next((lower[word] for word in words if lower.get(word) not in (None, "")), "")
    text = str(int(value) if isinstance(value, float) and value.is_integer() else value)
    return bare_cell(" ".join(text.split()))


def _system(datum: str) -> System:
    try:
        return System(datum)
    except ValueError:
        raise BadInput("datum_unknown", "请从列出的坐标系里选一个。") from None


def _word(shape: BaseGeometry) -> str:
    return "点" if "Point" in shape.geom_type else "线" if "Line" in shape.geom_type else "别的图形"
