"""What a district brings to the planner's table: its boundary, its doors, its communities, in degrees and in metres.

Doors are those of the standard addresses on the map, one for each number however many flats it has. Read once for each state of
the published data and kept by the process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import shapely
from django.db import connection
from shapely.geometry.base import BaseGeometry

from geo.addresses.completion import door_label
from geo.addresses.gazetteer import Names, Published, names_of, published_now
from geo.addresses.models import Community
from geo.addresses.parsing import Parts
from geo.fences.topology import Ground
from geo.geometry import repair, to_plane
from geo.imports.models import CURRENT, Family
from geo.names import plain
from geo.regions.models import EditionState, Level, RegionVersion
from geo.regions.queries import current_city
from services.catchments.book import Home
from services.catchments.matching import door_of

_DOORS: Final = """
    SELECT DISTINCT ON (a.road, a.lane, a.sub_lane, a.number, a.suffix)
           a.road, a.lane, a.sub_lane, a.number, a.suffix, ST_X(a.geom), ST_Y(a.geom), a.region_id, c.name
    FROM addresses_address a
    LEFT JOIN addresses_community c ON c.id = a.community_id AND c.retired_at IS NULL
    WHERE a.retired_at IS NULL AND a.source_id = ANY(%s) AND a.region_id = ANY(%s) AND a.road <> '' AND a.number <> ''
    ORDER BY a.road, a.lane, a.sub_lane, a.number, a.suffix, a.building, a.unit, a.floor, a.room, a.id"""
_KEPT: Final = 6


@dataclass(frozen=True, slots=True, eq=False)
class District:
    """A district with its doors, each as written, in CGCS2000 degrees and on the city's plane, and as rules ask of it."""

    name: str
    path: str
    boundary: BaseGeometry | None
    """In CGCS2000 degrees."""
    ground: Ground
    degrees: npt.NDArray[np.float64]
    homes: tuple[Home, ...]
    committees: tuple[int, ...]
    """By door the id of its committee, 0 where none is known."""
    names: Names

    @property
    def doors(self) -> npt.NDArray[np.float64]:
        """Return the doors in metres of the city's plane, (n, 2)."""
        return self.ground.doors

    def committee_name(self, at: int) -> str:
        """Return the name of a door's committee with its street; '' where none is known."""
        region = self.names.region(self.committees[at] or None)
        street = self.names.above(region, Level.STREET) if region else None
        return f"{street.name if street and street != region else ''}{region.name}" if region else ""


_lock: Final = threading.RLock()
_districts: dict[tuple[int, str], District] = {}


def district_of(district_id: int, published: Published | None = None) -> District:
    """Return a district as it is published now."""
    published = published or published_now()
    found: District = kept(_districts, (district_id, published.key), lambda: _read(district_id, published), _KEPT)
    return found


def kept(held: dict[Any, Any], key: Any, read: Callable[[], Any], most: int) -> Any:
    """Return what is held under a key, read where it is not; only the last ``most`` are held."""
    found = held.get(key)
    if found is None:
        with _lock:
            found = held.get(key) or read()
            held[key] = found
            while len(held) > most:
                del held[next(iter(held))]
    return found


def _read(district_id: int, published: Published) -> District:
    names = names_of(published)
    own = names.region(district_id)
    inside = [region.id for region in names.regions.values() if own and region.path.startswith(own.path)]
    with connection.cursor() as cursor:
        cursor.execute(_DOORS, [list(published.ids(Family.ADDRESSES)), inside])
        rows = cursor.fetchall()
    city = current_city()
    degrees = np.array([(row[5], row[6]) for row in rows], dtype=np.float64).reshape(-1, 2)
    metres = shapely.get_coordinates(to_plane(shapely.points(degrees), city)) if len(rows) else np.empty((0, 2))
    boundary = _boundary(district_id)
    ground = Ground(
        to_plane(boundary, city) if boundary is not None else None,
        metres,
        [door_label(*row[:5]) for row in rows],
        _communities(inside, published),
        undrawn="；版本里排在片区后面的规则会接着判断",
    )
    regions = [_above(row[7], names) for row in rows]
    homes = tuple(
        Home(
            door_of(Parts(road=row[0], lane=row[1], sub_lane=row[2], number=row[3], suffix=row[4])),
            street, committee, plain(row[8]) if row[8] else "", (float(x), float(y)),
        )
        for row, (street, committee), (x, y) in zip(rows, regions, metres, strict=True)
    )  # fmt: skip
    return District(
        own.name if own else "", own.path if own else "", boundary, ground, degrees, homes,
        tuple(committee or 0 for _, committee in regions), names,
    )  # fmt: skip


def _above(region_id: int | None, names: Names) -> tuple[int | None, int | None]:
    region = names.region(region_id)
    if region is None:
        return None, None
    street, committee = names.above(region, Level.STREET), names.above(region, Level.COMMITTEE)
    return street.id if street else None, committee.id if committee else None


def _boundary(district_id: int) -> BaseGeometry | None:
    rows = RegionVersion.objects.filter(region=district_id, edition__state=EditionState.PUBLISHED)
    geom = rows.values_list("geom", flat=True).first()
    return shapely.from_wkb(bytes(geom.wkb)) if geom else None


def _communities(inside: list[int], published: Published) -> list[tuple[str, BaseGeometry]]:
    rows = Community.objects.filter(
        CURRENT, region__in=inside, boundary__isnull=False, source__in=published.ids(Family.COMMUNITIES)
    )
    found = list(rows.order_by("name", "id").values_list("name", "boundary"))
    shapes = [repair(shapely.from_wkb(bytes(geom.wkb))).geometry for _, geom in found if geom]
    planes = to_plane(np.array(shapes, dtype=object), current_city())
    return [(name, plane) for (name, _), plane in zip(found, planes, strict=True)]
