"""How many people live in marked ground, by age: summed over whole committees, and of those only what may be told.

A committee counts with all its residents where at least half of it is marked, and with none elsewhere: two shapes that differ by
a house give the same figures.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely
from django.contrib.gis.db.models.functions import AsWKB
from django.db.models import Q, Sum

from geo.addresses.gazetteer import NamedRegion, Names, Published
from geo.addresses.land import kept
from geo.geometry import to_plane
from geo.imports.models import Family
from geo.regions.models import Level, Population, RegionVersion
from geo.regions.queries import current_city
from layers.disclosure import K, tellable
from services.fencing.selecting.grounds import Ground, stored

BANDS: Final = (
    (0, 2, "0–2 岁"), (3, 5, "3–5 岁"), (6, 59, "6–59 岁"), (60, 79, "60–79 岁"), (80, 200, "80 岁及以上"),
)  # fmt: skip
HALF: Final = 0.5
_tables: dict[str, Committees | None] = {}


@dataclass(frozen=True, slots=True, eq=False)
class Committees:
    """Residents of committees (rows) by band, in a year, and which rows may be told."""

    year: int
    row: dict[int, int]
    counts: npt.NDArray[np.int64]
    told: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Residents:
    """Residents of the ``committees`` that count, as of a year: by band and in all. Of ``hidden`` more nothing is told."""

    year: int
    committees: int
    hidden: int
    bands: tuple[tuple[str, int], ...]

    @property
    def total(self) -> int:
        """Return all of them."""
        return sum(count for _, count in self.bands)

    @property
    def least(self) -> int:
        """Return below how many persons nothing is told."""
        return K


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """The committees that count in some ground: rows of ``table`` that may be told, and how many more there are."""

    table: Committees
    rows: npt.NDArray[np.int64]
    hidden: int

    @property
    def persons(self) -> npt.NDArray[np.int64]:
        """Return their residents by ``BANDS``."""
        total: npt.NDArray[np.int64] = self.table.counts[self.rows].sum(axis=0)
        return total

    @property
    def region_ids(self) -> frozenset[int]:
        """Return the committees that are told."""
        told = set(self.rows.tolist())
        return frozenset(region for region, row in self.table.row.items() if row in told)


def residents_in(ground: Ground, published: Published, names: Names) -> Residents | None:
    """Return the residents of marked ground; ``None`` where no figures by committee and age are published."""
    found = counted_in(ground, published, names)
    return residents_of(found) if found else None


def residents_of(counted: Counted) -> Residents:
    """Return the residents of the committees that count."""
    bands = tuple((name, count) for (_, _, name), count in zip(BANDS, counted.persons.tolist(), strict=True))
    return Residents(counted.table.year, len(counted.rows), counted.hidden, bands)


def counted_in(ground: Ground, published: Published, names: Names) -> Counted | None:
    """Return the committees that count in marked ground; ``None`` where no figures by committee and age are published."""
    table = committees_told(published, names)
    if table is None:
        return None
    rows = np.array([table.row[region] for region in _counted(ground) if region in table.row], dtype=np.int64)
    told = rows[table.told[rows]]
    return Counted(table, told, len(rows) - len(told))


def counted_everywhere(published: Published, names: Names) -> Counted | None:
    """Return the committees that count in the whole city; ``None`` where no figures by committee and age are published."""
    table = committees_told(published, names)
    if table is None:
        return None
    rows = np.flatnonzero(table.told)
    return Counted(table, rows, len(table.told) - len(rows))


def committees_told(published: Published, names: Names) -> Committees | None:
    """Return the residents of every committee by ``BANDS``, and which may be told; ``None`` where none are published."""
    return kept(_tables, published.key, lambda: _read(published, names), 2)


def _counted(ground: Ground) -> set[int]:
    """Return the committees of which at least half is marked."""
    rows = RegionVersion.objects.filter(edition__state="published", level=Level.COMMITTEE)
    found = set(rows.filter(region__in=ground.region_ids).values_list("region_id", flat=True))
    if ground.shape.is_empty:
        return found
    met = rows.filter(Q(geom__intersects=stored(ground.degrees))).exclude(region__in=found)
    listed = list(met.values_list("region_id", AsWKB("geom")))
    if not listed:
        return found
    shapes = to_plane(np.array([shapely.from_wkb(bytes(wkb)) for _, wkb in listed], dtype=object), current_city())
    shares = shapely.area(shapely.intersection(shapes, ground.shape)) / shapely.area(shapes)
    return found | {region for (region, _), share in zip(listed, shares, strict=True) if share >= HALF}


def _read(published: Published, names: Names) -> Committees | None:
    figures = Population.objects.filter(source__in=published.ids(Family.POPULATION), retired_at=None)
    year = figures.order_by("-year").values_list("year", flat=True).first() or 0
    of: dict[int, list[int]] = defaultdict(lambda: [0] * len(BANDS))
    split: set[int] = set()
    listed = (
        figures.filter(year=year).values_list("region_id", "age_from", "age_to", "sex").annotate(all=Sum("persons"))
    )
    whole = {(region, low, high) for region, low, high, sex, _ in listed if sex == "a"}
    for region, low, high, sex, persons in listed:
        if sex != "a" and (region, low, high) in whole:
            continue  # told of both together already
        band = _band(low, high)
        if band is None:
            split.add(region)
        else:
            of[region][band] += persons
    listed_regions = [names.region(region) for region in of if region not in split]
    committees = [region for region in listed_regions if region and region.level == Level.COMMITTEE]
    if not committees:
        return None
    counts = np.array([of[region.id] for region in committees], dtype=np.int64)
    streets = np.array([_street(region, names) for region in committees], dtype=np.int64)
    return Committees(
        year, {region.id: row for row, region in enumerate(committees)}, counts, tellable(counts, streets)
    )


def _band(low: int, high: int) -> int | None:
    return next((at for at, (least, most, _) in enumerate(BANDS) if least <= low and high <= most), None)


def _street(region: NamedRegion, names: Names) -> int:
    street = names.above(region, Level.STREET)
    return street.id if street else 0
