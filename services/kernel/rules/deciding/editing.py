"""The acts that change a table: rows and columns added, doubled, moved, removed. Pure; the cells come with the form."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from geo.errors import BadInput
from services.kernel.rules.deciding.sheets import Line, Sheet
from services.kernel.rules.deciding.tables import read_column
from services.kernel.rules.spec import RuleSetSpec


def new_key() -> str:
    """Return a name for a new row, which it keeps wherever it moves."""
    return secrets.token_hex(4)


def blank_line(sheet: Sheet) -> Line:
    """Return a row that demands nothing and gives nothing yet."""
    return Line(new_key(), ("",) * len(sheet.asks), ("",) * len(sheet.gives))


def _add(sheet: Sheet, at: int) -> Sheet:
    return replace(sheet, lines=(*sheet.lines[:at], blank_line(sheet), *sheet.lines[at:]))


def _double(sheet: Sheet, at: int) -> Sheet:
    twin = replace(sheet.lines[at], key=new_key())
    return replace(sheet, lines=(*sheet.lines[: at + 1], twin, *sheet.lines[at + 1 :]))


def _remove(sheet: Sheet, at: int) -> Sheet:
    return replace(sheet, lines=(*sheet.lines[:at], *sheet.lines[at + 1 :]))


def _up(sheet: Sheet, at: int) -> Sheet:
    lines = list(sheet.lines)
    if at > 0:
        lines[at - 1], lines[at] = lines[at], lines[at - 1]
    return replace(sheet, lines=tuple(lines))


def _down(sheet: Sheet, at: int) -> Sheet:
    return _up(sheet, at + 1) if at + 1 < len(sheet.lines) else sheet


_ROW_ACTS: Final[dict[str, Callable[[Sheet, int], Sheet]]] = {
    "row-add": _add,
    "row-double": _double,
    "row-remove": _remove,
    "row-up": _up,
    "row-down": _down,
}


def edited(sheet: Sheet, act: str, spec: RuleSetSpec, *, column: str = "") -> Sheet:
    """Return a table after an act such as ``row-add:3`` (rows from 0), ``column-remove:1`` or ``column-add``.

    Raises ``BadInput`` for an act or a place that there is not.
    """
    verb, _, where = act.partition(":")
    at = int(where) if where.isascii() and where.isdigit() and len(where) < 5 else 0
    if verb in _ROW_ACTS and at < len(sheet.lines) + (verb == "row-add"):
        return _ROW_ACTS[verb](sheet, at)
    if verb == "column-add":
        return add_column(sheet, column, spec)
    if verb == "column-remove" and at < len(sheet.asks):
        return remove_column(sheet, at)
    raise BadInput("edit_unknown", "这一步做不了，请刷新页面后再试。")


def add_column(sheet: Sheet, text: str, spec: RuleSetSpec) -> Sheet:
    """Add a condition column that asks for a fact or an expression. Raises ``BadInput`` where it cannot be meant."""
    text = text.strip().removeprefix("=").strip()
    fact = next((fact for fact in spec.inputs if text in (fact.key, fact.label)), None)
    ask = fact.key if fact else text
    if not ask:
        raise BadInput("column_missing", "请选一个事实，或写一个算式，再添加列。")
    read_column(ask, spec)
    if ask in sheet.asks:
        raise BadInput("column_twice", "这一列已经在表里了。")
    lines = tuple(replace(line, tests=(*line.tests, "")) for line in sheet.lines)
    return Sheet((*sheet.asks, ask), sheet.gives, lines)


def remove_column(sheet: Sheet, at: int) -> Sheet:
    """Remove a condition column. Raises ``BadInput`` for the last one."""
    if len(sheet.asks) == 1:
        raise BadInput("column_last", "至少要留一个条件列。")
    lines = tuple(replace(line, tests=(*line.tests[:at], *line.tests[at + 1 :])) for line in sheet.lines)
    return Sheet((*sheet.asks[:at], *sheet.asks[at + 1 :]), sheet.gives, lines)
