"""Ledgers as files: CSV, Excel, GeoJSON and GeoPackage, written row by row, with nothing a spreadsheet takes for a formula."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import orjson
import shapely
from django.contrib.gis.geos import Point
from django.utils import timezone

from geo.crs import Coordinates, System, convert
from geo.crs.codes import WGS84
from geo.errors import BadInput, TooLarge
from geo.scope import Scope
from geo.spreadsheets import BOM, plain_cell
from services.kernel.ledger.asking import Asked
from services.kernel.ledger.cells import Cell
from services.kernel.ledger.queries import Row, columns_shown, rows_of
from services.kernel.spec import Column, LedgerSpec

MOST_ROWS: Final = 100_000
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file: its ending, what people call it, its media type, and whether its rows need a place."""

    ending: str
    title: str
    media_type: str
    places: bool = False


FORMATS: Final = {
    form.ending: form
    for form in (
        Format("xlsx", "Excel", XLSX),
        Format("csv", "CSV", "text/csv; charset=utf-8"),
        Format("geojson", "GeoJSON", "application/geo+json", places=True),
        Format("gpkg", "GeoPackage", "application/geopackage+sqlite3", places=True),
    )
}


def formats_of(spec: LedgerSpec) -> list[Format]:
    """Return the kinds of file that a ledger can be taken as."""
    return [form for form in FORMATS.values() if spec.point or not form.places]


def write_rows(spec: LedgerSpec, asked: Asked, ending: str, *, scope: Scope) -> tuple[IO[bytes], Format, int]:
    """Write the rows asked for with the wanted columns to a temporary file; return it, its format and how many rows it holds.

    Points are written in WGS-84, as both formats of places require of files that say nothing else. Raises ``BadInput`` for a
    format the ledger does not have and ``TooLarge`` beyond ``MOST_ROWS``.
    """
    form = FORMATS.get(ending)
    if form is None or form not in formats_of(spec):
        known = "、".join(each.title for each in formats_of(spec))
        raise BadInput("format_unknown", f"这份台账可以导出为 {known}，请选其中一种。", known=list(FORMATS))
    columns = columns_shown(spec, asked)
    counted = _Counted(rows_of(spec, asked, scope=scope, columns=columns))
    with ExitStack() as stack:
        file = stack.enter_context(tempfile.TemporaryFile())
        _WRITERS[ending](file, spec, columns, counted)
        file.seek(0)
        stack.pop_all()  # from here on it belongs to the answer, which closes it when it is sent
    return file, form, counted.count


class _Counted:
    """Rows passed on one by one, counted, and no more than ``MOST_ROWS``."""

    def __init__(self, rows: Iterator[Row]) -> None:
        self.rows = rows
        self.count = 0

    def __iter__(self) -> Iterator[Row]:
        for row in self.rows:
            self.count += 1
            if self.count > MOST_ROWS:
                raise TooLarge(
                    "export_too_large", f"一次最多导出 {MOST_ROWS:,} 行。请先按区划、类型等筛选，分几次导出。"
                )
            yield row


def _titles(spec: LedgerSpec, columns: Sequence[Column]) -> list[str]:
    units = [f"{column.label}（{column.unit}）" if column.unit else column.label for column in columns]
    return ["编号", *(["所属区划"] if spec.region else []), *units]


def _first(spec: LedgerSpec, row: Row) -> list[str]:
    return [row.region] if spec.region else []


def _csv(file: IO[bytes], spec: LedgerSpec, columns: Sequence[Column], rows: _Counted) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    text.write(BOM)
    writer = csv.writer(text)
    writer.writerow(_titles(spec, columns))
    for row in rows:
        cells = [_plain(each) for each in row.cells]
        writer.writerow([row.pk, *map(plain_cell, _first(spec, row)), *cells])
    text.detach()


def _plain(each: Cell) -> str:
    """Return a value as a CSV cell: a figure as it is, so that −5 stays a number; any other text without a formula."""
    return str(each.value) if each.is_number and each.text else plain_cell(each.text)


def _xlsx(file: IO[bytes], spec: LedgerSpec, columns: Sequence[Column], rows: _Counted) -> None:
    import xlsxwriter  # slow to import, and few need it

    with xlsxwriter.Workbook(file, {"constant_memory": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet(spec.title[:31])
        bold = book.add_format({"bold": True})
        sheet.set_column(0, 0, 10)
        sheet.set_column(1, len(columns) + 1, 20)
        for at, title in enumerate(_titles(spec, columns)):
            sheet.write_string(0, at, title, bold)
        sheet.freeze_panes(1, 0)
        for line, row in enumerate(rows, 1):
            sheet.write_number(line, 0, row.pk)
            own = _first(spec, row)
            for at, text in enumerate(own, 1):
                sheet.write_string(line, at, text)
            for at, each in enumerate(row.cells, 1 + len(own)):
                if each.is_number and isinstance(each.value, int | float):
                    sheet.write_number(line, at, each.value)
                elif each.text:
                    sheet.write_string(line, at, each.text)


def _geojson(file: IO[bytes], spec: LedgerSpec, columns: Sequence[Column], rows: _Counted) -> None:
    file.write(b'{"type":"FeatureCollection","name":' + orjson.dumps(spec.title) + b',"features":[')
    for at, row in enumerate(rows):
        point = _wgs84([row.point])[0]
        geometry = None if point is None else {"type": "Point", "coordinates": [round(point.x, 7), round(point.y, 7)]}
        feature = {"type": "Feature", "id": row.pk, "geometry": geometry, "properties": _properties(spec, row)}
        file.write((b",\n" if at else b"\n") + orjson.dumps(feature))
    file.write(b"\n]}\n")


def _gpkg(file: IO[bytes], spec: LedgerSpec, columns: Sequence[Column], rows: _Counted) -> None:
    import pyogrio.raw  # slow to import, and few need it

    records = list(rows)
    titles = _titles(spec, columns)
    places = _wgs84([row.point for row in records])
    values = [[row.pk, *_first(spec, row), *(_value(each) for each in row.cells)] for row in records]
    data = [np.array([line[at] for line in values], dtype=object) for at in range(len(titles))]
    with tempfile.TemporaryDirectory(prefix="quantu-export-") as folder:
        path = Path(folder) / "ledger.gpkg"
        pyogrio.raw.write(
            path,
            geometry=shapely.to_wkb(np.array(places, dtype=object)),
            field_data=[_typed(column) for column in data],
            fields=titles,
            layer=spec.key,
            driver="GPKG",
            geometry_type="Point",
            crs=f"EPSG:{WGS84}",
        )
        file.write(path.read_bytes())


def _typed(column: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return whole columns of numbers as numbers; any column with a gap or a word as text."""
    if len(column) and all(isinstance(value, int | float) and not isinstance(value, bool) for value in column):
        return column.astype(np.float64 if any(isinstance(value, float) for value in column) else np.int64)
    return np.array([None if value is None else str(value) for value in column], dtype=object)


def _properties(spec: LedgerSpec, row: Row) -> dict[str, Any]:
    own = {"所属区划": row.region} if spec.region else {}
    return own | {each.column.label: _value(each) for each in row.cells}


def _value(each: Cell) -> Any:
    return each.value if each.is_number and isinstance(each.value, int | float) else each.text or None


def _wgs84(points: Sequence[Point | None]) -> list[shapely.Point | None]:
    """Return points of CGCS2000 in WGS-84."""
    known = [point for point in points if point is not None]
    here = Coordinates(np.array([each.x for each in known]), np.array([each.y for each in known]), System.CGCS2000)
    there = convert(here, System.WGS84)
    moved = iter(shapely.points(there.x, there.y))
    return [None if point is None else next(moved) for point in points]


def file_name(spec: LedgerSpec, ending: str) -> str:
    """Return what an exported file is called: the ledger and the moment."""
    return f"{spec.title}-{timezone.localtime():%Y%m%d-%H%M}.{ending}"


_WRITERS: Final[dict[str, Callable[[IO[bytes], LedgerSpec, Sequence[Column], _Counted], None]]] = {
    "csv": _csv,
    "xlsx": _xlsx,
    "geojson": _geojson,
    "gpkg": _gpkg,
}
