"""How values of a ledger are written for people: units, words of choices, days, and what is shown of sensitive ones."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any, Final

from django.utils import timezone

from services.crypto.masking import mask_identity, mask_name, mask_phone
from services.kernel.spec import Column

BLANK: Final = "–"


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of a row: as the database has it, and as it is written; '' where there is none."""

    column: Column
    value: Any
    text: str

    @property
    def is_number(self) -> bool:
        """Say whether the value stands right-aligned."""
        return self.column.kind in ("integer", "number")


def cell(column: Column, value: Any) -> Cell:
    """Return a value with its writing; a sensitive one is masked here, so that no page, export or print can forget to."""
    if column.masked and value not in (None, ""):
        value = masked(str(value), column)
    return Cell(column, value, written(column, value))


def written(column: Column, value: Any) -> str:
    """Return how a value is written in a list, without its unit."""
    if value is None or value == "":
        return ""
    match column.kind:
        case "flag":
            return "是" if value else "否"
        case "choice":
            return column.word(value)
        case "integer" | "number":
            return _figure(value) if column.grouped else str(value)
        case "day":
            return value.isoformat() if isinstance(value, datetime.date) else str(value)
        case "moment":
            return timezone.localtime(value).strftime("%Y-%m-%d %H:%M") if isinstance(value, datetime.datetime) else ""
        case _:
            return "、".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def masked(text: str, column: Column) -> str:
    """Return what may be seen of a sensitive text: 138****5678, 31**************34, 王*."""
    match column.masked:
        case "phone":
            return mask_phone(text)
        case "identity":
            return mask_identity(text)
        case _:
            return mask_name(text)


def _figure(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.10g}"
