"""Tables: CSV in UTF-8 or GB18030, plain or gzipped, and XLSX."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from geo.imports.faults import SourceRefused
from geo.imports.readers.bytes import checked_zip, file_bytes, text_of
from geo.imports.readers.reading import Reading

csv.field_size_limit(4_000_000)
MOST_CELLS: Final = 500_000
IsHead = Callable[[Sequence[Any]], bool]
MOST_ABOVE: Final = 10
"""Within so many rows a header is looked for."""
MOST_SIGNS: Final = 5_000_000
"""What a sheet of cells may hold: far more than a person pastes, far less than hurts."""


def read_csv(path: Path, is_head: IsHead | None = None) -> Reading:
    """Read a CSV file with a header; a line with more or fewer fields than the header is faulty, an open quote is truncation.

    The header is the first line. With ``is_head`` it is the first of some lines for which that holds, fields may stand between
    tabs or semicolons, and lines without any value are passed over.
    """
    text, encoding = text_of(file_bytes(path), path.name)
    if "\x00" in text:
        raise SourceRefused("file_unreadable", path.name)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text, is_head), strict=True)
    try:
        first = next(lines, [])
        rows = [line for line in lines if (any(cell.strip() for cell in line) if is_head else line)]
    except csv.Error as fault:
        code = "file_truncated" if "unexpected end" in str(fault) else "file_unreadable"
        raise SourceRefused(code, f"{path.name} 第 {lines.line_num} 行") from fault
    cells, rows = _headed([first, *rows], is_head)
    header = _header(cells, path.name)
    faults = {at: "ragged_row" for at, row in enumerate(rows) if len(row) != len(header)}
    return Reading(header, [dict(zip(header, row, strict=False)) for row in rows], (), encoding, faults)


def read_xlsx(path: Path, sheet: str = "", is_head: IsHead | None = None) -> Reading:
    """Read the named sheet of a workbook, or its first; rows without any value are passed over.

    The header is the first row; with ``is_head`` the first of some rows for which that holds.
    """
    try:
        rows = _sheet(path, sheet).to_python(skip_empty_area=True)
    except (CalamineError, OSError, ValueError, IndexError) as fault:
        raise SourceRefused("file_unreadable", path.name) from fault
    cells, rows = _headed(rows, is_head)
    header = _header([str(cell) for cell in cells], path.name)
    records: list[dict[str, Any]] = []
    for row in rows:
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


def _headed(rows: list[list[Any]], is_head: IsHead | None) -> tuple[list[Any], list[list[Any]]]:
    """Return the header of a table and the rows below it: above it a table may have a title, or words over several columns.

    Where the header is blank, because a cell reaches down to it from above, the word there counts.
    """
    at = next((at for at, row in enumerate(rows[:MOST_ABOVE]) if is_head and is_head(row)), 0)
    cells = list(rows[at]) if rows else []
    for above in reversed(rows[:at]):
        for column, cell in enumerate(above[: len(cells)]):
            if not str(cells[column]).strip():
                cells[column] = cell
    return cells, rows[at + 1 :]


def _delimiter(text: str, is_head: IsHead | None) -> str:
    """Return what stands between the fields of a table: a comma, unless a line is its header only with something else."""
    lines = [line.replace('"', "") for line in text.split("\n", MOST_ABOVE)[:MOST_ABOVE]]
    found = (sign for sign in ",\t;" for line in lines if is_head and is_head(line.split(sign)))
    return next(found, ",")


def _header(cells: list[str], name: str) -> tuple[str, ...]:
    header = tuple(cell.strip() for cell in cells)
    if not any(header):
        raise SourceRefused("file_unreadable", f"{name}，没有表头")
    named = [cell for cell in header if cell]
    if len(set(named)) != len(named):
        raise SourceRefused("column_missing", f"{name}，表头有重名的列")
    return header
