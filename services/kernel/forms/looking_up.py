"""Regions and places of service for answers that point at them, from the database, each asked once."""

from __future__ import annotations

from geo.addresses.gazetteer import published_now
from geo.regions.models import EditionState, RegionVersion
from geo.scope import Scope
from services.facilities.models import Facility, FacilityStatus
from services.facilities.queries import visible

MOST_OFFERED = 500


class CityKnown:
    """Knows the published regions and the places everybody may see."""

    def __init__(self) -> None:
        """Begin knowing nothing: each answer is kept for this one use."""
        self._regions: dict[tuple[str, str], str | None] = {}
        self._places: dict[tuple[int, str], str | None] = {}

    def region(self, code: str, level: str) -> str | None:
        """Return the name of a published region of a level by its code."""
        if (code, level) not in self._regions:
            rows = RegionVersion.objects.filter(edition__state=EditionState.PUBLISHED, code=code, level=level)
            self._regions[code, level] = rows.values_list("name", flat=True).first()
        return self._regions[code, level]

    def place(self, number: int, kind: str) -> str | None:
        """Return the name of a place of one of some kinds ('' any) by its id; places that closed keep their name."""
        if (number, kind) not in self._places:
            rows = Facility.objects.filter(pk=number) if number < 2**63 else Facility.objects.none()
            rows = rows.filter(kind__in=kind.split(",")) if kind else rows
            self._places[number, kind] = rows.values_list("name", flat=True).first()
        return self._places[number, kind]


def regions_offered(level: str, under: str) -> list[tuple[str, str]]:
    """Return the regions of a level that a page offers below a path: (code, name)."""
    rows = RegionVersion.objects.filter(edition__state=EditionState.PUBLISHED, level=level, path__startswith=under)
    return list(rows.order_by("code").values_list("code", "name")[:MOST_OFFERED])


def places_offered(kind: str, under: str) -> list[tuple[str, str]]:
    """Return the open places of some kinds that a page offers below a path: (id, name)."""
    rows = Facility.objects.filter(visible(Scope.public(), published_now(), [FacilityStatus.OPEN.value]))
    if kind:
        rows = rows.filter(kind__in=kind.split(","))
    regions = RegionVersion.objects.filter(edition__state=EditionState.PUBLISHED, path__startswith=under)
    rows = rows.filter(region_id__in=regions.values("region_id")).order_by("name", "id")
    return [(str(pk), name) for pk, name in rows.values_list("pk", "name")[:MOST_OFFERED]]
