"""Tables: CSV in UTF-8 or GB18030, plain or gzipped, and XLSX."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any, Final

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from geo.imports.faults import SourceRefused
from geo.imports.readers.bytes import checked_zip, file_bytes, text_of
from geo.imports.readers.reading import Reading

csv.field_size_limit(4_000_000)
MOST_CELLS: Final = 500_000
MOST_SIGNS: Final = 5_000_000
"""What a sheet of cells may hold: far more than a person pastes, far less than hurts."""


def read_csv(path: Path) -> Reading:
    """Read a CSV file with a header; a line with more or fewer fields than the header is faulty, an open quote is truncation."""
    text, encoding = text_of(file_bytes(path), path.name)
    if "\x00" in text:
        raise SourceRefused("file_unreadable", path.name)
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = _header(next(lines, []), path.name)
        rows = [line for line in lines if line]
    except csv.Error as fault:
        code = "file_truncated" if "unexpected end" in str(fault) else "file_unreadable"
        raise SourceRefused(code, f"{path.name} 第 {lines.line_num} 行") from fault
    faults = {at: "ragged_row" for at, row in enumerate(rows) if len(row) != len(header)}
    return Reading(header, [dict(zip(header, row, strict=False)) for row in rows], (), encoding, faults)


def read_xlsx(path: Path, sheet: str = "") -> Reading:
    """Read the named sheet of a workbook, or its first; the first row is the header, rows without any value are passed over."""
    try:
        rows = _sheet(path, sheet).to_python(skip_empty_area=True)
    except (CalamineError, OSError, ValueError, IndexError) as fault:
        raise SourceRefused("file_unreadable", path.name) from fault
    header = _header([str(cell) for cell in rows[0]] if rows else [], path.name)
    records: list[dict[str, Any]] = []
    for row in rows[1:]:
        if any(cell not in ("", None) for cell in row):
            records.append(dict(zip(header, row, strict=False)))
    return Reading(header, records)


def read_xlsx_cells(path: Path) -> Reading:
    """Read the first sheet of a small workbook as it lies, without a header: rows from the very first, columns by number.

    Blank rows are kept, so that a record's index is its row. Beyond what somebody types by hand it is refused.
    """
    try:
        page = _sheet(path)
        if page.start is None:
            raise SourceRefused("nothing_accepted", path.name)
        blank, columns = page.start[0], tuple(str(number) for number in range(1, page.width + 1))
        if (blank + page.height) * page.width > MOST_CELLS:
            raise SourceRefused("file_too_large", path.name)
        cells = [[_written(cell) for cell in row] for row in page.to_python(skip_empty_area=True)]
    except (CalamineError, OSError, ValueError, IndexError) as fault:
        raise SourceRefused("file_unreadable", path.name) from fault
    if sum(len(cell) for row in cells for cell in row) > MOST_SIGNS:
        raise SourceRefused("file_too_large", path.name)
    return Reading(columns, [{}] * blank + [dict(zip(columns, row, strict=True)) for row in cells])


def _written(cell: object) -> str:
    """Return a cell as it is read on the sheet: a workbook keeps 12 as 12.0."""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def _sheet(path: Path, sheet: str = "") -> CalamineSheet:
    checked_zip(path).close()
    book = CalamineWorkbook.from_path(str(path))
    return book.get_sheet_by_name(sheet) if sheet else book.get_sheet_by_index(0)


def _header(cells: list[str], name: str) -> tuple[str, ...]:
    header = tuple(cell.strip() for cell in cells)
    if not any(header):
        raise SourceRefused("file_unreadable", f"{name}，没有表头")
    named = [cell for cell in header if cell]
    if len(set(named)) != len(named):
        raise SourceRefused("column_missing", f"{name}，表头有重名的列")
    return header
