"""Reads of institutions for the elderly, page by page in the order of their numbers."""

from __future__ import annotations

from typing import Final

from geo.addresses.gazetteer import published_now
from geo.errors import BadInput
from geo.regions.queries import regions_under
from geo.scope import Scope
from services.facilities.kinds import kinds_of_group
from services.facilities.models import Facility, FacilityStatus
from services.facilities.queries import visible

MOST: Final = 200
STATUSES: Final = (FacilityStatus.OPEN, FacilityStatus.PREPARING, FacilityStatus.SUSPENDED)


def institutions_in(
    *, region: str, scope: Scope, organisation: int | None = None, after: int = 0, limit: int = 50
) -> tuple[list[Facility], int | None]:
    """Return institutions of a region (by code), of one organisation where it is named, and the number the next page is after.

    Those in preparation are seen within the scope. Raises ``BadInput``, ``NotFound``.
    """
    if not 1 <= limit <= MOST or after < 0:
        raise BadInput("limit_invalid", f"每页条数要在 1 到 {MOST} 之间，after 不能是负数。", parameter="limit")
    rows = Facility.objects.filter(
        visible(scope, published_now(), STATUSES),
        kind__in=[kind.key for kind in kinds_of_group("eldercare")],
        region__in=regions_under(region, scope=scope).values("region_id"),
        pk__gt=after,
    )
    if organisation is not None:
        rows = rows.filter(organisation=organisation)
    found = list(rows.select_related("kind", "organisation").order_by("pk")[: limit + 1])
    return found[:limit], found[limit - 1].pk if len(found) > limit else None
