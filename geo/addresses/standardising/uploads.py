"""Uploaded lists become one plain form, a JSON array of cells a line, in a process apart: whatever the file does, it does there.

The plain form is read row by row from any byte offset, so a list of any length takes the memory of a few thousand rows.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from geo.errors import BadInput, CityError, TooLarge
from geo.imports.apart import confine, run_apart
from geo.imports.faults import SourceRefused
from geo.imports.readers.bytes import MOST_EXPANSION, checked_zip
from geo.kept import open_file

MOST_ROWS: Final = 1_100_000
MOST_CELLS: Final = 64
MOST_SIGNS: Final = 100_000
"""Characters of one cell: an address of ten thousand is read, an open quote that swallows a file is not."""
MOST_OUTPUT: Final = 1_000_000_000
MEMORY: Final = 3_000_000_000
SECONDS: Final = 600.0
HEAD: Final = 200
"""Rows kept beside the list, to show and to choose columns by."""
_OLD_EXCEL: Final = b"\xd0\xcf\x11\xe0"
_CHUNK: Final = 1 << 20
_SAID: Final = {
    "file_old_excel": (BadInput, "这是旧版 Excel 文件（.xls）。请在表格软件里另存为 .xlsx 或 CSV，再上传。"),
    "file_empty": (BadInput, "文件里没有内容。请把地址放在第一张表里，每行一个。"),
    "file_unreadable": (BadInput, "这个文件读不出来，可能没有传完或已损坏。请重新保存一份再上传。"),
    "file_encoding": (BadInput, "文件的文字编码读不懂。请另存为 UTF-8 编码的 CSV 再上传。"),
    "file_binary": (BadInput, "这不是文本文件。请上传 Excel（.xlsx）、CSV 或 TXT 文件。"),
    "cell_too_long": (BadInput, f"有一格超过 {MOST_SIGNS:,} 个字，多半是少了一个引号。请核对后再上传。"),
    "too_many_columns": (TooLarge, f"列太多了，最多 {MOST_CELLS} 列。请只留下要用的列再上传。"),
    "too_many_rows": (TooLarge, "行数超过上限，请分成几个文件。"),
    "file_exploded": (TooLarge, "这个文件展开后太大，请只留下要用的列，或分成几个文件。"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Spooled:
    """A list in its plain form: how many rows (blank ones at the end left out), how wide, and its first rows.

    ``sheets`` are names and rows of each sheet where all were asked for, one after another in the list; hidden ones have none.
    """

    rows: int
    width: int
    head: list[list[str]]
    sheets: list[list[Any]] = field(default_factory=list)


class Line(NamedTuple):
    """One row of the plain form, and the byte offset where the next one begins."""

    cells: list[str]
    after: int


def spool(
    source: Path,
    target: Path,
    *,
    most_rows: int = MOST_ROWS,
    seconds: float = SECONDS,
    memory: int = MEMORY,
    every_sheet: bool = False,
) -> Spooled:
    """Write an uploaded text, CSV or Excel file, plain or gzipped, to ``target`` in the plain form, in a process apart.

    Of a workbook the first sheet is read, or every one that is not hidden. Raises ``BadInput`` and ``TooLarge`` in words for
    users; then there is no target.
    """
    with tempfile.TemporaryDirectory(prefix="quantu-list-") as folder:
        answer = Path(folder) / "answer"
        limits = [str(most_rows), str(memory), "every" if every_sheet else "first"]
        arguments = [str(source.resolve()), str(target.resolve()), str(answer), *limits]
        arrived = run_apart("geo.addresses.standardising.uploads", arguments, seconds=seconds) and answer.exists()
        found: dict[str, Any] = orjson.loads(answer.read_bytes()) if arrived else {"refused": "file_exploded"}
    if "refused" in found:
        target.unlink(missing_ok=True)
        kind, said = _SAID[found["refused"]]
        raise kind(found["refused"], said)
    return Spooled(**found)


def read_spooled(path: Path, offset: int = 0) -> Iterator[Line]:
    """Yield the rows of a list in the plain form, kept or not, from a byte offset on."""
    with open_file(path) as file:
        file.seek(offset)
        for line in file:
            offset += len(line)
            yield Line(orjson.loads(line), offset)


_Sheet = tuple[str, Iterator[list[str]]]


class _Refused(Exception):
    """Why a file cannot be used: a code of ``_SAID``."""


def _spool(source: Path, target: Path, most_rows: int, every_sheet: bool) -> Spooled:
    unpacked = target.with_name(f"{target.name}.unpacked{''.join(source.suffixes)}")
    try:
        return _written_plain(_sheets(source, unpacked, every_sheet), target, most_rows, every_sheet)
    finally:
        unpacked.unlink(missing_ok=True)


def _written_plain(found: Iterator[_Sheet], target: Path, most_rows: int, every_sheet: bool) -> Spooled:
    head: list[list[str]] = []
    sheets: list[list[Any]] = []
    rows = width = 0
    with target.open("wb") as out:
        for name, lines in found:
            before, blank = rows, 0
            for cells in lines:
                while cells and not cells[-1]:
                    cells.pop()
                if not cells:
                    blank += 1
                    continue
                # Blank rows keep their place between others, so that a row's number is the one its reader sees.
                out.write(b"[]\n" * blank)
                out.write(orjson.dumps(cells) + b"\n")
                head += [[]] * min(blank, HEAD - len(head)) if blank else []
                if len(head) < HEAD:
                    head.append(cells)
                rows, width, blank = rows + blank + 1, max(width, len(cells)), 0
                _check_size(rows, width, most_rows)
            sheets.append([name, rows - before])
    if not rows:
        raise _Refused("file_empty")
    return Spooled(rows, width, head, sheets if every_sheet else [])


def _check_size(rows: int, width: int, most_rows: int) -> None:
    if rows > most_rows:
        raise _Refused("too_many_rows")
    if width > MOST_CELLS:
        raise _Refused("too_many_columns")


def _sheets(source: Path, unpacked: Path, every: bool) -> Iterator[_Sheet]:
    """Yield the sheets of a workbook, the first or every one, each with its name; of a text the one it is."""
    with source.open("rb") as file:
        magic = file.read(4)
    if magic == _OLD_EXCEL:
        raise _Refused("file_old_excel")
    if magic.startswith(b"PK"):
        yield from _of_workbook(source, every)
        return
    if magic.startswith(b"\x1f\x8b"):
        _unpack(source, unpacked)
        source = unpacked
    yield "", _of_text(source)


def _of_workbook(source: Path, every: bool) -> Iterator[_Sheet]:
    checked_zip(source).close()
    book = CalamineWorkbook.from_path(str(source))
    if not every:
        yield "", _of_sheet(book.get_sheet_by_index(0))
        return
    for at, sheet in enumerate(book.sheets_metadata):
        if sheet.typ != SheetTypeEnum.WorkSheet:
            continue
        seen = sheet.visible == SheetVisibleEnum.Visible
        yield sheet.name, _of_sheet(book.get_sheet_by_index(at)) if seen else iter(())


def _of_sheet(sheet: CalamineSheet) -> Iterator[list[str]]:
    if sheet.start is None:
        return
    for row in sheet.iter_rows():
        yield [_written(cell) for cell in row]


def _written(cell: object) -> str:
    """Return a cell as it is read on the sheet: a workbook keeps 12 as 12.0."""
    text = str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
    return _cell(text)


def _cell(text: str) -> str:
    if len(text) > MOST_SIGNS:
        raise _Refused("cell_too_long")
    return text.replace("\x00", "").strip()


def _unpack(source: Path, target: Path) -> None:
    most = min(MOST_OUTPUT, max(10_000_000, source.stat().st_size * MOST_EXPANSION))
    with gzip.open(source, "rb") as packed, target.open("wb") as out:
        while chunk := packed.read(_CHUNK):
            out.write(chunk)
            if out.tell() > most:
                raise _Refused("file_exploded")


def _of_text(source: Path) -> Iterator[list[str]]:
    encoding = _encoding(source)
    csv.field_size_limit(MOST_SIGNS)
    with source.open(encoding=encoding, newline="") as file:
        first = file.readline()
        file.seek(0)
        if "\t" in first:
            lines: Iterator[Sequence[str]] = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        else:
            # A line of plain text is one address, commas and all.
            lines = ([line] for line in file) if ".txt" in source.suffixes else csv.reader(file)
        for cells in lines:
            yield [_cell(cell) for cell in cells]


def _encoding(source: Path) -> str:
    """Return the encoding the whole file can be read in."""
    for encoding in ("utf-8-sig", "gb18030"):
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            with source.open("rb") as file:
                while chunk := file.read(_CHUNK):
                    if "\x00" in decoder.decode(chunk):
                        raise _Refused("file_binary")
                decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        return encoding
    raise _Refused("file_encoding")


def _code(fault: Exception) -> str:
    """Return the code of ``_SAID`` for what a reader raised."""
    if isinstance(fault, _Refused):
        return str(fault)
    if isinstance(fault, SourceRefused):
        return "file_exploded" if fault.code in ("archive_bomb", "file_too_large") else "file_unreadable"
    return "cell_too_long" if isinstance(fault, csv.Error) and "limit" in str(fault) else "file_unreadable"


def main(source: str, target: str, answer: str, most_rows: str, memory: str, sheets: str) -> None:
    """Read and write under limits, and leave what was found, or why not, in ``answer``."""
    confine(memory=int(memory), cpu_seconds=int(SECONDS), output=MOST_OUTPUT)
    try:
        found: dict[str, Any] = asdict(_spool(Path(source), Path(target), int(most_rows), sheets == "every"))
    except (_Refused, CityError, CalamineError, csv.Error, OSError, EOFError, ValueError, IndexError) as fault:
        found = {"refused": _code(fault)}
    Path(answer).write_bytes(orjson.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
