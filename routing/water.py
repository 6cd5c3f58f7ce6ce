"""Open water as the road graph keeps it: tiles to cut a drawn circle with, and the strips that roads cross the water on.

Coordinates in this module are metres in the city's plane. Water is kept at several scales, because a circle of many kilometres
is drawn more coarsely; the water of a scale never covers land, and only lacks as much at its shore as that scale tolerates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

MIN_AREA_M2: Final = 5000.0
"""Smaller ponds, and smaller stretches of water between two bridges, are left to the ground around them."""
STRIP_HALF_WIDTH_M: Final = 15.0
"""What counts as the bridge, tunnel or causeway on either side of the line of a road."""
MARGIN_M: Final = 300.0
"""How far a tile reaches beyond its box, so that what it cuts into a scrap lies outside."""
KEEP_TILES: Final = 512

Shape = Any
"""A shapely geometry: the library has no types of its own."""
Shapes = NDArray[np.object_]
Usable = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Scale:
    """Water at least ``width_m`` wide, right to ``tolerance_m``, in tiles twice ``step_m`` wide that begin every ``step_m``.

    So what lies in a box no wider than ``step_m`` is all in the one tile that the box begins in.
    """

    step_m: float
    width_m: float
    tolerance_m: float


SCALES: Final = (Scale(3_000.0, 20.0, 0.5), Scale(12_000.0, 40.0, 3.0), Scale(1_000_000.0, 80.0, 8.0))


@dataclass(frozen=True, slots=True, eq=False)
class Water:
    """The water of one graph, mapped from its folder: tile ``i`` has scale, column and row ``tiles[i]``.

    Strip ``i`` is the part of road ``strip_edge[i]`` that lies in water, widened by ``STRIP_HALF_WIDTH_M``.
    """

    tiles: NDArray[np.int32]
    tile_shapes: Mapping[str, NDArray[Any]]
    strip_edge: NDArray[np.int32]
    strip_shapes: Mapping[str, NDArray[Any]]
    _place: dict[tuple[int, int, int], int] = field(default_factory=dict)
    _strips: list[tuple[Shapes, shapely.STRtree]] = field(default_factory=list)
    _open: dict[tuple[tuple[int, int, int], str, int], tuple[Usable, Shape]] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: Path) -> Water | None:
        """Map the water kept in a graph's folder; None when it has none, as graphs built without water."""
        if not (folder / "water-tiles.npy").exists():
            return None
        held = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in _NAMES}
        water = cls(
            held["water-tiles"],
            {part: held[f"water-tile_{part}"] for part in _PARTS},
            held["water-strip_edge"],
            {part: held[f"water-strip_{part}"] for part in _PARTS},
        )
        water._place.update({tuple(key): i for i, key in enumerate(water.tiles.tolist())})
        return water

    def within(
        self, box: tuple[float, float, float, float], network: str, usable: Callable[[], Usable], closed: Usable
    ) -> Shape | None:
        """Return the open water around a box (west, south, east, north), less the strips of roads that may be travelled.

        ``usable`` returns which edges belong to ``network``, ``closed`` flags those now closed, if any; None means there is no
        water. The first question about a tile costs some milliseconds, the next nothing.
        """
        west, south, east, north = box
        side = max(east - west, north - south)
        scale = next((i for i, each in enumerate(SCALES) if side <= each.step_m), len(SCALES) - 1)
        step = SCALES[scale].step_m
        tile = (scale, int(west // step), int(south // step))
        at = self._place.get(tile)
        if at is None:
            return None
        key = (tile, network, id(closed))
        held = self._open.get(key)
        # The key names an array by its address: only one that is held here is sure to be the same.
        if held is None or held[0] is not closed:
            while len(self._open) >= KEEP_TILES:
                self._open.pop(next(iter(self._open)), None)
            held = self._open[key] = (closed, self._less_strips(at, usable(), closed))
        return None if held[1].is_empty else held[1]

    def _less_strips(self, at: int, usable: Usable, closed: Usable) -> Shape:
        tile = _taken(self.tile_shapes, at, at + 1)[0]
        if not self._strips:
            strips = _taken(self.strip_shapes, 0, len(self.strip_edge))
            self._strips.append((strips, shapely.STRtree(strips)))
        strips, tree = self._strips[0]
        near = tree.query(tile)
        edge = self.strip_edge[near]
        travelled = usable[edge] & ~closed[edge] if closed.size else usable[edge]
        return _without_scraps(shapely.difference(tile, shapely.union_all(strips[near[travelled]])))


_PARTS: Final = ("points", "rings", "polygons", "shapes")
_NAMES: Final = (
    *("water-tiles", "water-strip_edge"),
    *(f"water-{kind}_{part}" for kind in ("tile", "strip") for part in _PARTS),
)


def water_arrays(shapes: Shapes, lines: Shapes, crosses: Usable) -> dict[str, NDArray[Any]]:
    """Return the arrays, by file name, that ``Water.open`` maps; none when no water is wide enough to count.

    ``shapes`` are polygons of water and ``lines`` the roads in the order of the graph's edges, both in plane metres;
    ``crosses`` flags the roads on which one is above or below the water, not on it: all but ferries.
    """
    whole = shapely.union_all(shapes)
    keys: list[tuple[int, int, int]] = []
    tiles: list[Shape] = []
    for number, scale in enumerate(SCALES):
        for column, row, tile in _cut_up(_at_scale(whole, scale), scale.step_m):
            keys.append((number, column, row))
            tiles.append(tile)
    if not tiles:
        return {}
    edges, strips = _strips(whole, lines, crosses)
    return {
        "water-tiles": np.array(keys, dtype=np.int32),
        "water-strip_edge": edges,
        **_ragged("water-tile", tiles),
        **_ragged("water-strip", strips),
    }


def _at_scale(whole: Shape, scale: Scale) -> Shape:
    """Return the water that is wide enough, each shore moved into the water as far as simplifying may move it back."""
    half = scale.width_m / 2
    wide = shapely.buffer(shapely.buffer(whole, -half), half - scale.tolerance_m)
    return _without_scraps(shapely.simplify(wide, scale.tolerance_m))


def _without_scraps(shape: Shape) -> Shape:
    parts = shapely.get_parts(shape)
    return shapely.multipolygons(parts[shapely.area(parts) >= MIN_AREA_M2])


def _cut_up(shape: Shape, step: float) -> list[tuple[int, int, Shape]]:
    """Return (column, row, multipolygon) of each tile that holds some of a shape."""
    if shape.is_empty:
        return []
    parts = shapely.get_parts(shape)
    tree = shapely.STRtree(parts)
    first, last = np.floor(np.array(shape.bounds).reshape(2, 2) / step).astype(int)
    found: list[tuple[int, int, Shape]] = []
    for column in range(first[0] - 1, last[0] + 1):
        for row in range(first[1] - 1, last[1] + 1):
            west, south = column * step - MARGIN_M, row * step - MARGIN_M
            box = shapely.box(west, south, west + 2 * (step + MARGIN_M), south + 2 * (step + MARGIN_M))
            near = shapely.clip_by_rect(parts[tree.query(box)], *box.bounds)
            pieces = shapely.get_parts(shapely.make_valid(near))
            pieces = shapely.get_parts(pieces[shapely.area(pieces) > 0])
            if len(pieces):
                found.append((column, row, shapely.multipolygons(pieces[shapely.area(pieces) > 0])))
    return found


def _strips(whole: Shape, lines: Shapes, crosses: Usable) -> tuple[NDArray[np.int32], Shapes]:
    """Return the roads that lie in water in part, and the strips they take."""
    parts = shapely.get_parts(whole)
    road, part = shapely.STRtree(parts).query(lines, predicate="intersects")
    road, part = road[crosses[road]], part[crosses[road]]
    wet = shapely.intersection(lines[road], parts[part])
    some = shapely.length(wet) > 0
    return road[some].astype(np.int32), shapely.buffer(wet[some], STRIP_HALF_WIDTH_M, quad_segs=2)


def _ragged(name: str, shapes: Any) -> dict[str, NDArray[Any]]:
    if not len(shapes):
        arrays: list[NDArray[Any]] = [np.empty((0, 2)), *(np.zeros(1, dtype=np.int64) for _ in range(3))]
    else:
        # Of polygons and multipolygons mixed, all become multipolygons.
        _, points, offsets = shapely.to_ragged_array([_multi(shape) for shape in shapes])
        arrays = [points, *offsets]
    return {f"{name}_{part}": array for part, array in zip(_PARTS, arrays, strict=True)}


def _multi(shape: Shape) -> Shape:
    return shapely.multipolygons(shapely.get_parts(shape))


def _taken(held: Mapping[str, NDArray[Any]], first: int, last: int) -> Shapes:
    """Return multipolygons ``first`` to ``last`` of a ragged table."""
    shapes = np.asarray(held["shapes"][first : last + 1])
    polygons = np.asarray(held["polygons"][shapes[0] : shapes[-1] + 1])
    rings = np.asarray(held["rings"][polygons[0] : polygons[-1] + 1])
    points = np.asarray(held["points"][rings[0] : rings[-1]])
    offsets = (rings - rings[0], polygons - polygons[0], shapes - shapes[0])
    made: Shapes = shapely.from_ragged_array(shapely.GeometryType.MULTIPOLYGON, points, offsets)
    return made
