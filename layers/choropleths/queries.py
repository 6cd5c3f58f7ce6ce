"""Reads of choropleths: a fact by the regions right below one, with what may be told, classes, ranks and months."""

from __future__ import annotations

import datetime as dt
import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Protocol

from django.db import connection
from django.utils import timezone

from geo.addresses.gazetteer import NamedRegion, Names, names_of, published_now
from geo.errors import BadInput, NotFound
from geo.imports.models import Family
from geo.regions.queries import current_city
from geo.regions.records import LEVELS
from geo.scope import Scope
from layers.choropleths.spec import (
    NONE,
    Area,
    Figure,
    Measure,
    Month,
    Place,
    Standing,
    last_day,
    month_before,
)
from layers.disclosure import K
from layers.facts.counting import Period, Tally, count_by_month, count_by_region
from layers.facts.residents import Residents, residents
from layers.facts.spec import FactSpec
from layers.heat.regional import LEVELS as LEVELS_OF_PERSONS
from layers.heat.regional import region_heat, span_of, worked_out
from layers.styles.classing import Method, Spread, breaks_of

CLASSES: Final = 5
MONTHS: Final = 12
PER: Final = 1_000
LEAST_CHANGE: Final = 0.005
"""Smaller changes are none: figures have two digits behind the point."""
RATIO: Final = 1
"""The digits of a figure that is a ratio, behind the point."""
DIGITS: Final = {Measure.VALUE: 2, Measure.RATE: 2, Measure.SHARE: 1, Measure.CHANGE: 2}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a choropleth: the measure, the month of a fact that has time, and how classes are cut.

    ``month`` is a first day, ``None`` for a fact of what there is now. ``breaks`` are those of the method ``manual``.
    """

    measure: Measure = Measure.VALUE
    month: dt.date | None = None
    method: Method = "jenks"
    classes: int = CLASSES
    breaks: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Board:
    """A choropleth of a region: ``areas`` are the regions right below it, the greatest figure first, those without last.

    ``above`` leads down to ``place`` as far as the scope goes, ``chosen`` is a region of the last level inside it. ``total`` is
    its own figure, ``rate`` that per 1,000 residents. ``breaks`` cut the told figures into classes. ``months`` lead up to the
    month asked for, none for a fact without time. ``residents_year`` is ``None`` where no rate was taken.
    """

    spec: FactSpec
    asked: Asked
    place: Place
    chosen: Place | None
    above: tuple[Place, ...]
    siblings: tuple[Place, ...]
    areas: tuple[Area, ...]
    total: Figure
    rate: Figure
    breaks: tuple[float, ...]
    months: tuple[Month, ...]
    residents_year: int | None

    @property
    def level(self) -> str:
        """Return the level of the areas, '' where there are none."""
        return _below(self.place.level)


@dataclass(frozen=True, slots=True)
class Summary:
    """What a fact comes to in a region: its figure, per 1,000 residents, and the change from the month before."""

    spec: FactSpec
    month: dt.date | None
    total: Figure
    rate: Figure
    change: Figure


def places_of(code: str, *, scope: Scope) -> tuple[Place, Place | None, tuple[Place, ...], tuple[Place, ...]]:
    """Return the region of a board, the chosen one inside it, those above, and those beside which the scope may turn to.

    '' is the first that the scope keeps. A region of the last level is shown inside the one above. Raises ``NotFound`` alike for
    an unknown region and one that is not for the scope.
    """
    names = names_of(published_now())
    roots = _roots(names, scope)
    if not roots:
        raise NotFound("region_unknown", "您的账号还没有辖区，请联系上级管理员。")
    region = names.by_code.get(code) if code else roots[0]
    root = next((each for each in roots if region and region.path.startswith(each.path)), None)
    if region is None or root is None:
        raise NotFound("region_unknown", "没有找到这个区划，或者不在您的辖区。", region=code[:20])
    chosen = None
    if region.level == LEVELS[-1] and region.path != root.path:
        chosen = region
        region = names.by_code[region.path.rstrip(".").split(".")[-2]]
    line = [names.by_code[each] for each in region.path.rstrip(".").split(".") if each in names.by_code]
    above = tuple(_place(each) for each in line if each.path.startswith(root.path) and each.path != region.path)
    if region.path == root.path:
        beside = roots
    else:
        parent = region.path[: region.path.rstrip(".").rfind(".") + 1]
        beside = _children(names, parent, region.level)
    return _place(region), _place(chosen) if chosen else None, above, tuple(_place(each) for each in beside)


def board_of(spec: FactSpec, asked: Asked, code: str = "", *, scope: Scope) -> Board:
    """Return the choropleth of a fact in a region; '' is the first that the scope keeps. Raises ``NotFound``, ``BadInput``."""
    place, chosen, above, siblings = places_of(code, scope=scope)
    children = [_place(each) for each in _children(names_of(published_now()), place.path, _below(place.level))]
    asked = _settled(spec, asked)
    paths = [each.path for each in children]
    reading = _Reading(spec, place, above, paths, month=asked.month, months=MONTHS + 1, scope=scope)
    now = reading.at(asked.month)
    before = reading.at(month_before(asked.month)) if asked.month and is_over(asked.month) else None
    people = _residents(_below(place.level), spec.per) if children else None
    by_path = people.by_path if people else {}
    figures = {each.path: _figure(asked.measure, each.path, now, before, place.path, by_path) for each in children}
    breaks = _breaks(asked, figures.values())
    changes = {each.path: _change(each.path, now, before) for each in children}
    return Board(
        spec=spec,
        asked=asked,
        place=place,
        chosen=chosen,
        above=above,
        siblings=siblings,
        areas=_ranked(children, figures, changes, breaks),
        total=now.figure(place.path),
        rate=_own_rate(place, spec, now),
        breaks=breaks,
        months=_trend(spec, reading, asked.month, place),
        residents_year=people.year if people and asked.measure is Measure.RATE else None,
    )


def summary_of(spec: FactSpec, place: Place, above: Sequence[Place], *, scope: Scope) -> Summary:
    """Return what a fact comes to in a region that ``places_of`` answered, now or in the last month that is over."""
    month = _last_over() if spec.moment else None
    reading = _Reading(spec, place, above, [], month=month, months=2, scope=scope)
    now = reading.at(month)
    before = reading.at(month_before(month)) if month else None
    return Summary(spec, month, now.figure(place.path), _own_rate(place, spec, now), _change(place.path, now, before))


def months_of(spec: FactSpec, *, scope: Scope) -> list[dt.date]:
    """Return the months of a fact that may be asked for, the newest first; none for a fact without time."""
    if not spec.moment:
        return []
    found = span_of(spec, scope=scope)
    last = _newest(spec)
    months = [last]
    while found and months[-1] > found.first.replace(day=1) and len(months) < 10 * MONTHS:
        months.append(month_before(months[-1]))
    return months


class _Figures(Protocol):
    """The figures of one month or of now."""

    def figure(self, path: str) -> Figure:
        """Return the figure of a region."""


@dataclass(frozen=True, slots=True)
class _Counted:
    """Figures about nobody, by path, and whether there are any at all."""

    spec: FactSpec
    by_path: Mapping[str, Tally]
    any: bool

    def figure(self, path: str) -> Figure:
        """Return the figure of a region: 0 only where rows were counted elsewhere, for what counts one by one."""
        if not self.any:
            return NONE
        tally = self.by_path.get(path)
        if tally is None:
            return Figure.of(0.0 if self.spec.weight == "1" else None)
        return Figure.of(_rounded(tally.value, Measure.VALUE))


@dataclass(frozen=True, slots=True)
class _WorkedOut:
    """Figures that the owner of a fact works out, by path; of regions left out nothing is known."""

    by_path: Mapping[str, float | None]

    def figure(self, path: str) -> Figure:
        """Return the figure of a region."""
        if path not in self.by_path:
            return NONE
        value = self.by_path[path]
        return Figure.of(None if value is None else _rounded(value, Measure.VALUE, RATIO), hidden=value is None)


@dataclass(frozen=True, slots=True)
class _Quotient:
    """Figures divided by others: hidden where either is, none where either is or there is nothing to divide by."""

    upper: _Figures
    lower: _Figures
    times: float

    def figure(self, path: str) -> Figure:
        """Return the figure of a region."""
        upper, lower = self.upper.figure(path), self.lower.figure(path)
        if Standing.HIDDEN in (upper.standing, lower.standing):
            return Figure.of(None, hidden=True)
        if upper.value is None or not lower.value:
            return NONE
        return Figure.of(_rounded(self.times * upper.value / lower.value, Measure.VALUE, RATIO))


@dataclass(frozen=True, slots=True)
class _Decided:
    """Figures about persons, by path: ``None`` where it was decided not to tell; what was not decided on is not told."""

    by_path: Mapping[str, float | None]
    any: bool

    def figure(self, path: str) -> Figure:
        """Return the figure of a region."""
        if not self.any:
            return NONE
        value = self.by_path.get(path)
        return Figure.of(None if value is None else _rounded(value, Measure.VALUE), hidden=value is None)


class _Reading:
    """What is counted for one board: each level once, all months together."""

    def __init__(
        self,
        spec: FactSpec,
        place: Place,
        above: Sequence[Place],
        children: Sequence[str],
        *,
        month: dt.date | None,
        months: int,
        scope: Scope,
    ) -> None:
        """``children`` are the paths right below ``place``; ``months`` are read up to ``month``."""
        self.spec, self.place, self.children, self.scope = spec, place, children, scope
        self.period = Period(month_before(month, months - 1), last_day(month)) if month else None
        self._parts: tuple[_Reading, _Reading] | None = None
        if spec.over is not None:
            timed = bool(spec.over.moment)
            self._parts = (
                _Reading(replace(spec, over=None), place, above, children, month=month, months=months, scope=scope),
                _Reading(spec.over, place, above, children, month=month if timed else None, months=months, scope=scope),
            )
        self._by_month: dict[tuple[str, str], dict[dt.date, dict[str, Tally]]] = {}
        self._made: dict[dt.date | None, _Figures] = {}

    def at(self, month: dt.date | None) -> _Figures:
        """Return the figures of a month, ``None`` for what there is now."""
        if month not in self._made:
            self._made[month] = self._read(month)
        return self._made[month]

    def _read(self, month: dt.date | None) -> _Figures:
        if self._parts and self.spec.over:
            upper, lower = self._parts
            return _Quotient(upper.at(month), lower.at(month if self.spec.over.moment else None), self.spec.times)
        if self.spec.worked_out:
            levels = [self.place.level, *([_below(self.place.level)] if self.children else [])]
            figures = [worked_out(self.spec, level, scope=self.scope) for level in levels]
            return _WorkedOut({path: value for each in figures for path, value in each.items()})
        return self._persons(month) if self.spec.heads else self._tallies(month)

    def _tallies(self, month: dt.date | None) -> _Figures:
        by_path = self._counted(self.place.level, self.place.path, month)
        if self.children:
            by_path = by_path | self._counted(_below(self.place.level), self.place.path, month)
        # a region without rows has none only where others have some
        return _Counted(self.spec, by_path, bool(by_path or self._counted(LEVELS[0], "", month)))

    def _persons(self, month: dt.date | None) -> _Figures:
        """Return what ``layers.heat`` decided to tell, whoever asks: nobody can take one page from another."""
        if month is None:
            return _Decided({}, any=True)  # a standing number of persons, asked every day, would tell who came
        period, whole = Period(month, last_day(month)), replace(self.scope, paths=("",))
        city = count_by_region(self.spec, scope=whole, level=LEVELS[0], period=period)
        by_path = {path: each.value if (each.heads or 0) >= K else None for path, each in city.items()}
        for level in (self.place.level, _below(self.place.level)):
            if level in LEVELS_OF_PERSONS:
                by_path |= region_heat(self.spec, scope=self.scope, level=level, period=period).values
        return _Decided(by_path, any=bool(city))

    def _counted(self, level: str, within: str, month: dt.date | None) -> dict[str, Tally]:
        if month is None or self.period is None:
            return count_by_region(self.spec, scope=self.scope, level=level, within=within)
        if (level, within) not in self._by_month:
            self._by_month[level, within] = count_by_month(
                self.spec, scope=self.scope, level=level, within=within, period=self.period
            )
        return self._by_month[level, within].get(month, {})


def _settled(spec: FactSpec, asked: Asked) -> Asked:
    """Return what is asked with the month it is asked of. Raises ``BadInput`` for what the fact cannot tell."""
    if not spec.additive and asked.measure in (Measure.RATE, Measure.SHARE):
        raise BadInput("fact_is_ratio", f"“{spec.title}”本身是比率，不能再算每千人或占比。", parameter="measure")
    if not spec.moment:
        if asked.month or asked.measure is Measure.CHANGE:
            raise BadInput("fact_without_time", f"“{spec.title}”只有现状，没有月份。", parameter="month")
        return asked
    newest = _newest(spec)
    if asked.month and asked.month > newest:
        said = f"{newest.year}年{newest.month}月"
        raise BadInput("month_not_over", f"“{spec.title}”最近能看的是{said}。", parameter="month")
    return replace(asked, month=asked.month or _last_over())


def _newest(spec: FactSpec) -> dt.date:
    """Return the newest month: of persons the last that is over, for a month that grows tells of each day."""
    return _last_over() if spec.heads else timezone.localdate().replace(day=1)


def _last_over() -> dt.date:
    return month_before(timezone.localdate().replace(day=1))


def is_over(month: dt.date) -> bool:
    """Say whether a month is over, so that it may be compared with others."""
    return last_day(month) < timezone.localdate()


def _trend(spec: FactSpec, reading: _Reading, month: dt.date | None, place: Place) -> tuple[Month, ...]:
    """Return the months up to one, a year of them, as far as there is data; one that is not over yet is left out."""
    found = span_of(spec, scope=reading.scope) if month else None
    if month is None or found is None:
        return ()
    over = month if is_over(month) else month_before(month)
    wanted = [month_before(over, back) for back in reversed(range(MONTHS))]
    return tuple(
        Month(first, reading.at(first).figure(place.path))
        for first in wanted
        if last_day(first) >= found.first and first <= found.last
    )


def _figure(
    measure: Measure, path: str, now: _Figures, before: _Figures | None, whole: str, people: Mapping[str, int]
) -> Figure:
    own = now.figure(path)
    if measure is Measure.CHANGE:
        return _change(path, now, before)
    if measure is Measure.VALUE or own.value is None:
        return own
    if measure is Measure.RATE:
        return _rate(own, people.get(path))
    total = now.figure(whole).value
    return Figure.of(_rounded(100 * own.value / total, measure) if total else None)


def _rate(own: Figure, persons: int | None) -> Figure:
    if own.value is None:
        return own
    return Figure.of(_rounded(PER * own.value / persons, Measure.RATE) if persons else None)


def _own_rate(place: Place, spec: FactSpec, now: _Figures) -> Figure:
    if not spec.additive:
        return NONE
    people = _residents(place.level, spec.per)
    return _rate(now.figure(place.path), people.by_path.get(place.path) if people else None)


def _change(path: str, now: _Figures, before: _Figures | None) -> Figure:
    """Return how much more it is than the month before; hidden where either is."""
    if before is None:
        return NONE
    figures = now.figure(path), before.figure(path)
    if any(each.standing is Standing.HIDDEN for each in figures):
        return Figure.of(None, hidden=True)
    new, old = (each.value for each in figures)
    return Figure.of(None if new is None or old is None else _rounded(new - old, Measure.CHANGE))


def _rounded(value: float, measure: Measure, digits: int | None = None) -> float:
    """Return a figure with the digits it is shown with, so that classes part what readers see; small rates keep two that tell."""
    digits = DIGITS[measure] if digits is None else digits
    if measure is Measure.RATE and 0 < value < 0.1:
        digits = min(6, 1 - math.floor(math.log10(value)))
    return round(value, digits) + 0.0


def _breaks(asked: Asked, figures: Iterable[Figure]) -> tuple[float, ...]:
    counts = Counter(each.value for each in figures if each.value is not None)
    if not counts:
        return ()
    if asked.measure is Measure.CHANGE:
        return _around_zero(max(abs(each) for each in counts))
    if asked.method == "manual":
        return asked.breaks
    values = tuple(sorted(counts))
    found = breaks_of(Spread(values, tuple(counts[each] for each in values)), asked.method, asked.classes)
    rounded = sorted({_rounded(each, asked.measure) for each in found})
    return tuple(each for each in rounded if values[0] < each <= values[-1])


def _around_zero(most: float) -> tuple[float, ...]:
    """Return breaks that part what fell from what rose, what did not change between them; none where nothing changed."""
    half = _rounded(most / 2, Measure.CHANGE)
    return (-half, 0.0, LEAST_CHANGE, half) if half > LEAST_CHANGE else ()


def _ranked(
    children: Sequence[Place],
    figures: Mapping[str, Figure],
    changes: Mapping[str, Figure],
    breaks: Sequence[float],
) -> tuple[Area, ...]:
    """Return the areas, the greatest first; equal figures share a rank, those that are not told come last without one."""
    told = sorted((each.value for each in figures.values() if each.value is not None), reverse=True)
    areas = []
    for place in children:
        value = figures[place.path].value
        at = bisect_right(breaks, value) if value is not None else None
        rank = told.index(value) + 1 if value is not None else None
        areas.append(Area(place, figures[place.path], changes[place.path], at, rank))
    return tuple(sorted(areas, key=lambda each: (each.rank or len(told) + 1, each.place.code)))


def _residents(level: str, ages: tuple[int, int] | None) -> Residents | None:
    """Return the residents of all regions of a level, read once for each edition of regions and figures."""
    published = published_now()
    key = f"{published.stamps.get(Family.POPULATION)} {published.stamps.get(Family.REGIONS)}"
    return _residents_kept(str(connection.settings_dict["NAME"]), key, level, ages)


@lru_cache(maxsize=64)
def _residents_kept(database: str, key: str, level: str, ages: tuple[int, int] | None) -> Residents | None:
    return residents(level, ages=ages)


def _roots(names: Names, scope: Scope) -> list[NamedRegion]:
    """Return the regions that a scope keeps, none inside another, by code."""
    city = f"{current_city().code}."
    paths = [city] if scope.covers_path(city) else list(scope.paths)
    outer = [path for path in paths if not any(path != other and path.startswith(other) for other in paths)]
    return [each for each in names.by_code.values() if each.path in outer]


def _children(names: Names, path: str, level: str) -> list[NamedRegion]:
    return [each for each in names.by_code.values() if each.level == level and each.path.startswith(path)]


def _below(level: str) -> str:
    """Return the level right below one, '' below the last."""
    at = LEVELS.index(level) + 1
    return LEVELS[at] if at < len(LEVELS) else ""


def _place(region: NamedRegion) -> Place:
    return Place(region.code, region.path, region.level, region.name)
