"""A decision table as staff write it: columns, rows and the texts of their cells, in and out of JSON. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from geo.errors import BadInput
from services.kernel.rules.spec import RuleSetSpec

MOST_ROWS: Final = 1_000
MOST_COLUMNS: Final = 20
LONGEST_CELL: Final = 500
LONGEST_NOTE: Final = 200


@dataclass(frozen=True, slots=True)
class Line:
    """A row: a name that stays when it moves, a cell for every input column, a cell for every result, and a note."""

    key: str
    tests: tuple[str, ...]
    results: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: what each input column asks (a fact or an expression over facts), the results, and the rows in their order."""

    asks: tuple[str, ...]
    gives: tuple[str, ...]
    lines: tuple[Line, ...] = ()

    def data(self) -> dict[str, Any]:
        """Return the table as JSON."""
        return {
            "asks": list(self.asks),
            "gives": list(self.gives),
            "lines": [
                {"key": line.key, "tests": list(line.tests), "results": list(line.results), "note": line.note}
                for line in self.lines
            ],
        }


def starting_sheet(spec: RuleSetSpec) -> Sheet:
    """Return an empty table with a column for every fact."""
    facts = tuple(fact.key for fact in spec.inputs[:MOST_COLUMNS])
    return Sheet(facts, tuple(fact.key for fact in spec.outputs))


def sheet_of(data: Any, spec: RuleSetSpec) -> Sheet:
    """Return the table that JSON says. Raises ``BadInput`` for another shape, other results, or beyond the limits."""
    try:
        asks, gives = tuple(data["asks"]), tuple(data["gives"])
        lines = tuple(
            Line(line["key"], tuple(line["tests"]), tuple(line["results"]), line.get("note", ""))
            for line in data["lines"]
        )
    except (TypeError, KeyError, AttributeError) as fault:
        raise BadInput("sheet_shape", "这张规则表读不懂，请刷新页面后再试。") from fault
    sheet = Sheet(asks, gives, lines)
    check_shape(sheet, spec)
    return sheet


def check_shape(sheet: Sheet, spec: RuleSetSpec) -> None:
    """Refuse a table beyond the limits or with rows that do not fit its columns. Raises ``BadInput``."""
    if not 1 <= len(sheet.asks) <= MOST_COLUMNS:
        raise BadInput("sheet_columns", f"规则表要有 1 到 {MOST_COLUMNS} 个条件列。")
    if sheet.gives != tuple(fact.key for fact in spec.outputs):
        raise BadInput("sheet_results", "结果列与这个规则集不符，请刷新页面后再试。")
    if len(sheet.lines) > MOST_ROWS:
        raise BadInput("sheet_rows", f"一张规则表最多 {MOST_ROWS:,} 行，这里有 {len(sheet.lines):,} 行。")
    if len({line.key for line in sheet.lines}) != len(sheet.lines):
        raise BadInput("sheet_shape", "规则表里有两行同号，请刷新页面后再试。")
    for number, line in enumerate(sheet.lines, 1):
        texts = (*line.tests, *line.results, line.note, line.key)
        if len(line.tests) != len(sheet.asks) or len(line.results) != len(sheet.gives):
            raise BadInput("sheet_shape", f"第 {number} 行的格数与列数不符，请刷新页面后再试。")
        if not all(isinstance(text, str) for text in texts) or "\x00" in "".join(texts):
            raise BadInput("sheet_shape", f"第 {number} 行有读不懂的内容。")
        if max(map(len, texts)) > LONGEST_CELL or len(line.note) > LONGEST_NOTE:
            raise BadInput("sheet_cell", f"第 {number} 行有一格太长，每格最多 {LONGEST_CELL} 个字。")
