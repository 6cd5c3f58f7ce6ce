"""The one search box: facilities, communities, roads, addresses and regions that a text may mean, in one ranked list."""

from __future__ import annotations

from typing import Final

from geo.addresses.gazetteer import names_of, published_now
from geo.addresses.queries import LOOKED_AT, Suggestion, asked_in, best, fit_of, suggest, where_of
from geo.errors import BadInput
from geo.names import plain
from geo.regions.queries import regions_matching
from geo.scope import Scope
from services.facilities.kinds import KIND, KINDS
from services.facilities.models import Facility
from services.facilities.naming import wanted_grams
from services.facilities.queries import LONGEST_QUERY, visible

MOST: Final = 30
STOPS: Final = frozenset(kind.key for kind in KINDS if kind.group == "transit")
"""Stops carry the names of the roads they stand on, so among equally good names they stand last."""


def search(q: str, *, scope: Scope, near: tuple[float, float] | None = None, limit: int = 10) -> list[Suggestion]:
    """Return what a text may mean, best first; ``near`` (lon, lat in CGCS2000) prefers what is close.

    ``what`` of a suggestion is facility, community, road, address or region; ``where`` of a facility begins with its kind. Raises
    ``BadInput`` beyond 200 characters or for a limit that cannot be meant; nothing to search for gives nothing.
    """
    if len(q) > LONGEST_QUERY:
        raise BadInput(
            "query_too_long", f"搜索内容最多 {LONGEST_QUERY} 个字，请只写名称或地址。", parameter="q", length=len(q)
        )
    if not 1 <= limit <= MOST:
        raise BadInput("limit_invalid", f"条数要在 1 到 {MOST} 之间。", parameter="limit")
    if not wanted_grams(q):
        return []
    found = [
        *suggest(q, scope=scope, near=near, limit=MOST),
        *_facilities(q, scope),
        *_regions(q, scope),
    ]
    return best(found, near, limit)


def _facilities(q: str, scope: Scope) -> list[Suggestion]:
    published = published_now()
    names = names_of(published)
    asked = asked_in(q, names)
    pieces = wanted_grams(asked.words)
    rows = Facility.objects.filter(visible(scope, published), grams__contains=pieces).order_by("name", "id")
    typed = plain(asked.words)
    found = []
    for row in asked.among(rows).values("id", "name", "kind_id", "geom", "uncertainty_m", "region_id")[:LOOKED_AT]:
        kind = KIND.get(row["kind_id"])
        where = " · ".join(filter(None, [kind.name if kind else "", where_of(names.region(row["region_id"]), names)]))
        found.append(
            Suggestion(
                what="facility",
                id=row["id"],
                label=row["name"],
                where=where,
                lon=row["geom"].x,
                lat=row["geom"].y,
                uncertainty_m=row["uncertainty_m"],
                fit=fit_of(plain(row["name"]), typed),
                weight=1 if row["kind_id"] in STOPS else 0,
            )
        )
    return found


def _regions(q: str, scope: Scope) -> list[Suggestion]:
    names = names_of(published_now())
    typed = plain(q)
    found = []
    for version in regions_matching(q, scope=scope, limit=6):
        region = names.region(version.region_id)
        above = region.full_name.removesuffix(version.name) if region else ""
        radius = round(0.95 * (version.area_m2 / 3.1416) ** 0.5)
        found.append(
            Suggestion(
                what="region",
                id=version.region_id,
                label=version.name,
                where=above,
                lon=version.label.x,
                lat=version.label.y,
                uncertainty_m=radius,
                fit=fit_of(plain(version.name), typed),
            )
        )
    return found
