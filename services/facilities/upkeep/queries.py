"""Reads of upkeep: a place as who keeps it sees it, its history with what may be taken back, and what its page will say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Q

from geo.addresses.distances import ellipsoid_metres
from geo.addresses.gazetteer import NamedRegion, names_of, published_now
from geo.errors import Forbidden, NotFound
from geo.imports.models import CURRENT
from geo.regions.models import Level
from geo.scope import Scope
from services.facilities.actions import covers
from services.facilities.hours import week_lines
from services.facilities.kinds import kinds_of_group
from services.facilities.models import Facility
from services.facilities.places import COLUMNS, place_of
from services.facilities.queries import Detail, city_now, days_around
from services.facilities.upkeep.models import Act, FacilityChange, MergedFacility
from services.facilities.upkeep.recording import EDIT, check_report_duty
from services.facilities.upkeep.snapshots import Difference, differences

NEAR_M: Final = 500.0
MOST_NEAR: Final = 12


@dataclass(frozen=True, slots=True)
class Told:
    """One act as the history of a place shows it; ``others`` are the ids of other places it touched."""

    change: FacilityChange
    differences: list[Difference]
    others: list[int]
    undone: bool
    may_undo: bool


def place_kept(facility_id: int, *, scope: Scope) -> Facility:
    """Return a place that a scope keeps or runs, retired ones too. Raises ``Forbidden``, ``NotFound``."""
    facility = Facility.objects.select_related("source", "organisation", "kind").filter(pk=facility_id).first()
    if facility is None:
        raise NotFound("facility_unknown", "没有找到这家机构，请核对编号。")
    if not scope.holds(EDIT) and not scope.holds("facilities.report"):
        raise Forbidden("duty_missing", "您的账号没有维护机构的权限。需要的话可向上级管理员申请。", duty=EDIT)
    check_report_duty(scope, facility)
    return facility


def history_of(facility_id: int, *, scope: Scope) -> list[Told]:
    """Return what people did to a place, newest first; every one but an undoing may be taken back once, by who keeps it."""
    place_kept(facility_id, scope=scope)
    changes = FacilityChange.objects.filter(facilities__contains=[facility_id]).select_related("undone_by")
    return [_told(change, facility_id, scope) for change in changes[:200]]


def _told(change: FacilityChange, facility_id: int, scope: Scope) -> Told:
    key, undone = str(facility_id), hasattr(change, "undone_by")
    return Told(
        change=change,
        differences=differences(change.before.get(key), change.after.get(key)),
        others=[pk for pk in change.facilities if pk != facility_id],
        undone=undone,
        may_undo=not undone and change.act != Act.UNDO and scope.holds(EDIT),
    )


def leads_to(facility_id: int) -> MergedFacility | None:
    """Return where a merged place leads, ``None`` for any other."""
    return MergedFacility.objects.select_related("into").filter(pk=facility_id).first()


def led_ids(ids: Sequence[int]) -> list[int]:
    """Return the ids of places with those that were merged replaced by where they lead, each once and in order."""
    into = dict(MergedFacility.objects.filter(pk__in=ids).values_list("pk", "into")) if ids else {}
    return list(dict.fromkeys(into.get(one, one) for one in ids))


def others_near(facility: Facility, *, scope: Scope) -> list[Any]:
    """Return the places of the same group close by that a scope keeps: what may be the same place twice, namesakes first."""
    group = [kind.key for kind in kinds_of_group(facility.kind.group)]
    metres = ellipsoid_metres(facility.geom.x, facility.geom.y)
    rows = Facility.objects.filter(CURRENT, kind__in=group).exclude(pk=facility.pk).select_related("kind")
    close = rows.annotate(metres=metres).filter(Q(metres__lte=NEAR_M)).order_by("metres")[: MOST_NEAR * 4]
    kept = [row for row in close if covers(scope, row)]
    return sorted(kept, key=lambda row: (row.name != facility.name, row.metres))[:MOST_NEAR]


def regions_offered(scope: Scope) -> list[tuple[NamedRegion, list[NamedRegion]]]:
    """Return the districts that a scope reaches into, each with the streets of it, by code."""
    names = names_of(published_now())
    everything = "" in scope.paths
    streets: dict[str, list[NamedRegion]] = {}
    for region in names.regions.values():
        if region.level == Level.STREET and (everything or scope.covers_path(region.path)):
            district = names.above(region, Level.DISTRICT)
            if district is not None:
                streets.setdefault(district.code, []).append(region)
    return [
        (names.by_code[code], sorted(found, key=lambda region: region.code)) for code, found in sorted(streets.items())
    ]


def regions_of(facility: Facility) -> tuple[NamedRegion | None, NamedRegion | None]:
    """Return the district and the street that a place lies in."""
    names = names_of(published_now())
    region = names.region(facility.region_id)
    if region is None:
        return None, None
    return names.above(region, Level.DISTRICT), names.above(region, Level.STREET)


def as_it_will_be(facility: Facility, *, known: bool) -> Detail:
    """Return the public page of a place that was written and taken back again; one that is not ``known`` has no number yet."""
    row = {name: getattr(facility, name) for name in COLUMNS} | ({} if known else {"id": 0})
    now, published = city_now(), published_now()
    place = place_of(row, names_of(published), now, days_around(now))
    return Detail(
        place=place,
        organisation=facility.organisation.name if facility.organisation else "",
        source=published.sources.get(place.source_id, ""),
        week=week_lines(place.hours),
        said=place.said(),
        statuses=[],
        reports=[],
        published=published,
    )
