"""Which row of a sheet is its header, and which of its columns is which field: by the label, or by a name close to it. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final

from services.kernel.spec import Column, Intake

HEADER_WITHIN: Final = 12
"""Rows from the top in which the header is looked for."""
CLOSE: Final = 0.75
_SIGNS: Final = re.compile(r"[\s*＊:：_\-]|\(.*?\)|\[.*?\]|（.*?）|【.*?】")
REASON_HEAD: Final = "要改的原因"
ROW_HEAD: Final = "行号"
OURS: Final = (ROW_HEAD, REASON_HEAD)
"""Columns of the workbook of rows to mend, which are no fields."""


@dataclass(frozen=True, slots=True)
class Header:
    """Where the header stands, counted from 0, and the columns of the sheet, from 0, by the key of the field they fill."""

    row: int
    columns: Mapping[str, int]
    names: tuple[str, ...]
    exact: bool

    def unknown(self) -> list[str]:
        """Return the names of the columns that fill no field."""
        taken = set(self.columns.values())
        return [name for at, name in enumerate(self.names) if name and at not in taken and name not in OURS]

    def missing(self, intake: Intake) -> list[Column]:
        """Return the required fields that no column fills; a sheet that names existing rows need not bring them."""
        if intake.known and intake.known in self.columns:
            return []
        return [field for field in intake.fields if field.key in intake.required and field.key not in self.columns]

    def as_data(self) -> dict[str, Any]:
        """Return the header as JSON."""
        return {"row": self.row, "columns": dict(self.columns), "names": list(self.names), "exact": self.exact}


def read_header(head: Sequence[Sequence[str]], intake: Intake) -> Header:
    """Return the header of a sheet by its first rows: the row that names most fields; the first with words if none does."""
    found = [_matched(at, row, intake) for at, row in enumerate(head[:HEADER_WITHIN]) if any(row)]
    if not found:
        return Header(0, {}, (), exact=False)
    return max(found, key=lambda header: (len(header.columns), header.exact, -header.row))


def header_at(row: Sequence[str], at: int, columns: Mapping[str, int]) -> Header:
    """Return the header that somebody chose by hand."""
    return Header(at, dict(columns), tuple(cell.strip() for cell in row), exact=True)


def letter(at: int) -> str:
    """Return the letters of a column counted from 0, as a spreadsheet shows them: 0 is A, 26 is AA."""
    letters = ""
    at += 1
    while at:
        at, rest = divmod(at - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _matched(at: int, row: Sequence[str], intake: Intake) -> Header:
    names = [_plain(cell) for cell in row]
    labels = {field.key: _plain(field.label) for field in intake.fields}
    columns = {key: names.index(label) for key, label in labels.items() if label in names}
    exact = len(columns) == sum(1 for name in names if name and name not in map(_plain, OURS))
    taken = set(columns.values())
    pairs = [
        (closeness, key, column)
        for key, label in labels.items()
        if key not in columns
        for column, name in enumerate(names)
        if column not in taken and name not in map(_plain, OURS)
        if (closeness := _closeness(label, name)) >= CLOSE
    ]
    for _, key, column in sorted(pairs, key=lambda pair: (-pair[0], pair[2])):
        if key not in columns and column not in taken:
            columns[key] = column
            taken.add(column)
    return Header(at, columns, tuple(cell.strip() for cell in row), exact)


def _plain(text: str) -> str:
    return _SIGNS.sub("", unicodedata.normalize("NFKC", text)).lower()


def _closeness(label: str, name: str) -> float:
    """Return how alike two names are: 机构名称 ends in 名称, 联系电话 in 电话; else by the characters they share."""
    if not label or not 2 <= len(name) <= 12:
        return 0.0
    if len(label) > 1 and (name.endswith(label) or label.endswith(name)):
        return 0.9
    return SequenceMatcher(None, label, name).ratio()
