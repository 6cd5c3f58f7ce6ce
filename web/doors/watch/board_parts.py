"""What the map of supervisors shows of a board: cards, a ranking, a table, and what the map draws, each with its addresses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib.gis.geos import Point
from django.http import HttpRequest
from django.urls import reverse

from geo.errors import BadInput
from services.kernel.watching.queries import DRAWN, Board, Line, Tally, Watched, open_query, rows_query
from services.kernel.watching.spec import Theme
from web.doors.common.typed import typed

SHAPES: Final = {"bad": "octagon-alert", "warn": "triangle-alert", "notice": "diamond"}
LEVEL_WORDS: Final = {"bad": "急", "warn": "要办", "notice": "待审"}
LISTED: Final = 8
"""How many places the panel beside the map lists; the table of a street has all of them."""


@dataclass(frozen=True, slots=True)
class State:
    """What the address of a board says: the region, the chosen indicator ('' for all), the open place, the order of the table."""

    theme: str
    region: str
    of: str
    place: str
    sort: str

    def url(self, **changes: str) -> str:
        """Return the address of the board with some parts changed."""
        parts = {"region": self.region, "of": self.of, "place": self.place, "sort": self.sort} | changes
        query = urlencode([(name, value) for name, value in parts.items() if value])
        return reverse("watch-board", args=[self.theme]) + (f"?{query}" if query else "")


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of the page with the address of its rows, '' where nothing lists just them."""

    count: int
    href: str
    tally: Tally


@dataclass(frozen=True, slots=True)
class Card:
    """An indicator over the whole board: the number, whether it is marked, and the address that chooses it."""

    figure: Figure
    shape: str
    level: str
    said: str
    marked: bool
    chosen: bool
    choose: str


@dataclass(frozen=True, slots=True)
class Ranked:
    """A region with the number it is ranked by; ``share`` is its bar, of 100."""

    line: Line
    count: int
    share: float
    href: str


@dataclass(frozen=True, slots=True)
class TableLine:
    """A line of the table: a region or a place, with its numbers."""

    name: str
    href: str
    words: tuple[str, ...]
    open: Figure | None
    figures: tuple[Figure, ...]
    place: Watched | None = None


def state_of(request: HttpRequest, board: Board) -> State:
    """Return what the address says; a place or an order that cannot be meant is left out, an unknown indicator refused."""
    of, keys = typed(request, "of"), [each.indicator.key for each in board.tallies]
    if of and of not in keys:
        raise BadInput("indicator_unknown", "没有这个指标，请回到监管图再选。", parameter="of", known=keys)
    sort, place = typed(request, "sort"), typed(request, "place")
    if sort.removeprefix("-") not in ("name", "open", *keys):
        sort = ""
    if not (place.isascii() and place.isdecimal() and len(place) < 19):
        place = ""
    return State(board.theme.key, typed(request, "region"), of, place, sort)


def code_of(board: Board) -> str:
    """Return the code that narrows a ledger to the region of a board, '' for all that the caller keeps."""
    return "" if board.region is None or board.whole_city else board.region.code


def figure_of(theme: Theme, tally: Tally, region: str = "", by_row: bool = False) -> Figure:
    """Return a number with the address that lists its rows: of a region, or ``by_row`` one by one."""
    query = rows_query(theme, tally, region=region, by_row=by_row)
    return Figure(tally.count, f"{reverse('desk-ledger', args=[tally.indicator.ledger])}?{query}", tally)


def card_of(board: Board, state: State, tally: Tally) -> Card:
    """Return the card of an indicator."""
    indicator, percent = tally.indicator, 100 * tally.count / board.open if board.open else 0.0
    most = indicator.most_percent
    said = "" if most is None else f"占 {percent:.1f}%，上限 {most}%"
    return Card(
        figure=figure_of(board.theme, tally, code_of(board)),
        shape=SHAPES[indicator.level],
        level=indicator.level,
        said=said,
        marked=tally.count > 0 if most is None else percent > most,
        chosen=indicator.key == state.of,
        choose=state.url(of=indicator.key, sort=""),
    )


def ranked(board: Board, state: State) -> list[Ranked]:
    """Return the regions below, those with the most of what is chosen first."""
    counts = [(line, sum(each.count for each in chosen(line.tallies, state.of))) for line in board.lines]
    most = max((count for _, count in counts), default=0) or 1
    return [
        Ranked(line, count, round(100 * count / most, 1), state.url(region=line.region.code, place=""))
        for line, count in sorted(counts, key=lambda one: (-one[1], one[0].region.code))
    ]


def chosen(tallies: tuple[Tally, ...], of: str) -> list[Tally]:
    """Return those of the tallies that the address chose: one indicator's, or all."""
    return [each for each in tallies if not of or each.indicator.key == of]


def heads_of(board: Board, state: State) -> list[tuple[str, str, str, str]]:
    """Return the heads of the numbers: the words, the unit, the address that sorts by it, and how it is sorted now."""
    columns = [(each.indicator.key, each.indicator.title, each.ledger.counter) for each in board.tallies]
    if board.lines:
        columns.insert(0, ("open", "在营机构", board.theme.counter))
    return [
        (title, unit, state.url(sort=key if state.sort == f"-{key}" else f"-{key}"), _sorted(state.sort, key))
        for key, title, unit in columns
    ]


def _sorted(sort: str, key: str) -> str:
    return {key: "ascending", f"-{key}": "descending"}.get(sort, "")


def table_of(board: Board, state: State) -> list[TableLine]:
    """Return the lines of the table: the regions below, or the places of a street, in the order of the address."""
    lines = _regions(board, state) if board.lines else _places(board, state)
    key = state.sort.removeprefix("-")
    if not key:
        return lines

    def number(line: TableLine) -> int:
        if key == "open":
            return line.open.count if line.open else 0
        return sum(each.count for each in line.figures if each.tally.indicator.key == key)

    if key == "name":
        return sorted(lines, key=lambda line: line.name, reverse=state.sort.startswith("-"))
    return sorted(lines, key=number, reverse=state.sort.startswith("-"))


def _regions(board: Board, state: State) -> list[TableLine]:
    places = reverse("desk-ledger", args=[board.theme.places])
    return [
        TableLine(
            line.region.name,
            state.url(region=line.region.code, place=""),
            (),
            Figure(line.open, f"{places}?{open_query(board.theme, line.region.code)}", line.tallies[0]) if line.tallies else None,
            tuple(figure_of(board.theme, each, line.region.code) for each in line.tallies),
        )
        for line in board.lines
    ]  # fmt: skip


def _places(board: Board, state: State) -> list[TableLine]:
    def figures(place: Watched) -> tuple[Figure, ...]:
        found = {each.indicator.key: each for each in place.tallies}
        return tuple(
            figure_of(board.theme, found[each.indicator.key], by_row=True)
            if each.indicator.key in found
            else Figure(0, "", each)
            for each in board.tallies
        )

    return [
        TableLine(
            each.name, state.url(place=str(each.pk)), (each.kind, each.status), None, figures(each), each
        )
        for each in board.places
    ]  # fmt: skip


def answer_of(board: Board, state: State) -> dict[str, Any]:
    """Return what the map draws: the very numbers of the page, in CGCS2000 degrees."""
    regions = [
        {
            "code": each.line.region.code, "name": each.line.region.name, "count": each.count, "url": each.href,
            **_at(each.line.label),
        }
        for each in ranked(board, state) if each.line.label
    ]  # fmt: skip
    drawn = () if board.whole_city else board.places[:DRAWN]
    places = [
        {
            "id": each.pk, "name": each.name, "level": _level(each, state.of),
            "count": sum(tally.count for tally in chosen(each.tallies, state.of)), **_at(each.point),
        }
        for each in drawn
    ]  # fmt: skip
    return {"regions": regions, "places": places, "box": board.box, "place": state.place, "url": state.url(place="ID")}


def _level(place: Watched, of: str) -> str:
    found = chosen(place.tallies, of)
    return found[0].indicator.level if found else ""


def _at(point: Point | None) -> dict[str, float]:
    return {"lon": round(point.x, 6), "lat": round(point.y, 6)} if point else {}
