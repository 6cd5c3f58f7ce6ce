"""What lies in marked ground: facilities listed and counted by kind and region, regions, communities and addresses counted.

All of it is public. Of persons only the residents of whole committees are told (``residents``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import shapely
from django.db.models import Q, QuerySet

from geo.addresses.gazetteer import NamedRegion, Names, Published, names_of, published_now
from geo.addresses.models import Address, Community
from geo.imports.models import CURRENT, Family
from geo.regions.models import Level, RegionVersion
from geo.scope import Scope
from services.access.queries import check_duty
from services.facilities.kinds import all_kinds, kind_of
from services.facilities.models import Facility
from services.facilities.queries import visible
from services.fencing.selecting.grounds import Ground, stored
from services.fencing.selecting.residents import Residents, residents_in

SELECT: Final = "resources.select"
_COLUMNS: Final = (
    "id", "name", "kind_id", "region_id", "status", "places", "vacancies", "vacancies_as_of", "address_text", "phone",
    "geom",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class KindCount:
    """The facilities of one kind: how many, and places and vacancies of those of which they are known."""

    key: str
    name: str
    count: int
    places: int
    places_known: int
    vacancies: int
    vacancies_known: int


@dataclass(frozen=True, slots=True, eq=False)
class Selected:
    """What lies in the ground. ``facilities`` are rows by name; ``regions`` count them by district, or by street of one district.

    ``committees_met`` are committees that the ground meets, ``committees_whole`` those of which it holds all.
    """

    ground: Ground
    facilities: Sequence[dict[str, Any]]
    kinds: tuple[KindCount, ...]
    regions: tuple[tuple[NamedRegion | None, int], ...]
    communities: int
    addresses: int
    committees_met: int
    committees_whole: int
    residents: Residents | None
    area_m2: float
    outline: Any
    published: Published
    names: Names


def select(ground: Ground, *, kinds: Sequence[str] = (), scope: Scope) -> Selected:
    """List and count what lies in marked ground; ``kinds`` are keys, none for all. Raises ``Forbidden`` without the duty."""
    check_duty(scope, SELECT)
    published = published_now()
    names = names_of(published)
    facilities = facilities_in(ground, kinds, scope, published)
    whole = ground.whole()
    met, held = _committees(ground)
    return Selected(
        ground=ground,
        facilities=facilities,
        kinds=_by_kind(facilities),
        regions=_by_region(facilities, names),
        communities=_inside(Community.objects.filter(source__in=published.ids(Family.COMMUNITIES)), ground).count(),
        addresses=_inside(Address.objects.filter(source__in=published.ids(Family.ADDRESSES)), ground).count(),
        committees_met=met,
        committees_whole=held,
        residents=residents_in(ground, published, names),
        area_m2=float(whole.area),
        outline=whole,
        published=published,
        names=names,
    )


def facilities_in(ground: Ground, kinds: Sequence[str], scope: Scope, published: Published) -> list[dict[str, Any]]:
    """Return the open facilities in marked ground as rows by name; ``kinds`` are keys, none for all. They are public."""
    near = Q(region__in=ground.region_ids)
    if not ground.shape.is_empty:
        near |= Q(geom__bboverlaps=stored(shapely.box(*ground.degrees.bounds)))
    rows = Facility.objects.filter(visible(scope, published) & near)
    rows = rows.filter(kind__in=kinds) if kinds else rows
    found = list(rows.order_by("name", "id").values(*_COLUMNS))
    regions = [row["region_id"] for row in found]
    holds = ground.holds(regions, [row["geom"].x for row in found], [row["geom"].y for row in found])
    return [row for row, inside in zip(found, holds, strict=True) if inside]


def _by_kind(facilities: Iterable[dict[str, Any]]) -> tuple[KindCount, ...]:
    of_kind: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in facilities:
        of_kind[row["kind_id"]].append(row)
    order = {kind.key: place for place, kind in enumerate(all_kinds())}

    def known(rows: Sequence[dict[str, Any]], field: str) -> list[int]:
        return [row[field] for row in rows if row[field] is not None]

    return tuple(
        KindCount(
            key,
            kind_of(key).name,
            len(rows),
            sum(known(rows, "places")),
            len(known(rows, "places")),
            sum(known(rows, "vacancies")),
            len(known(rows, "vacancies")),
        )
        for key, rows in sorted(of_kind.items(), key=lambda pair: (order.get(pair[0], len(order)), pair[0]))
    )


def _by_region(facilities: Iterable[dict[str, Any]], names: Names) -> tuple[tuple[NamedRegion | None, int], ...]:
    own = [names.region(row["region_id"]) for row in facilities]
    districts = {region and names.above(region, Level.DISTRICT) for region in own}
    level = Level.STREET if len(districts) == 1 else Level.DISTRICT
    counts: dict[NamedRegion | None, int] = defaultdict(int)
    for region in own:
        counts[names.above(region, level) if region else None] += 1
    return tuple(sorted(counts.items(), key=lambda pair: (pair[0] is None, pair[0].code if pair[0] else "")))


def _committees(ground: Ground) -> tuple[int, int]:
    rows = RegionVersion.objects.filter(edition__state="published", level=Level.COMMITTEE)
    whole, met = Q(region__in=ground.region_ids), Q(region__in=ground.region_ids)
    if not ground.shape.is_empty:
        shape = stored(ground.degrees)
        whole, met = whole | Q(geom__coveredby=shape), met | Q(geom__intersects=shape)
    return rows.filter(met).count(), rows.filter(whole).count()


def _inside(rows: QuerySet[Any], ground: Ground) -> QuerySet[Any]:
    condition = Q(region__in=ground.region_ids)
    if not ground.shape.is_empty:
        condition |= Q(geom__intersects=stored(ground.degrees))
    return rows.filter(CURRENT & condition)
