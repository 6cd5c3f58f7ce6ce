"""Facilities whose written address and whose point disagree: found for the list of address conflicts and put right from there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pghistory
from django.contrib.gis.geos import Point
from django.db import transaction

from geo.addresses.gazetteer import Names, Published, names_of, published_now
from geo.addresses.jobs import ask_for_conflicts
from geo.addresses.lookups import Door, Lookups, metres_between
from geo.addresses.models import ConflictKind, PointSource
from geo.addresses.parsing import Parts, parse
from geo.addresses.upkeep.conflicts import Batch, Disagreement, Statement, finds_conflicts
from geo.addresses.upkeep.deciding import moves
from geo.crs.codes import CGCS2000
from geo.errors import Forbidden, NotFound
from geo.grids import cell_at
from geo.imports.actions import correct_row
from geo.imports.importer import follows
from geo.imports.models import CURRENT, Family
from geo.imports.queries import published_sources
from geo.regions.models import EditionState, Level, RegionVersion
from geo.regions.queries import assign_regions
from geo.scope import Scope
from services.access.queries import check_duty
from services.facilities.actions import bump_edition
from services.facilities.models import Facility

BATCH: Final = 2_000
SITE_M: Final = 100.0
"""The point of a facility may be anywhere on its site, the door of its address at the edge of it."""
OWN_POINT: Final = (PointSource.SOURCE, PointSource.SURVEY)


@finds_conflicts("facilities")
def find_in_facilities(after: str) -> Batch:
    """Compare the point of every facility with the door its address names; points made from the address say nothing new."""
    rows = Facility.objects.filter(CURRENT, pk__gt=int(after or 0), point_source__in=OWN_POINT).exclude(address_text="")
    rows = rows.filter(source__in=published_sources(Family.FACILITIES)).select_related("source")
    facilities = list(rows.order_by("pk")[:BATCH])
    published = published_now()
    names = names_of(published)
    said = [parse(facility.address_text, names.gazetteer) for facility in facilities]
    wanted = {(parts.base, parts.lane, parts.number) for parts in said if parts.base and parts.number}
    doors = Lookups(published).doors(wanted) if wanted else {}
    found = []
    for facility, parts in zip(facilities, said, strict=True):
        meant = [door for door in doors.get((parts.base, parts.lane, parts.number), []) if _means(parts, door, names)]
        disagreement = compare(facility, meant, names, published)
        found += [disagreement] if disagreement else []
    return Batch(found, 0.5, str(facilities[-1].pk) if len(facilities) == BATCH else None)


def compare(facility: Facility, doors: Sequence[Door], names: Names, published: Published) -> Disagreement | None:
    """Return how a facility's point disagrees with the nearest door its address may mean, or ``None`` when it does not."""
    away = [(metres_between(facility.geom.x, facility.geom.y, door.lon, door.lat), door.id, door) for door in doors]
    if not away:
        return None
    metres, _, door = min(away, key=lambda each: each[:2])
    if metres <= facility.uncertainty_m + door.uncertainty_m + SITE_M:
        return None
    own, at = names.region(facility.region_id), names.region(door.region_id)
    statements = (
        Statement(
            what="facility",
            id=facility.pk,
            label=f"{facility.name}（{facility.address_text}）",
            source=facility.source.title,
            lon=facility.geom.x,
            lat=facility.geom.y,
            uncertainty_m=facility.uncertainty_m,
            region_id=facility.region_id,
            region=own.full_name if own else "",
        ),
        Statement(
            what="address",
            id=door.id,
            label=door.label,
            source=published.sources.get(door.source_id, ""),
            lon=door.lon,
            lat=door.lat,
            uncertainty_m=door.uncertainty_m,
            region_id=door.region_id,
            region=at.full_name if at else "",
        ),
    )
    title = f"{facility.name}：位置离所写的地址“{door.label}”{metres:,.0f} 米"
    return Disagreement(ConflictKind.FACILITY, f"facility {facility.pk}", title, statements, metres)


def _means(parts: Parts, door: Door, names: Names) -> bool:
    """Say whether a door may be the one that is written: same sub-lane, suffix and building, in the district that is named."""
    if (door.sub_lane, door.suffix) != (parts.sub_lane, parts.suffix):
        return False
    if parts.building and door.building and door.building != parts.building:
        return False
    region = names.region(door.region_id)
    district = names.above(region, Level.DISTRICT) if region else None
    return not parts.district or district is None or district.name == parts.district


@moves("facility")
@transaction.atomic
def move_facility(*, row_id: int, lon: float, lat: float, scope: Scope, reason: str) -> Facility:
    """Put a facility at a point (CGCS2000 degrees), as a correction that imports replay, and return it.

    Needs ``facilities.edit`` over where it stands and where it is put. Raises ``Forbidden``, ``NotFound``.
    """
    check_duty(scope, "facilities.edit")
    facility = (
        Facility.objects.select_for_update(of=("self",)).select_related("source").filter(CURRENT, pk=row_id).first()
    )
    if facility is None:
        raise NotFound("facility_unknown", "没有找到这家机构，它可能已经撤销或换了编号。")
    region = int(assign_regions([lon], [lat])[0]) or None
    if not all(_keeps(scope, each) for each in (facility.region_id, region)):
        raise Forbidden("facility_outside_scope", "这家机构不在您的管辖范围内。需要的话可向上级管理员申请。")
    correct_row(
        source=facility.source,
        ext_id=facility.ext_id,
        field="position",
        old_value=[facility.geom.x, facility.geom.y],
        new_value=[lon, lat],
        reason=reason,
        actor=scope.actor,
    )
    facility.geom, facility.region_id, facility.cell = Point(lon, lat, srid=CGCS2000), region, cell_at(lon, lat)
    facility.point_source = PointSource.SURVEY
    with pghistory.context(actor=scope.actor):
        facility.save()
    bump_edition()
    return facility


def _keeps(scope: Scope, region_id: int | None) -> bool:
    paths = RegionVersion.objects.filter(edition__state=EditionState.PUBLISHED, region=region_id)
    return "" in scope.paths or any(scope.covers_path(path) for path in paths.values_list("path", flat=True))


@follows(Family.FACILITIES)
def look_after_publishing(families: frozenset[str]) -> None:
    """Look for conflicts whenever facilities were published."""
    ask_for_conflicts()
