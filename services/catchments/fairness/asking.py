"""Who goes where: the kindergartens an edition leads to, its answer for every door of a district, the children of a register."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import date
from typing import Final, cast

import numpy as np
import numpy.typing as npt
import shapely
from django.db.models import Q
from django.utils import timezone

from geo.addresses.gazetteer import Names, Published
from geo.geometry import to_plane
from geo.imports.models import Family
from geo.regions.queries import current_city
from services.catchments.areas.district import District
from services.catchments.book import Goal
from services.catchments.books import Kept
from services.catchments.entries import CHOICES, Choice
from services.catchments.ground import KINDERGARTEN
from services.catchments.homes import Asked, read_home, region_names
from services.catchments.models import CatchmentEdition
from services.catchments.validating.models import Validation, Verdict
from services.catchments.validating.sealing import of_row, seal_of
from services.facilities.models import Facility, FacilityStatus

Step = Callable[[float], object]
"""Hears how far the work is, from 0 to 1; may raise to stop it."""
A_PIECE: Final = 2_000


@dataclass(frozen=True, slots=True)
class Site:
    """A kindergarten an edition leads to: its point in metres of the city's plane, its places and the day they are known of."""

    id: int
    name: str
    point: tuple[float, float]
    places: int | None
    places_as_of: date | None


@dataclass(frozen=True, slots=True)
class Sites:
    """The kindergartens by id, and those that may be chosen among as public or private ones."""

    by_id: dict[int, Site]
    choices: dict[Choice, tuple[int, ...]]

    def of(self, sites: Collection[int], choices: Collection[str]) -> tuple[int, ...]:
        """Return the kindergartens that an answer names or lets choose among, each once."""
        chosen = [site for choice in choices for site in self.choices.get(cast("Choice", choice), ())]
        return tuple(dict.fromkeys(site for site in (*sites, *chosen) if site in self.by_id))


@dataclass(slots=True)
class Children:
    """The children of a register, a value each: where they may go, their door in the district (-1), their committee (0)."""

    goals: list[tuple[int, ...]] = field(default_factory=list)
    doors: list[int] = field(default_factory=list)
    committees: list[int] = field(default_factory=list)


def sites_of(edition: CatchmentEdition, kept: Kept, district: District, published: Published) -> Sites:
    """Return every kindergarten that the steps of an edition can lead to today."""
    rules = edition.rules.filter(mode__in=edition.steps)
    named = set(rules.exclude(target=None).values_list("target_id", flat=True))
    if "area" in edition.steps:
        named |= set(edition.areas.values_list("target_id", flat=True))
    asked = {cast("Choice", one) for one in rules.exclude(choice="").values_list("choice", flat=True).distinct()}
    led = {kept.leads.get(site, site) for site in named} - {None}
    inside = [one.id for one in district.names.regions.values() if district.path and one.path.startswith(district.path)]
    open_ = Q(kind=KINDERGARTEN, region__in=inside, retired_at=None, status=FacilityStatus.OPEN,
              source__in=published.ids(Family.FACILITIES))  # fmt: skip
    wanted = Q(pk__in=led)
    if "nearest" in edition.steps:
        wanted |= open_
    for choice in asked & CHOICES.keys():
        wanted |= open_ & Q(attributes__ownership=choice)
    rows = list(Facility.objects.filter(wanted).order_by("pk"))
    opened = set(Facility.objects.filter(open_).values_list("pk", flat=True)) if asked else set()
    choices = {
        choice: tuple(row.pk for row in rows if row.pk in opened and row.attributes.get("ownership") == choice)
        for choice in asked
    }
    return Sites({site.id: site for site in _placed(rows)}, choices)


def _placed(rows: list[Facility]) -> list[Site]:
    points = shapely.points([(row.geom.x, row.geom.y) for row in rows]) if rows else np.empty(0, dtype=object)
    metres = shapely.get_coordinates(to_plane(points, current_city())).tolist() if rows else []
    return [Site(row.pk, row.name, (x, y), row.places, _day_of(row)) for row, (x, y) in zip(rows, metres, strict=True)]


def _day_of(row: Facility) -> date | None:
    """Return the day that the places of a kindergarten are known of."""
    if row.places is None:
        return None
    return timezone.localdate(row.vacancies_as_of) if row.vacancies_as_of else row.as_of


def goals_of_doors(
    district: District, kept: Kept, sites: Sites, step: Step
) -> tuple[list[tuple[int, ...]], npt.NDArray[np.bool_]]:
    """Return where each door of a district goes, () for nowhere, and which doors cannot be told."""
    goals: list[tuple[int, ...]] = []
    unclear = np.zeros(len(district.homes), dtype=np.bool_)
    for at, home in enumerate(district.homes):
        if at % A_PIECE == 0:
            step(at / len(district.homes))
        match = kept.book.match(home)
        unclear[at] = match.found == "unclear"
        goals.append(() if unclear[at] else sites.of(kept.sites(match.goals), _choices(match.goals)))
    return goals, unclear


def _choices(goals: tuple[Goal, ...]) -> list[str]:
    return [goal[1] for goal in goals if goal[0] == "choice"]


def children_of(
    validation: Validation, district: District, sites: Sites, names: Names, published: Published, step: Step
) -> Children:
    """Return the children of a validated register: where its answers send them, and which door of the district is theirs.

    The committee that the register gives counts before that of the door. A child without an answer goes nowhere.
    """
    doors = {home.door: at for at, home in enumerate(district.homes) if home.door is not None}
    words, code = region_names(published, names), _code_of(district, names)
    rows = Verdict.objects.filter(validation=validation).order_by("number")
    asked = rows.values_list(
        "number", "row__address", "row__street", "row__committee", "row__community", "outcome", "sites", "choices"
    )
    found, total = Children(), max(1, validation.register.row_count)
    seal = seal_of(validation.register)
    for count, (number, kept, street, committee, community, outcome, named, choices) in enumerate(
        asked.iterator(chunk_size=A_PIECE)
    ):
        if count % A_PIECE == 0:
            step(count / total)
        address = seal.open(kept, place=of_row(number))
        where = read_home(Asked(address, code, street, committee, community), names, words)
        at = doors.get(where.door, -1) if where.door else -1
        own = where.committee.id if where.committee else district.committees[at] if at >= 0 else 0
        found.goals.append(sites.of(named, choices) if outcome in ("one", "several") else ())
        found.doors.append(at)
        found.committees.append(own)
    return found


def _code_of(district: District, names: Names) -> str:
    return next((region.code for region in names.regions.values() if region.path == district.path), "")
