"""Open water as the road graph keeps it: tiles to cut a drawn circle with, and the strips that roads cross the water on.

Coordinates in this module are metres in the city's plane. Water is kept at several scales, because a circle of many kilometres
is drawn more coarsely; the water of a scale never covers land, and only lacks as much at its shore as that scale tolerates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

MIN_AREA_M2: Final = 5000.0
"""Smaller ponds, and smaller stretches of water between two bridges, are left to the ground around them."""
STRIP_HALF_WIDTH_M: Final = 15.0
"""What counts as the bridge, tunnel or causeway on either side of the line of a road."""
SEAM_M: Final = 0.1
MARGIN_M: Final = 300.0
"""How far a tile reaches beyond its box, so that what it cuts into a scrap lies outside."""
KEEP_TILES: Final = 2048
KEEP_CLOSURES: Final = 8

Shape = Any
"""A shapely geometry: the library has no types of its own."""
Shapes = NDArray[np.object_]
Usable = NDArray[np.bool_]
Tile = tuple[int, int, int]
"""Scale, column and row."""


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
class Ragged:
    """Multipolygons in columns: points, and where among them rings, polygons and the shapes themselves begin."""

    points: NDArray[np.float64]
    rings: NDArray[np.int64]
    polygons: NDArray[np.int64]
    shapes: NDArray[np.int64]

    @classmethod
    def of(cls, shapes: list[Shape]) -> Ragged:
        """Lay out multipolygons."""
        if not shapes:
            return cls(np.empty((0, 2)), *(np.zeros(1, dtype=np.int64) for _ in range(3)))
        _, points, offsets = shapely.to_ragged_array(shapes)
        return cls(points, *offsets)

    def take(self, first: int, last: int) -> Shapes:
        """Return the multipolygons from ``first`` to before ``last``."""
        shapes = self.shapes[first : last + 1]
        polygons = self.polygons[shapes[0] : shapes[-1] + 1]
        rings = self.rings[polygons[0] : polygons[-1] + 1]
        offsets = (rings - rings[0], polygons - polygons[0], shapes - shapes[0])
        points = self.points[rings[0] : rings[-1]]
        made: Shapes = shapely.from_ragged_array(shapely.GeometryType.MULTIPOLYGON, points, offsets)
        return made


@dataclass(frozen=True, slots=True, eq=False)
class Water:
    """The water of one graph, mapped from its folder.

    For each network there are tiles of the water less the strips of its roads, by scale, column and row. Strip ``i`` is what
    road ``strip_edge[i]`` takes of the water, ``STRIP_HALF_WIDTH_M`` on either side.
    """

    places: Mapping[str, Mapping[Tile, int]]
    tiles: Mapping[str, Ragged]
    strip_edge: NDArray[np.int32]
    strips: Ragged
    _taken: dict[tuple[str, int], Shape] = field(default_factory=dict)
    _shut: dict[tuple[str, int], tuple[Usable, Shapes]] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: Path) -> Water | None:
        """Map the water kept in a graph's folder; None when it has none, as graphs built without water."""
        if not (folder / "water-strip_edge.npy").exists():
            return None

        def load(name: str) -> NDArray[Any]:
            return np.asarray(np.load(folder / f"water-{name}.npy", mmap_mode="r"))

        def ragged(name: str) -> Ragged:
            return Ragged(*(load(f"{name}_{part.name}") for part in fields(Ragged)))

        networks = [file.stem.removeprefix("water-").removesuffix("-keys") for file in folder.glob("water-*-keys.npy")]
        keys = {network: load(f"{network}-keys").tolist() for network in networks}
        return cls(
            {network: {(s, c, r): i for i, (s, c, r) in enumerate(found)} for network, found in keys.items()},
            {network: ragged(f"{network}-tile") for network in networks},
            load("strip_edge"),
            ragged("strip"),
        )

    def within(
        self, box: tuple[float, float, float, float], network: str, usable: Callable[[], Usable], closed: Usable
    ) -> Shape | None:
        """Return the open water in a box (west, south, east, north), less the strips of roads that may be travelled.

        ``usable`` returns which edges belong to ``network``, ``closed`` flags those now closed, if any. None: no water.
        """
        west, south, east, north = box
        side = max(east - west, north - south)
        scale = next((i for i, each in enumerate(SCALES) if side <= each.step_m), len(SCALES) - 1)
        step = SCALES[scale].step_m
        at = self.places[network].get((scale, int(west // step), int(south // step)))
        water = None
        if at is not None:
            # Overlaying takes its time from the size of both: most of the tile is elsewhere.
            water = shapely.clip_by_rect(self._tile(network, at), *box)
        if closed.size:
            shut = self._strips_shut(network, usable, closed)
            near = shut[shapely.intersects(shut, shapely.box(*box))]
            if len(near):
                water = shapely.union_all([*near, *([] if water is None else [water])])
        return None if water is None or water.is_empty else water

    def _tile(self, network: str, at: int) -> Shape:
        key = (network, at)
        held = self._taken.get(key)
        if held is None:
            while len(self._taken) >= KEEP_TILES:
                self._taken.pop(next(iter(self._taken)), None)
            held = self._taken[key] = self.tiles[network].take(at, at + 1)[0]
        return held

    def _strips_shut(self, network: str, usable: Callable[[], Usable], closed: Usable) -> Shapes:
        """Return the strips of the closed roads of a network that no open road beside them needs."""
        key = (network, id(closed))
        held = self._shut.get(key)
        # The key names an array by its address: only one that is held here is sure to be the same.
        if held is None or held[0] is not closed:
            while len(self._shut) >= KEEP_CLOSURES:
                self._shut.pop(next(iter(self._shut)), None)
            travelled = usable()[self.strip_edge]
            now = closed[self.strip_edge]
            held = self._shut[key] = (closed, self._without_open(travelled & now, travelled & ~now))
        return held[1]

    def _without_open(self, shut: Usable, open_: Usable) -> Shapes:
        if not shut.any():
            return np.empty(0, dtype=object)
        strips = self.strips.take(0, len(self.strip_edge))
        beside = strips[open_]
        tree = shapely.STRtree(beside)
        # Where a strip and the water beside it only touch, rounding would leave a slit.
        wider = shapely.buffer(strips[shut], SEAM_M, join_style="mitre")
        left = [shapely.difference(strip, shapely.union_all(beside[tree.query(strip)])) for strip in wider]
        return np.array(left, dtype=object)


def water_arrays(
    shapes: Shapes, lines: Shapes, crosses: Usable, usable: Mapping[str, Usable]
) -> dict[str, NDArray[Any]]:
    """Return the arrays, by file name, that ``Water.open`` maps; none when no water is wide enough to count.

    ``shapes`` are polygons of water and ``lines`` the roads in the order of the graph's edges, both in plane metres;
    ``crosses`` flags the roads on which one is above or below the water, not on it: all but ferries. ``usable`` flags the
    roads of each network.
    """
    whole = shapely.union_all(shapes)
    levels = [_at_scale(whole, scale) for scale in SCALES]
    if levels[0].is_empty:
        return {}
    edges, strips = _strips(whole, lines, crosses)
    arrays: dict[str, NDArray[Any]] = {"water-strip_edge": edges}
    arrays |= _named("water-strip", Ragged.of(list(strips)))
    for network, flags in usable.items():
        travelled = shapely.union_all(strips[flags[edges]])
        cut = [_without_scraps(shapely.difference(level, travelled)) for level in levels]
        found = [
            ((number, column, row), tile)
            for number, (level, scale) in enumerate(zip(cut, SCALES, strict=True))
            for column, row, tile in _cut_up(level, scale.step_m)
        ]
        arrays[f"water-{network}-keys"] = np.array([key for key, _ in found], dtype=np.int32).reshape(-1, 3)
        arrays |= _named(f"water-{network}-tile", Ragged.of([tile for _, tile in found]))
    return arrays


def _named(name: str, ragged: Ragged) -> dict[str, NDArray[Any]]:
    return {f"{name}_{part.name}": getattr(ragged, part.name) for part in fields(ragged)}


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
    """Return the roads that lie in water in part, and the water they take."""
    parts = shapely.get_parts(whole)
    road, part = shapely.STRtree(parts).query(lines, predicate="intersects")
    road, part = road[crosses[road]], part[crosses[road]]
    wet = shapely.intersection(lines[road], parts[part])
    some = shapely.length(wet) > 0
    strips = shapely.intersection(shapely.buffer(wet[some], STRIP_HALF_WIDTH_M, quad_segs=2), parts[part[some]])
    return road[some].astype(np.int32), np.array([_multi(strip) for strip in strips], dtype=object)


def _multi(shape: Shape) -> Shape:
    return shapely.multipolygons(shapely.get_parts(shape))
