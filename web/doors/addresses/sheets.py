"""Spreadsheet files at the coordinate tool: an upload becomes lines, and the result a CSV or Excel file without formulas."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from django.core.files import File
from django.http import HttpResponse

from geo.crs import System
from geo.crs.parsing import looks_like_point
from geo.errors import BadInput, TooLarge
from geo.imports.faults import SourceRefused
from geo.imports.quarantine import read_apart
from geo.spreadsheets import BOM, plain_cell
from web.doors.common.taken import attached

MOST_BYTES: Final = 1_000_000
READ_SECONDS: Final = 20.0
READ_MEMORY: Final = 1_000_000_000
OLD_EXCEL: Final = b"\xd0\xcf\x11\xe0"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WIDTHS: Final = (6, 36, 16, 16, 20, 44, 18, 44)
REFUSED: Final = "这个 Excel 文件读不出来，可能没有传完或已损坏。请重新保存一份再上传，或把要转换的列复制后粘贴到框里。"
EXPLODED: Final = "这个 Excel 文件展开后太大，请只留下要转换的列，另存一份再上传。"


@dataclass(frozen=True, slots=True)
class ConvertedRow:
    """One row of the result: what was written, where it is in the wanted system, how it was found, or what is wrong."""

    number: int
    text: str
    x: str = ""
    y: str = ""
    how: str = ""
    uncertainty_m: float | None = None
    fault: str = ""


def heads(to: System) -> tuple[str, str]:
    """Return the names of the two columns of numbers."""
    return ("经度", "纬度") if to.is_geographic else ("东坐标（米）", "北坐标（米）")


def lines_of_file(file: File[bytes] | None) -> str:
    """Return the lines of an uploaded text, CSV or Excel file: of several cells in a row the two numbers, or the address.

    Of a workbook the first sheet is read; blank rows stay blank lines, so that rows keep their numbers. Raises ``BadInput`` for
    what cannot be read and ``TooLarge``.
    """
    if file is None:
        return ""
    if (file.size or 0) > MOST_BYTES:
        raise TooLarge("file_too_large", "文件超过 1 MB，请分成几个再转换。")
    data = file.read()
    if data.startswith(OLD_EXCEL):
        raise BadInput("file_format", "这是旧版 Excel 文件（.xls）。请在表格软件里另存为 .xlsx 或 CSV，再上传。")
    rows = _workbook(data) if data.startswith(b"PK") else csv.reader(io.StringIO(_text(data)))
    return "\n".join(_cells_as_line(cells) for cells in rows)


def _text(data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" in text:
            raise BadInput("file_format", "这不是文本文件。请上传 Excel、CSV 或 TXT 文件。")
        return text
    raise BadInput("file_encoding", "文件的文字编码读不懂，请另存为 UTF-8 编码的 CSV 再试。")


def _workbook(data: bytes) -> list[list[str]]:
    """Return the cells of the first sheet, read in a process apart: an upload may be made to harm its reader."""
    with tempfile.TemporaryDirectory(prefix="quantu-convert-") as folder:
        path = Path(folder) / "upload.xlsx"
        path.write_bytes(data)
        try:
            found = read_apart(path, format="xlsx_cells", datum=None, seconds=READ_SECONDS, memory=READ_MEMORY)
        except SourceRefused as refusal:
            if refusal.code in {"archive_bomb", "file_too_large", "reader_died"}:
                raise TooLarge(refusal.code, EXPLODED) from None
            if refusal.code == "nothing_accepted":
                raise BadInput(
                    "text_empty", "这个 Excel 文件的第一张表是空的，请把要转换的内容放在第一张表里。"
                ) from None
            raise BadInput(refusal.code, REFUSED) from None
    return [list(record.values()) for record in found.records]


def _cells_as_line(cells: Sequence[str]) -> str:
    """Return what a row says: two numbers side by side, else a cell that holds both, else the longest text.

    A whole number is taken for a coordinate only when there is nothing better: it may count the rows.
    """
    filled = [" ".join(cell.split()) for cell in cells if cell.strip()]
    pairs = [(one, other) for one, other in pairwise(filled) if _is_number(one) and _is_number(other)]
    fine = [pair for pair in pairs if not any(cell.isdecimal() for cell in pair)]
    points = [", ".join(pair) for pair in fine or pairs] or [cell for cell in filled if looks_like_point(cell)]
    return points[0] if points else max(filled, key=len, default="")


def _is_number(cell: str) -> bool:
    """Say whether a cell holds one number, in degrees or metres, and not a pair of them."""
    return looks_like_point(f"{cell}, 0") and not looks_like_point(cell)


def as_csv(rows: Sequence[ConvertedRow], to: System) -> HttpResponse:
    """Return the rows as CSV that spreadsheet programs read as UTF-8, with no cell they could take for a formula."""
    out = io.StringIO()
    out.write(BOM)
    writer = csv.writer(out)
    writer.writerow(_titles(to))
    for row in rows:
        radius = "" if row.uncertainty_m is None else f"{row.uncertainty_m:.0f}"
        texts = [plain_cell(row.text), row.x, row.y, to.label, plain_cell(row.how), radius, plain_cell(row.fault)]
        writer.writerow([row.number, *texts])
    return attached(out.getvalue().encode(), "text/csv; charset=utf-8", "quantu-convert.csv")


def as_xlsx(rows: Sequence[ConvertedRow], to: System) -> HttpResponse:
    """Return the rows as a workbook: numbers are numbers, and every text is written as text, never as a formula or a link."""
    import xlsxwriter  # slow to import, and few need it

    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet("坐标转换")
        bold, number = book.add_format({"bold": True}), book.add_format()
        number.set_num_format("0.0000000" if to.is_geographic else "0.000")
        for column, (title, width) in enumerate(zip(_titles(to), WIDTHS, strict=True)):
            sheet.set_column(column, column, width)
            sheet.write_string(0, column, title, bold)
        sheet.freeze_panes(1, 0)
        for at, row in enumerate(rows, 1):
            sheet.write_number(at, 0, row.number)
            for column, text in ((1, row.text), (4, to.label), (5, row.how), (7, row.fault)):
                sheet.write_string(at, column, text)
            for column, figure in ((2, row.x), (3, row.y)):
                if figure:
                    sheet.write_number(at, column, float(figure), number)
            if row.uncertainty_m is not None:
                sheet.write_number(at, 6, round(row.uncertainty_m))
    return attached(out.getvalue(), XLSX, "quantu-convert.xlsx")


def _titles(to: System) -> list[str]:
    return ["行号", "原文", *heads(to), "坐标系", "怎么得到的", "九成把握的误差（米）", "问题"]
