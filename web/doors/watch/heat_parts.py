"""A question about heat, as an address of the page or of the API asks it, and what the answer says in words and figures."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import h3
import numpy as np

from geo.addresses.gazetteer import Names, names_of, published_now
from geo.errors import BadInput
from geo.regions.records import LEVEL_NAMES
from geo.scope import Scope
from layers.facts.counting import RESOLUTIONS, Period
from layers.facts.regions import above
from layers.facts.spec import FactSpec
from layers.heat.cells import CellHeat, Floats, cell_change, cell_heat, centres_of, regions_of
from layers.heat.classes import Classes, change_classes, classes_of, said
from layers.heat.drawing import box_of
from layers.heat.periods import steps_of
from layers.heat.regional import LEVELS, RegionHeat, change_of_regions, rates_of, region_heat
from web.doors.watch.fact_rows import rows_address

LISTED: Final = 20
"""How many cells a table lists; of regions it lists all."""
GRIDS: Final = {"7": "约 2.4 公里", "8": "约 900 米", "9": "约 350 米", "10": "约 130 米"}
"""How wide the cells of a resolution are, from side to side."""


@dataclass(frozen=True)
class Question:
    """What is asked of a fact: ``by`` a resolution or a level of regions, a period, another to compare with, rates, choices."""

    spec: FactSpec
    scope: Scope
    by: str
    period: Period | None = None
    then: Period | None = None
    per: bool = False
    choices: dict[str, list[str]] | None = None

    def __post_init__(self) -> None:
        if self.by not in (*LEVELS, *map(str, RESOLUTIONS)):
            raise BadInput(
                "by_unknown", "统计单位可选 7、8、9、10 级网格，区（district）、街镇（street）。", parameter="by"
            )
        if self.per and self.gridded:
            raise BadInput(
                "cells_without_residents", "没有按网格公布的居民数，每千人只能按区或街镇看。", parameter="per"
            )
        if self.per and not self.spec.additive:
            raise BadInput("fact_is_ratio", f"“{self.spec.title}”本身是比率，不能再算每千人。", parameter="per")
        if self.then and self.period is None:
            raise BadInput("compare_without_period", "要比较，请先选一个时段。", parameter="compare_from")

    @property
    def gridded(self) -> bool:
        """Say whether cells are asked for."""
        return self.by not in LEVELS

    def cells(self, resolution: int) -> CellHeat:
        """Return the figures, or the changes, of cells. Raises ``BadInput``."""
        spec, scope, choices = self.spec, self.scope, self.choices
        if self.period and self.then:
            return cell_change(
                spec, scope=scope, resolution=resolution, period=self.period, then=self.then, choices=choices
            )
        return cell_heat(spec, scope=scope, resolution=resolution, period=self.period, choices=choices)

    @cached_property
    def regions(self) -> RegionHeat:
        """Return the figures, rates or changes of regions. Raises ``BadInput``."""
        found = [
            region_heat(self.spec, scope=self.scope, level=self.by, period=each, choices=self.choices)
            for each in ((self.period, self.then) if self.then else (self.period,))
        ]
        if self.per:
            found = [rates_of(each, self.spec) for each in found]
        return change_of_regions(*found) if self.then else found[0]

    @property
    def unit(self) -> str:
        """Return the unit of the figures in words."""
        return f"{self.spec.unit}/千人" if self.per else self.spec.unit

    def classes(self, values: Floats) -> Classes:
        """Return the classes that figures fall into."""
        if self.then:
            return change_classes(values)
        return classes_of(values, "gap" if self.spec.more_is_worse else "quantity")


@dataclass(frozen=True, slots=True)
class Line:
    """A cell or a region with its figure, ``None`` where none is told; the class it is drawn in, and where a cell stands.

    ``rows`` is the address of the ledger that lists the rows of the figure, '' where none does for who asks.
    """

    key: str
    name: str
    value: float | None
    step: int | None
    lon: float | None = None
    lat: float | None = None
    rows: str = ""

    @property
    def words(self) -> str:
        """Return the figure as people read it."""
        return "—" if self.value is None else said(self.value)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a page says: lines, those with most first, the classes, how many figures there are and are the greatest, their sum.

    ``hidden`` says whether any is not told; ``box`` holds what there is to see, west, south, east, north.
    """

    lines: list[Line]
    classes: Classes
    count: int
    ties: int
    total: float | None
    hidden: bool
    box: list[float] | None = None

    @property
    def total_words(self) -> str:
        """Return the sum as people read it; '' where figures are none to be summed."""
        return "" if self.total is None else said(self.total)


def answer_to(question: Question) -> Answer:
    """Answer a question. Raises ``BadInput``."""
    return _of_cells(question) if question.gridded else _of_regions(question)


def _of_cells(question: Question) -> Answer:
    heat = question.cells(int(question.by))
    classes = question.classes(heat.values)
    first = np.lexsort((heat.cells, -np.abs(heat.values)))[:LISTED]
    some, values, names = heat.cells[first], heat.values[first], names_of(published_now())
    lon, lat = centres_of(some)
    rows = zip(some.tolist(), regions_of(some), values.tolist(), classes.of(values).tolist(), lon, lat, strict=True)
    lines = [
        Line(
            f"{cell:x}", _named(names, above(path, "street") or path), value, step, round(x, 6), round(y, 6),
            _rows(question, path, cell=cell),
        )
        for cell, path, value, step, x, y in rows
    ]  # fmt: skip
    return Answer(
        lines,
        classes,
        len(heat.cells),
        _ties(heat.values, lines),
        _total(question, heat.values),
        heat.hidden,
        box_of(heat),
    )


def _of_regions(question: Question) -> Answer:
    heat, names = question.regions, names_of(published_now())
    told = {path: value for path, value in heat.values.items() if value is not None}
    values = np.array(list(told.values()), dtype=np.float64)
    classes = question.classes(values if question.then else values[values > 0])
    lines = []
    for path, value in heat.values.items():
        seen = value is not None and (value != 0 or bool(question.then))
        step = int(classes.of(np.array([value]))[0]) if seen else None
        lines.append(Line(code_of(path), _named(names, path), value, step, rows=_rows(question, path) if value else ""))
    lines.sort(key=lambda line: (line.value is None, -abs(line.value or 0.0), line.key))
    return Answer(lines, classes, len(told), _ties(values, lines), _total(question, values), heat.hidden)


def _rows(question: Question, path: str, *, cell: int | None = None) -> str:
    """Return the address of the rows of a figure of a region, or of a cell in it; '' where none may be listed."""
    if question.then or not path or not question.scope.covers_path(path):
        return ""
    where = {"region": code_of(path)} if cell is None else {"cell": cell}
    return rows_address(question.spec, question.period, question.choices or {}, scope=question.scope, **where)


def _ties(values: Floats, lines: list[Line]) -> int:
    """Return how many figures are that of the first line."""
    return int((values == lines[0].value).sum()) if lines and lines[0].value is not None else 0


def _total(question: Question, values: Floats) -> float | None:
    return None if question.per or question.then or not question.spec.additive else float(values.sum())


def about_fact(spec: FactSpec) -> dict[str, Any]:
    """Return what is told of a fact: what it is, and how it may be asked for."""
    grids = [str(resolution) for resolution in RESOLUTIONS] if spec.cell else []
    levels = [] if spec.heads and spec.cell else list(LEVELS)
    return {
        "key": spec.key, "title": spec.title, "summary": spec.summary, "unit": spec.unit, "category": spec.category,
        "source": spec.source, "by": [*grids, *levels], "steps": list(steps_of(spec)), "persons": bool(spec.heads),
        "choices": [] if spec.heads else [choice.name for choice in spec.choices],
    }  # fmt: skip


def code_of(path: str) -> str:
    """Return the code of the region of a path."""
    return path.rstrip(".").rpartition(".")[2]


def _named(names: Names, path: str) -> str:
    found = names.by_code.get(code_of(path)) if path else None
    return found.full_name if found else "区划以外"


def title_of(question: Question, answer: Answer) -> str:
    """Return the finding in a sentence."""
    first = next((line for line in answer.lines if line.value), None)
    if first is None or first.value is None:
        return (
            "这里还没有可以公布的数字" if answer.hidden else "这里没有数字" if not question.then else "两个时段没有变化"
        )
    where = first.name
    if answer.ties > 1:
        where += f"等 {answer.ties} {'格' if question.gridded else '个' + LEVEL_NAMES[question.by]}"
    elif question.gridded:
        where += "的一格"
    if question.then:
        more = "增加" if first.value > 0 else "减少"
        return f"{where}变化最大，{more}了 {said(abs(first.value))} {question.unit}"
    if not question.spec.additive:
        return f"{where}最高，{said(first.value)} {question.unit}"
    rate = "每千人" if question.per else ""
    return f"{where}{rate}最多，有 {said(first.value)} {question.spec.unit}"


def period_words(period: Period) -> str:
    """Return a period as people say it."""
    first, last = period.first, period.last
    if first == last:
        return f"{first.year}年{first.month}月{first.day}日"
    if (
        first.day == 1
        and (last + dt.timedelta(days=1)).day == 1
        and (first.year, first.month) == (last.year, last.month)
    ):
        return f"{first.year}年{first.month}月"
    return f"{first.year}年{first.month}月{first.day}日至{last.month}月{last.day}日"


def by_words(by: str) -> str:
    """Return what figures are counted by."""
    return f"{by} 级网格（{GRIDS[by]}）" if by in GRIDS else LEVEL_NAMES[by]


def cell_width(by: str) -> float:
    """Return how many metres the cells of a resolution are wide."""
    return float(h3.average_hexagon_edge_length(int(by), unit="m") * 3**0.5)
