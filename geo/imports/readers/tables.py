"""Tables: CSV in UTF-8 or GB18030, plain or gzipped, and XLSX."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from geo.imports.faults import SourceRefused
from geo.imports.readers.bytes import checked_zip, file_bytes, text_of
from geo.imports.readers.reading import Reading

csv.field_size_limit(4_000_000)


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
    checked_zip(path).close()
    try:
        book = CalamineWorkbook.from_path(str(path))
        page = book.get_sheet_by_name(sheet) if sheet else book.get_sheet_by_index(0)
        rows = page.to_python(skip_empty_area=True)
    except (CalamineError, OSError, ValueError, IndexError) as fault:
        raise SourceRefused("file_unreadable", path.name) from fault
    header = _header([str(cell) for cell in rows[0]] if rows else [], path.name)
    records: list[dict[str, Any]] = []
    for row in rows[1:]:
        if any(cell not in ("", None) for cell in row):
            records.append(dict(zip(header, row, strict=False)))
    return Reading(header, records)


def _header(cells: list[str], name: str) -> tuple[str, ...]:
    header = tuple(cell.strip() for cell in cells)
    if not any(header):
        raise SourceRefused("file_unreadable", f"{name}，没有表头")
    named = [cell for cell in header if cell]
    if len(set(named)) != len(named):
        raise SourceRefused("column_missing", f"{name}，表头有重名的列")
    return header
