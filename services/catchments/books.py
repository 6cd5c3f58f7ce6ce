"""The book of an edition: read from its rows once for each of its revisions and kept by the process.

Rules name streets, committees and kindergartens of the day they were written. Where these were merged, renamed or split since,
the book speaks of what they are today, and keeps a sentence that tells so; what cannot be told apart today matches nothing.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, cast

import shapely
from django.core.cache import cache

from geo.addresses.gazetteer import NamedRegion, Names, Published, names_of, published_now
from geo.geometry import to_plane
from geo.imports.models import Family
from geo.names import plain
from geo.regions.models import Level, RegionSuccession, RegionVersion
from geo.regions.queries import as_today, current_city
from services.catchments.book import Area, Book, Goal, Line, Site
from services.catchments.doors import Rule
from services.catchments.entries import Choice, Mode
from services.catchments.ground import KINDERGARTEN
from services.catchments.models import CatchmentEdition, MatchRule
from services.catchments.writing import Reading, read_rule
from services.facilities.actions import edition_key
from services.facilities.models import Facility, FacilityStatus
from services.facilities.upkeep.models import MergedFacility

_KEPT: Final = 32


@dataclass(frozen=True, slots=True)
class Kept:
    """A book with what was brought up to today in it.

    ``leads`` tells for each kindergarten that is not open as it was named which one stands for it now, ``None`` for none;
    ``told`` why, and ``notes`` by rule how its regions read today. ``gone`` are rules whose regions cannot be told today.
    """

    book: Book
    leads: Mapping[int, int | None]
    told: Mapping[int, str]
    notes: Mapping[int, str]
    gone: frozenset[int]

    def sites(self, goals: Sequence[Goal]) -> tuple[int, ...]:
        """Return the kindergartens that goals lead to today, each once."""
        if not goals:
            return ()
        led = [self.leads.get(goal[1], goal[1]) for goal in goals if goal[0] == "site"]
        return tuple(dict.fromkeys(site for site in led if site is not None))


_lock: Final = threading.Lock()
_books: dict[tuple[str, ...], Kept] = {}


def book_of(edition: CatchmentEdition) -> Book:
    """Return the book of an edition; areas and sites in metres of the city's plane."""
    return kept_of(edition).book


def kept_of(edition: CatchmentEdition, published: Published | None = None) -> Kept:
    """Return the book of an edition with what was brought up to today in it; made once for each revision and state of the city.

    Only the last few dozen are kept.
    """
    published = published or published_now()
    key = (str(edition.pk), str(edition.revision), published.key, str(cache.get(edition_key())))
    found = _books.get(key)
    if found is None:
        with _lock:
            found = _books.get(key) or _read(edition, published)
            _books[key] = found
            while len(_books) > _KEPT:
                del _books[next(iter(_books))]
    return found


def _read(edition: CatchmentEdition, published: Published) -> Kept:
    names = names_of(published)
    rules = list(edition.rules.order_by("line", "id"))
    today = _Today.of(rules, names)
    lines = [line for rule in rules for line in _lines(rule, today)]
    areas = _areas(edition)
    leads, told = _leads(
        {rule.target_id for rule in rules if rule.target_id} | {area.site for area in areas}, published
    )
    sites = _sites(edition.district_id, names, published)
    book = Book(cast("list[Mode]", edition.steps), lines, areas, sites)
    return Kept(book, leads, told, today.notes, frozenset(today.gone))


@lru_cache(maxsize=60_000)
def _reading(written: str) -> Reading:
    return read_rule(written)


def _lines(rule: MatchRule, today: _Today) -> list[Line]:
    goal: Goal = ("site", rule.target_id) if rule.target_id else ("choice", cast("Choice", rule.choice))
    mode = cast("Mode", rule.mode)
    doors: Rule | None = None
    if mode in ("override", "address"):
        reading = _reading(rule.written)
        if reading.faults:
            return []
        doors = reading.rule(str(goal[1]))
    return [
        Line(rule.pk, mode, goal, street, committee, plain(rule.community), doors)
        for street, committee in today.read(rule)
    ]


def _areas(edition: CatchmentEdition) -> list[Area]:
    rows = list(edition.areas.order_by("name", "id"))
    if not rows:
        return []
    degrees = shapely.from_wkb([bytes(row.geom.wkb) for row in rows])
    shapes = to_plane(degrees, current_city())
    shapely.prepare(shapes)
    return [Area(row.pk, row.name, row.target_id, shape) for row, shape in zip(rows, shapes, strict=True)]


def _sites(district_id: int, names: Names, published: Published) -> list[Site]:
    """Return the open kindergartens of a district."""
    district = names.region(district_id)
    inside = [one.id for one in names.regions.values() if district and one.path.startswith(district.path)]
    rows = Facility.objects.filter(
        kind=KINDERGARTEN, region__in=inside, retired_at=None, status=FacilityStatus.OPEN,
        source__in=published.ids(Family.FACILITIES),
    ).order_by("id").values_list("id", "geom", "region_id")  # fmt: skip
    found = list(rows)
    if not found:
        return []
    metres = shapely.get_coordinates(
        to_plane(shapely.points([(geom.x, geom.y) for _, geom, _ in found]), current_city())
    )
    sites = []
    for (pk, _, region_id), (x, y) in zip(found, metres.tolist(), strict=True):
        region = names.region(region_id)
        street = names.above(region, Level.STREET) if region else None
        sites.append(Site(pk, street.id if street else None, (x, y)))
    return sites


_WAITING: Final[dict[str, str]] = {
    FacilityStatus.CLOSED: "“{name}”已经关闭，规则还没有改，请问招生部门。",
    FacilityStatus.SUSPENDED: "“{name}”目前暂停服务，请先问招生部门。",
    FacilityStatus.PREPARING: "“{name}”还在筹备中，请问招生部门什么时候开。",
}


def _leads(targets: set[int], published: Published) -> tuple[dict[int, int | None], dict[int, str]]:
    """Return which kindergarten stands for each one today where that is another or none, and what must be told of them."""
    into = dict(MergedFacility.objects.filter(pk__in=targets).values_list("pk", "into"))
    sources = set(published.ids(Family.FACILITIES))
    rows = Facility.objects.filter(pk__in=targets | set(into.values()))
    known = {row.pk: row for row in rows.only("name", "status", "retired_at", "source_id")}
    leads: dict[int, int | None] = {}
    told: dict[int, str] = {}
    for target in targets:
        now = known[into.get(target, target)]
        if now.pk != target:
            leads[target] = now.pk
            told[target] = f"“{known[target].name}”已经并入“{now.name}”。"
        if now.retired_at is not None or now.source_id not in sources:
            leads[target], told[target] = None, f"“{now.name}”已经从机构名录里撤下，请问招生部门。"
        elif now.status in _WAITING:
            told[target] = told.get(target, "") + _WAITING[now.status].format(name=now.name)
            if now.status == FacilityStatus.CLOSED:
                leads[target] = None
    return leads, told


class _Today:
    """Streets and committees of rules as they are today, by what is known of their succession."""

    def __init__(
        self, names: Names, shares: Mapping[int, Mapping[int, float]], origins: Mapping[int, set[int]]
    ) -> None:
        self._names = names
        self._shares = shares
        self._origins = origins
        self._once = _once_called({region for region in shares if names.region(region) is None})
        self.notes: dict[int, str] = {}
        self.gone: set[int] = set()

    @classmethod
    def of(cls, rules: Sequence[MatchRule], names: Names) -> _Today:
        """Return what the regions of these rules are today."""
        named = {region for rule in rules for region in (rule.street_id, rule.committee_id) if region}
        changed = {region for region in named if names.region(region) is None}
        origins: dict[int, set[int]] = defaultdict(set)
        if changed:
            changed |= set(RegionVersion.objects.filter(parent__in=changed).values_list("region_id", flat=True))
            for origin, successor in RegionSuccession.objects.values_list("origin_id", "successor_id"):
                origins[successor].add(origin)
        return cls(names, as_today(changed) if changed else {}, origins)

    def read(self, rule: MatchRule) -> list[tuple[int | None, int | None]]:
        """Return the streets and committees that a rule speaks of today; none where they cannot be told apart."""
        street, committee = rule.street_id, rule.committee_id
        found: list[tuple[int | None, int | None]]
        if committee:
            found = [(self._street_of(one), one) for one in self._now(committee)]
        elif street:
            found = [(one, None) for one in self._now(street)] or self._by_committees(street)
        else:
            return [(None, None)]
        asked = committee or street
        if not found:
            self.gone.add(rule.pk)
            self.notes[rule.pk] = f"规则写的“{self._called(asked)}”已经撤并，现在分不清是哪里，请改这一条规则。"
        elif asked and self._names.region(asked) is None:
            now = "、".join(dict.fromkeys(self._called(one or upper) for upper, one in found))
            self.notes[rule.pk] = f"规则写的是“{self._called(asked)}”，按区划沿革，现在是“{now}”。"
        return found

    def _now(self, region: int) -> list[int]:
        """Return what a region is today: itself, or those that took it over and nothing else besides."""
        if self._names.region(region) is not None:
            return [region]
        found = [one for one in self._shares.get(region, {}) if self._names.region(one) is not None]
        return found if found and all(self._origins.get(one, set()) <= {region} for one in found) else []

    def _by_committees(self, street: int) -> list[tuple[int | None, int | None]]:
        """Return a street that became part of a larger one by its committees, none unless each of them can be told today."""
        once = set(RegionVersion.objects.filter(parent=street).values_list("region_id", flat=True))
        found = {committee: self._now(committee) for committee in once}
        if not found or not all(found.values()):
            return []
        return [(self._street_of(one), one) for committee in sorted(found) for one in found[committee]]

    def _street_of(self, committee: int) -> int | None:
        region = self._names.region(committee)
        street = self._names.above(region, Level.STREET) if region else None
        return street.id if street else None

    def _called(self, region_id: int | None) -> str:
        region: NamedRegion | None = self._names.region(region_id)
        return region.name if region else self._once.get(region_id or 0, "原区划")


def _once_called(regions: set[int]) -> dict[int, str]:
    rows = RegionVersion.objects.filter(region__in=regions).order_by("edition_id") if regions else ()
    return {row.region_id: row.name for row in rows}
