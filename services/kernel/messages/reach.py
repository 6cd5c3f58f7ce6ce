"""Whom a region's notices and knowledge reach: those below it, and those above, who answer for it."""

from __future__ import annotations

from django.db.models import Q

from geo.regions.models import EditionState, RegionVersion
from geo.regions.queries import regions_under, within
from geo.scope import Scope
from services.access.models import Organisation


def paths_of(scope: Scope) -> tuple[str, ...]:
    """Return the paths somebody belongs to: those of their grants, and those where their organisations are."""
    regions = Organisation.objects.filter(pk__in=scope.organisations).values("region_id")
    found = RegionVersion.objects.filter(edition__state=EditionState.PUBLISHED, region_id__in=regions)
    return tuple(sorted({*scope.paths, *found.values_list("path", flat=True)}))


def reaches(scope: Scope, field: str = "region") -> Q:
    """Return the condition that a row's region lies above or under somebody's own: a city's row reaches everyone in it."""
    paths = paths_of(scope)
    if "" in paths:
        return Q()
    codes = {code for path in paths for code in path.rstrip(".").split(".") if code}
    above = RegionVersion.objects.filter(edition__state=EditionState.PUBLISHED, code__in=codes)
    return Q(**{f"{field}_id__in": above.values("region_id")}) | within(Scope(paths=paths), field)


def under(code: str, *, scope: Scope, field: str = "region") -> Q:
    """Return the condition that a row's region is one or lies below it. Raises ``NotFound``."""
    return Q(**{f"{field}_id__in": regions_under(code, scope=scope).values("region_id")})
