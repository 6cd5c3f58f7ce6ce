"""Lines are cut where they share points, and only there: against brute force, and drawn by hand."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.roads.noding import node_lines, node_numbers

ORIGIN = np.array([121.4, 31.2])


def lines(*paths: list[tuple[int, int]]) -> np.ndarray:
    """Return lines on a grid of 0.001°."""
    return np.array([shapely.LineString(ORIGIN + np.array(path) * 0.001) for path in paths], dtype=object)


def test_a_crossroads_with_a_shared_point_becomes_four_segments_and_one_node() -> None:
    noded = node_lines(lines([(0, 1), (1, 1), (2, 1)], [(1, 0), (1, 1), (1, 2)]))
    assert noded.line.tolist() == [0, 0, 1, 1]
    assert noded.piece.tolist() == [0, 1, 0, 1]
    assert len(set(noded.from_node.tolist()) & set(noded.to_node.tolist())) == 1
    assert noded.crossings == 0


def test_a_crossing_without_a_shared_point_is_a_bridge_and_counted() -> None:
    noded = node_lines(lines([(0, 1), (2, 1)], [(1, 0), (1, 2)]))
    assert len(noded.line) == 2
    assert noded.crossings == 1


def test_an_end_in_the_middle_of_another_line_cuts_it_only_at_a_shared_point() -> None:
    assert len(node_lines(lines([(0, 0), (1, 0), (2, 0)], [(1, 0), (1, 1)])).line) == 3
    assert len(node_lines(lines([(0, 0), (2, 0)], [(1, 0), (1, 1)])).line) == 2


def test_a_line_that_passes_a_point_twice_is_cut_there() -> None:
    noded = node_lines(lines([(0, 0), (1, 0), (1, 1), (0, 1), (0, 0), (-1, 0)]))
    assert noded.piece.tolist() == [0, 1]
    assert noded.to_node[0] == noded.from_node[0]


def test_repeated_points_do_not_make_segments_without_length() -> None:
    noded = node_lines(lines([(0, 0), (0, 0), (1, 0), (1, 0)]))
    assert len(noded.line) == 1
    assert (shapely.length(noded.shapes) > 0).all()


def test_nothing_gives_nothing() -> None:
    noded = node_lines(np.empty(0, dtype=object))
    assert len(noded.line) == 0


def test_equal_positions_have_equal_numbers_and_others_do_not() -> None:
    same = node_numbers([121.47370001, 121.47370004], [31.23, 31.23])
    assert same[0] == same[1]
    assert len(set(node_numbers([121.4737, 121.4737001, 121.4737], [31.23, 31.23, 31.2300001]).tolist())) == 3
    assert node_numbers([180.0, -180.0], [90.0, -90.0]).min() >= 0


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=6).filter(
            lambda path: any(one != other for one, other in zip(path, path[1:], strict=False))
        ),
        min_size=1,
        max_size=6,
    )
)
def test_segments_share_points_only_at_their_ends_and_keep_every_metre(paths: list[list[tuple[int, int]]]) -> None:
    drawn = lines(*paths)
    noded = node_lines(drawn)
    inner: dict[int, int] = {}
    for shape, first, last in zip(noded.shapes, noded.from_node, noded.to_node, strict=True):
        points = shapely.get_coordinates(shape)
        numbers = node_numbers(points[:, 0], points[:, 1])
        assert (numbers[0], numbers[-1]) == (first, last)
        for number in numbers[1:-1].tolist():
            inner[number] = inner.get(number, 0) + 1
    ends = {*noded.from_node.tolist(), *noded.to_node.tolist()}
    assert all(times == 1 for times in inner.values())
    assert not ends & set(inner)
    for at, line in enumerate(drawn):
        kept = shapely.length(noded.shapes[noded.line == at]).sum()
        assert np.isclose(kept, line.length, rtol=1e-9)
