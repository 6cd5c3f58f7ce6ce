"""Rows of a run as a workbook or CSV: what could not be matched, with why, for those who mend rules or call families back."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from geo.spreadsheets import plain_cell
from services.catchments.validating.models import Validation
from services.catchments.validating.queries import Shown, Wanted, shown, verdicts

SHEET: Final = "工作表"
TITLES: Final = ("行号", "登记编号", "街镇", "居委", "小区", "地址", "结果", "原因", "对口园", "说明")
_WIDE: Final = (8, 16, 16, 18, 18, 44, 16, 20, 30, 60)
_AT_ONCE: Final = 5_000


def write_verdicts(path: Path, validation: Validation, wanted: Wanted, ending: str) -> int:
    """Write the wanted rows of a run to a file, ``xlsx`` or ``csv``, and return how many there are.

    Rows of a register of several sheets say first which one they stand in.
    """
    several, rows = bool(validation.register.sheets), _rows(validation, wanted)
    return _workbook(path, rows, several) if ending == "xlsx" else _text(path, rows, several)


def _rows(validation: Validation, wanted: Wanted) -> Iterator[Shown]:
    found = verdicts(validation, wanted).iterator(chunk_size=_AT_ONCE)
    while piece := list(islice(found, _AT_ONCE)):
        yield from shown(validation, piece)


def _cells(row: Shown, several: bool) -> tuple[str, ...]:
    return ((row.sheet,) if several else ()) + (
        str(row.number), row.own, row.street, row.committee, row.community, row.address, row.outcome, row.reason,
        row.places, row.said,
    )  # fmt: skip


def _titles(several: bool) -> tuple[str, ...]:
    return (SHEET, *TITLES) if several else TITLES


def _text(path: Path, rows: Iterator[Shown], several: bool) -> int:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        out = csv.writer(file)
        out.writerow(_titles(several))
        return sum(1 for row in rows if out.writerow([plain_cell(cell) for cell in _cells(row, several)]))


def _workbook(path: Path, rows: Iterator[Shown], several: bool) -> int:
    import xlsxwriter  # slow to import, and few need it

    count = 0
    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        bold, text = book.add_format({"bold": True, "bottom": 1}), book.add_format({"num_format": "@"})
        sheet = book.add_worksheet("验证结果")
        for column, (title, wide) in enumerate(zip(_titles(several), (16, *_WIDE)[not several :], strict=True)):
            sheet.set_column(column, column, wide, text)
            sheet.write_string(0, column, title, bold)
        sheet.freeze_panes(1, 0)
        for count, row in enumerate(rows, start=1):
            for column, cell in enumerate(_cells(row, several)):
                sheet.write_string(count, column, cell)
    return count
