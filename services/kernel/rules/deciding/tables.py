"""A decision table ready to decide, its decisions, and each of them step by step in Chinese. Pure.

Compiled once per version; deciding walks the rows and, in each, only the cells that demand something.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

from geo.errors import BadInput
from services.kernel.expressions import Expression, ExpressionFault, Value, values_of
from services.kernel.expressions.values import digits
from services.kernel.rules.deciding.cells import Asked, CellFault, Test, read_result, read_test, value_words
from services.kernel.rules.deciding.sheets import Line, Sheet
from services.kernel.rules.spec import Fact, RuleSetSpec


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a table: row and column from 1, 0 for the whole; result columns follow the condition columns."""

    row: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True)
class Flaw:
    """A cell or column that cannot be meant."""

    place: Place
    code: str
    message: str


class TableFault(BadInput):
    """A table that cannot run; ``flaws`` says where and why."""

    def __init__(self, flaws: list[Flaw]) -> None:
        """Name the first flaw in the message, keep all."""
        first = flaws[0]
        where = (
            f"第 {first.place.row} 行第 {first.place.column} 列" if first.place.row else f"第 {first.place.column} 列"
        )
        super().__init__("table_flawed", f"规则表有 {len(flaws)} 处要改，{where}：{first.message}")
        self.flaws = flaws


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an explanation: the row (0 for none), whether it applied, and the sentence."""

    row: int
    applied: bool
    text: str


@dataclass(frozen=True, slots=True)
class Column:
    """A condition column: what it asks and how its value is come by."""

    asked: Asked
    source: Expression


@dataclass(frozen=True, slots=True)
class Rule:
    """A row: its number, its cells that demand something, with their columns, and its results."""

    number: int
    demands: tuple[tuple[int, Test], ...]
    results: tuple[Expression | Value, ...]
    note: str


@dataclass(frozen=True)
class Decision:
    """What a table decided: for each row that applied its results, by key; ``values`` are the facts as they were read."""

    table: Table
    values: Mapping[str, Value]
    rows: tuple[int, ...]
    results: tuple[Mapping[str, Value], ...]

    @property
    def outputs(self) -> Mapping[str, Value]:
        """The results of the first row that applied; every result None where none did."""
        return self.results[0] if self.results else dict.fromkeys((fact.key for fact in self.table.spec.outputs), None)

    @property
    def decided(self) -> bool:
        """Whether any row applied."""
        return bool(self.rows)

    @cached_property
    def explanation(self) -> list[Step]:
        """Why it is so, row by row: for which cell a row was passed over, what the row that applied demanded and gives."""
        return self.table.explain(self)


@dataclass(frozen=True)
class Table:
    """A table that was read without a flaw."""

    spec: RuleSetSpec
    columns: tuple[Column, ...]
    outputs: tuple[Asked, ...]
    rules: tuple[Rule, ...]

    def decide(self, facts: Mapping[str, object]) -> Decision:
        """Decide about some facts. Raises ``ExpressionFault`` for a fact of another kind or an expression without a value."""
        values = values_of(self.spec.names, facts, self.spec.labels)
        asked = [column.source.over(values) for column in self.columns]
        first = self.spec.hit == "first"
        rows: list[int] = []
        results: list[Mapping[str, Value]] = []
        for rule in self.rules:
            for column, test in rule.demands:
                if not test.passes(asked[column]):
                    break
            else:
                rows.append(rule.number)
                results.append(self._results(rule, values))
                if first:
                    break
        return Decision(self, values, tuple(rows), tuple(results))

    def _results(self, rule: Rule, values: Mapping[str, Value]) -> dict[str, Value]:
        given: dict[str, Value] = {}
        for fact, result in zip(self.spec.outputs, rule.results, strict=True):
            try:
                given[fact.key] = result.over(values) if isinstance(result, Expression) else result
            except ExpressionFault as fault:
                message = f"第 {rule.number} 行“{fact.label}”算不出来：{fault.message}"
                raise ExpressionFault(fault.code, message) from fault
        return given

    def explain(self, decision: Decision) -> list[Step]:
        """Return a decision of this table step by step."""
        asked = [column.source.over(decision.values) for column in self.columns]
        steps: list[Step] = []
        given = dict(zip(decision.rows, decision.results, strict=True))
        for rule in self.rules:
            if rule.number in given:
                steps.append(self._applied(rule, asked, given[rule.number]))
                if self.spec.hit == "first":
                    return steps
            else:
                steps.append(self._passed_over(rule, asked))
        if not given:
            steps.append(Step(0, False, "没有一行符合，规则没有给出结果。"))
        return steps

    def _passed_over(self, rule: Rule, asked: list[Value]) -> Step:
        for column, test in rule.demands:
            if not test.passes(asked[column]):
                facts = self.columns[column].asked
                text = f"第 {rule.number} 行不适用：{self._is(facts, asked[column])}，要求{test.words(facts)}。"
                return Step(rule.number, False, text)
        raise AssertionError("a row that is passed over has a cell that did not pass")

    def _applied(self, rule: Rule, asked: list[Value], results: Mapping[str, Value]) -> Step:
        met = [
            f"{self._is(self.columns[column].asked, asked[column])}，符合“{test.words(self.columns[column].asked)}”"
            for column, test in rule.demands
        ]
        shown = (
            f"{fact.label}为 {value_words(results[fact.key], asked_)}{self._sum(result)}"
            for fact, asked_, result in zip(self.spec.outputs, self.outputs, rule.results, strict=True)
            if results[fact.key] is not None
        )
        given = "，".join(shown) or "没有填结果"
        note = f"（{rule.note}）" if rule.note else ""
        return Step(
            rule.number, True, f"第 {rule.number} 行适用：{'；'.join(met) or '没有条件'}。结果：{given}。{note}"
        )

    def _sum(self, result: Expression | Value) -> str:
        if not isinstance(result, Expression):
            return ""
        return f"（算式：{result.words(self.spec.labels, self.spec.choices)}）"

    @staticmethod
    def _is(asked: Asked, value: Value) -> str:
        return f"{asked.label}未填" if value is None else f"{asked.label}为 {value_words(value, asked)}"


def asked_of(fact: Fact) -> Asked:
    """Return what a column of a fact asks."""
    return Asked(fact.kind, fact.label, fact.choices, fact.unit, fact.whole)


def read_column(text: str, spec: RuleSetSpec) -> Column:
    """Return a condition column that asks for a fact or an expression. Raises ``ExpressionFault``."""
    source = Expression.parse(text, spec.names, labels=spec.labels)
    fact = next((fact for fact in spec.inputs if text.strip() in (fact.key, fact.label)), None)
    if fact is not None:
        return Column(asked_of(fact), source)
    if source.kind is None:
        raise ExpressionFault("column_kind", "这一列没有值，请写一个事实或算式。", 0)
    return Column(Asked(source.kind, source.words(spec.labels, spec.choices)), source)


def read_table(sheet: Sheet, spec: RuleSetSpec) -> Table:
    """Return a table ready to decide. Raises ``TableFault`` with every flaw."""
    flaws: list[Flaw] = []
    columns: list[Column | None] = []
    for number, text in enumerate(sheet.asks, 1):
        try:
            columns.append(read_column(text, spec))
        except BadInput as fault:
            columns.append(None)
            flaws.append(Flaw(Place(0, number), fault.code, fault.message))
    outputs = tuple(asked_of(fact) for fact in spec.outputs)
    rules = [_rule(number, line, columns, outputs, spec, flaws) for number, line in enumerate(sheet.lines, 1)]
    if flaws:
        raise TableFault(flaws)
    return Table(spec, tuple(column for column in columns if column), outputs, tuple(rules))


def _rule(
    number: int,
    line: Line,
    columns: list[Column | None],
    outputs: tuple[Asked, ...],
    spec: RuleSetSpec,
    flaws: list[Flaw],
) -> Rule:
    demands: list[tuple[int, Test]] = []
    results: list[Expression | Value] = []
    for at, (text, column) in enumerate(zip(line.tests, columns, strict=True)):
        if column is None:
            continue
        try:
            test = read_test(text, column.asked)
            if not test.passes_all:
                demands.append((at, test))
        except BadInput as fault:
            flaws.append(Flaw(Place(number, at + 1), fault.code, fault.message))
    for at, (text, asked) in enumerate(zip(line.results, outputs, strict=True), len(columns) + 1):
        try:
            results.append(read_result(text, asked, spec.names, spec.labels))
        except (CellFault, ExpressionFault) as fault:
            flaws.append(Flaw(Place(number, at), fault.code, fault.message))
    return Rule(number, tuple(demands), tuple(results), line.note)


def plain_value(value: Value) -> Any:
    """Return a value as JSON holds it: numbers as exact text."""
    if isinstance(value, Decimal):
        return digits(value)
    if isinstance(value, frozenset):
        return sorted(value)
    return value.isoformat() if isinstance(value, date) else value
