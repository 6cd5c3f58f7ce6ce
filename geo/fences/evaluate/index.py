"""Which fences hold each of many points, and how deep: a grid over all fences, and the edges of each sorted by height. Pure.

A cell of the grid knows the fences that fill it and those with an edge in it; only of the latter edges are looked at, and only
those at the height of the point. Answers are those of ``shapely.intersects``, borders included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import shapely

from geo.crs import SHANGHAI
from geo.errors import BadInput
from geo.fences.evaluate.hours import FOREVER, Term, Timetable

FARTHEST_M: Final = 1e7
"""No city plane has coordinates beyond this."""
CELLS_PER_FENCE: Final = 1024
FEWEST_CELLS, MOST_CELLS = 1 << 14, 1 << 22
"""The grid has at most so many cells, and the windows of all fences together hold at most as many."""
EMPTY_MARGIN: Final = 1e-3
Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Hits:
    """The fences of points: of point p the rows ``fences[offsets[p]:offsets[p + 1]]`` of the index, in ascending order."""

    offsets: Longs
    fences: Rows

    @property
    def points(self) -> Longs:
        """Return the point of each hit."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))

    def where(self, kept: Booleans) -> Hits:
        """Return the hits that are ``kept``."""
        before = np.concatenate(([0], np.cumsum(kept, dtype=np.int64)))
        return Hits(before[self.offsets], self.fences[kept])


@dataclass(frozen=True, slots=True, eq=False)
class _Edges:
    """The edges of all fences, ready for the kernels; ``edges`` in rows (ax, ay, bx, by), of fence f from ``edge_start[f]``."""

    edge_start: Longs
    boxes: Floats
    edges: Floats
    slab_start: Longs
    band_start: Rows
    bands: Rows


@dataclass(frozen=True, slots=True, eq=False)
class _Grid:
    """Square cells; of cell c the fences ``cells[cell_start[c]:cell_start[c + 1]]``, ~f where fence f fills the cell."""

    x0: float
    y0: float
    inverse: float
    columns: int
    rows: int
    cell_start: Rows
    cells: Rows


@dataclass(frozen=True, slots=True, eq=False)
class FenceIndex:
    """Fences ready to be asked; row r is the fence ``ids[r]``. Immutable and safe for threads."""

    ids: tuple[str, ...]
    shapes: npt.NDArray[np.object_]
    terms: tuple[Term, ...]
    timetable: Timetable
    _edges: _Edges
    _grid: _Grid

    @classmethod
    def build(
        cls,
        shapes: Sequence[Any] | npt.NDArray[np.object_],
        ids: Sequence[str],
        terms: Sequence[Term] | None = None,
        zone: str = SHANGHAI.timezone,
    ) -> FenceIndex:
        """Index valid polygons and multipolygons in metres of the city's plane; they may overlap. Without ``terms``: always.

        Raises ``BadInput``, naming the fence, for a shape that is empty, invalid, no area or beyond the plane, and for ids twice.
        """
        found = np.asarray(shapes, dtype=object).reshape(-1)
        names, holding = tuple(ids), tuple(terms) if terms is not None else (FOREVER,) * len(found)
        if not len(found) == len(names) == len(holding):
            raise ValueError("as many shapes as ids and terms are needed")
        _check(found, names)
        edges = _sort_edges(found)
        timetable = Timetable.build(holding, ZoneInfo(zone))
        return cls(names, found, holding, timetable, edges, _lay_grid(edges))

    def changed(self, shapes: Sequence[Any], ids: Sequence[str], terms: Sequence[Term] | None = None) -> FenceIndex:
        """Return an index with these fences added, or put in the place of those with the same ids; raises as ``build``.

        It is built anew: half a second for 50,000 fences.
        """
        return self._joined(
            set(ids), list(shapes), list(ids), list(terms) if terms is not None else [FOREVER] * len(ids)
        )

    def without(self, ids: Sequence[str]) -> FenceIndex:
        """Return an index without these fences; ids it does not hold are none to remove."""
        return self._joined(set(ids), [], [], [])

    def _joined(self, gone: set[str], shapes: list[Any], ids: list[str], terms: list[Term]) -> FenceIndex:
        kept = [row for row, name in enumerate(self.ids) if name not in gone]
        return FenceIndex.build(
            [*self.shapes[kept], *shapes],
            [*(self.ids[row] for row in kept), *ids],
            [*(self.terms[row] for row in kept), *terms],
            self.timetable.zone.key,
        )

    def at(self, x: npt.ArrayLike, y: npt.ArrayLike) -> Hits:
        """Return the fences of each point, in metres of the plane, whenever they hold; none for NaN and infinity."""
        from geo.fences.evaluate import kernels

        xs, ys = _points(x, y)
        grid, edges = self._grid, self._edges
        offsets = np.zeros(len(xs) + 1, dtype=np.int64)
        found = np.empty(2 * len(xs) + 64, dtype=np.int32)
        done, used = 0, 0
        while True:
            done, used = kernels.locate(
                xs,
                ys,
                done,
                used,
                offsets,
                found,
                grid.x0,
                grid.y0,
                grid.inverse,
                grid.columns,
                grid.rows,
                grid.cell_start,
                grid.cells,
                edges.boxes,
                edges.edges,
                edges.slab_start,
                edges.band_start,
                edges.bands,
            )
            if done == len(xs):
                return Hits(offsets, found[:used].copy())
            found = np.concatenate((found, np.empty(len(found) + len(self.ids), dtype=np.int32)))

    def at_times(self, x: npt.ArrayLike, y: npt.ArrayLike, times_ms: npt.ArrayLike) -> Hits:
        """Return the fences of each point that hold at its moment: UTC, milliseconds since 1970, one for all or one a point."""
        hits = self.at(x, y)
        if self.timetable.always:
            return hits
        moments = np.broadcast_to(np.asarray(times_ms, dtype=np.int64), (len(hits.offsets) - 1,))
        return hits.where(self.timetable.hold(hits.fences, moments[hits.points]))

    def depths(self, x: npt.ArrayLike, y: npt.ArrayLike, fences: npt.ArrayLike) -> Floats:
        """Return how deep points lie in fences (rows): metres to the border, negative outside, 0 on it, NaN for no point.

        One fence a point, or one for all. Every edge of the fence is looked at: ask it of fences that are near.
        """
        from geo.fences.evaluate import kernels

        xs, ys = _points(x, y)
        rows = np.broadcast_to(np.asarray(fences, dtype=np.int32), xs.shape)
        if len(rows) and (rows.min() < 0 or rows.max() >= len(self.ids)):
            raise IndexError(f"rows run from 0 to {len(self.ids) - 1}")
        out, edges = np.empty(len(xs)), self._edges
        kernels.depths(
            xs,
            ys,
            np.ascontiguousarray(rows),
            out,
            edges.edge_start,
            edges.boxes,
            edges.edges,
            edges.slab_start,
            edges.band_start,
            edges.bands,
        )
        return out

    def crosses_wholly(self, row: int, a: tuple[float, float], b: tuple[float, float], aside: float) -> bool:
        """Say whether the segment from a to b meets a fence, also when moved by ``aside`` metres to its left and its right."""
        from geo.fences.evaluate import kernels

        edges = self._edges
        found = kernels.crosses_wholly(
            row,
            *a,
            *b,
            aside,
            edges.edge_start,
            edges.boxes,
            edges.edges,
            edges.slab_start,
            edges.band_start,
            edges.bands,
        )
        return bool(found)

    @property
    def nbytes(self) -> int:
        """Return the memory of the tables in bytes, without the shapes themselves."""
        arrays = [getattr(part, name) for part in (self._edges, self._grid) for name in part.__slots__]
        return sum(array.nbytes for array in arrays if isinstance(array, np.ndarray))


def warm_up() -> None:
    """Compile every kernel, or load it from the cache, so that the first question does not wait."""
    index = FenceIndex.build([shapely.box(0.0, 0.0, 10.0, 10.0)], ["warm"])
    index.at([5.0], [5.0])
    index.depths([5.0], [5.0], 0)
    index.crosses_wholly(0, (-5.0, 5.0), (15.0, 5.0), 1.0)


def _points(x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[Floats, Floats]:
    xs = np.ascontiguousarray(x, dtype=np.float64).reshape(-1)
    ys = np.ascontiguousarray(y, dtype=np.float64).reshape(-1)
    if len(xs) != len(ys):
        raise ValueError("as many x as y are needed")
    return xs, ys


def _check(shapes: npt.NDArray[np.object_], ids: tuple[str, ...]) -> None:
    if len(set(ids)) != len(ids):
        twice = next(name for name in ids if ids.count(name) > 1)
        raise BadInput("fence_twice", f"围栏 {twice} 重复出现，请只保留一个。", fence=twice)
    types = shapely.get_type_id(shapes)
    bounds = np.abs(shapely.bounds(shapes).reshape(-1, 4))
    _refuse(~np.isin(types, (3, 6)) | shapely.is_empty(shapes), ids, "fence_no_area", "没有面积，请重新绘制成面。")
    _refuse(~(bounds <= FARTHEST_M).all(axis=1), ids, "fence_off_plane", "的坐标超出城市平面，请核对坐标系。")
    with np.errstate(invalid="ignore"):  # GEOS lifts the flag at NaN, which is not valid
        valid = shapely.is_valid(shapes)
    _refuse(~valid, ids, "fence_invalid", "的边界自相交或洞在外边界之外，请先修复。")


def _refuse(bad: Booleans, ids: tuple[str, ...], code: str, words: str) -> None:
    if bad.any():
        name = ids[int(bad.argmax())]
        raise BadInput(code, f"围栏 {name} {words}", fence=name)


def _sort_edges(shapes: npt.NDArray[np.object_]) -> _Edges:
    from geo.fences.evaluate import kernels

    edge_start, edges = _edges_of(shapes)
    boxes = np.ascontiguousarray(shapely.bounds(shapes).reshape(-1, 4))
    slabs, entries = np.zeros(len(shapes), dtype=np.int64), np.zeros(len(shapes), dtype=np.int64)
    kernels.count_slabs(edge_start, edges, boxes, slabs, entries)
    slab_start, entry_start = _starts(slabs), _starts(entries)
    band_start = np.zeros(int(slab_start[-1]) + 1, dtype=np.int32)
    bands = np.empty(int(entry_start[-1]), dtype=np.int32)
    kernels.fill_slabs(edge_start, edges, boxes, slab_start, entry_start, band_start, bands)
    return _Edges(edge_start, boxes, edges, slab_start, band_start, bands)


def _edges_of(shapes: npt.NDArray[np.object_]) -> tuple[Longs, Floats]:
    """Return where the edges of each shape begin, and all edges."""
    parts, owner = shapely.get_parts(shapes, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    coords, ring = shapely.get_coordinates(rings, return_index=True)
    inner = ring[:-1] == ring[1:]
    edges = np.hstack((coords[:-1][inner], coords[1:][inner]))
    fence = owner[part[ring[:-1][inner]]]
    # a vertex written twice is no edge
    real = (edges[:, :2] != edges[:, 2:]).any(axis=1)
    return _starts(np.bincount(fence[real], minlength=len(shapes))), np.ascontiguousarray(edges[real])


def _starts(counts: npt.NDArray[np.int64]) -> Longs:
    return np.concatenate(([0], np.cumsum(counts, dtype=np.int64)))


def _lay_grid(edges: _Edges) -> _Grid:
    from geo.fences.evaluate import kernels

    if not len(edges.boxes):
        return _Grid(0.0, 0.0, 1.0, 0, 0, np.zeros(1, dtype=np.int32), np.zeros(0, dtype=np.int32))
    x0, y0 = edges.boxes[:, :2].min(axis=0) - EMPTY_MARGIN
    width, height = edges.boxes[:, 2:].max(axis=0) - (x0, y0) + EMPTY_MARGIN
    size, windows = _choose_cells(edges.boxes, x0, y0, width, height)
    columns, rows = int(width / size) + 1, int(height / size) + 1
    state_start = _starts(windows[:, 2].astype(np.int64) * windows[:, 3])
    states = np.zeros(int(state_start[-1]), dtype=np.uint8)
    kernels.classify_cells(
        x0,
        y0,
        1.0 / size,
        windows,
        state_start,
        states,
        edges.boxes,
        edges.edge_start,
        edges.edges,
        edges.slab_start,
        edges.band_start,
        edges.bands,
    )
    cell_start = np.zeros(columns * rows + 1, dtype=np.int32)
    kernels.count_cells(columns, windows, state_start, states, cell_start)
    cell_start = np.cumsum(cell_start, dtype=np.int32)
    cells = np.empty(int(cell_start[-1]), dtype=np.int32)
    moving = cell_start.copy()
    kernels.fill_cells(columns, windows, state_start, states, moving, cells)
    return _Grid(float(x0), float(y0), 1.0 / size, columns, rows, cell_start, cells)


def _choose_cells(boxes: Floats, x0: float, y0: float, width: float, height: float) -> tuple[float, Rows]:
    """Return the size of cells in metres and the window (west, south, columns, rows) of each fence.

    As small as the bounds on all cells and on all windows allow.
    """
    most = min(max(CELLS_PER_FENCE * len(boxes), FEWEST_CELLS), MOST_CELLS)
    size = max(float(np.sqrt(width * height / most)), max(width, height) / most)
    while True:
        inverse = 1.0 / size
        west, south = np.floor((boxes[:, 0] - x0) * inverse), np.floor((boxes[:, 1] - y0) * inverse)
        east, north = np.floor((boxes[:, 2] - x0) * inverse), np.floor((boxes[:, 3] - y0) * inverse)
        wide, high = east - west + 1, north - south + 1
        # one cell for each fence there must be
        if (wide * high).sum() <= max(most, 4 * len(boxes)) or (wide * high).max() == 1:
            return size, np.ascontiguousarray(np.stack((west, south, wide, high), axis=1).astype(np.int32))
        size *= 2**0.5
