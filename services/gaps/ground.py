"""Where people live, by H3 cell: the residents of a region are spread over its homes, and every cell of the city counts.

A home is a household of a residential community at one of its doors, or a door of its own. What is spread adds up to the whole
of each region; a region without a home is spread over its land.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Final

import h3.api.numpy_int as h3
import numpy as np
import numpy.typing as npt
import shapely
from django.db import connection

from geo.addresses.gazetteer import Published
from geo.addresses.models import Community
from geo.grids.cells import RESOLUTION, cell_at
from geo.imports.models import CURRENT, Family
from geo.regions.models import EditionState, RegionVersion
from geo.regions.queries import current_city, published_edition
from routing.graph import Graph
from services.gaps.packing import packed, unpacked

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Step = Callable[[float], object]
"""Hears how far the work is, from 0 to 1; may raise to stop it."""
_DOORS: Final = """
    SELECT a.region_id, a.cell, coalesce(a.community_id, 0),
           count(DISTINCT (a.road, a.lane, a.sub_lane, a.number, a.suffix))
    FROM addresses_address a
    WHERE a.retired_at IS NULL AND a.source_id = ANY(%s) AND a.road <> '' AND a.number <> '' AND a.region_id IS NOT NULL
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""
_A_PIECE: Final = 50
_FORM: Final = 2
"""Of what is kept of a ground; grounds kept in another form are made anew."""


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """The cells of the city in order, each with the unit whose land its centre is on (-1: none); and the units' homes.

    Units are the regions that hold no smaller ones, by id; ``homes`` is how many each has, 0 where none is known. Of the homes
    of unit ``spread_unit`` the share ``spread`` lies in cell ``spread_cell`` (rows); the shares of a unit add up to 1.
    """

    cells: Ints
    land: npt.NDArray[np.int32]
    units: Ints
    homes: Floats
    spread_unit: npt.NDArray[np.int32]
    spread_cell: npt.NDArray[np.int32]
    spread: Floats

    def pack(self) -> bytes:
        """Return it for one column of the database."""
        return packed(**asdict(self))

    @classmethod
    def of(cls, kept: bytes | memoryview) -> Ground:
        """Return what was packed."""
        held = unpacked(kept)
        return cls(**{each.name: held[each.name] for each in fields(cls)})


def metres_of(cells: Ints) -> tuple[Floats, Floats]:
    """Return the centres of cells, east and north in metres of the city's plane."""
    centres = np.array([h3.cell_to_latlng(cell) for cell in cells.tolist()], dtype=np.float64).reshape(-1, 2)
    east, north = current_city().plane.forward(centres[:, 1].copy(), centres[:, 0].copy())
    return np.asarray(east), np.asarray(north)


def stamp_of(graph: Graph, published: Published) -> str:
    """Return a text that changes whenever a ground made now would be another one."""
    edition = published_edition()
    parts = (
        _FORM,
        graph.meta.version,
        edition and (edition.pk, edition.published_at),
        published.stamps.get(Family.ADDRESSES),
        published.stamps.get(Family.COMMUNITIES),
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def make_ground(published: Published, step: Step) -> Ground:
    """Return the ground of what is published now."""
    units, shapes, labels = _units()
    land_cells, land_units = _land(shapes, step)
    homes = _homes(units, published)
    units_of, cells_of, weights, counted = _spread(len(units), homes, land_cells, land_units, labels)
    # With the index it sorts; without it hashes, which takes cells, alike in most bits, ten times as long.
    cells, _ = np.unique(np.concatenate((land_cells, cells_of)), return_index=True)
    land = np.full(len(cells), -1, dtype=np.int32)
    land[np.searchsorted(cells, land_cells)] = land_units
    return Ground(
        cells, land, units, counted,
        units_of.astype(np.int32), np.searchsorted(cells, cells_of).astype(np.int32), weights,
    )  # fmt: skip


def _units() -> tuple[Ints, list[shapely.Geometry], list[int]]:
    """Return the regions without smaller ones by id, their shapes in degrees, and the cells of their labels."""
    rows = RegionVersion.objects.filter(edition__state=EditionState.PUBLISHED).order_by("path")
    listed = list(rows.values_list("region_id", "path", "parent_id"))
    above = {parent for _, _, parent in listed}
    leaves = [region for region, _, _ in listed if region not in above]
    found = dict(rows.filter(region__in=leaves).values_list("region_id", "geom"))
    spots = dict(rows.filter(region__in=leaves).values_list("region_id", "label"))
    shapes = [shapely.from_wkb(bytes(found[region].wkb)) for region in leaves]
    return np.array(leaves, dtype=np.int64), shapes, [cell_at(spots[each].x, spots[each].y) for each in leaves]


def _land(shapes: Sequence[shapely.Geometry], step: Step) -> tuple[Ints, npt.NDArray[np.int32]]:
    """Return the cells whose centres lie in each shape, and its row; each cell once."""
    cells, rows = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int32)]
    for at, shape in enumerate(shapes):
        if at % _A_PIECE == 0:
            step(at / len(shapes))
        inside = h3.geo_to_cells(shapely.geometry.mapping(shape), RESOLUTION).astype(np.int64)
        cells.append(inside)
        rows.append(np.full(len(inside), at, dtype=np.int32))
    every, first = np.unique(np.concatenate(cells), return_index=True)
    return every, np.concatenate(rows)[first]


def _homes(units: Ints, published: Published) -> tuple[Ints, Ints, Floats]:
    """Return homes by the row of their unit and by cell: so many households, or doors."""
    row = {region: at for at, region in enumerate(units.tolist())}
    with connection.cursor() as cursor:
        cursor.execute(_DOORS, [list(published.ids(Family.ADDRESSES))])
        doors = [(row[region], cell, community, count) for region, cell, community, count in cursor if region in row]
    known = Community.objects.filter(CURRENT, source__in=published.ids(Family.COMMUNITIES)).order_by("pk")
    estates = {
        pk: (kind, households or 0, row.get(region, -1), cell)
        for pk, kind, households, region, cell in known.values_list("pk", "kind", "households", "region_id", "cell")
    }
    of: dict[int, int] = {}
    for _, _, community, count in doors:
        of[community] = of.get(community, 0) + count
    told = [(estates[each][1], of[each]) for each in of if each in estates and estates[each][1]]
    typical = sum(households for households, _ in told) / sum(count for _, count in told) if told else 1.0
    found = [
        (unit, cell, _households(estates.get(community), count, of[community], typical))
        for unit, cell, community, count in doors
    ]
    found += [
        (unit, cell, float(households))
        for pk, (kind, households, unit, cell) in estates.items()
        if pk not in of and unit >= 0 and kind == "residential"
    ]
    columns = list(zip(*found, strict=True)) or [(), (), ()]
    return np.array(columns[0], dtype=np.int64), np.array(columns[1], dtype=np.int64), np.array(columns[2], dtype=float)


def _households(estate: tuple[str, int, int, int] | None, doors: int, every: int, typical: float) -> float:
    """Return how many homes lie behind some of the doors of a community; a door of no community is a home."""
    if estate is None:
        return float(doors)
    kind, households, _, _ = estate
    if kind != "residential":
        return 0.0
    return households * doors / every if households else typical * doors


def _spread(
    count: int,
    homes: tuple[Ints, Ints, Floats],
    land_cells: Ints,
    land_units: npt.NDArray[np.int32],
    labels: Sequence[int],
) -> tuple[Ints, Ints, Floats, Floats]:
    """Return units, cells and shares (rows), and how many homes each unit has."""
    units, cells, weights = homes
    counted: Floats = np.bincount(units, weights=weights, minlength=count).astype(np.float64)
    bare = counted == 0
    on_land = bare[land_units]
    landless = bare & (np.bincount(land_units, minlength=count) == 0)
    kept = weights > 0
    all_units = np.concatenate((units[kept], land_units[on_land], np.flatnonzero(landless)))
    all_cells = np.concatenate((cells[kept], land_cells[on_land], np.array(labels, dtype=np.int64)[landless]))
    all_weights = np.concatenate((weights[kept], np.ones(np.count_nonzero(on_land) + np.count_nonzero(landless))))
    pairs, inverse = np.unique(np.stack((all_units, all_cells)), axis=1, return_inverse=True)
    sums = np.bincount(inverse.ravel(), weights=all_weights, minlength=pairs.shape[1])
    return pairs[0], pairs[1], sums / np.bincount(pairs[0], weights=sums, minlength=count)[pairs[0]], counted
