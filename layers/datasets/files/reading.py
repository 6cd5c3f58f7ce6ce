"""A file as features of a dataset: read in a process apart, its columns guessed, every row judged by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import shapely
from shapely.geometry.base import BaseGeometry

from geo.addresses.geocode import geocode_many
from geo.crs import System
from geo.errors import BadInput
from geo.fences.files.displaced import displaced
from geo.imports.guessing import Guess, guess_system
from geo.imports.quarantine import read_apart
from geo.imports.readers import Reading
from geo.imports.readers.drawn_tables import ADDRESSES, LAT, LON
from geo.imports.reasons import ROW_REASONS
from geo.regions.models import Level
from geo.regions.queries import current_city, regions_at
from geo.scope import Scope
from layers.datasets.arriving import Arrival
from layers.datasets.attributes import MOST, DatasetAttribute, attributes_of, guessed_kind, name_for, value_of
from layers.datasets.models import Dataset
from layers.datasets.shapes import sound

MOST_BYTES: Final = 120_000_000
MOST_COLUMNS: Final = 200
FORMATS: Final = {
    ".geojson": "geojson", ".json": "geojson", ".zip": "shapefile", ".gpkg": "geopackage", ".kml": "kml", ".kmz": "kml",
    ".csv": "csv_drawn", ".xlsx": "xlsx_drawn",
}  # fmt: skip
LISTINGS: Final = {"geopackage": "geopackage_layers", "shapefile": "shapefile_layers", "xlsx_drawn": "xlsx_sheets"}
SYSTEMS: Final = (System.WGS84, System.CGCS2000, System.GCJ02, System.BD09, System.SH2000)
ADDRESS_BATCH: Final = 2_000
WORST_M: Final = 300.0
"""An address that is known no better is a row without a place: the map would mislead."""
UNCERTAINTY: Final = "位置误差（米）"
COMPARED: Final = 2_000
SKIP, NEW = "skip", "new"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file and what becomes of it: ``to`` is an attribute's name, ``NEW`` (of a title and kind) or ``SKIP``."""

    column: str
    to: str
    title: str
    kind: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A file as it was read: the system it was read in ('' for none known) and by what that is told."""

    reading: Reading
    system: System | None
    guess: Guess


@dataclass(slots=True)
class Judged:
    """Rows judged: what can be taken in, what is wrong with the others by their number, and how many shapes were mended."""

    arrivals: list[Arrival] = field(default_factory=list)
    faults: dict[int, str] = field(default_factory=dict)
    mended: list[int] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)


def format_of(name: str) -> str:
    """Return the format of a file by its ending. Raises ``BadInput`` for one that is not read."""
    found = FORMATS.get(Path(name).suffix.lower())
    if found is None:
        raise BadInput(
            "file_kind", "请上传 GeoJSON、GeoPackage（.gpkg）、KML、压缩成 zip 的 Shapefile、CSV 或 Excel（.xlsx）。"
        )
    return found


def tables_in(source: Path, *, format: str) -> list[str]:
    """Return the tables of a file that may hold several; none for other formats."""
    listing = LISTINGS.get(format)
    return [row["name"] for row in read_apart(source, format=listing, datum=None).records] if listing else []


def open_file(source: Path, *, name: str, format: str, table: str, datum: str) -> Opened:
    """Read a file in the declared system, or in the one it seems to be in. Raises ``SourceRefused``."""
    declared = System(datum) if datum in {system.value for system in System} else None
    reading = read_apart(source, format=format, datum=declared, layer=table)
    guess = guess_system(reading, name=name, format=format, area=current_city().bbox)
    system = declared or guess.system
    if declared is None and system is not None and system is not System.CGCS2000:
        reading = read_apart(source, format=format, datum=system, layer=table)
    return Opened(reading, system, guess)


def address_column(reading: Reading) -> str:
    """Return the column of addresses of a file in which no row has a place; '' for none."""
    if any(shape is not None for shape in reading.shapes):
        return ""
    return next((column for column in reading.columns if column.strip().lower() in ADDRESSES), "")


def columns_guessed(reading: Reading, dataset: Dataset) -> list[Column]:
    """Return what becomes of each column: the attribute of the same title or name, a new one, or nothing for coordinates.

    A new one only while there is room.
    """
    attributes = attributes_of(dataset.attributes)
    room = MOST - len(attributes)
    known = {one.title.lower(): one for one in attributes} | {one.name: one for one in attributes}
    found = []
    for column in reading.columns[:MOST_COLUMNS]:
        own = known.get(column.strip().lower())
        title = " ".join(column.split())[:30] or "未命名"
        if own is not None:
            found.append(Column(column, own.name, own.title, own.kind))
        elif room <= 0 or column.strip().lower() in (*LON, *LAT, "坐标系", "fid", "objectid"):
            found.append(Column(column, SKIP, title, "text"))
        else:
            room -= 1
            kind = guessed_kind([record.get(column) for record in reading.records])
            found.append(Column(column, NEW, title, kind))
    return found


def attributes_after(
    dataset: Dataset, columns: Sequence[Column], *, addressed: bool
) -> tuple[list[DatasetAttribute], dict[str, str]]:
    """Return the attributes a dataset will have, and which of them each column of the file becomes. Raises ``BadInput``."""
    attributes = attributes_of(dataset.attributes)
    taken = {*dataset.names, *(one.name for one in attributes)}
    becomes: dict[str, str] = {}
    wanted = [*columns, *([Column("", NEW, UNCERTAINTY, "number")] if addressed else [])]
    for one in wanted:
        if one.to == SKIP:
            continue
        same = next(
            (each for each in attributes if each.name == one.to or (one.to == NEW and each.title == one.title)), None
        )
        if same is None:
            if len(attributes) >= MOST:
                raise BadInput("attributes_many", f"一个图层最多 {MOST} 个字段，请把用不着的列选成“不导入”。")
            same = DatasetAttribute(name_for(one.title, taken), one.title, one.kind)  # type: ignore[arg-type]
            attributes.append(same)
            taken.add(same.name)
        if same.name in becomes.values():
            raise BadInput("column_twice", f"有两列都写到“{same.title}”，请只留一列，另一列选“不导入”。")
        becomes[one.column] = same.name
    return attributes, becomes


def judge(
    opened: Opened,
    dataset: Dataset,
    *,
    attributes: Sequence[DatasetAttribute],
    becomes: Mapping[str, str],
    address: str,
) -> Judged:
    """Judge every row of a file: its shape, mended where it crosses itself, and its values. Row numbers begin at 1."""
    by_name = {one.name: one for one in attributes}
    columns = [(column, by_name[name]) for column, name in becomes.items() if column]
    judged = Judged()
    places = _places(opened.reading, address) if address else {}
    for at, record in enumerate(opened.reading.records):
        try:
            shape, mended = _shape(opened.reading, at, dataset.geometry, places, address)
            values = _values(record, columns)
        except BadInput as fault:
            judged.faults[at + 1] = fault.message
            continue
        if address and "" in becomes:
            values[becomes[""]] = round(places[at][1], 1)
        if mended:
            judged.mended.append(at + 1)
        judged.arrivals.append(Arrival(shapely.to_wkb(shape, byte_order=1), values))
        judged.numbers.append(at + 1)
    return judged


def _values(record: Mapping[str, Any], columns: Sequence[tuple[str, DatasetAttribute]]) -> dict[str, Any]:
    values = {}
    for column, attribute in columns:
        value = value_of(attribute, _cell(record.get(column)))
        if value is not None:
            values[attribute.name] = value
    return values


def _cell(value: Any) -> Any:
    """Return a cell as it was written: what is nested becomes JSON, a whole number loses its idle .0."""
    if isinstance(value, dict | list):
        return orjson.dumps(value).decode()
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _shape(
    reading: Reading, at: int, kind: str, places: Mapping[int, tuple[BaseGeometry, float]], address: str
) -> tuple[BaseGeometry, bool]:
    if address:
        if at not in places:
            raise BadInput("row_place", "按地址没有找到足够准确的位置，请补充门牌或经纬度。")
        return sound(places[at][0], kind), False
    shape = reading.shapes[at] if at < len(reading.shapes) else None
    reason = reading.faults.get(at)
    if reason or shape is None:
        raise BadInput("row_shape", ROW_REASONS.get(reason or "empty_shape", ROW_REASONS["invalid_shape"]))
    try:
        return sound(shape, kind), False
    except BadInput as fault:
        if not fault.detail.get("mendable"):
            raise
        return sound(shape, kind, mend=True), True


def _places(reading: Reading, address: str) -> dict[int, tuple[BaseGeometry, float]]:
    """Return where the addresses of rows are (degrees) and within how many metres, for those that are known well enough."""
    texts = [str(record.get(address) or "").strip() for record in reading.records]
    found: dict[int, tuple[BaseGeometry, float]] = {}
    for begin in range(0, len(texts), ADDRESS_BATCH):
        answers = geocode_many(texts[begin : begin + ADDRESS_BATCH], scope=Scope.public())
        for at, candidates in enumerate(answers, start=begin):
            if candidates and candidates[0].uncertainty_m <= WORST_M:
                best = candidates[0]
                found[at] = shapely.Point(best.lon, best.lat), best.uncertainty_m
    return found


def doubt_of(opened: Opened) -> tuple[str, str]:
    """Say whether the shapes of a file lie off as a whole, and in which system they would not ('' for none)."""
    shapes = [shape for shape in opened.reading.shapes if shape is not None and not shape.is_empty and shape.is_valid]
    system = opened.system
    if not shapes or system is None:
        return "", ""
    chosen = [shapes[at] for at in np.unique(np.linspace(0, len(shapes) - 1, COMPARED).astype(int))]
    middle = shapely.centroid(shapely.multipoints([shapely.centroid(shape) for shape in chosen]))
    regions = regions_at(middle.x, middle.y, scope=Scope.public())
    district = next((region for region in regions if region.level == Level.DISTRICT), None)
    if district is None:
        return "", ""
    found = displaced(chosen, [""] * len(chosen), system, known={}, district_id=district.region_id)
    return (found.said, found.likely.value if found.likely else "") if found else ("", "")


def reasons_tallied(judged: Judged) -> list[tuple[str, int]]:
    """Return what is wrong and with how many rows, the commonest first."""
    return Counter(judged.faults.values()).most_common(20)
