"""From the files of a declared source to drafts and refusals in memory; nothing here touches the database."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from shapely.geometry.base import BaseGeometry

from geo.crs import AxisVerdict, City, Coordinates, detect_axes
from geo.errors import CityError
from geo.imports.faults import RowRefused, SourceRefused
from geo.imports.importer import FamilyImporter
from geo.imports.mapping import LookupTable, RowMaker, check_columns, lookup_table, positions_of
from geo.imports.readers import Reading, read_file
from geo.imports.rows import RawRow
from geo.imports.spec import PartSpec, SourceSpec, format_of

RAW_KEPT = 40
"""How many columns of a refused row are kept, each cut to 200 characters."""


@dataclass(frozen=True, slots=True)
class DraftedRow:
    """One accepted row on its way to the drafts."""

    part: str
    number: int
    ext_id: str
    payload: dict[str, Any]
    geom: BaseGeometry | None


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """One refused row with its reason."""

    part: str
    number: int
    column: str
    code: str
    message: str
    raw: dict[str, Any]


@dataclass(slots=True)
class Drafting:
    """What reading a source gave."""

    rows_read: int = 0
    accepted: list[DraftedRow] = field(default_factory=list)
    refused: list[RefusedRow] = field(default_factory=list)
    warnings: Counter[str] = field(default_factory=Counter)
    encodings: dict[str, str] = field(default_factory=dict)
    digest: str = ""


def draft_files(
    spec: SourceSpec, files: Sequence[Path], importer: FamilyImporter, city: City, read: Any = read_file
) -> Drafting:
    """Read every file of a source (one per part, in order) into drafts and refusals; raises ``SourceRefused`` for a whole file.

    Lookups are files beside the one they complete. ``read`` is the reader, which a caller replaces to read in a process apart.
    """
    drafting, seen = Drafting(), set[str]()
    digest = hashlib.sha256()
    for part, path in zip(spec.parts, files, strict=True):
        reading: Reading = read(path, format=part.format, datum=part.datum, layer=part.layer)
        digest.update(_digest(path))
        check_columns(part, reading, path.name)
        drafting.encodings[path.name] = reading.encoding
        if reading.encoding == "gb18030":
            drafting.warnings["encoding_guessed"] += 1
        drafting.rows_read += len(reading.records)
        maker = RowMaker(part, path.name, [_lookup(entry, path.parent, read) for entry in part.lookups])
        for outcome in _outcomes(part, reading, maker, importer, city, drafting.warnings):
            _sort(outcome, drafting, seen)
    drafting.digest = digest.hexdigest()
    if not drafting.accepted:
        raise NothingAccepted(drafting)
    return drafting


class NothingAccepted(SourceRefused):
    """Every row was refused; the drafting with its refusals is kept for the report."""

    def __init__(self, drafting: Drafting) -> None:
        """Keep the drafting."""
        super().__init__("nothing_accepted", f"共 {drafting.rows_read} 行")
        self.drafting = drafting


def _sort(outcome: DraftedRow | RefusedRow, drafting: Drafting, seen: set[str]) -> None:
    if isinstance(outcome, RefusedRow):
        drafting.refused.append(outcome)
    elif outcome.ext_id in seen:
        fault = RowRefused("duplicate_id", what=outcome.ext_id[:60])
        drafting.refused.append(_refused(outcome.part, outcome.number, fault, outcome.payload))
    else:
        seen.add(outcome.ext_id)
        drafting.accepted.append(outcome)


def _outcomes(
    part: PartSpec, reading: Reading, maker: RowMaker, importer: FamilyImporter, city: City, warnings: Counter[str]
) -> Iterator[DraftedRow | RefusedRow]:
    positions = positions_of(part, reading, city, must_lie_in=importer.needs_point) if part.x else None
    if positions is not None:
        _refuse_swapped(positions.declared, city, "请把导入说明里的 x 与 y 对调后重新导入")
    elif reading.corners:
        x, y = np.array(reading.corners, dtype=np.float64).T
        _refuse_swapped(
            Coordinates(x, y, part.datum), city, "图形的坐标应先写经度（东）、后写纬度（北），请让提供方改正后重新导出"
        )
    for at, record in enumerate(reading.records):
        code = reading.faults.get(at) or (positions.faults.get(at) if positions else None)
        lon, lat = (positions.lon[at], positions.lat[at]) if positions else (np.nan, np.nan)
        shape = reading.shapes[at] if reading.shapes else None
        try:
            row = maker.make(at + 1, record, lon, lat, shape)
            if code:
                raise row.refuse(code, what=_place(part, record))
            if shape is not None:
                _must_touch(row, city)
            draft = importer.normalise(row)
        except RowRefused as fault:
            yield _refused(maker.name, at + 1, fault, record)
            continue
        warnings.update(row.warnings)
        payload = importer.derive(draft.payload)
        if district := row.fields.get("district"):
            payload = {**payload, "stated_district": str(district)}
        yield DraftedRow(maker.name, at + 1, row.ext_id, payload, draft.geom)


def _refuse_swapped(declared: Coordinates, city: City, advice: str) -> None:
    finding = detect_axes(declared, city.bbox)
    if finding.verdict is AxisVerdict.SWAPPED:
        seen = f"按声明的顺序有 {finding.as_declared} 个点独在市内，对调后有 {finding.swapped} 个；{advice}"
        raise SourceRefused("axes_swapped_batch", seen, swapped=finding.swapped)


def _must_touch(row: RawRow, city: City) -> None:
    """Refuse a shape that lies wholly outside the city, saying so when its axes look swapped."""
    if row.shape is None or row.shape.is_empty:
        return
    west, south, east, north = row.shape.bounds
    box = city.bbox
    if west <= box.east and east >= box.west and south <= box.north and north >= box.south:
        return
    turned = south <= box.east and north >= box.west and west <= box.north and east >= box.south
    raise row.refuse("axes_swapped" if turned else "outside_city")


def _place(part: PartSpec, record: Mapping[str, Any]) -> str:
    return f"{record.get(part.x)}, {record.get(part.y)}"[:60] if part.x else ""


def _refused(part: str, number: int, fault: RowRefused, record: Mapping[str, Any]) -> RefusedRow:
    kept = list(record.items())[:RAW_KEPT]
    raw = {str(name)[:80]: value[:200] if isinstance(value, str) else value for name, value in kept}
    return RefusedRow(part, number, fault.column[:80], fault.code, fault.message[:400], raw)


def _lookup(entry: Any, folder: Path, read: Any) -> LookupTable:
    path = (folder / entry.file).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise SourceRefused("manifest_invalid", f"{entry.file} 不在导入的文件夹里")
    try:
        reading: Reading = read(path, format=format_of(entry.file), datum=None)
    except CityError as fault:
        raise SourceRefused("file_missing", entry.file) from fault
    absent = sorted({*entry.match, entry.take} - set(reading.columns))
    if absent:
        raise SourceRefused("column_missing", f"{entry.file} 缺少：{'、'.join(absent)}")
    return lookup_table(entry, reading.records)


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
