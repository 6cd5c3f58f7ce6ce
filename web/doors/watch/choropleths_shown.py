"""What the page of a choropleth shows: its state as an address, cards, ranking, legend, map, line and rows behind a figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final
from urllib.parse import urlencode

import shapely
from django.http import HttpRequest, QueryDict
from django.urls import reverse

from geo.errors import BadInput
from geo.geometry.measures import to_plane
from geo.regions.queries import current_city
from geo.regions.records import LEVEL_NAMES
from geo.scope import Scope
from layers.choropleths.drawing import Drawing, draw
from layers.choropleths.findings import Shown
from layers.choropleths.queries import RATIO, Asked, Board, Summary
from layers.choropleths.shapes import shapes_below
from layers.choropleths.spec import Area, Figure, Measure, Month, Place, Standing, last_day, month_of
from layers.facts.counting import Period
from layers.facts.spec import FactSpec
from layers.styles.classing import LEAST_CLASSES, METHODS, MOST_CLASSES, Method
from layers.styles.legend import words_of
from layers.styles.palettes import PALETTES
from services.kernel.ledger.asking import read_asked
from services.kernel.ledger.queries import Row, Total, count_rows, page_of, rows_of
from services.kernel.spec import LedgerSpec
from web.doors.common.typed import number_typed, typed
from web.doors.watch.fact_rows import ledger_of, rows_query

LISTED: Final = 8
CARDS: Final = 9
"""How many facts have a card; the menu has all."""
DOTS: Final = 300
WORDS: Final = {Standing.HIDDEN: "未公布", Standing.NONE: "—"}
MEASURES: Final = {
    Measure.VALUE: "数量",
    Measure.RATE: "每千名居民",
    Measure.SHARE: "占比",
    Measure.CHANGE: "较上月",
}
_DIGITS: Final = {Measure.RATE: 2, Measure.SHARE: 1}


@dataclass(frozen=True, slots=True)
class State:
    """What the address of a page says."""

    fact: str
    region: str
    measure: str
    month: str
    method: str
    classes: str
    breaks: str

    def url(self, page: str = "watch-areas", **changes: str) -> str:
        """Return the address of a page with some parts changed."""
        parts = {
            "region": self.region, "measure": self.measure, "month": self.month, "method": self.method,
            "classes": self.classes, "breaks": self.breaks,
        } | changes  # fmt: skip
        fact = parts.pop("fact", self.fact)
        query = urlencode([(name, value) for name, value in parts.items() if value])
        return reverse(page, args=[fact]) + (f"?{query}" if query else "")


def state_of(request: HttpRequest, fact: str) -> State:
    """Return what the address says."""
    names = ("region", "measure", "month", "method", "classes", "breaks")
    return State(fact, *(typed(request, name).strip() for name in names))


def asked_of(request: HttpRequest, state: State) -> Asked:
    """Return the question of an address. Raises ``BadInput`` for what cannot be meant."""
    if state.measure and state.measure not in list(Measure):
        raise BadInput("measure_unknown", "没有这种算法，请从页面上选。", parameter="measure", known=list(Measure))
    if state.method and state.method not in METHODS:
        raise BadInput("method_unknown", "没有这种分级方法，请从页面上选。", parameter="method", known=list(METHODS))
    method: Method = state.method or "jenks"  # type: ignore[assignment]
    return Asked(
        measure=Measure(state.measure or Measure.VALUE),
        month=month_of(state.month) if state.month else None,
        method=method,
        classes=min(max(number_typed(request, "classes") or 5, LEAST_CLASSES), MOST_CLASSES),
        breaks=_breaks_of(state.breaks) if method == "manual" else (),
    )


def _breaks_of(text: str) -> tuple[float, ...]:
    try:
        found = tuple(float(each) for each in text.replace("，", ",").split(",") if each.strip())
    except ValueError:
        found = ()
    if not 1 <= len(found) < MOST_CLASSES or any(not abs(each) < 1e12 for each in found):
        raise BadInput("breaks_invalid", "分界要写 1 到 8 个数，用逗号隔开，如 10, 20, 50。", parameter="breaks")
    if sorted(set(found)) != list(found):
        raise BadInput("breaks_invalid", "分界要从小到大，不能重复。", parameter="breaks")
    return found


def ages_said(spec: FactSpec) -> str:
    """Return of whom a rate is taken: 每千名 0–2 岁居民."""
    if spec.per is None:
        return "每千名居民"
    low, high = spec.per
    return f"每千名 {low} 岁及以上居民" if high >= 120 else f"每千名 {low}–{high} 岁居民"


def unit_of(spec: FactSpec, measure: Measure) -> str:
    """Return the unit of a measure."""
    return {Measure.RATE: f"{spec.unit}/千人", Measure.SHARE: "%"}.get(measure, spec.unit)


def said(figure: Figure, measure: Measure = Measure.VALUE, *, ratio: bool = False) -> str:
    """Return a figure as readers see it: — where there is none, 未公布 where it is kept back."""
    if figure.value is None:
        return WORDS[figure.standing]
    digits = RATIO if ratio else _DIGITS.get(measure, 0 if figure.value == int(figure.value) else 2)
    text = f"{abs(figure.value):,.{digits}f}"
    if measure is Measure.RATE and 0 < figure.value < 0.1:
        text = f"{figure.value:.6f}".rstrip("0")
    if figure.value < 0:
        return f"−{text}"
    return f"+{text}" if measure is Measure.CHANGE and figure.value else text


def shown_of(board: Board) -> Shown:
    """Return what the titles are about."""
    measure = board.asked.measure
    return Shown(
        board.areas,
        LEVEL_NAMES.get(board.level, ""),
        "全市" if board.place.level == "city" else board.place.name,
        measure,
        unit_of(board.spec, measure),
        board.total.value if measure is Measure.VALUE else None,
        ratio=not board.spec.additive,
    )


@dataclass(frozen=True, slots=True)
class Step:
    """A line of the legend: the class of its colour, its words, how many regions it has."""

    fill: str
    words: str
    count: int


def legend_of(board: Board) -> list[Step]:
    """Return the legend: the classes from the smallest, then what is not told."""
    tones = tones_of(board)
    held = [sum(area.at == at for area in board.areas) for at in range(len(tones))]
    steps = [
        Step(f"fill-{tone}", words, count)
        for tone, words, count in zip(tones, _class_words(board), held, strict=True)
        if any(held)
    ]
    for standing, words in ((Standing.HIDDEN, "未公布"), (Standing.NONE, "无数据")):
        count = sum(area.figure.standing is standing for area in board.areas)
        if count:
            steps.append(Step(f"hatched-{standing}", words, count))
    return steps


def tones_of(board: Board) -> list[str]:
    """Return the names of the colours of the classes, from the smallest."""
    ramp = "gap" if board.spec.more_is_worse else "quantity"
    palette = PALETTES["diverging" if board.asked.measure is Measure.CHANGE else ramp]
    return [palette.name_of(step) for step in palette.steps(len(board.breaks) + 1)]


def _class_words(board: Board) -> list[str]:
    if board.asked.measure is not Measure.CHANGE:
        whole = all(area.figure.value is None or area.figure.value == int(area.figure.value) for area in board.areas)
        return words_of(board.breaks, whole=whole and board.spec.additive)
    if not board.breaks:
        return ["不变"]
    half = said(Figure.of(board.breaks[-1]), ratio=not board.spec.additive)
    return [f"减少超过 {half}", "减少", "不变", "增加", f"增加 {half} 以上"]


@dataclass(frozen=True, slots=True)
class Line:
    """A region of the ranking: its bar in per cent of the longest, the colour of its class, whether it is the chosen one."""

    area: Area
    words: str
    change: str
    trend: str
    fill: str
    share: float
    href: str
    chosen: bool


def lines_of(board: Board, state: State) -> list[Line]:
    """Return the ranking."""
    measure, tones = board.asked.measure, tones_of(board)
    most = max((abs(area.figure.value) for area in board.areas if area.figure.value is not None), default=0) or 1
    return [
        Line(
            area,
            said(area.figure, measure, ratio=not board.spec.additive),
            said(area.change, Measure.CHANGE, ratio=not board.spec.additive),
            _trend(area.change),
            f"fill-{tones[area.at]}" if area.at is not None else f"hatched-{area.figure.standing}",
            round(100 * abs(area.figure.value) / most, 1) if area.figure.value is not None else 0.0,
            state.url(region=area.place.code),
            board.chosen is not None and area.place.path == board.chosen.path,
        )
        for area in board.areas
    ]


def _trend(change: Figure) -> str:
    if change.value is None or change.value == 0:
        return ""
    return "up" if change.value > 0 else "down"


@dataclass(frozen=True, slots=True)
class Card:
    """A fact of the region: its figures in words, the address that chooses it, whether it is chosen."""

    spec: FactSpec
    total: str
    missing: bool
    rate: str
    change: str
    trend: str
    month: str
    href: str
    chosen: bool


def cards_of(summaries: Sequence[Summary], state: State) -> list[Card]:
    """Return the cards of a page: ratios first, for they compare regions, what is not worked out yet last, the chosen always."""

    def rank(one: Summary) -> int:
        if one.spec.worked_out and not one.total.told:
            return 2
        return int(one.spec.additive)

    ordered = sorted(summaries, key=rank)
    shown = ordered[:CARDS]
    if not any(one.spec.key == state.fact for one in shown):
        shown = [*ordered[: CARDS - 1], *(one for one in ordered if one.spec.key == state.fact)]
    return [card_of(one, state) for one in shown]


def card_of(summary: Summary, state: State) -> Card:
    """Return the card of a fact."""
    spec, rate = summary.spec, summary.rate
    return Card(
        spec,
        said(summary.total, ratio=not spec.additive),
        not summary.total.told,
        f"每千人 {said(rate, Measure.RATE)}" if rate.told and spec.per else "",
        said(summary.change, Measure.CHANGE, ratio=not spec.additive) if summary.change.told else "",
        _trend(summary.change),
        f"{summary.month.month}月" if summary.month else "",
        state.url(fact=spec.key, measure="", month="", method="", classes="", breaks=""),
        spec.key == state.fact,
    )


@dataclass(frozen=True, slots=True)
class Outline:
    """A region on the map: the very words of the ranking, and where they stand."""

    line: Line
    drawn: Any
    on: str


@dataclass(frozen=True, slots=True)
class Map:
    """The map of a board, its magnified part, and the places on it in units (x, y, name)."""

    whole: Drawing
    regions: list[Outline]
    part: Drawing | None
    part_regions: list[Outline]
    scale: str
    dots: list[tuple[float, float, str]]


def map_of(board: Board, lines: Sequence[Line], rows: Sequence[Row]) -> Map | None:
    """Return the map of a board, none where it has no areas."""
    shapes = shapes_below(board.place.path, board.level) if board.level else ()
    if not shapes:
        return None
    by_path = {line.area.place.path: line for line in lines}
    shapes = tuple(each for each in shapes if each.path in by_path)
    whole, part = draw(
        shapes,
        {path: line.words for path, line in by_path.items()},
        {path: line.area.place.short for path, line in by_path.items()},
    )
    metres = whole.scale[1]
    return Map(
        whole,
        _outlines(whole, by_path),
        part,
        _outlines(part, by_path) if part else [],
        f"{metres // 1000} 公里" if metres >= 1000 else f"{metres} 米",
        _dots(whole, rows),
    )


def _outlines(drawing: Drawing, lines: dict[str, Line]) -> list[Outline]:
    return [Outline(lines[each.path], each, lines[each.path].fill.replace("fill-", "on-")) for each in drawing.regions]


def _dots(drawing: Drawing, rows: Sequence[Row]) -> list[tuple[float, float, str]]:
    city = current_city()
    found = []
    for row in rows:
        if row.point is not None:
            point = to_plane(shapely.Point(row.point.x, row.point.y), city)
            x, y = drawing.at(point.x, point.y)
            found.append((round(x, 1), round(y, 1), row.name))
    return found


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows behind a figure: the first of them, how many there are, and the address that lists all."""

    ledger: LedgerSpec
    rows: list[tuple[Row, str, str]]
    total: Total
    href: str
    located: Sequence[Row] = ()


def rows_of_board(board: Board, *, scope: Scope) -> Rows | None:
    """Return the rows behind the figure of the region, none where no ledger lists them for the scope."""
    spec = ledger_of(board.spec, scope=scope)
    if spec is None:
        return None
    inside, month = board.chosen or board.place, board.asked.month
    query = rows_query(board.spec, Period(month, last_day(month)) if month else None, region=inside.code)
    asked = read_asked(QueryDict(query), spec)
    page = page_of(spec, asked, scope=scope, limit=LISTED)
    near = board.place.level == "street" and bool(spec.point)
    located = list(islice(rows_of(spec, asked, scope=scope, columns=()), DOTS)) if near else []
    said_of = [(row, _told(row), reverse("desk-ledger-record", args=[spec.key, row.pk])) for row in page.rows]
    href = f"{reverse('desk-ledger', args=[spec.key])}?{query}"
    return Rows(spec, said_of, count_rows(spec, asked, scope=scope), href, located)


def _told(row: Row) -> str:
    """Return the first things a row says besides its name and address."""
    cells = [each for each in row.cells[1:] if each.text and each.column.kind in ("choice", "day", "moment")]
    return " · ".join(each.text for each in cells[:2])


@dataclass(frozen=True, slots=True)
class Trend:
    """The line of the months in a box: its path, its points (x, y, month, figure), and where the marks of both axes stand."""

    name: str
    width: float
    height: float
    right: float
    path: str
    points: list[tuple[float, float, Month, str]]
    marks: list[tuple[float, str]]
    ends: list[tuple[float, float, str]]
    left: float


@dataclass(frozen=True, slots=True)
class _Box:
    """A drawing of the line: its size, how far down the axis is, and every how many months one is named."""

    name: str
    width: float
    height: float
    named: int


BOXES: Final = (_Box("wide", 720.0, 106.0, 1), _Box("narrow", 360.0, 160.0, 2))
"""For a desk or a wall, and for a telephone: words are as large in both as on the page."""
LEFT, TOP, BELOW, BESIDE = 50.0, 10.0, 24.0, 84.0


def trends_of(months: Sequence[Month], *, ratio: bool = False) -> list[Trend]:
    """Return the drawings of the line of the months, broken where a month has no figure; the axis begins at zero."""
    if len(months) < 2 or not any(each.figure.told for each in months):
        return []
    return [_trend_in(box, months, ratio=ratio) for box in BOXES]


def _trend_in(box: _Box, months: Sequence[Month], *, ratio: bool) -> Trend:
    most = max(each.figure.value for each in months if each.figure.value is not None) or 1
    low, right = box.height - BELOW, box.width - BESIDE
    step = (right - LEFT) / (len(months) - 1)
    path, points, pen = "", [], "M"
    for at, each in enumerate(months):
        if each.figure.value is None:
            pen = "M"
            continue
        x, y = round(LEFT + at * step, 1), round(low - (low - TOP) * each.figure.value / most, 1)
        path, pen = f"{path}{pen}{x} {y}", "L"
        points.append((x, y, each, said(each.figure, ratio=ratio)))
    marks = [(low, "0"), (TOP, said(Figure.of(most), ratio=ratio))]
    ends = [
        (round(LEFT + at * step, 1), box.height - 4, f"{each.first.month}月")
        for at, each in enumerate(months)
        if (len(months) - 1 - at) % box.named == 0
    ]
    return Trend(box.name, box.width, box.height, right, path, points, marks, ends, LEFT)


def crumbs_of(board: Board, state: State) -> list[tuple[str, str]]:
    """Return the regions above with their addresses, the one of a chosen last region included."""
    line = [*board.above, *([board.place] if board.chosen else [])]
    return [(each.name, state.url(region=each.code)) for each in line]


def here(board: Board) -> Place:
    """Return the region the page is about."""
    return board.chosen or board.place
