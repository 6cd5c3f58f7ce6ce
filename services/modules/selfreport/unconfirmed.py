"""Which places nobody has confirmed for thirty days, of whom, and how many there are in each district and street."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now

from geo.imports.models import CURRENT
from geo.regions.models import EditionState, Level, RegionVersion
from geo.scope import Scope
from services.access.queries import check_duty
from services.facilities.known import CAPACITY
from services.facilities.models import Facility, FacilityStatus
from services.facilities.queries import within_scope
from services.facilities.vacancies import STALE_AFTER

REPORTING: Final = tuple(CAPACITY)
"""The groups whose places say how many vacancies they have."""
ASKED: Final = (
    CURRENT
    & Q(status=FacilityStatus.OPEN.value, kind__group__in=REPORTING)
    & (Q(places__isnull=False) | Q(vacancies_as_of__isnull=False))
    & Q(source__published_at__isnull=False, source__retired_at__isnull=True)
)
"""Places that are asked to confirm: open ones on the map that have places to fill."""


@dataclass(frozen=True, slots=True)
class Counted:
    """How many places a region asks, and how many of them nobody has confirmed; ``streets`` only of a district."""

    code: str
    name: str
    stale: int
    total: int
    streets: tuple[Counted, ...] = ()

    @property
    def percent(self) -> int:
        """Return the share of unconfirmed places."""
        return round(100 * self.stale / self.total) if self.total else 0


def stale_at(moment: Any) -> Q:
    """Return the condition that nobody confirmed the vacancies for thirty days before a moment, or ever."""
    return Q(vacancies_as_of__isnull=True) | Q(vacancies_as_of__lt=moment - STALE_AFTER)


def unconfirmed() -> QuerySet[Facility]:
    """Return the places that nobody has confirmed by now: the moment is the database's, at each asking."""
    return Facility.objects.filter(ASKED, stale_at(Now())).order_by()


def unconfirmed_in(scope: Scope) -> QuerySet[Facility]:
    """Return the unconfirmed places that a scope keeps or runs."""
    return unconfirmed().filter(within_scope(scope))


def own_places(scope: Scope) -> QuerySet[Facility]:
    """Return the places of the organisations a scope stands for, on the map or not, by name. Needs ``facilities.report``."""
    check_duty(scope, "facilities.report")
    return Facility.objects.filter(CURRENT, organisation__in=scope.organisations).order_by("name", "pk")


def own_waiting(scope: Scope) -> int:
    """Return how many places of the caller's own nobody has confirmed."""
    return unconfirmed().filter(organisation__in=scope.organisations).count() if scope.organisations else 0


def counts_by_region(*, scope: Scope) -> list[Counted]:
    """Return the districts a scope sees with their streets, those with the most unconfirmed places first.

    Needs ``facilities.edit``. Places that lie in no street count for their district alone.
    """
    check_duty(scope, "facilities.edit")
    rows = Facility.objects.filter(ASKED, within_scope(scope)).order_by().values("region_id")
    counted = rows.annotate(stale=Count("pk", filter=stale_at(Now())), total=Count("pk"))
    figures = {row["region_id"]: (row["stale"], row["total"]) for row in counted}
    published = RegionVersion.objects.filter(edition__state=EditionState.PUBLISHED)
    paths = dict(published.filter(region__in=[pk for pk in figures if pk]).values_list("region_id", "path"))
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for region, path in paths.items():
        for above in {".".join(path.split(".")[:depth]) + "." for depth in (2, 3)}:
            sums[above][0] += figures[region][0]
            sums[above][1] += figures[region][1]
    named = published.filter(path__in=sums, level__in=[Level.DISTRICT, Level.STREET]).order_by("code")
    streets: dict[str, list[Counted]] = defaultdict(list)
    districts = []
    for path, level, code, name in named.values_list("path", "level", "code", "name"):
        one = Counted(code, name, stale=sums[path][0], total=sums[path][1])
        if level == Level.STREET:
            streets[path.rsplit(".", 2)[0] + "."].append(one)
        else:
            districts.append((path, one))
    return sorted(
        (Counted(one.code, one.name, one.stale, one.total, _worst(streets[path])) for path, one in districts),
        key=lambda one: (-one.stale, one.code),
    )


def _worst(rows: list[Counted]) -> tuple[Counted, ...]:
    return tuple(sorted(rows, key=lambda one: (-one.stale, one.code)))


def weeks_monday(day: dt.date) -> dt.date:
    """Return the Monday of a day's week."""
    return day - dt.timedelta(days=day.weekday())
