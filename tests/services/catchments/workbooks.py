"""Workbooks as districts make them, written for tests: titles, heads of three rows, merged cells, several sheets, notes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

Merge = tuple[int, int, int, int, str]
"""First row, first column, last row, last column, from 0, and the text."""


def write_book(path: Path, *sheets: tuple[str, Sequence[Sequence[Any]], Sequence[Merge]]) -> Path:
    """Write sheets of a name, rows from the first one, and merged ranges over them."""
    with xlsxwriter.Workbook(str(path)) as book:
        for name, rows, merges in sheets:
            page = book.add_worksheet(name)
            taken = {(at, column) for top, left, bottom, right, _ in merges for at in range(top, bottom + 1) for column in range(left, right + 1)}  # fmt: skip
            for at, row in enumerate(rows):
                for column, cell in enumerate(row):
                    if cell not in ("", None) and (at, column) not in taken:
                        page.write(at, column, cell)
            for top, left, bottom, right, text in merges:
                page.merge_range(top, left, bottom, right, text)
    return path
