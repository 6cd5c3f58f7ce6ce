"""What a district brings to a planner's table: its boundary, its doors, its communities, in degrees and in metres.

Doors are those of the standard addresses on the map, one for each number however many flats it has. Read once for each state of
the published data and kept by the process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import shapely
from django.db import connection
from shapely.geometry.base import BaseGeometry

from geo.addresses.completion import door_label
from geo.addresses.gazetteer import Names, Published, names_of, published_now
from geo.addresses.models import Community
from geo.addresses.parsing import Parts
from geo.geometry import repair, to_plane
from geo.imports.models import CURRENT, Family
from geo.regions.models import EditionState, RegionVersion
from geo.regions.queries import current_city

_DOORS: Final = """
    SELECT DISTINCT ON (a.road, a.lane, a.sub_lane, a.number, a.suffix)
           a.road, a.lane, a.sub_lane, a.number, a.suffix, ST_X(a.geom), ST_Y(a.geom), a.region_id, coalesce(c.name, '')
    FROM addresses_address a
    LEFT JOIN addresses_community c ON c.id = a.community_id AND c.retired_at IS NULL
    WHERE a.retired_at IS NULL AND a.source_id = ANY(%s) AND a.region_id = ANY(%s) AND a.road <> '' AND a.number <> ''
    ORDER BY a.road, a.lane, a.sub_lane, a.number, a.suffix, a.building, a.unit, a.floor, a.room, a.id"""
_KEPT: Final = 6
K = TypeVar("K")
V = TypeVar("V")
_lock: Final = threading.RLock()
_lands: dict[tuple[int, str], Land] = {}


class DoorRow(NamedTuple):
    """One number of a road or lane; in CGCS2000 degrees. ``community`` is '' for none."""

    road: str
    lane: str
    sub_lane: str
    number: str
    suffix: str
    lon: float
    lat: float
    region: int
    community: str

    @property
    def parts(self) -> Parts:
        """Return its address."""
        return Parts(
            road=self.road, lane=self.lane, sub_lane=self.sub_lane, number=self.number, suffix=self.suffix
        )  # fmt: skip

    @property
    def label(self) -> str:
        """Return how it is written."""
        return door_label(self.road, self.lane, self.sub_lane, self.number, self.suffix)


@dataclass(frozen=True, slots=True, eq=False)
class Land:
    """A district with its doors, each as it is kept and where it is: (n, 2) degrees of CGCS2000, (n, 2) metres.

    Metres are of the city's plane. ``boundary`` is in degrees, ``None`` where it is not known; ``communities`` are those with
    a boundary, in metres.
    """

    name: str
    path: str
    boundary: BaseGeometry | None
    rows: Sequence[DoorRow]
    degrees: npt.NDArray[np.float64]
    metres: npt.NDArray[np.float64]
    labels: Sequence[str]
    communities: Sequence[tuple[str, BaseGeometry]]
    names: Names

    @property
    def district(self) -> BaseGeometry | None:
        """Return the boundary in metres of the city's plane."""
        return to_plane(self.boundary, current_city()) if self.boundary is not None else None


def land_of(district_id: int, published: Published | None = None) -> Land:
    """Return a district as it is published now."""
    published = published or published_now()
    return kept(_lands, (district_id, published.key), lambda: _read(district_id, published), _KEPT)


def kept(held: dict[K, V], key: K, read: Callable[[], V], most: int) -> V:
    """Return what is held under a key, read where it is not; only the last ``most`` are held."""
    found = held.get(key)
    if found is None:
        with _lock:
            found = held.get(key)
            if found is None:
                found = held[key] = read()
            while len(held) > most:
                del held[next(iter(held))]
    return found


def _read(district_id: int, published: Published) -> Land:
    names = names_of(published)
    own = names.region(district_id)
    inside = [region.id for region in names.regions.values() if own and region.path.startswith(own.path)]
    with connection.cursor() as cursor:
        cursor.execute(_DOORS, [list(published.ids(Family.ADDRESSES)), inside])
        rows = [DoorRow(*row) for row in cursor.fetchall()]
    degrees = np.array([(row.lon, row.lat) for row in rows], dtype=np.float64).reshape(-1, 2)
    metres = shapely.get_coordinates(to_plane(shapely.points(degrees), current_city())) if rows else np.empty((0, 2))
    return Land(
        own.name if own else "", own.path if own else "", _boundary(district_id), rows, degrees, metres,
        [row.label for row in rows], _communities(inside, published), names,
    )  # fmt: skip


def _boundary(district_id: int) -> BaseGeometry | None:
    rows = RegionVersion.objects.filter(region=district_id, edition__state=EditionState.PUBLISHED)
    geom = rows.values_list("geom", flat=True).first()
    return shapely.from_wkb(bytes(geom.wkb)) if geom else None


def _communities(inside: Sequence[int], published: Published) -> list[tuple[str, BaseGeometry]]:
    rows = Community.objects.filter(
        CURRENT, region__in=inside, boundary__isnull=False, source__in=published.ids(Family.COMMUNITIES)
    )
    found = list(rows.order_by("name", "id").values_list("name", "boundary"))
    shapes = [repair(shapely.from_wkb(bytes(geom.wkb))).geometry for _, geom in found if geom]
    planes = to_plane(np.array(shapes, dtype=object), current_city())
    return [(name, plane) for (name, _), plane in zip(found, planes, strict=True)]
