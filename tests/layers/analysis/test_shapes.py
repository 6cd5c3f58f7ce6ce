"""The geometry of analysis against plain shapely, over random and degenerate shapes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from geo.errors import TooLarge
from layers.analysis.shapes import (
    MOST_CORNERS,
    blocks,
    common,
    grown,
    nearest,
    pairs,
    prepared,
    ranks,
    remaining,
    united,
    worth,
)

WHOLE = st.integers(0, 12)
"""Corners on a coarse grid: shapes touch, share edges, are identical and empty into each other often."""


@st.composite
def areas(draw: Any) -> BaseGeometry:
    """Draw a box, a box with a hole that may touch its edge, a disc of many corners, or two boxes."""
    west, south = draw(WHOLE), draw(WHOLE)
    wide, tall = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    shape = shapely.box(west, south, west + wide, south + tall)
    kind = draw(st.sampled_from(["box", "hole", "disc", "two"]))
    if kind == "hole":
        return shapely.difference(shape, shapely.box(west + wide / 4, south + tall / 4, west + wide / 2, south + tall))
    if kind == "disc":
        return shapely.buffer(shapely.Point(west, south), wide, quad_segs=60)
    if kind == "two":
        return shapely.union(shape, shapely.box(west + 8, south, west + 9, south + 1))
    return shape


MANY = st.lists(areas(), min_size=1, max_size=12).map(lambda found: np.array(found, dtype=object))


def is_same(one: BaseGeometry, other: BaseGeometry) -> bool:
    return bool(shapely.area(shapely.symmetric_difference(one, other)) < 1e-9)


@settings(deadline=None, max_examples=80)
@given(MANY, MANY)
def test_what_is_common_and_what_remains_make_the_whole(ours: Any, theirs: Any) -> None:
    left, right = pairs(prepared(theirs), ours, "intersects")
    assert list(zip(left, right, strict=True)) == [
        (at, to) for at in range(len(ours)) for to in range(len(theirs)) if ours[at].intersects(theirs[to])
    ]
    both = worth(common(ours[left], theirs[right]), 2, 0.0)[0]
    for at, to, shape in zip(left, right, both, strict=True):
        assert is_same(shape, ours[at].intersection(theirs[to]))
        assert shape.is_empty or shape.geom_type == "MultiPolygon"
    whole = shapely.union_all(theirs)
    rest = worth(remaining(ours, theirs, left, right), 2, 0.0)[0]
    for at, shape in enumerate(rest):
        assert is_same(shape, ours[at].difference(whole))
        assert shape.area + ours[at].intersection(whole).area == pytest.approx(ours[at].area, abs=1e-9)


@settings(deadline=None, max_examples=80)
@given(MANY, MANY, st.integers(1, 4), st.sampled_from([0.5, 3.0, 100.0]))
def test_the_nearest_are_those_that_measuring_all_finds(ours: Any, theirs: Any, count: int, farthest: float) -> None:
    left, right, metres = nearest(prepared(theirs), ours, count=count, farthest=farthest, first=0.1)
    for at in range(len(ours)):
        measured = sorted((ours[at].distance(each), to) for to, each in enumerate(theirs))
        wanted = [one for one in measured if one[0] <= farthest][:count]
        assert list(zip(metres[left == at], right[left == at], strict=True)) == wanted


def test_the_nearest_leaves_out_what_does_not_count() -> None:
    points = np.array([shapely.Point(at, 0) for at in (0, 1, 5)], dtype=object)
    left, right, metres = nearest(
        prepared(points), points, count=1, farthest=10, first=1, apart=lambda one, other: one != other
    )
    assert (list(left), list(right), list(metres)) == ([0, 1, 2], [1, 0, 1], [1, 1, 4])


@settings(deadline=None, max_examples=80)
@given(MANY)
def test_a_union_is_one_however_the_shapes_are_ordered(shapes: Any) -> None:
    told: list[float] = []
    found = united(shapes, told.append)
    assert is_same(found, shapely.union_all(shapes))
    assert shapely.equals_exact(found, united(shapes[::-1], lambda share: None), 1e-9)
    assert all(0 <= share <= 1 for share in told)


def test_a_union_of_many_tells_its_progress_and_stops_when_told() -> None:
    shapes = shapely.box(
        *np.indices((100, 100)).reshape(2, -1) * 2.0, *(np.indices((100, 100)).reshape(2, -1) * 2.0 + 1)
    )
    told: list[float] = []
    assert united(shapes, told.append).area == pytest.approx(10_000)
    assert len(told) > 4
    assert told == sorted(told)

    def stop(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        united(shapes, stop)


@pytest.mark.parametrize("dimension", [0, 1, 2])
def test_only_parts_of_the_dimension_and_size_are_worth_keeping(dimension: int) -> None:
    mixed = shapely.GeometryCollection(
        [
            shapely.Point(0, 0), shapely.LineString([(0, 0), (5, 0)]), shapely.LineString([(0, 0), (0.001, 0)]),
            shapely.box(0, 0, 2, 2), shapely.MultiPolygon([shapely.box(9, 9, 9.1, 9.1), shapely.box(20, 20, 24, 21)]),
        ]
    )  # fmt: skip
    (found, empty), lost = worth(np.array([mixed, shapely.LineString()], dtype=object), dimension, 0.1)
    assert empty.is_empty
    assert (found.geom_type, len(found.geoms), lost) == (
        [("MultiPoint", 1, 0), ("MultiLineString", 1, 1), ("MultiPolygon", 2, 1)][dimension]
    )


def test_areas_that_only_touch_have_nothing_in_common() -> None:
    one, other = np.array([shapely.box(0, 0, 1, 1)], dtype=object), np.array([shapely.box(1, 0, 2, 1)], dtype=object)
    kept, slivers = worth(common(one, other), 2, 0.1)
    assert kept[0].is_empty
    assert slivers == 0


@pytest.mark.parametrize("swap", [False, True], ids=["inside", "around"])
def test_a_shape_that_lies_in_a_detailed_one_comes_out_as_it_is(swap: bool) -> None:
    small, disc = shapely.box(-1, -1, 1, 1), shapely.buffer(shapely.Point(0, 0), 5, quad_segs=100)
    sides: list[Callable[[], Any]] = [lambda: np.array([small], dtype=object), lambda: np.array([disc], dtype=object)]
    one, other = sides[::-1] if swap else sides
    assert common(one(), other())[0] is small or shapely.equals_identical(common(one(), other())[0], small)


def test_blocks_and_ranks() -> None:
    assert [(each.start, each.stop) for each in blocks(130)] == [(0, 64), (64, 128), (128, 130)]
    assert list(blocks(0)) == []
    assert list(ranks(np.array([3, 3, 3, 5, 9, 9]))) == [1, 2, 3, 1, 1, 2]
    assert list(ranks(np.array([], dtype=np.intp))) == []


@pytest.mark.timeout(60, func_only=True)
@pytest.mark.parametrize("ends", ["round", "flat"])
def test_many_points_within_one_distance_grow_in_seconds(ends: str) -> None:
    crowd = shapely.MultiPoint([(at * 0.1, 0.0) for at in range(3_000)])
    apart = shapely.MultiPoint([(0, 0), (5_000, 0)])
    many, two, none = grown(np.array([crowd, apart, shapely.Point()], dtype=object), 500, segments=16, ends=ends)
    if ends == "round":
        whole = shapely.LineString([(0, 0), (299.9, 0)]).buffer(500, quad_segs=16)
        assert many.symmetric_difference(whole).area < 0.001 * whole.area
        assert len(shapely.get_parts(two)) == 2
    assert none.is_empty


@pytest.mark.timeout(60, func_only=True)
def test_a_line_that_crosses_itself_a_thousand_times_grows_in_seconds() -> None:
    corners = np.random.default_rng(1).uniform(0, 3_000, (1_000, 2))
    short = shapely.LineString(corners[:150])
    (many, few) = grown(np.array([shapely.LineString(corners), short], dtype=object), 500, segments=16, ends="round")
    assert few.equals(short.buffer(500, quad_segs=16))
    assert many.is_valid
    assert shapely.covers(many, shapely.points(corners)).all()
    assert (
        1
        - many.area / shapely.LineString(corners[:300]).union(shapely.MultiPoint(corners)).convex_hull.buffer(500).area
        < 0.02
    )


def comb(teeth: int) -> shapely.Polygon:
    """Return an area with so many teeth of a kilometre, two metres apart."""
    across = np.repeat(np.arange(2 * teeth), 2)
    up = np.tile([0, 1_000, 1_000, 0], teeth)
    return shapely.Polygon([*zip(across, up, strict=True), (2 * teeth - 1, -10), (0, -10)])


def blob(corners: int) -> shapely.Polygon:
    angles = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    far = 10_000 * (1 + 0.2 * np.sin(5 * angles)) + np.random.default_rng(1).normal(0, 2, corners)
    return shapely.Polygon(np.stack([far * np.cos(angles), far * np.sin(angles)], axis=1))


@pytest.mark.timeout(120, func_only=True)
@pytest.mark.parametrize("ends", ["round", "flat"])
def test_an_area_of_ten_thousand_corners_grows_in_seconds_and_can_be_stopped(ends: str) -> None:
    rakes = comb(2_500)
    assert shapely.get_num_coordinates(rakes) > 10_000
    stops: list[float] = []
    (wide,) = grown(
        np.array([rakes], dtype=object), 100, segments=16, ends=ends, step=lambda: stops.append(time.monotonic())
    )
    whole = shapely.box(0, -10, 4_999, 1_000).buffer(100, quad_segs=16)
    assert wide.symmetric_difference(whole).area < 0.001 * whole.area
    assert max(np.diff(stops)) < 10

    def stop() -> None:
        raise TooLarge("run_too_long", "超时")

    with pytest.raises(TooLarge):
        grown(np.array([rakes], dtype=object), 100, segments=16, ends=ends, step=stop)


@pytest.mark.parametrize("metres", [5, 100, 2_000, -100])
def test_an_area_grown_in_pieces_is_the_one_grown_whole(metres: float) -> None:
    hole = shapely.Point(0, 0).buffer(3_000, quad_segs=100)
    area = shapely.difference(blob(1_000), hole)
    (wide,) = grown(np.array([area], dtype=object), metres, segments=16, ends="round")
    whole = area.buffer(metres, quad_segs=16)
    assert wide.is_valid
    assert wide.symmetric_difference(whole).area < 0.005 * abs(whole.area - area.area)


def test_a_line_of_very_many_corners_has_round_ends_or_none() -> None:
    line = shapely.LineString(np.random.default_rng(1).uniform(0, 3_000, (MOST_CORNERS + 1, 2)))
    with pytest.raises(TooLarge, match="圆头"):
        grown(np.array([line], dtype=object), 10, segments=16, ends="flat")
    assert grown(np.array([line], dtype=object), -10, segments=16, ends="round")[0].is_empty
