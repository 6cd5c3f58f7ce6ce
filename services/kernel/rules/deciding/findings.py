"""What is wrong with a table before it is published: rows that never apply, overlaps, cases no row covers. Pure.

Every column's values fall into finitely many stretches, cut where some cell cuts them, so the answer is exact and needs no
sampling; only parts of texts (包含) and multiple choices are judged with care in both directions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_FLOOR, Decimal
from typing import Any, Literal

from services.kernel.rules.deciding.cells import Asked, Piece, Sign, Test, value_words
from services.kernel.rules.deciding.sheets import Sheet
from services.kernel.rules.deciding.tables import Place, Table, TableFault, read_table
from services.kernel.rules.spec import RuleSetSpec

Level = Literal["error", "warning", "notice"]
MOST_GAPS = 5
MOST_OVERLAPS = 10
MOST_WORK = 60_000


@dataclass(frozen=True, slots=True)
class Finding:
    """Something found in a table; an ``error`` stands in the way of publishing."""

    level: Level
    code: str
    message: str
    place: Place = Place()


@dataclass(frozen=True, slots=True)
class Stretch:
    """Values of a column that all its cells treat alike: one of them, and how they are called.

    Demands of the sign ``unsure`` may pass some of the values and not others; ``span`` are the ends of numbers and days.
    """

    example: Any
    words: str
    unsure: Sign | None = None
    span: Piece | None = None


class Unfinished(Exception):
    """The search grew beyond its budget."""


@dataclass
class _Budget:
    left: int = MOST_WORK

    def spend(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Unfinished


@dataclass
class Ground:
    """The stretches of every column, and as bit masks which rows pass each of them surely and which perhaps."""

    table: Table
    stretches: list[list[Stretch]] = field(default_factory=list)
    surely: list[list[int]] = field(default_factory=list)
    perhaps: list[list[int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for at, column in enumerate(self.table.columns):
            tests = [dict(rule.demands).get(at, Test()) for rule in self.table.rules]
            stretches = _stretches(column.asked, tests)
            self.stretches.append(stretches)
            self.surely.append([_mask(tests, each, sure=True) for each in stretches])
            self.perhaps.append([_mask(tests, each, sure=False) for each in stretches])

    def box(self, row: int) -> list[list[int]]:
        """Return, for each column, the stretches that a row (from 0) perhaps passes."""
        return [[at for at, mask in enumerate(masks) if mask >> row & 1] for masks in self.perhaps]

    def filled(self) -> list[list[int]]:
        """Return all stretches of values that are there."""
        return [[at for at, each in enumerate(column) if each.example is not None] for column in self.stretches]

    def uncovered(self, box: list[list[int]], rows: int, budget: _Budget) -> Iterator[list[list[int]]]:
        """Yield parts of a box that none of some rows (a mask) surely covers."""
        covered: set[tuple[int, int]] = set()

        def search(column: int, active: int, chosen: list[list[int]]) -> Iterator[list[list[int]]]:
            budget.spend()
            if not active:
                yield [*chosen, *box[column:]]
                return
            if column == len(box) or (column, active) in covered:
                return
            groups: dict[int, list[int]] = {}
            for at in box[column]:
                groups.setdefault(active & self.surely[column][at], []).append(at)
            found = False
            for left, stretches in groups.items():
                for part in search(column + 1, left, [*chosen, stretches]):
                    found = True
                    yield part
            if not found:
                covered.add((column, active))

        yield from search(0, rows, [])

    def words(self, part: list[list[int]]) -> str:
        """Return a part of the ground in Chinese."""
        said = [
            f"{column.asked.label} {_said(stretches, chosen, column.asked)}"
            for column, stretches, chosen in zip(self.table.columns, self.stretches, part, strict=True)
            if len(chosen) < sum(each.example is not None for each in stretches) or stretches[chosen[0]].example is None
        ]
        return "、".join(said) or "任何情况"


def findings_of(sheet: Sheet, spec: RuleSetSpec) -> list[Finding]:
    """Return what is wrong with a table, errors first; none means that it can be published as it is."""
    if not sheet.lines:
        return [Finding("error", "table_empty", "规则表还没有一行，请先添加规则。")]
    try:
        table = read_table(sheet, spec)
    except TableFault as fault:
        return [Finding("error", flaw.code, flaw.message, flaw.place) for flaw in fault.flaws]
    ground = Ground(table)
    found = [*_blank_results(table)]
    try:
        if spec.hit == "first":
            found += _unreachable(ground)
            found += _overlaps(ground)
        found += _gaps(ground)
    except Unfinished:
        found.append(
            Finding("notice", "check_unfinished", "表太复杂，重叠和空缺没有全部查完，请用“试一试”核对要紧的情况。")
        )
    return found


def _unreachable(ground: Ground) -> Iterator[Finding]:
    budget = _Budget()
    for row, rule in enumerate(ground.table.rules):
        if row and next(ground.uncovered(ground.box(row), (1 << row) - 1, budget), None) is None:
            message = f"第 {rule.number} 行永远用不到：它的情况都被前面的行占了。请调整顺序或删去。"
            yield Finding("warning", "row_unreachable", message, Place(rule.number))


def _overlaps(ground: Ground) -> Iterator[Finding]:
    """Yield pairs of rows that cut across each other with other results; an exception before its rule is as it should be."""
    rules, told = ground.table.rules, 0
    boxes = [[set(chosen) for chosen in ground.box(row)] for row in range(len(rules))]
    for later in range(len(rules)):
        for earlier in range(later):
            if rules[earlier].results == rules[later].results:
                continue
            pairs = list(zip(boxes[earlier], boxes[later], strict=True))
            inside = all(one <= other for one, other in pairs) or all(other <= one for one, other in pairs)
            if inside or not all(one & other for one, other in pairs):
                continue
            told += 1
            if told > MOST_OVERLAPS:
                return
            both = ground.words([sorted(one & other) for one, other in pairs])
            message = f"第 {earlier + 1} 行与第 {later + 1} 行有重叠（{both}），结果不同；按顺序用第 {earlier + 1} 行。"
            yield Finding("notice", "rows_overlap", message, Place(later + 1))


def _gaps(ground: Ground) -> Iterator[Finding]:
    """Yield what no row covers; only where all that is filled in is covered, also what is missing."""
    budget, rows, filled = _Budget(), (1 << len(ground.table.rules)) - 1, ground.filled()
    count = 0
    for part in ground.uncovered(filled, rows, budget):
        count += 1
        if count > MOST_GAPS:
            yield Finding("warning", "more_gaps", "还有其他情况没有任何一行适用。可以在最后加一行，条件都填“-”。")
            return
        yield Finding("warning", "gap", f"没有一行适用：{ground.words(part)}。")
    if count:
        return
    for at, column in enumerate(ground.table.columns):
        missing = [number for number, each in enumerate(ground.stretches[at]) if each.example is None]
        box = [missing if other == at else chosen for other, chosen in enumerate(filled)]
        if next(ground.uncovered(box, rows, budget), None) is not None:
            message = f"“{column.asked.label}”未填时，有的情况没有一行适用。需要的话加一行，这一格填“未填”。"
            yield Finding("notice", "gap_missing", message, Place(0, at + 1))


def _blank_results(table: Table) -> Iterator[Finding]:
    for rule in table.rules:
        if all(result is None for result in rule.results):
            yield Finding("warning", "result_blank", f"第 {rule.number} 行没有填结果。", Place(rule.number))


def _mask(tests: list[Test], stretch: Stretch, *, sure: bool) -> int:
    mask = 0
    for row, test in enumerate(tests):
        unsure = any(piece.sign == stretch.unsure for piece in test.pieces)
        passes = (not sure) if unsure else test.passes(stretch.example)
        mask |= passes << row
    return mask


def _stretches(asked: Asked, tests: list[Test]) -> list[Stretch]:
    missing = Stretch(None, "未填")
    if asked.kind == "flag":
        return [Stretch(True, "是"), Stretch(False, "否"), missing]
    if asked.kind == "texts":
        return [Stretch(frozenset({""}), "已填", unsure="="), missing]
    pieces = [piece for test in tests for piece in test.pieces]
    if asked.kind == "text":
        if asked.choices:
            return [*(Stretch(key, label) for key, label in asked.choices), missing]
        listed = dict.fromkeys(piece.value for piece in pieces if piece.sign == "=")
        return [*(Stretch(text, text) for text in listed), Stretch("\ue000", "其他", unsure="contains"), missing]
    cuts = sorted({end for piece in pieces for end in (piece.value, piece.low, piece.high) if end is not None})
    return [*_between_cuts(cuts, asked), missing]


def _between_cuts(cuts: list[Any], asked: Asked) -> Iterator[Stretch]:
    if not cuts:
        yield Stretch(date(2000, 1, 1) if asked.kind == "day" else Decimal(0), "任何值")
        return
    one: Any = timedelta(1) if asked.kind == "day" else Decimal(1)
    yield _spanning(Piece("between", high=cuts[0]), _moved(cuts[0], -one), asked)
    for low, high in zip(cuts, [*cuts[1:], None], strict=True):
        yield Stretch(low, f"为 {value_words(low, asked)}", span=Piece("between", None, low, low, True, True))
        if high is None:
            yield _spanning(Piece("between", low=low), _moved(low, one), asked)
            return
        example = _inside(low, high, asked)
        if example is not None:
            yield _spanning(Piece("between", low=low, high=high), example, asked)


def _spanning(span: Piece, example: Any, asked: Asked) -> Stretch:
    return Stretch(example, Test((span,)).words(asked), span=span)


def _said(stretches: list[Stretch], chosen: list[int], asked: Asked) -> str:
    """Return some stretches of a column in words; those of numbers and days that follow each other as one."""
    words: list[str] = []
    run: list[Stretch] = []
    for at, number in enumerate(chosen):
        run.append(stretches[number])
        if run[-1].span and at + 1 < len(chosen) and chosen[at + 1] == number + 1 and stretches[number + 1].span:
            continue
        first, last = run[0].span, run[-1].span
        if first and last and len(run) > 1:
            whole = Piece("between", None, first.low, last.high, first.opens, last.closes)
            words.append(Test((whole,)).words(asked))
        else:
            words.append(run[-1].words)
        run = []
    return "或".join(words[:3]) + ("等" if len(words) > 3 else "")


def _moved(cut: Any, by: Any) -> Any:
    try:
        return cut + by
    except OverflowError:  # the first or the last day there is
        return cut


def _inside(low: Any, high: Any, asked: Asked) -> Any:
    """Return a value strictly between two cuts, None where there is none."""
    if asked.kind == "day":
        return low + timedelta(1) if (high - low).days > 1 else None
    if asked.whole:
        next_whole = low.to_integral_value(ROUND_FLOOR) + 1
        return next_whole if next_whole < high else None
    return (low + high) / 2
