"""The list of institutions: narrowed by filters, counted by every value of each, ordered; when empty, what to loosen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from django.core.cache import cache
from numpy.typing import NDArray
from pyproj import Geod

from geo.addresses.gazetteer import Names, Published, names_of, published_now
from geo.crs import Coordinate, System
from geo.errors import BadInput
from geo.scope import Scope
from routing.graph import NoGraph
from services.facilities.actions import edition_key
from services.facilities.browsing.questions import Question
from services.facilities.browsing.ranking import Figures, ages_left, days_since, grade_scores, reasons, scores
from services.facilities.browsing.specs import AS_DECLARED, Arrangement, FilterSpec, Option, View, specs_for
from services.facilities.browsing.table import Bools, Floats, Ints, Table, kept_table
from services.facilities.hours import weekly_hours
from services.facilities.journeys import LONGEST, begin_journey, check_journey
from services.facilities.kinds import kind_of
from services.facilities.models import Facility
from services.facilities.places import Place
from services.facilities.queries import city_now, days_around, matching, places_by_id
from services.facilities.vacancies import STALE_AFTER

ELLIPSOID: Final = Geod(ellps="GRS80")
MOST_ROWS: Final = 200


@dataclass(frozen=True, slots=True)
class CountedOption:
    """One value of a filter with how many institutions it would leave; none is shown, but cannot be chosen."""

    value: str
    label: str
    on: bool
    count: int

    @property
    def is_open(self) -> bool:
        """Say whether the value can be chosen or taken back."""
        return self.on or self.count > 0


@dataclass(frozen=True, slots=True)
class Facet:
    """A filter of the list with its values; ``active`` says whether it narrows the list now."""

    spec: FilterSpec
    options: tuple[CountedOption, ...]
    active: bool


@dataclass(frozen=True, slots=True)
class Loosened:
    """What would be found with one filter taken out."""

    part: str
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class Listed:
    """One institution of the list: metres in a straight line, seconds on foot, and why it stands where it does."""

    place: Place
    metres: float | None
    seconds: float | None
    why: str


class Preferred(Protocol):
    """An order made for somebody: the place of institutions in it by id, and what speaks for one, in words."""

    @property
    def rank(self) -> Mapping[int, int]:
        """Where institutions stand; what has no rank stands behind."""

    def why(self, place_id: int) -> str:
        """Return what speaks for one."""


@dataclass(frozen=True, slots=True)
class Browsed:
    """One page of the list. ``next`` is the mark of the page after it, ``loosened`` the ways on from an empty one."""

    rows: tuple[Listed, ...]
    total: int
    whole: int
    next: str
    facets: tuple[Facet, ...]
    loosened: tuple[Loosened, ...]
    order: str
    published: Published


def browse(
    question: Question,
    *,
    scope: Scope,
    mark: str = "",
    limit: int = 20,
    arrangement: Arrangement = AS_DECLARED,
    now: dt.datetime | None = None,
    mode: str = "walk",
    preferred: Preferred | None = None,
) -> Browsed:
    """Return one page of the open institutions that a question means, from the one after ``mark``, and every filter's counts.

    The count of a value is how many would be listed with it and all other filters. ``mode`` travels for the order by time,
    ``preferred`` is the order ``recommended``. Raises ``BadInput`` for a text that cannot be searched for, a mark that was not
    given out and a limit beyond ``MOST_ROWS``.
    """
    if not 1 <= limit <= MOST_ROWS:
        raise BadInput("limit_invalid", f"每页条数要在 1 到 {MOST_ROWS} 之间。", parameter="limit")
    now = now or city_now()
    published = published_now()
    names = names_of(published)
    table = kept_table(published, question.kinds, cache.get(edition_key()))
    view = view_of(question, table, names, now)
    specs = specs_for(question.kinds, arrangement)
    named = _named(question, table)
    masks = {spec.key: mask for spec in specs if (mask := spec.mask(view)) is not None}
    kept = _all_of(named, masks.values())
    figures = figures_of(view)
    seconds = _seconds(question, table, scope, now, mode) if question.chosen_order == "time" else None
    order = _ordered(view, kept, figures, seconds, preferred)
    start = _start(order, table.ids, mark)
    shown = order[start : start + limit]
    ids = table.ids[shown].tolist()
    places = places_by_id(ids, scope=scope, published=published, now=now, days=view.days)
    weights = dict(question.weights) if question.chosen_order == "fit" else {}
    total = len(order)
    made_for_him = preferred if question.chosen_order == "recommended" else None
    return Browsed(
        rows=tuple(
            Listed(
                places[one],
                None if view.metres is None else float(view.metres[at]),
                None if seconds is None or not np.isfinite(seconds[at]) else float(seconds[at]),
                made_for_him.why(one) if made_for_him else reasons(figures, int(at), weights),
            )
            for one, at in zip(ids, shown.tolist(), strict=True)
            if one in places
        ),
        total=total,
        whole=len(table),
        next=f"{start + limit}.{ids[-1]}" if start + limit < total else "",
        facets=tuple(_facet(spec, view, named, masks) for spec in specs),
        loosened=() if total else _loosened(question, specs, named, masks),
        order=question.chosen_order,
        published=published,
    )


def view_of(question: Question, table: Table, names: Names, now: dt.datetime) -> View:
    """Return a question over its table; metres on the ellipsoid from where it asks, if it does from somewhere."""
    metres = None
    if question.near is not None and len(table):
        lon, lat = (np.full(len(table), value) for value in question.near)
        _, _, metres = ELLIPSOID.inv(lon, lat, table.lon, table.lat)
    return View(table, question, names, now, days_around(now), metres)


def figures_of(view: View) -> Figures:
    """Return what is known of every row, as the weighing takes it."""
    table, now = view.table, view.now
    fresh = table.vacancies_at >= (now - STALE_AFTER).timestamp()
    weekly = table.keep("weekly", lambda: table.by_week(weekly_hours))
    return Figures(
        distance=np.full(len(table), np.nan) if view.metres is None else view.metres,
        vacancy=np.where(fresh, table.vacancies, np.nan),
        fee=table.fees,
        age=ages_left(
            table.figures("age_from_months"),
            table.figures("age_to_months"),
            view.question.filters.ages(now.date()),
        ),
        hours=np.where(weekly > 0, weekly, np.nan),
        grade=grades_of(table),
        fresh=days_since(table.as_of, now.date()),
    )


def grades_of(table: Table) -> Floats:
    """Return how high every row's grade stands in its group, 0 to 1; kept with the table."""
    scored: Floats = table.keep(
        "grades",
        lambda: grade_scores([kind_of(row[1]).group for row in table.rows], [said.get("grade") for said in table.said]),
    )
    return scored


def _named(question: Question, table: Table) -> Bools | None:
    """Return which rows hold the words that were typed: characters, pinyin or initials of the name, or the address."""
    if not question.q:
        return None
    found = Facility.objects.filter(matching(question.q), kind__in=question.kinds).values_list("id", flat=True)
    held: Bools = np.isin(table.ids, np.fromiter(found, dtype=np.int64))
    return held


def _all_of(named: Bools | None, masks: Iterable[Bools]) -> Bools | None:
    kept = named
    for mask in masks:
        kept = mask if kept is None else kept & mask
    return kept


def _facet(spec: FilterSpec, view: View, named: Bools | None, masks: Mapping[str, Bools]) -> Facet:
    aside = {spec.key, *spec.sets_aside}
    others = _all_of(named, [mask for key, mask in masks.items() if key not in aside])
    options = tuple(_counted(option, others) for option in spec.offer(view))
    return Facet(spec, options, spec.key in masks)


def _counted(option: Option, others: Bools | None) -> CountedOption:
    mask = option.mask if others is None else option.mask & others
    return CountedOption(option.value, option.label, option.on, int(np.count_nonzero(mask)))


def _loosened(
    question: Question, specs: Sequence[FilterSpec], named: Bools | None, masks: Mapping[str, Bools]
) -> tuple[Loosened, ...]:
    """Return which filters to take out so that something is found, the most found first; words typed count as one."""
    labels = {spec.key: spec.label for spec in specs}
    aside = {spec.key: {spec.key, *spec.sets_aside} for spec in specs}
    ways = []
    for part in masks:
        rest = _all_of(named, [mask for key, mask in masks.items() if key not in aside[part]])
        ways.append(Loosened(part, labels[part], _count(rest, masks)))
    if named is not None:
        ways.append(Loosened("q", question.q, _count(_all_of(None, masks.values()), masks, len(named))))
    return tuple(sorted((way for way in ways if way.count), key=lambda way: -way.count))


def _count(mask: Bools | None, masks: Mapping[str, Bools], whole: int = 0) -> int:
    if mask is None:
        return whole or len(next(iter(masks.values())))
    return int(np.count_nonzero(mask))


def _ordered(
    view: View, kept: Bools | None, figures: Figures, seconds: Floats | None, preferred: Preferred | None
) -> Ints:
    """Return the positions of the rows that are kept, in the order asked for; ties by name, which is the order of the table."""
    at: Ints = np.arange(len(view.table)) if kept is None else np.flatnonzero(kept)
    question = view.question
    key: NDArray[np.float64] | None
    match question.chosen_order:
        case "distance":
            key = figures.distance
        case "time":
            key = seconds
        case "recommended" if preferred is not None:
            rank = preferred.rank
            key = np.array([float(rank.get(one, len(rank))) for one in view.table.ids.tolist()])
        case "vacancy":
            key = -figures.vacancy
        case "fee":
            key = figures.fee
        case "grade":
            key = -figures.grade
        case "fresh":
            key = figures.fresh
        case "fit":
            key = -scores(figures, dict(question.weights))
        case "relevance":
            key = _likeness(view.table, question.q, at)
        case _:
            key = None
    # A stable sort leaves equal rows, and those of which nothing is known at the end, in the order of their names.
    return at if key is None else at[np.argsort(key[at], kind="stable")]


def _likeness(table: Table, q: str, at: Ints) -> Floats:
    ranks = np.full(len(table), 3.0)
    for number in at.tolist():
        name = table.rows[number][2]
        ranks[number] = 0 if name == q else 1 if name.startswith(q) else 2 if q in name else 3
    return ranks


def _seconds(question: Question, table: Table, scope: Scope, now: dt.datetime, mode: str) -> Floats | None:
    """Return how long the way to each row takes, infinite beyond the longest journey; ``None`` without roads."""
    if question.near is None:
        return None
    longest = LONGEST.get(mode, 60)
    origin = Coordinate(*question.near, System.CGCS2000)
    try:
        traveller = check_journey(mode, longest)
        journey = begin_journey(
            scope=scope, origin=origin, traveller=traveller, kinds=question.kinds, published=published_now(), now=now
        )
        costs = journey.costs(journey.search(longest))
    except NoGraph:
        return None
    seconds = np.full(len(table), np.inf)
    if costs is not None and len(costs.ids):
        order = np.argsort(costs.ids)
        where = np.minimum(np.searchsorted(costs.ids, table.ids, sorter=order), len(order) - 1)
        found = costs.ids[order[where]] == table.ids
        seconds[found] = costs.seconds[order[where[found]]]
    return seconds


def _start(order: Ints, ids: Ints, mark: str) -> int:
    """Return where the page after a mark begins: behind its row, or, where that is gone, where it was."""
    if not mark:
        return 0
    shown, _, last = mark.partition(".")
    if not all(text.isascii() and text.isdecimal() and len(text) < 19 for text in (shown, last)):
        raise BadInput("cursor_invalid", "翻页标记无效，请去掉 cursor 从第一页重新查询。", parameter="cursor")
    at = np.flatnonzero(ids[order] == int(last))
    return int(at[0]) + 1 if len(at) else min(max(0, int(shown) - 1), len(order))
