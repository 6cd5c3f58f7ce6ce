"""A decision table as a page shows it: every cell with its text, what it says in Chinese, and what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from geo.errors import BadInput
from services.kernel.expressions import Expression
from services.kernel.rules.deciding.cells import Asked, read_result, read_test, value_words
from services.kernel.rules.deciding.differences import Change, cells_of
from services.kernel.rules.deciding.editing import new_key
from services.kernel.rules.deciding.sheets import Line, Sheet, check_shape
from services.kernel.rules.deciding.tables import Column, asked_of, read_column
from services.kernel.rules.spec import Fact, RuleSetSpec


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column: what it asks or gives, its place from 0, and what is wrong with it."""

    at: int
    name: str
    key: str
    label: str
    hint: str
    fault: str
    result: bool


@dataclass(frozen=True, slots=True)
class GridCell:
    """A cell: its head, its text, the Chinese sentence or the fault, and how it is marked against another version."""

    head: Head
    text: str
    said: str
    fault: str
    mark: str


@dataclass(frozen=True, slots=True)
class GridRow:
    """A row with its number from 1."""

    number: int
    key: str
    cells: list[GridCell]
    note: str
    mark: str
    note_mark: str


@dataclass(frozen=True, slots=True)
class Grid:
    """The whole table."""

    heads: list[Head]
    rows: list[GridRow]


def heads_of(sheet: Sheet, spec: RuleSetSpec) -> tuple[list[Head], list[Asked | None]]:
    """Return the heads of all columns and what they ask; None for a column that cannot be meant."""
    heads: list[Head] = []
    asked: list[Asked | None] = []
    for at, ask in enumerate(sheet.asks):
        column, fault = _column(ask, spec)
        asked.append(column.asked if column else None)
        label = column.asked.label if column else ask
        heads.append(Head(at, f"t{at}", ask, label, _hint(column.asked if column else None), fault, result=False))
    for at, fact in enumerate(spec.outputs):
        asked.append(asked_of(fact))
        heads.append(Head(len(sheet.asks) + at, f"g{at}", fact.key, fact.label, _hint(asked_of(fact)), "", result=True))
    return heads, asked


def grid_of(sheet: Sheet, spec: RuleSetSpec, changes: Collection[Change] = (), *, earlier: bool = False) -> Grid:
    """Return a table to show; ``changes`` against another version are marked, as seen from the ``earlier`` or the later one."""
    heads, asked = heads_of(sheet, spec)
    gone = "removed" if earlier else "added"
    whole = {each.key for each in changes if each.what == gone}
    moved = {each.key for each in changes if each.what == "moved"}
    cells = {(each.key, each.column) for each in changes if each.what == "cell"}
    rows = []
    for number, line in enumerate(sheet.lines, 1):
        texts = cells_of(sheet, line).values()
        shown = [
            _cell(text, head, each, spec, changed=(line.key, head.key) in cells)
            for head, each, text in zip(heads, asked, texts, strict=False)  # the note stands apart
        ]
        mark = gone if line.key in whole else "moved" if line.key in moved else ""
        rows.append(GridRow(number, line.key, shown, line.note, mark, "changed" if (line.key, "note") in cells else ""))
    return Grid(heads, rows)


def _cell(text: str, head: Head, asked: Asked | None, spec: RuleSetSpec, *, changed: bool) -> GridCell:
    words, fault = cell_said(text, asked, head.result, spec)
    return GridCell(head, text, words, fault, "changed" if changed else "")


def cell_said(text: str, asked: Asked | None, result: bool, spec: RuleSetSpec) -> tuple[str, str]:
    """Return what a cell says in Chinese and what is wrong with it; at most one of the two."""
    if asked is None:
        return "", ""
    try:
        said = _result_said(text, asked, spec) if result else read_test(text, asked).words(asked)
    except BadInput as fault:
        return "", fault.message
    return ("" if said in (text, f"为 {text}") else said), ""


def _result_said(text: str, asked: Asked, spec: RuleSetSpec) -> str:
    value = read_result(text, asked, spec.names, spec.labels)
    if isinstance(value, Expression):
        return f"按算式：{value.words(spec.labels, spec.choices)}"
    return "" if value is None else value_words(value, asked)


def sheet_posted(request: HttpRequest, before: Sheet, spec: RuleSetSpec) -> Sheet:
    """Return the table that was posted: whole as JSON by the script, or field by field. Raises ``BadInput``."""
    if whole := request.POST.get("sheet", ""):
        try:
            rows = json.loads(whole)
        except ValueError as fault:
            raise BadInput("sheet_shape", "这张规则表读不懂，请刷新页面后再试。") from fault
    else:
        fields = [*(f"t{at}" for at in range(len(before.asks))), *(f"g{at}" for at in range(len(before.gives))), "note"]
        lists = [request.POST.getlist("line"), *(request.POST.getlist(name) for name in fields)]
        if len({len(each) for each in lists}) != 1:
            raise BadInput("sheet_shape", "规则表没有完整传上来，请刷新页面后再试。")
        rows = [list(row) for row in zip(*lists, strict=True)]
    sheet = Sheet(before.asks, before.gives, tuple(_line(row, before) for row in _rows(rows)))
    check_shape(sheet, spec)
    return sheet


def _rows(rows: Any) -> list[Any]:
    if not isinstance(rows, list):
        raise BadInput("sheet_shape", "这张规则表读不懂，请刷新页面后再试。")
    return rows


def _line(row: Any, sheet: Sheet) -> Line:
    width = len(sheet.asks)
    if (
        not isinstance(row, list)
        or len(row) != width + len(sheet.gives) + 2
        or not all(isinstance(text, str) for text in row)
    ):
        raise BadInput("sheet_shape", "规则表的列数与保存的不同，请刷新页面后再试。")
    key, *cells, note = (text.replace("\x00", "").replace("\n", " ").strip() for text in row)
    return Line(key or new_key(), tuple(cells[:width]), tuple(cells[width:]), note)


def _column(ask: str, spec: RuleSetSpec) -> tuple[Column | None, str]:
    try:
        return read_column(ask, spec), ""
    except BadInput as fault:
        return None, fault.message


def _hint(asked: Asked | None) -> str:
    if asked is None:
        return ""
    if asked.choices:
        return "可选：" + "、".join(label for _, label in asked.choices)
    unit = f"（{asked.unit}）" if asked.unit else ""
    return {"number": f"数字{unit}", "flag": "是、否", "day": "日期", "texts": "多项", "text": "文字"}[asked.kind]


def fact_field(fact: Fact, typed: str, fault: str) -> dict[str, Any]:
    """Return a fact as a field of the panel that tries a table."""
    options = [(label, label) for _, label in fact.choices] if fact.kind == "text" else []
    if fact.kind == "flag":
        options = [("是", "是"), ("否", "否")]
    kind = {"day": "date"}.get(fact.kind, "text")
    return {
        "fact": fact,
        "typed": typed,
        "fault": fault,
        "options": options,
        "type": kind,
        "hint": _hint(asked_of(fact)),
    }
