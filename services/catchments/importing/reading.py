"""The sheets of an uploaded workbook or text table, read in a process apart; a merged value stands in all its cells."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from geo.addresses.standardising.uploads import read_spooled, spool
from geo.errors import BadInput, TooLarge
from geo.imports.apart import confine, run_apart
from geo.imports.faults import SourceRefused
from geo.imports.readers.bytes import checked_zip

MOST_BYTES: Final = 20_000_000
MOST_ROWS: Final = 30_000
MOST_CELLS: Final = 1_500_000
MOST_SHEETS: Final = 40
MEMORY: Final = 2_500_000_000
SECONDS: Final = 60.0
OUTPUT: Final = 200_000_000
_SAID: Final = {
    "file_unreadable": "这个文件读不出来，可能没有传完或已损坏。请重新保存一份再上传。",
    "file_empty": "文件里没有内容。请核对后再上传。",
}


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet as it lies: rows from the very first, each with its cells as texts."""

    name: str
    rows: list[list[str]]


def read_sheets(source: Path) -> list[Sheet]:
    """Return the sheets of a workbook, or the one of a CSV or text file. Raises ``BadInput`` and ``TooLarge``."""
    if source.stat().st_size > MOST_BYTES:
        raise TooLarge("file_too_large", f"文件超过 {MOST_BYTES // 1_000_000} MB，请分成几个再上传。")
    with source.open("rb") as file:
        workbook = file.read(2) == b"PK"
    sheets = _of_workbook(source) if workbook else _of_text(source)
    if sum(len(sheet.rows) for sheet in sheets) > MOST_ROWS:
        raise TooLarge("too_many_rows", f"一次最多 {MOST_ROWS:,} 行，请分成几个文件。", most=MOST_ROWS)
    if not any(any(row) for sheet in sheets for row in sheet.rows):
        raise BadInput("file_empty", _SAID["file_empty"])
    return sheets


def _of_workbook(source: Path) -> list[Sheet]:
    with tempfile.TemporaryDirectory(prefix="quantu-rules-") as folder:
        answer = Path(folder) / "answer"
        arguments = [str(source.resolve()), str(answer)]
        arrived = run_apart("services.catchments.importing.reading", arguments, seconds=SECONDS) and answer.exists()
        found: dict[str, Any] = orjson.loads(answer.read_bytes()) if arrived else {"refused": "file_exploded"}
    refused = found.get("refused")
    if refused in _SAID:
        raise BadInput(refused, _SAID[refused])
    if refused:
        raise TooLarge(refused, "这个文件展开后太大，请只留下要用的表和列，或分成几个文件。")
    return [Sheet(name, rows) for name, rows in found["sheets"]]


def _of_text(source: Path) -> list[Sheet]:
    with tempfile.TemporaryDirectory(prefix="quantu-rules-") as folder:
        plain = Path(folder) / "plain"
        spool(source, plain, most_rows=MOST_ROWS)
        return [Sheet("", [line.cells for line in read_spooled(plain)])]


def _read(source: Path) -> dict[str, Any]:
    checked_zip(source).close()
    book = CalamineWorkbook.from_path(str(source))
    sheets = []
    cells = 0
    for at in range(min(len(book.sheet_names), MOST_SHEETS)):
        page = book.get_sheet_by_index(at)
        cells += page.total_height * page.total_width
        if cells > MOST_CELLS:
            return {"refused": "file_exploded"}
        sheets.append((page.name, _filled(page)))
    return {"sheets": sheets}


def _filled(page: CalamineSheet) -> list[list[str]]:
    if page.start is None:
        return []
    rows = [[_text(cell) for cell in row] for row in page.to_python(skip_empty_area=False)]
    for (top, left), (bottom, right) in page.merged_cell_ranges or ():
        if top >= len(rows) or left >= len(rows[top]):
            continue
        for row in rows[top : bottom + 1]:
            row[left : right + 1] = [rows[top][left]] * len(row[left : right + 1])
    return rows


def _text(cell: object) -> str:
    text = str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
    return text.replace("\x00", "").strip()


def main(source: str, answer: str) -> None:
    """In the child: read under limits, and leave the sheets, or why not, in ``answer``."""
    confine(memory=MEMORY, cpu_seconds=int(SECONDS), output=OUTPUT)
    try:
        found = _read(Path(source))
    except SourceRefused as fault:
        found = {"refused": "file_exploded" if fault.code in ("archive_bomb", "file_too_large") else "file_unreadable"}
    except (CalamineError, OSError, EOFError, ValueError, IndexError):
        found = {"refused": "file_unreadable"}
    Path(answer).write_bytes(orjson.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
