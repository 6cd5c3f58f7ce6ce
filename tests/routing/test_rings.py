from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.rings import Rings, are_simple


def closed(*points: tuple[float, float]) -> Rings:
    coordinates = np.array([*points, points[0]], dtype=float)
    return Rings(coordinates, np.array([0, len(coordinates)]))


@pytest.mark.parametrize(
    ("points", "simple"),
    [
        (((0, 0), (10, 0), (10, 10), (0, 10)), True),
        (((0, 0), (10, 10), (10, 0), (0, 10)), False),  # a bow tie
        (((0, 0), (10, 0), (5, 0), (5, 5)), False),  # folded back on itself
        (((0, 0), (10, 0), (10, 10), (5, 0), (0, 10)), False),  # a corner touches a side
        (((5, 0), (10, 0), (10, 10), (0, 10), (0, 0)), True),  # straight on through the closing point
        (((5, 0), (10, 0), (10, 10), (0, 10), (12, 0)), False),  # folded at the closing point
    ],
)
def test_rings_that_meet_themselves_are_found(points, simple):
    assert are_simple(closed(*points), {}) is simple


def test_rings_that_meet_each_other_are_found():
    square = np.array([(0, 0), (10, 0), (10, 10), (0, 10), (0, 0)], dtype=float)
    for shift, simple in ((20.0, True), (5.0, False), (10.0, False), (2.0, False)):
        rings = Rings(np.concatenate((square, square + (shift, 0.5))), np.array([0, 5, 10]))
        assert are_simple(rings, {}) is simple
    within = Rings(np.concatenate((square, square * 0.5 + 2)), np.array([0, 5, 10]))
    assert are_simple(within, {})


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=3, max_size=8, unique=True))
def test_a_ring_is_simple_exactly_when_geos_says_so(points):
    assert are_simple(closed(*points), {}) == shapely.LinearRing(points).is_simple
