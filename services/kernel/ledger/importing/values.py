"""What the cells of a sheet mean: every cell is read as the kind its column declares, or says what is wrong with it. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from geo.imports.faults import RowRefused
from geo.imports.rows import BLANKS, RawRow
from geo.imports.sheets import SheetRow
from services.kernel.spec import Column, Intake

LONGEST: Final = 300
_NUMBER: Final = re.compile(r"([-+]?\d+(?:,\d{3})*(?:\.\d+)?|[-+]?\d+(?:\.\d+)?)\s*([^\d.,\s]{0,3})")
_COUNTERS: Final = frozenset("个张家户人名位间元米份条所床")
POSITION: Final = ("lon", "lat")


def read_row(number: int, cells: Mapping[str, str], intake: Intake) -> SheetRow:
    """Return a row with its cells read; every cell that cannot be read is a fault of the row.

    The required fields are asked of new rows only: one that names an existing row changes what it says and leaves the rest.
    """
    texts = {field.key: _clean(cells.get(field.key, "")) for field in intake.fields}
    row = SheetRow(number, texts)
    raw = RawRow("", number, "", texts, {field.key: field.label for field in intake.fields})
    for field in intake.fields:
        try:
            value = _value(field, raw)
        except RowRefused as fault:
            what = fault.message.partition("（")[2].removesuffix("）") or texts[field.key][:40]
            row.refuse(fault.code, field.key, what)
            continue
        if value is not None:
            row.values[field.key] = value
    named = bool(intake.known and texts.get(intake.known))
    for field in intake.fields:
        blank = texts[field.key].strip().lower() in BLANKS
        if field.key in intake.required and not named and blank:
            row.refuse("missing_value", field.key)
    return row


def _value(field: Column, raw: RawRow) -> Any:
    match field.kind:
        case "integer" | "number":
            return _number(field, raw)
        case "flag":
            return raw.flag(field.key)
        case "day" | "moment":
            day = raw.date(field.key)
            return day.isoformat() if day else None
        case "choice":
            return _choice(field, raw)
        case _:
            return raw.text(field.key, limit=LONGEST) or None


def _number(field: Column, raw: RawRow) -> int | float | None:
    """Return a number that is nothing but a number, perhaps with its counter behind it: 20张, 1,200 元; never 20-30 or 约20."""
    text = raw.value(field.key)
    if text is None:
        return None
    if field.key in POSITION:
        return _figure(raw, field, text)
    found = _NUMBER.fullmatch(unicodedata.normalize("NFKC", str(text)).strip())
    if found is None or (found[2] and found[2] != field.unit and found[2] not in _COUNTERS):
        raise raw.refuse("not_a_number", field.key, str(text)[:40])
    figure = float(found[1].replace(",", ""))
    if not 0 <= figure < 2**31:
        raise raw.refuse("out_of_range", field.key, str(text)[:40])
    if field.kind == "number":
        return figure
    if not figure.is_integer():
        raise raw.refuse("not_whole", field.key, str(text)[:40])
    return int(figure)


def _figure(raw: RawRow, field: Column, text: Any) -> float:
    try:
        return float(unicodedata.normalize("NFKC", str(text)).strip())
    except ValueError:
        raise raw.refuse("bad_position", field.key, str(text)[:40]) from None


def _choice(field: Column, raw: RawRow) -> str | None:
    text = raw.text(field.key)
    if not text:
        return None
    asked = _word(text)
    for key, label in field.offered:
        if asked in (_word(label), key.lower()):
            return key
    raise raw.refuse("unknown_value", field.key, text[:40])


def _word(text: str) -> str:
    return unicodedata.normalize("NFKC", text).replace(" ", "").lower()


def _clean(text: str) -> str:
    if not text.isprintable():
        text = "".join(char for char in text if char.isprintable() or char == "\n")
    return text.strip()
