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

TITLES: Final = ("行号", "登记编号", "街镇", "居委", "小区", "地址", "结果", "原因", "对口园", "说明")
_WIDE: Final = (8, 16, 16, 18, 18, 44, 16, 20, 30, 60)
_AT_ONCE: Final = 5_000


def write_verdicts(path: Path, validation: Validation, wanted: Wanted, ending: str) -> int:
    """Write the wanted rows of a run to a file, ``xlsx`` or ``csv``, and return how many there are."""
    rows = _rows(validation, wanted)
    return _workbook(path, rows) if ending == "xlsx" else _text(path, rows)


def _rows(validation: Validation, wanted: Wanted) -> Iterator[Shown]:
    found = verdicts(validation, wanted).iterator(chunk_size=_AT_ONCE)
    while piece := list(islice(found, _AT_ONCE)):
        yield from shown(piece)


def _cells(row: Shown) -> tuple[str, ...]:
    return (
        str(row.number), row.own, row.street, row.committee, row.community, row.address, row.outcome, row.reason,
        row.places, row.said,
    )  # fmt: skip


def _text(path: Path, rows: Iterator[Shown]) -> int:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        out = csv.writer(file)
        out.writerow(TITLES)
        return sum(1 for row in rows if out.writerow([plain_cell(cell) for cell in _cells(row)]))


def _workbook(path: Path, rows: Iterator[Shown]) -> int:
    import xlsxwriter  # slow to import, and few need it

    count = 0
    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        bold, text = book.add_format({"bold": True, "bottom": 1}), book.add_format({"num_format": "@"})
        sheet = book.add_worksheet("验证结果")
        for column, (title, wide) in enumerate(zip(TITLES, _WIDE, strict=True)):
            sheet.set_column(column, column, wide, text)
            sheet.write_string(0, column, title, bold)
        sheet.freeze_panes(1, 0)
        for count, row in enumerate(rows, start=1):
            for column, cell in enumerate(_cells(row)):
                sheet.write_string(count, column, cell)
    return count
