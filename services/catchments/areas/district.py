"""A district as rules and areas are asked of it: its land, and each door as a home. Kept for each state of the published data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from shapely.geometry.base import BaseGeometry

from geo.addresses.gazetteer import Names, Published, published_now
from geo.addresses.land import Land, kept, land_of
from geo.fences.topology import Ground
from geo.names import plain
from geo.regions.models import Level
from services.catchments.book import Home
from services.catchments.matching import door_of

_KEPT: Final = 6
_districts: dict[tuple[int, str], District] = {}


@dataclass(frozen=True, slots=True, eq=False)
class District:
    """A district with its doors, as areas are held against it, and each door as rules ask of it."""

    land: Land
    ground: Ground
    homes: tuple[Home, ...]
    committees: tuple[int, ...]
    """By door the id of its committee, 0 where none is known."""

    @property
    def name(self) -> str:
        """Return its name."""
        return self.land.name

    @property
    def path(self) -> str:
        """Return its path."""
        return self.land.path

    @property
    def names(self) -> Names:
        """Return the names of the city's regions."""
        return self.land.names

    @property
    def boundary(self) -> BaseGeometry | None:
        """Return its boundary in CGCS2000 degrees."""
        return self.land.boundary

    @property
    def degrees(self) -> npt.NDArray[np.float64]:
        """Return the doors in CGCS2000 degrees, (n, 2)."""
        return self.land.degrees

    @property
    def doors(self) -> npt.NDArray[np.float64]:
        """Return the doors in metres of the city's plane, (n, 2)."""
        return self.land.metres

    def committee_name(self, at: int) -> str:
        """Return the name of a door's committee with its street; '' where none is known."""
        region = self.names.region(self.committees[at] or None)
        street = self.names.above(region, Level.STREET) if region else None
        return f"{street.name if street and street != region else ''}{region.name}" if region else ""


def district_of(district_id: int, published: Published | None = None) -> District:
    """Return a district as it is published now."""
    published = published or published_now()
    return kept(_districts, (district_id, published.key), lambda: _read(district_id, published), _KEPT)


def _read(district_id: int, published: Published) -> District:
    land = land_of(district_id, published)
    ground = Ground(
        land.district, land.metres, land.labels, land.communities,
        undrawn="；版本里排在片区后面的规则会接着判断",
    )  # fmt: skip
    regions = [_above(row.region, land.names) for row in land.rows]
    homes = tuple(
        Home(door_of(row.parts), street, committee, plain(row.community) if row.community else "", (float(x), float(y)))
        for row, (street, committee), (x, y) in zip(land.rows, regions, land.metres, strict=True)
    )
    return District(land, ground, homes, tuple(committee or 0 for _, committee in regions))


def _above(region_id: int | None, names: Names) -> tuple[int | None, int | None]:
    region = names.region(region_id)
    if region is None:
        return None, None
    street, committee = names.above(region, Level.STREET), names.above(region, Level.COMMITTEE)
    return street.id if street else None, committee.id if committee else None
