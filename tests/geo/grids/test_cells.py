"""Cells and their parents, against the h3 library."""

import h3
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from geo.grids import cell_at, cells_at, parent

lons = st.floats(120.8, 122.2)
lats = st.floats(30.6, 31.9)


@given(lons, lats, st.integers(0, 10))
def test_the_masks_give_the_parent_that_h3_gives(lon: float, lat: float, resolution: int) -> None:
    cell = cell_at(lon, lat)
    assert parent(cell, resolution) == h3.str_to_int(h3.cell_to_parent(h3.int_to_str(cell), resolution))


def test_many_points_at_once_are_the_same_as_one_by_one() -> None:
    cells = cells_at([121.47, 121.5], [31.23, 31.3])
    assert cells.dtype == np.int64
    assert list(cells) == [cell_at(121.47, 31.23), cell_at(121.5, 31.3)]
