"""Reads of the map of supervisors: what stands against places, by region, by place, and row by row.

Every number is the number of rows of a ledger under one question; the same question lists them.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib.gis.db.models import Extent
from django.contrib.gis.geos import Point
from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count, F, IntegerField, QuerySet, Value
from django.http import QueryDict

from geo.addresses.gazetteer import NamedRegion, Names, names_of, published_now
from geo.errors import NotFound
from geo.regions.models import EditionState, Level, RegionVersion
from geo.regions.queries import current_city
from geo.scope import Scope
from services.access.queries import check_duty
from services.facilities.kinds import kind_of, kinds_named
from services.facilities.models import FacilityStatus
from services.facilities.queries import city_now
from services.kernel.ledger.asking import Asked, read_asked
from services.kernel.ledger.queries import Row, page_of, rows_asked, sees_all
from services.kernel.ledger.registry import ledgers, may_open
from services.kernel.spec import LedgerSpec
from services.kernel.watching.duties import WATCH
from services.kernel.watching.registry import indicators_of
from services.kernel.watching.spec import LEVELS, Indicator, Theme

LISTED: Final = 200
"""How many rows a link names one by one."""
TOLD: Final = 5
"""How many rows of an indicator the panel of a place tells."""
FIRST: Final = 10
"""How many places are listed of a whole city, over all and by each indicator."""
DRAWN: Final = 2_000
"""How many places the map draws."""


@dataclass(frozen=True, slots=True)
class Tally:
    """An indicator with how many rows it has somewhere, and ``ids``, the first of them."""

    indicator: Indicator
    count: int
    ids: tuple[int, ...] = ()

    @property
    def ledger(self) -> LedgerSpec:
        """Return the ledger of the rows."""
        return ledgers()[self.indicator.ledger]


@dataclass(frozen=True, slots=True)
class Watched:
    """A place of the map: what it is, where, and what stands against it, the most urgent first."""

    pk: int
    name: str
    kind: str
    status: str
    region: NamedRegion | None
    point: Point
    tallies: tuple[Tally, ...] = ()

    @property
    def level(self) -> str:
        """Return how urgent the worst is, '' where nothing stands against the place."""
        return self.tallies[0].indicator.level if self.tallies else ""


@dataclass(frozen=True, slots=True)
class Line:
    """A region of the table: how many places are in service, and the tallies in the order of the board's indicators."""

    region: NamedRegion
    open: int
    tallies: tuple[Tally, ...]
    label: Point | None = None


@dataclass(frozen=True, slots=True)
class Board:
    """The map of a region, as of a moment.

    ``region`` is ``None`` for who keeps several and chose none; ``above`` leads down to it. ``lines`` are the regions below it,
    none for a street, whose ``places`` are listed instead: everywhere those with something against them come first, in a street
    followed by all others. ``outside`` counts what lies in none of the lines. ``box`` is west, south, east, north.
    """

    theme: Theme
    region: NamedRegion | None
    above: tuple[NamedRegion, ...]
    open: int
    tallies: tuple[Tally, ...]
    lines: tuple[Line, ...]
    outside: tuple[Tally, ...]
    places: tuple[Watched, ...]
    box: tuple[float, float, float, float] | None
    as_of: dt.datetime

    @property
    def whole_city(self) -> bool:
        """Say whether it is the map of the whole city: too many places to draw one by one."""
        return self.region is not None and self.region.level == Level.CITY

    @property
    def waiting(self) -> list[Watched]:
        """Return the places with something against them."""
        return [each for each in self.places if each.tallies]


@dataclass(frozen=True, slots=True)
class Told:
    """What one indicator says of a place: its tally, and the first rows."""

    tally: Tally
    rows: tuple[Row, ...]


def board_of(theme: Theme, code: str = "", *, scope: Scope) -> Board:
    """Return the map of a region (by code; '' is all that the scope keeps). Needs ``watch.view``.

    Raises ``NotFound`` alike for an unknown region and one that is not for the scope.
    """
    check_duty(scope, WATCH)
    names = names_of(published_now())
    roots = _roots(names, scope)
    region = _chosen(names, roots, code, scope)
    below = [region] if region else roots
    within = _ids_under(names, [each.path for each in below])
    all_of_it = region is not None and region.level == Level.CITY and sees_all(scope)
    counts = _Counts(theme, scope, names, None if all_of_it else within)
    lines = _lines(counts, names, region, roots)
    return Board(
        theme=theme,
        region=region,
        above=_above(names, region, scope) if region else (),
        open=sum(counts.open.values()),
        tallies=counts.tallies(),
        lines=lines,
        outside=counts.tallies(without=[line.region.path for line in lines]) if lines else (),
        places=counts.places(drawn=not (region and region.level == Level.CITY), all_of_them=not lines),
        box=_box(below),
        as_of=city_now(),
    )


def told_of(theme: Theme, place_id: int, *, scope: Scope) -> tuple[Watched, list[Told]]:
    """Return a place of the map with the rows that stand against it. Needs ``watch.view``.

    Raises ``NotFound`` alike for one that is not there, not of the theme, and not for the scope.
    """
    check_duty(scope, WATCH)
    names = names_of(published_now())
    counts = _Counts(theme, scope, names, None, only=place_id)
    found = counts.places(drawn=True, all_of_them=True)
    if not found:
        raise NotFound("place_unknown", "没有找到这家机构，它可能已经下线，或者不在您的管辖范围内。")
    told = []
    for tally in found[0].tallies:
        rows = page_of(tally.ledger, Asked(ids=tally.ids), scope=scope, limit=TOLD).rows
        told.append(Told(tally, tuple(rows)))
    return found[0], told


def rows_query(theme: Theme, tally: Tally, *, region: str = "", by_row: bool = False) -> str:
    """Return the query string that lists the rows of a tally in their ledger: of a region, or one by one."""
    if by_row and tally.count <= LISTED:
        return urlencode([("id", pk) for pk in tally.ids])
    pairs = _pairs(theme, tally.indicator)
    return urlencode([*pairs, *([("region", region)] if region else [])])


def open_query(theme: Theme, region: str = "") -> str:
    """Return the query string that lists the places in service of a region."""
    pairs = [*theme.open, *((f"f.{theme.kind}", key) for key in kinds_named(theme.group))]
    return urlencode([*pairs, *([("region", region)] if region else [])])


class _Counts:
    """What is counted for one board: two queries, folded by region and by place as often as they are needed."""

    def __init__(
        self, theme: Theme, scope: Scope, names: Names, within: Collection[int] | None, only: int | None = None
    ) -> None:
        """``within`` are the ids of the regions that count, ``None`` for all that the scope sees; ``only`` one place."""
        self.theme, self.scope, self.names, self.within, self.only = theme, scope, names, within, only
        self.covered = _ids_under(names, scope.paths)
        self.indicators = tuple(each for each in indicators_of(theme) if may_open(ledgers()[each.ledger], scope))
        self.marks = self._marks()
        self.open = self._open() if only is None else {}

    def _rows(self, spec: LedgerSpec, asked: Asked) -> QuerySet[Any]:
        rows = rows_asked(spec, asked, scope=self.scope, covered=self.covered)
        return rows if self.within is None else rows.filter(**{f"{spec.region}_id__in": self.within})

    def _marks(self) -> list[tuple[Indicator, int | None, int | None, int, list[int]]]:
        """Return for each indicator, place and region how many rows there are, and which."""
        parts = []
        for at, each in enumerate(self.indicators):
            spec = ledgers()[each.ledger]
            rows = self._rows(spec, _asked(self.theme, each))
            if self.only is not None:
                rows = rows.filter(**{each.place: self.only})
            named = rows.annotate(
                which=Value(at, IntegerField()), of_place=F(each.place), of_region=F(f"{spec.region}_id")
            ).values_list("which", "of_place", "of_region")
            parts.append(named.annotate(found=Count("pk"), ids=ArrayAgg("pk", order_by="pk")))
        if not parts:
            return []
        every = parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0]
        return [(self.indicators[at], place, region, found, ids) for at, place, region, found, ids in every]

    def _open(self) -> dict[int | None, int]:
        spec = ledgers()[self.theme.places]
        asked = _read(spec, [*self.theme.open, *_kinds(self.theme, self.theme.kind)])
        rows = self._rows(spec, asked).values_list(f"{spec.region}_id").annotate(found=Count("pk"))
        return dict(rows)

    def tallies(self, under: str = "", without: Sequence[str] = ()) -> tuple[Tally, ...]:
        """Return the tallies of the regions under a path, or of what lies under none of some paths."""
        sums = dict.fromkeys(self.indicators, 0)
        for indicator, _, region, found, _ in self.marks:
            path = self._path(region)
            if path.startswith(under) and not path.startswith(tuple(without)):
                sums[indicator] += found
        return tuple(Tally(indicator, found) for indicator, found in sums.items())

    def open_under(self, path: str) -> int:
        """Return how many places in service lie under a path."""
        return sum(found for region, found in self.open.items() if self._path(region).startswith(path))

    def _path(self, region: int | None) -> str:
        found = self.names.region(region)
        return found.path if found else ""

    def _against(self) -> dict[int, tuple[Tally, ...]]:
        """Return what stands against each place, the worst first; rows of one indicator may lie in several regions."""
        rows: dict[int, dict[Indicator, list[int]]] = defaultdict(lambda: defaultdict(list))
        for indicator, place, _, _, ids in self.marks:
            if place is not None:
                rows[place][indicator] += ids
        return {
            place: tuple(
                sorted((Tally(each, len(ids), tuple(sorted(ids)[:LISTED])) for each, ids in found.items()), key=_rank)
            )
            for place, found in rows.items()
        }

    def places(self, *, drawn: bool, all_of_them: bool) -> tuple[Watched, ...]:
        """Return the places, the most urgent first: with something against them, or ``all_of_them``; few where not ``drawn``."""
        against = self._against()
        spec = ledgers()[self.theme.places]
        rows = self._rows(spec, _read(spec, _kinds(self.theme, self.theme.kind)))
        if self.only is not None:
            rows = rows.filter(pk=self.only)
        elif not (drawn or all_of_them):
            rows = rows.filter(pk__in=_worst(against))
        wanted = rows.order_by(F("pk")).values_list(
            "pk", spec.name, self.theme.kind, "status", f"{spec.region}_id", spec.point
        )
        found_places = [
            Watched(
                pk, name, kind_of(kind).name, FacilityStatus(status).label, self.names.region(region), point,
                against.get(pk, ()),
            )
            for pk, name, kind, status, region, point in wanted
            if pk in against or status == FacilityStatus.OPEN or self.only is not None
        ]  # fmt: skip
        return tuple(sorted(found_places, key=lambda each: (_urgency(each.tallies), each.name, each.pk)))


def _rank(tally: Tally) -> tuple[int, int]:
    return LEVELS.index(tally.indicator.level), tally.indicator.order


def _worst(against: Mapping[int, Sequence[Tally]]) -> list[int]:
    """Return the ids of the places that come first, and of those that come first under each indicator."""
    firsts = sorted(against, key=lambda pk: (_urgency(against[pk]), pk))[:FIRST]
    by_indicator: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for pk, tallies in against.items():
        for each in tallies:
            by_indicator[each.indicator.key].append((-each.count, pk))
    return [*firsts, *(pk for found in by_indicator.values() for _, pk in sorted(found)[:FIRST])]


def _urgency(tallies: Sequence[Tally]) -> tuple[int, int, int]:
    """Return what places are ordered by: the worst first, then by how much stands against them."""
    at = min((LEVELS.index(each.indicator.level) for each in tallies), default=len(LEVELS))
    return at, -len(tallies), -sum(each.count for each in tallies)


def _pairs(theme: Theme, each: Indicator) -> list[tuple[str, str]]:
    """Return the parameters of the ledger's address that an indicator asks today."""
    today = city_now().date()
    pairs = [
        (name, (today - dt.timedelta(days=int(value[1:-1]))).isoformat() if value.startswith("{") else value)
        for name, value in each.asks
    ]
    return pairs + _kinds(theme, each.kind)


def _kinds(theme: Theme, column: str) -> list[tuple[str, str]]:
    return [(f"f.{column}", key) for key in kinds_named(theme.group)] if column else []


def _asked(theme: Theme, each: Indicator) -> Asked:
    return _read(ledgers()[each.ledger], _pairs(theme, each))


def _read(spec: LedgerSpec, pairs: Iterable[tuple[str, str]]) -> Asked:
    return read_asked(QueryDict(urlencode(list(pairs))), spec)


def _roots(names: Names, scope: Scope) -> list[NamedRegion]:
    """Return the regions that a scope keeps, none inside another, by code."""
    paths = [f"{current_city().code}."] if sees_all(scope) else list(scope.paths)
    outer = [path for path in paths if not any(path != other and path.startswith(other) for other in paths)]
    return [each for each in names.by_code.values() if each.path in outer]


def _chosen(names: Names, roots: Sequence[NamedRegion], code: str, scope: Scope) -> NamedRegion | None:
    if not code:
        return roots[0] if len(roots) == 1 else None
    found = names.by_code.get(code)
    if found is None or not any(found.path.startswith(root.path) for root in roots):
        raise NotFound("region_unknown", "没有找到这个区划，或者不在您的管辖范围内。", region=code[:20])
    return found


def _above(names: Names, region: NamedRegion, scope: Scope) -> tuple[NamedRegion, ...]:
    """Return the regions above one that the scope keeps too, from the city down."""
    roots = [each.path for each in _roots(names, scope)]
    codes = region.path.rstrip(".").split(".")[:-1]
    above = [names.by_code[code] for code in codes if code in names.by_code]
    return tuple(each for each in above if each.path.startswith(tuple(roots)))


def _ids_under(names: Names, paths: Collection[str]) -> list[int]:
    return [each.id for each in names.regions.values() if each.path.startswith(tuple(paths))]


def _lines(counts: _Counts, names: Names, region: NamedRegion | None, roots: Sequence[NamedRegion]) -> tuple[Line, ...]:
    """Return the regions below one, as far down as streets, with what stands there."""
    if region is None:
        children = list(roots)
    elif region.level in (Level.CITY, Level.DISTRICT):
        finer = Level.DISTRICT if region.level == Level.CITY else Level.STREET
        children = [
            each for each in names.by_code.values() if each.level == finer and each.path.startswith(region.path)
        ]
    else:
        return ()
    labels = dict(
        RegionVersion.objects.filter(
            edition__state=EditionState.PUBLISHED, region__in=[each.id for each in children]
        ).values_list("region_id", "label")
    )
    lines = [
        Line(each, counts.open_under(each.path), counts.tallies(each.path), labels.get(each.id)) for each in children
    ]
    return tuple(sorted(lines, key=lambda line: line.region.code))


def _box(regions: Sequence[NamedRegion]) -> tuple[float, float, float, float] | None:
    versions = RegionVersion.objects.filter(
        edition__state=EditionState.PUBLISHED, region__in=[each.id for each in regions]
    )
    box: tuple[float, float, float, float] | None = versions.aggregate(box=Extent("geom"))["box"]
    return box
