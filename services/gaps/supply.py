"""Supply against demand in marked ground: services for elders beside the elders of whole committees, held against the city.

Everything here is public: places of service, residents of whole committees that may be told, and what follows from both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import shapely

from geo.addresses.gazetteer import Names, Published, names_of, published_now
from geo.crs import Coordinate, System
from geo.errors import CityError
from geo.geometry import from_plane
from geo.regions.models import Level
from geo.regions.queries import current_city
from geo.scope import Scope
from services.facilities.circle import circle
from services.facilities.kinds import Kind, kinds_of_group
from services.facilities.models import Facility
from services.facilities.nearest import facilities_near
from services.facilities.places import Place
from services.facilities.queries import visible
from services.fencing.selecting.counting import facilities_in
from services.fencing.selecting.grounds import Ground
from services.fencing.selecting.residents import (
    BANDS,
    Counted,
    Residents,
    counted_everywhere,
    counted_in,
    residents_of,
)
from services.gaps.queries import covered_percent

GROUP: Final = "eldercare"
ELDER_FROM, OLDEST_FROM = 60, 80
SHORT, AMPLE = 0.8, 1.25
"""Of the city's rate: below the first there is little, above the second much; between them as in the city."""
STATED: Final = 0.8
"""Kinds of which this share of institutions says how many places they have are measured by places, the others by institutions."""
WITHIN_MIN: Final = 15
NEAR_MIN: Final = 30
"""So far a way is looked for to what is short here; beyond it the straight line is told."""
MOST_NEAR: Final = 50
PER_PLACES, PER_COUNT = 1_000, 10_000
WORDS: Final[Mapping[str, str]] = {"short": "供给偏少", "even": "和全市相当", "ample": "供给偏多"}


@dataclass(frozen=True, slots=True)
class Rate:
    """Supply for so many elders: places for a thousand, or institutions for ten thousand. ``None``: not known."""

    by_places: bool
    here: float | None
    city: float | None

    @property
    def verdict(self) -> str:
        """Return which of ``WORDS`` holds; '' where one of the rates is not known or there are none in the city."""
        if self.here is None or not self.city:
            return ""
        share = self.here / self.city
        return "short" if share < SHORT else "ample" if share > AMPLE else "even"


@dataclass(frozen=True, slots=True)
class Suggested:
    """The nearest place of a kind outside the ground: minutes on foot for an elder, or else metres in a straight line."""

    place: Place
    minutes: int | None
    straight_m: float


@dataclass(frozen=True, slots=True)
class Line:
    """One kind in the ground: how many, their places (``None`` where none says so) by how many, and how it stands to the city.

    ``percent`` and ``city_percent`` say of a hundred elders how many walk to one within ``WITHIN_MIN`` minutes.
    """

    kind: Kind
    count: int
    places: int | None
    places_known: int
    rate: Rate
    percent: int | None
    city_percent: int | None
    nearest: Suggested | None

    @property
    def wanting(self) -> bool:
        """Say whether there is too little of it here: none at all, or little beside the city."""
        return self.count == 0 or self.rate.verdict == "short"


@dataclass(frozen=True, slots=True, eq=False)
class Supply:
    """What lies in the ground (``facilities``: rows by name) and for whom; ``residents`` of whole committees, if any are told."""

    ground: Ground
    facilities: Sequence[dict[str, Any]]
    lines: tuple[Line, ...]
    residents: Residents | None
    area_m2: float
    outline: Any
    names: Names
    demo: bool

    @property
    def elders(self) -> int | None:
        """Return the residents of 60 and more in the committees that count; ``None`` where none does."""
        return self._from(ELDER_FROM)

    @property
    def oldest(self) -> int | None:
        """Return those of 80 and more."""
        return self._from(OLDEST_FROM)

    def _from(self, age: int) -> int | None:
        if self.residents is None or not self.residents.committees:
            return None
        return sum(count for (least, _, _), (_, count) in zip(BANDS, self.residents.bands, strict=True) if least >= age)


def supply_in(ground: Ground, *, scope: Scope, centre: Coordinate | None = None) -> Supply:
    """Return supply against demand in marked ground; what is short is looked for around ``centre``, or around its middle."""
    published = published_now()
    names = names_of(published)
    kinds = kinds_of_group(GROUP)
    facilities = facilities_in(ground, [kind.key for kind in kinds], scope, published)
    counted, every = counted_in(ground, published, names), counted_everywhere(published, names)
    stock = _Stock(kinds, scope, published, names)
    outline = ground.whole()
    lines = [_line(kind, facilities, stock, counted, every) for kind in kinds]
    spot = centre or _middle(outline)
    near = _nearest(
        [line.kind.key for line in lines if line.wanting], spot, {row["id"] for row in facilities}, scope=scope
    )
    return Supply(
        ground=ground,
        facilities=facilities,
        lines=tuple(replace(line, nearest=near.get(line.kind.key)) for line in lines),
        residents=residents_of(counted) if counted else None,
        area_m2=float(outline.area),
        outline=outline,
        names=names,
        demo=published.demo,
    )


def finding(supply: Supply) -> str:
    """Say in one sentence what stands out."""
    missing = [line.kind.name for line in supply.lines if line.count == 0 and line.rate.city]
    short = [line.kind.name for line in supply.lines if line.count and line.rate.verdict == "short"]
    parts = [f"没有{'、'.join(missing)}"] if missing else []
    parts += [f"{'、'.join(short)}比全市平均少"] if short else []
    if parts:
        return "；".join(parts)
    if any(line.rate.verdict for line in supply.lines):
        return "各类养老服务都不比全市平均少"
    if supply.residents is None:
        return "还没有公布分居委的人口，先看里面有哪些服务"
    return "范围太小，凑不成一个居委，先看里面有哪些服务"


class _Stock:
    """All open institutions of some kinds with the committee each lies in: counted for any set of committees."""

    def __init__(self, kinds: Iterable[Kind], scope: Scope, published: Published, names: Names) -> None:
        rows = Facility.objects.filter(visible(scope, published), kind__in=[kind.key for kind in kinds])
        self.of: dict[str, list[tuple[int, int | None]]] = defaultdict(list)
        for kind, region_id, places in rows.values_list("kind_id", "region_id", "places"):
            region = names.region(region_id)
            committee = names.above(region, Level.COMMITTEE) if region else None
            self.of[kind].append((committee.id if committee else 0, places))

    def by_places(self, kind: str) -> bool:
        """Say whether a kind is measured by places."""
        rows = self.of[kind]
        return bool(rows) and sum(places is not None for _, places in rows) >= STATED * len(rows)

    def rate(self, kind: str, counted: Counted | None) -> float | None:
        """Return the rate of a kind in the committees that count; ``None`` where none does."""
        if counted is None or not (elders := _elders(counted)):
            return None
        inside = counted.region_ids
        rows = [places for committee, places in self.of[kind] if committee in inside]
        if self.by_places(kind):
            return PER_PLACES * sum(places or 0 for places in rows) / elders
        return PER_COUNT * len(rows) / elders


def _elders(counted: Counted) -> int:
    bands = [least >= ELDER_FROM for least, _, _ in BANDS]
    return int(counted.persons[bands].sum())


def _line(
    kind: Kind, facilities: Iterable[dict[str, Any]], stock: _Stock, counted: Counted | None, every: Counted | None
) -> Line:
    own = [row for row in facilities if row["kind_id"] == kind.key]
    stated = [row["places"] for row in own if row["places"] is not None]
    rate = Rate(stock.by_places(kind.key), stock.rate(kind.key, counted), stock.rate(kind.key, every))
    percents = [
        covered_percent(kind.key, each, f"{ELDER_FROM}-", WITHIN_MIN) if each else None for each in (counted, every)
    ]
    return Line(kind, len(own), sum(stated) if stated else None, len(stated), rate, percents[0], percents[1], None)


def _middle(outline: Any) -> Coordinate:
    point = from_plane(shapely.point_on_surface(outline), current_city())
    return Coordinate(point.x, point.y, System.CGCS2000)


def _nearest(kinds: Sequence[str], spot: Coordinate, inside: Collection[int], *, scope: Scope) -> dict[str, Suggested]:
    """Return by kind the first place outside the ground that an elder reaches on foot, else the nearest in a straight line."""
    found: dict[str, Suggested] = {}
    if not kinds:
        return found
    try:
        reached = circle(scope=scope, origin=spot, minutes=NEAR_MIN, mode="elder", kinds=kinds, bands=False).places
    except CityError:
        reached = ()
    for one in reached:
        if one.place.id not in inside:
            found.setdefault(one.place.kind, Suggested(one.place, one.minutes, one.straight_m))
    for kind in kinds:
        if kind not in found:
            rows = facilities_near(spot.x, spot.y, scope=scope, kinds=[kind], k=min(MOST_NEAR, len(inside) + 1))
            for near in rows:
                if near.place.id not in inside:
                    found[kind] = Suggested(near.place, None, near.metres)
                    break
    return found
