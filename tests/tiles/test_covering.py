"""The tiles an area needs, against every tile of its box looked at one by one."""

from __future__ import annotations

import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from tiles.covering import covering
from tiles.schemes import Tile

LON = st.floats(120.8, 122.2)
LAT = st.floats(30.6, 31.9)
POINTS = st.lists(st.tuples(LON, LAT), min_size=3, max_size=8)


def by_hand(area: shapely.geometry.base.BaseGeometry, zoom: int) -> set[Tile]:
    side = 1 << zoom
    column = side * 300 // 360  # all of these areas lie east of 120°
    rows = range(side * 2 // 5, side // 2)
    every = (Tile(zoom, x, y) for x in range(column, column + side // 90 + 2) for y in rows)
    return {tile for tile in every if area.intersects(shapely.box(*tile.bounds))}


@settings(max_examples=25, deadline=None)
@given(points=POINTS)
def test_every_tile_that_touches_is_there_once_and_no_other(points: list[tuple[float, float]]) -> None:
    area = shapely.MultiPoint(points).convex_hull.buffer(0.001)
    found = list(covering(area, 7, 9))
    assert len(found) == len(set(found))
    assert [tile.z for tile in found] == sorted(tile.z for tile in found)
    for zoom in (7, 8, 9):
        assert {tile for tile in found if tile.z == zoom} == by_hand(area, zoom)


def test_a_hole_needs_no_tiles_and_nothing_needs_none() -> None:
    ring = shapely.box(121.0, 30.8, 122.0, 31.8).difference(shapely.box(121.1, 30.9, 121.9, 31.7))
    deep = [tile for tile in covering(ring, 9, 13) if tile.z == 13]
    assert deep
    assert not any(ring.disjoint(shapely.box(*tile.bounds)) for tile in deep)
    assert Tile(13, 6861, 3340) not in deep
    assert list(covering(shapely.Polygon(), 9, 10)) == []
    assert list(covering(ring, 10, 9)) == []
