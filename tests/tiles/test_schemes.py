"""Tiles and the ground they name."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiles.schemes import WORLD_M, Tile, TileOutOfRange, pixel_m, tile_at

zooms = st.integers(0, 20)
lons = st.floats(-179.9, 179.9)
lats = st.floats(-85.0, 85.0)


@given(lons, lats, zooms)
def test_a_point_lies_in_the_tile_it_is_given(lon: float, lat: float, z: int) -> None:
    west, south, east, north = tile_at(lon, lat, z).bounds
    assert west - 1e-9 <= lon <= east + 1e-9
    assert south - 1e-9 <= lat <= north + 1e-9


@given(lons, lats, st.integers(1, 20))
def test_a_tile_lies_in_its_parent(lon: float, lat: float, z: int) -> None:
    child, parent = tile_at(lon, lat, z), tile_at(lon, lat, z - 1)
    assert (child.x // 2, child.y // 2) == (parent.x, parent.y)


def test_the_whole_world_is_one_tile() -> None:
    assert Tile(0, 0, 0).bounds_m == (-WORLD_M, -WORLD_M, WORLD_M, WORLD_M)
    assert math.isclose(pixel_m(0, 256), 156543.033928, rel_tol=1e-9)


@pytest.mark.parametrize(("z", "x", "y"), [(-1, 0, 0), (23, 0, 0), (1, 2, 0), (1, 0, 2), (0, -1, 0), (3, 0, 10**9)])
def test_a_tile_that_does_not_exist_is_refused(z: int, x: int, y: int) -> None:
    with pytest.raises(TileOutOfRange):
        Tile(z, x, y)
