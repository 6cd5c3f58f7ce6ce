from __future__ import annotations

import json
import math
import subprocess
import sys

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.errors import BadInput
from geo.fences.evaluate.index import FenceIndex
from tests.geo.fences.evaluate.drawing import named, pairs_of, star, stars


def pairs_by_shapely(shapes, x, y) -> set[tuple[int, int]]:
    """Return (point, fence) wherever shapely says that they have a point in common, asked one fence at a time."""
    points = shapely.points(x, y)
    return {(int(p), f) for f, shape in enumerate(shapes) for p in np.flatnonzero(shapely.intersects(shape, points))}


def assert_equal_to_shapely(shapes, x, y) -> FenceIndex:
    index = FenceIndex.build(shapes, named(len(shapes)))
    assert pairs_of(index.at(x, y)) == pairs_by_shapely(shapes, x, y)
    return index


def treacherous_points(shapes, rng) -> tuple[np.ndarray, np.ndarray]:
    """Return vertices, points on edges, points a hair off both, at the heights of vertices, and anywhere."""
    corners = shapely.get_coordinates(shapes)
    following = np.roll(corners, -1, axis=0)
    share = rng.uniform(0, 1, (len(corners), 1))
    on_edges = corners + share * (following - corners)
    hair = rng.choice([-1e-9, 1e-9, 0.0], (len(corners), 2))
    level = np.stack((rng.permutation(corners[:, 0]), corners[:, 1]), axis=1)
    box = shapely.total_bounds(shapes)
    anywhere = rng.uniform(box[:2] - 10, box[2:] + 10, (300, 2))
    middles = (corners + following) / 2
    points = np.concatenate((corners, on_edges, corners + hair, on_edges + hair, level, middles, anywhere))
    return points[:, 0].copy(), points[:, 1].copy()


@st.composite
def drawn_shapes(draw):
    """Any few areas: jagged, with holes, of several parts, slivers, on whole metres (so that borders are shared) or not."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    shapes = []
    for _ in range(draw(st.integers(1, 6))):
        shape = star(rng, draw(st.integers(3, 40)), draw(st.sampled_from([3.0, 50.0, 400.0])), extent=500)
        what = draw(st.sampled_from(["plain", "holed", "parts", "sliver", "square", "whole metres"]))
        if what == "holed":
            shape = shape.difference(star(rng, 7, 30.0, centre=shape.centroid.coords[0]))
        elif what == "parts":
            shape = shapely.union_all([shape, star(rng, 9, 60.0, extent=500), star(rng, 5, 20.0, extent=500)])
        elif what == "sliver":
            shape = shapely.LineString(rng.uniform(0, 500, (3, 2))).buffer(1e-4, cap_style="flat", join_style="mitre")
        elif what == "square":
            west, south = rng.integers(0, 20, 2) * 25.0
            shape = shapely.box(west, south, west + 25 * rng.integers(1, 9), south + 25 * rng.integers(1, 9))
        elif what == "whole metres":
            shape = shapely.set_precision(shape, 1.0)
        if shape.geom_type in ("Polygon", "MultiPolygon") and shape.is_valid and not shape.is_empty:
            shapes.append(shape)
    shapes = shapes or [shapely.box(0, 0, 10, 10)]
    shift = draw(st.sampled_from([0.0, 40_000.123, -3_457_087.7]))
    return np.array([shapely.transform(shape, lambda xy: xy + shift) for shape in shapes], dtype=object), rng


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(drawn=drawn_shapes())
def test_the_answer_is_shapelys_for_every_point_also_on_borders(drawn):
    shapes, rng = drawn
    assert_equal_to_shapely(shapes, *treacherous_points(shapes, rng))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(drawn=drawn_shapes())
def test_depths_are_shapelys_distances_to_the_border(drawn):
    shapes, rng = drawn
    index = FenceIndex.build(shapes, named(len(shapes)))
    x, y = treacherous_points(shapes, rng)
    for row, shape in enumerate(shapes):
        points = shapely.points(x, y)
        expected = shapely.distance(shape.boundary, points) * np.where(shapely.intersects(shape, points), 1, -1)
        np.testing.assert_allclose(index.depths(x, y, row), expected, rtol=1e-9, atol=1e-7)


def test_fences_that_share_borders_both_hold_the_points_on_them():
    """Four squares around one corner, and a hole that another fills."""
    squares = [shapely.box(a, b, a + 10, b + 10) for a in (0, 10) for b in (0, 10)]
    ring = shapely.box(-20, -20, 40, 40).difference(shapely.box(0, 0, 20, 20))
    index = assert_equal_to_shapely(np.array([*squares, ring]), np.array([10.0, 10.0, 0.0]), np.array([10.0, 5.0, 5.0]))
    assert pairs_of(index.at([10, 10, 0], [10, 5, 5])) == {
        (0, 0),
        (0, 1),
        (0, 2),
        (0, 3),
        (1, 0),
        (1, 2),
        (2, 0),
        (2, 4),
    }


def test_a_fence_of_ten_thousand_vertices_beside_small_ones():
    rng = np.random.default_rng(7)
    coast = star(rng, 10_000, 30_000.0, centre=(0.0, 0.0))
    comb = shapely.Polygon([(k * 5.0, 900.0 * (k % 2)) for k in range(10_000)] + [(50_000.0, -10.0), (0.0, -10.0)])
    assert coast.is_valid
    assert comb.is_valid
    shapes = np.array([coast, comb, *stars(rng, 200, 12, 80.0, extent=30_000)], dtype=object)
    x, y = treacherous_points(shapes, rng)
    some = rng.choice(len(x), 20_000, replace=False)
    index = assert_equal_to_shapely(shapes, x[some], y[some])
    assert index.nbytes < 20e6


def test_fifty_thousand_fences_answer_as_a_tree_of_shapes_does():
    rng = np.random.default_rng(50_000)
    # most are small, some cover a district, two the city
    shapes = np.concatenate(
        (
            stars(rng, 49_898, 12, 150.0, extent=100_000),
            stars(rng, 100, 60, 9_000.0, extent=100_000),
            np.array([shapely.box(0, 0, 100_000, 100_000), shapely.Point(50_000, 50_000).buffer(40_000)], dtype=object),
        )
    )
    index = FenceIndex.build(shapes, named(len(shapes)))
    x, y = rng.uniform(-1000, 101_000, (2, 30_000))
    hits = index.at(x, y)
    shapely.prepare(shapes)
    points, fences = shapely.STRtree(shapes).query(shapely.points(x, y), predicate="intersects")
    order = np.lexsort((fences, points))
    assert np.array_equal(hits.points, points[order])
    assert np.array_equal(hits.fences, fences[order])
    assert index.nbytes < 200e6


def test_points_that_are_none_lie_in_nothing():
    index = FenceIndex.build([shapely.box(0, 0, 10, 10)], ["a"])
    bad = [math.nan, math.inf, -math.inf, 5.0, 1e300, -1e300]
    hits = index.at(bad, [5.0, 5.0, 5.0, math.nan, 5.0, 5.0])
    assert len(hits.fences) == 0
    assert len(hits.offsets) == 7
    assert np.isnan(index.depths([math.nan, math.inf, 5.0], [5.0, 5.0, 5.0], 0)).tolist() == [True, True, False]


def test_an_empty_index_and_no_points_answer_nothing():
    empty = FenceIndex.build([], [])
    assert len(empty.at([1.0, 2.0], [1.0, 2.0]).fences) == 0
    assert empty.at([], []).offsets.tolist() == [0]
    assert len(empty.changed([shapely.box(0, 0, 1, 1)], ["a"]).at([0.5], [0.5]).fences) == 1


def test_fences_are_added_replaced_and_removed_by_their_ids():
    index = FenceIndex.build([shapely.box(0, 0, 10, 10), shapely.box(20, 0, 30, 10)], ["a", "b"])
    later = index.changed([shapely.box(100, 0, 110, 10), shapely.box(20, 0, 25, 10)], ["c", "b"])
    assert {later.ids[row] for row in later.at([5, 105, 22, 28], [5, 5, 5, 5]).fences} == {"a", "b", "c"}
    assert len(later.at([28.0], [5.0]).fences) == 0
    assert len(index.at([28.0], [5.0]).fences) == 1, "the index before is as it was"
    assert later.without(["a", "nothing"]).ids == ("c", "b")


def without_a_number() -> shapely.Polygon:
    with np.errstate(invalid="ignore"):
        return shapely.Polygon([(0, 0), (2, 0), (math.nan, 1), (1, 1)])


@pytest.mark.parametrize(
    ("shape", "code"),
    [
        (shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)]), "fence_invalid"),
        (shapely.Polygon([(0, 0), (9, 0), (9, 9)], [[(20, 20), (21, 20), (21, 21)]]), "fence_invalid"),
        (shapely.Polygon(), "fence_no_area"),
        (shapely.LineString([(0, 0), (1, 1)]), "fence_no_area"),
        (shapely.box(13_500_000, 3_600_000, 13_500_100, 3_600_100), "fence_off_plane"),
        (shapely.Polygon([(0, 0), (math.inf, 1), (1, 1)]), "fence_off_plane"),
        (without_a_number(), "fence_invalid"),
        (None, "fence_no_area"),
    ],
)
def test_a_shape_that_is_no_fence_is_refused_by_name(shape, code):
    with pytest.raises(BadInput) as refused:
        FenceIndex.build(np.array([shapely.box(0, 0, 1, 1), shape], dtype=object), ["good", "bad"])
    assert refused.value.code == code
    assert "bad" in refused.value.message


def test_the_same_id_twice_is_refused():
    with pytest.raises(BadInput, match="重复"):
        FenceIndex.build([shapely.box(0, 0, 1, 1)] * 2, ["a", "a"])


def test_evaluation_loads_no_django():
    code = "import sys, json, geo.fences.evaluate.index; print(json.dumps([m for m in sys.modules if m == 'django']))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert json.loads(said) == []
