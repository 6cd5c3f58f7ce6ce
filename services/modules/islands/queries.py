"""Reads of the island map: its layers as they are set, what a visitor's question finds, and how well the places are kept."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.db.models import Q, QuerySet

from geo.addresses.distances import ellipsoid_metres
from geo.addresses.gazetteer import NamedRegion, Names, Published, names_of, published_now
from geo.errors import Forbidden
from geo.imports.models import CURRENT
from geo.regions.models import Level
from geo.regions.queries import regions_under
from geo.scope import Scope
from services.access.queries import check_duty
from services.facilities.kinds.declared import DECLARED_BY_KEY
from services.facilities.models import Facility
from services.facilities.places import Place
from services.facilities.queries import city_now, matching, places_by_id, visible, within_scope
from services.modules.islands.models import LayerSetting
from services.modules.islands.words import (
    BY_KEY,
    DISTRICT,
    FACILITIES,
    HOME,
    LAYERS,
    LODGING,
    SHARP_M,
    STALE_DAYS,
    IslandLayer,
)

DUTY: Final = "islands.layers"
MOST_PINS: Final = 5_000
TYPES: Final = DECLARED_BY_KEY["guesthouse"].attribute("lodging_type")


@dataclass(frozen=True, slots=True)
class Standing:
    """A layer as it is set now; ``revision`` is 0 and nobody is named where it stands as declared."""

    declared: IslandLayer
    title: str
    icon: str
    shape: str
    tone: int
    shown: bool = True
    order: int = 0
    revision: int = 0
    by: str = ""
    at: dt.datetime | None = None

    @property
    def key(self) -> str:
        """Return the key of the layer."""
        return self.declared.key

    @property
    def pin(self) -> str:
        """Return the name of its pin."""
        return f"{self.shape}-{self.tone}-{self.icon}"


def standings() -> list[Standing]:
    """Return every layer as it is set, in order. Everybody may know it."""
    rows = {row.layer: row for row in LayerSetting.objects.all()}
    found = [_standing(one, at, rows.get(one.key)) for at, one in enumerate(LAYERS)]
    return sorted(found, key=lambda one: one.order)


def layers_shown() -> list[Standing]:
    """Return the layers that visitors are offered, in order."""
    return [one for one in standings() if one.shown]


def _standing(declared: IslandLayer, at: int, row: LayerSetting | None) -> Standing:
    if row is None:
        return Standing(declared, declared.title, declared.icon, declared.shape, declared.tone, True, at)
    return Standing(
        declared,
        row.title,
        row.icon,
        row.shape,
        row.tone,
        row.shown,
        row.order,
        row.revision,
        row.changed_by,
        row.changed_at,
    )


def check_keeper(scope: Scope) -> None:
    """Raise ``Forbidden`` for who does not arrange the layers of the island."""
    check_duty(scope, DUTY)
    if not scope.covers_path(HOME):
        raise Forbidden("islands_elsewhere", "尚岛一张图由崇明区管理。需要的话请联系崇明区管理员。", duty=DUTY)


def keeps_islands(scope: Scope) -> bool:
    """Say whether a scope arranges the layers of the island."""
    return scope.holds(DUTY) and scope.covers_path(HOME)


# What a visitor asks and finds


@dataclass(frozen=True, slots=True)
class Question:
    """What a visitor looks for. ``layers`` are keys; what follows narrows guesthouses only, but text, town and nearness all.

    ``near`` is (lon, lat) in CGCS2000, ``town`` the code of a street or town.
    """

    layers: tuple[str, ...] = ()
    q: str = ""
    town: str = ""
    types: tuple[str, ...] = ()
    facilities: tuple[str, ...] = ()
    most_yuan: int | None = None
    least_rooms: int | None = None
    near: tuple[float, float] | None = None

    @property
    def narrows_lodging(self) -> bool:
        """Say whether guesthouses are narrowed by what they offer."""
        return bool(self.types or self.facilities or self.most_yuan or self.least_rooms)


@dataclass(frozen=True, slots=True)
class Pin:
    """Where a place stands, of which layer it is."""

    id: int
    lon: float
    lat: float
    layer: str
    name: str


@dataclass(frozen=True, slots=True)
class Found:
    """One answer for list and map: every place in order, how many each layer has by the same question, chosen or not."""

    pins: list[Pin]
    counts: dict[str, int]
    metres: dict[int, float] = field(default_factory=dict)

    @property
    def cut(self) -> bool:
        """Say whether there are more than a map can show."""
        return len(self.pins) >= MOST_PINS


def find_places(question: Question, *, scope: Scope) -> Found:
    """Return the open places of the chosen layers that meet a question: nearest first where it says from where, else by name.

    Raises ``BadInput`` for words nothing can be searched by.
    """
    shown = layers_shown()
    layer_of = {kind: one.key for one in shown for kind in one.declared.kinds}
    rows = _island(scope, published_now()).filter(_asked(question), kind__in=list(layer_of))
    counts = Counter(layer_of[kind] for kind in rows.values_list("kind", flat=True))
    chosen = [kind for kind, key in layer_of.items() if key in question.layers]
    rows, columns = rows.filter(kind__in=chosen), ["id", "geom", "kind", "name"]
    if question.near is not None:
        rows = rows.annotate(metres=ellipsoid_metres(*question.near)).order_by("metres", "id")
        columns.append("metres")
    else:
        rows = rows.order_by("name", "id")
    found = list(rows.values(*columns)[:MOST_PINS])
    pins = [Pin(row["id"], row["geom"].x, row["geom"].y, layer_of[row["kind"]], row["name"]) for row in found]
    metres = {row["id"]: row["metres"] for row in found} if question.near else {}
    return Found(pins, {one.key: counts[one.key] for one in shown}, metres)


def places_of(pins: Sequence[Pin], *, scope: Scope) -> list[Place]:
    """Return the places of some pins, in their order; one that is gone by now is left out."""
    held = places_by_id([one.id for one in pins], scope=scope, published=published_now(), now=city_now())
    return [held[one.id] for one in pins if one.id in held]


def towns() -> list[NamedRegion]:
    """Return the published towns of the island by code."""
    names = names_of(published_now())
    found = [one for one in names.regions.values() if one.level == Level.STREET and one.code.startswith(DISTRICT)]
    return sorted(found, key=lambda one: one.code)


def _island(scope: Scope, published: Published) -> QuerySet[Facility]:
    inside = regions_under(DISTRICT, scope=Scope.public()).values("region_id")
    return Facility.objects.filter(visible(scope, published), region__in=inside)


def _asked(question: Question) -> Q:
    condition = Q()
    if question.q.strip():
        condition &= matching(question.q)
    if question.town:
        condition &= Q(region__in=regions_under(question.town, scope=Scope.public()).values("region_id"))
    if question.narrows_lodging:
        condition &= ~Q(kind__in=BY_KEY[LODGING].kinds) | _lodging(question)
    return condition


def _lodging(question: Question) -> Q:
    condition = Q(kind__in=BY_KEY[LODGING].kinds)
    if question.types:
        condition &= Q(attributes__lodging_type__in=question.types)
    for key in question.facilities:
        condition &= Q(**{f"attributes__{key}": True})
    if question.most_yuan:
        condition &= Q(attributes__night_from_yuan__lte=question.most_yuan)
    if question.least_rooms:
        condition &= Q(attributes__rooms__gte=question.least_rooms)
    return condition


# How well the places are kept


@dataclass(slots=True)
class Quality:
    """Of some places: how many there are, how many say what they should, how many nobody confirmed lately, the last day."""

    total: int = 0
    position: int = 0
    phone: int = 0
    hours: int = 0
    offers: int = 0
    whole: int = 0
    stale: int = 0
    newest: dt.date | None = None

    def add(self, row: dict[str, Any], today: dt.date) -> None:
        """Count one place."""
        has = (row["uncertainty_m"] <= SHARP_M, bool(row["phone"]), bool(row["hours"]), _says_offers(row))
        self.total += 1
        self.position, self.phone, self.hours, self.offers = (
            held + said for held, said in zip((self.position, self.phone, self.hours, self.offers), has, strict=True)
        )
        self.whole += all(has)
        day = row["as_of"]
        self.stale += day is None or (today - day).days > STALE_DAYS
        if day is not None and (self.newest is None or day > self.newest):
            self.newest = day

    def share(self, count: int) -> int | None:
        """Return a count as a share in whole percent, rounded down so that 100 means all; ``None`` of nothing."""
        return 100 * count // self.total if self.total else None

    @property
    def shares(self) -> list[tuple[str, int | None]]:
        """Return the shares people are shown, with their names."""
        return [
            ("位置准确", self.share(self.position)),
            ("有电话", self.share(self.phone)),
            ("有开放时间", self.share(self.hours)),
            ("设施齐全", self.share(self.offers)),
            ("全部齐全", self.share(self.whole)),
        ]


@dataclass(frozen=True, slots=True)
class QualityReport:
    """The quality of every layer and of every town, and of all of them."""

    layers: list[tuple[Standing, Quality]]
    towns: list[tuple[NamedRegion | None, Quality]]
    whole: Quality
    as_of: dt.datetime


def quality(*, scope: Scope) -> QualityReport:
    """Return how well the places of the shown layers are kept. Everybody may know it."""
    published, now, shown = published_now(), city_now(), layers_shown()
    names = names_of(published)
    layer_of = {kind: one.key for one in shown for kind in one.declared.kinds}
    by_layer, by_town, whole = {one.key: Quality() for one in shown}, dict[int, Quality](), Quality()
    columns = ("kind", "region_id", "uncertainty_m", "phone", "hours", "attributes", "as_of")
    for row in _island(scope, published).filter(kind__in=list(layer_of)).values(*columns):
        town = _town(names, row["region_id"])
        for one in (by_layer[layer_of[row["kind"]]], by_town.setdefault(town.id if town else 0, Quality()), whole):
            one.add(row, now.date())
    told = sorted(by_town.items(), key=lambda pair: -pair[1].total)
    return QualityReport(
        layers=[(one, by_layer[one.key]) for one in shown],
        towns=[(names.region(town) if town else None, one) for town, one in told],
        whole=whole,
        as_of=now,
    )


def _town(names: Names, region_id: int) -> NamedRegion | None:
    region = names.region(region_id)
    return names.above(region, Level.STREET) if region else None


def _says_offers(row: dict[str, Any]) -> bool:
    """Say whether a place says what it offers: a guesthouse its type, rooms, price and half the facilities, others anything."""
    said = {key for key, value in row["attributes"].items() if value not in (None, "")}
    if row["kind"] not in BY_KEY[LODGING].kinds:
        declared = DECLARED_BY_KEY.get(row["kind"])
        return bool(said) or declared is None or not declared.attributes
    return {"lodging_type", "rooms", "night_from_yuan"} <= said and len(said & set(FACILITIES)) * 2 >= len(FACILITIES)


# What staff keep


@dataclass(frozen=True, slots=True)
class Kept:
    """A page of the places of a layer that a scope keeps, whatever their status, and how many there are in all."""

    places: list[Facility]
    total: int


def places_kept(layer: IslandLayer, *, q: str, first: int, limit: int, scope: Scope) -> Kept:
    """Return the places of a layer on the island that a scope keeps, by name. Needs ``facilities.edit``. Raises ``BadInput``."""
    check_duty(scope, "facilities.edit")
    inside = regions_under(DISTRICT, scope=Scope.public()).values("region_id")
    rows = Facility.objects.filter(CURRENT, within_scope(scope), kind__in=layer.kinds, region__in=inside)
    if q.strip():
        rows = rows.filter(matching(q))
    return Kept(list(rows.select_related("kind").order_by("name", "id")[first : first + limit]), rows.count())
