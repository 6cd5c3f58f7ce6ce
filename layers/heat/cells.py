"""Heat by cell: counted once for the whole extent, told or hidden there, and only then narrowed to whoever asks.

What is about persons is counted over the whole city whoever asks, and decided on once; a scope gets the told cells whose centres
lie in its regions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import h3
import numpy as np
import numpy.typing as npt
from django.utils import timezone

from geo.errors import BadInput
from geo.grids.cells import parent_masks
from geo.regions.queries import assign_regions
from geo.scope import Scope
from layers.disclosure import K, tellable_below
from layers.facts.counting import RESOLUTIONS, Choices, Period, count_by_cell
from layers.facts.regions import standing
from layers.facts.spec import FactSpec
from layers.heat.keeping import kept, key_of
from layers.heat.periods import check_tellable

Floats = npt.NDArray[np.float64]
TOP: Final = RESOLUTIONS[0]


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class CellHeat:
    """The told figures of cells by rising index; ``hidden`` says whether others of the whole extent are not told."""

    resolution: int
    cells: npt.NDArray[np.int64]
    values: Floats
    hidden: bool = False


def cell_heat(
    spec: FactSpec, *, scope: Scope, resolution: int, period: Period | None = None, choices: Choices | None = None
) -> CellHeat:
    """Return the told figures of the cells of a resolution of 7 to 10. Raises ``BadInput``."""
    narrowed = dict(choices or {})
    check_tellable(spec, period, narrowed, today=timezone.localdate())
    if resolution not in RESOLUTIONS:
        raise BadInput("resolution_invalid", "网格级别可选 7、8、9、10。", parameter="resolution")
    if not spec.heads:
        key = ("cells", resolution, *key_of(spec, scope=scope, period=period, choices=narrowed))
        return kept(key, lambda: _as_counted(spec, scope, resolution, period, narrowed))
    city = replace(scope, paths=("",))
    every = kept(("persons", *key_of(spec, scope=city, period=period)), lambda: _decided(spec, city, period))[
        resolution
    ]
    if spec.public or "" in scope.paths:
        return every
    return kept(("some", resolution, *key_of(spec, scope=scope, period=period)), lambda: _inside(every, scope))


def cell_change(
    spec: FactSpec, *, scope: Scope, resolution: int, period: Period, then: Period, choices: Choices | None = None
) -> CellHeat:
    """Return by how much the cells of a resolution changed from the period ``then``. Raises ``BadInput``."""
    now, before = (
        cell_heat(spec, scope=scope, resolution=resolution, period=each, choices=choices) for each in (period, then)
    )
    keys = (key_of(spec, scope=scope, period=each, choices=choices) for each in (period, then))
    return kept(("change", resolution, *keys), lambda: change_of_cells(spec, now, before))


def change_of_cells(spec: FactSpec, now: CellHeat, then: CellHeat) -> CellHeat:
    """Return by how much cells changed: what has no rows has 0, but of what is about persons only cells told of both periods."""
    cells = np.intersect1d(now.cells, then.cells) if spec.heads else np.union1d(now.cells, then.cells)
    return CellHeat(now.resolution, cells, _at(now, cells) - _at(then, cells), now.hidden or then.hidden)


def centres_of(cells: npt.NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Return the longitudes and latitudes of the centres of cells, in degrees."""
    found = np.array([h3.cell_to_latlng(h3.int_to_str(cell)) for cell in cells.tolist()]).reshape(-1, 2)
    return found[:, 1], found[:, 0]


def regions_of(cells: npt.NDArray[np.int64]) -> list[str]:
    """Return the paths of the finest regions of today that hold the centres of cells, '' outside of all."""
    told = standing()
    path_of = dict(zip(told.ids[told.main].tolist(), told.paths[told.main].tolist(), strict=True))
    return [path_of.get(region, "") for region in assign_regions(*centres_of(cells)).tolist()]


def _at(heat: CellHeat, cells: npt.NDArray[np.int64]) -> Floats:
    found = np.zeros(len(cells))
    known = np.isin(cells, heat.cells)
    found[known] = heat.values[np.searchsorted(heat.cells, cells[known])]
    return found


def _inside(every: CellHeat, scope: Scope) -> CellHeat:
    inside = np.array([bool(path) and scope.covers_path(path) for path in regions_of(every.cells)], dtype=np.bool_)
    return replace(every, cells=every.cells[inside], values=every.values[inside])


def _as_counted(spec: FactSpec, scope: Scope, resolution: int, period: Period | None, choices: Choices) -> CellHeat:
    found = count_by_cell(spec, scope=scope, resolution=resolution, period=period, choices=choices)
    return CellHeat(resolution, found.cells, found.values)


def _decided(spec: FactSpec, city: Scope, period: Period | None, least: int = K) -> dict[int, CellHeat]:
    """Return what is told of persons at every resolution: decided from the whole city down, so that zooms fit together."""
    made: dict[int, CellHeat] = {}
    above, told = np.zeros(1, dtype=np.int64), np.ones(1, dtype=np.bool_)
    for resolution in RESOLUTIONS:
        counted = count_by_cell(spec, scope=city, resolution=resolution, period=period)
        heads = counted.rows if counted.heads is None else counted.heads
        if resolution == TOP:
            parents = np.zeros(len(heads), dtype=np.int64)
        else:
            keep, put = parent_masks(resolution - 1)
            parents = np.searchsorted(above, counted.cells & keep | put)
        told = tellable_below(heads, parents, told, least=least)
        above = counted.cells
        made[resolution] = CellHeat(resolution, counted.cells[told], counted.values[told], not told.all())
    return made
