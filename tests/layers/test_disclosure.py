"""Counts of persons held against somebody who knows all totals, has every answer, and takes one from the other."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from layers.disclosure import K, tellable

CITIES = st.lists(
    st.tuples(st.integers(0, 3), st.lists(st.sampled_from([0, 1, 4, 9, 10, 11, 60]), min_size=3, max_size=3)),
    min_size=1, max_size=14,
)  # fmt: skip


def known(rows: list[np.ndarray], wanted: np.ndarray) -> bool:
    """Say whether a sum over units follows from the sums over units that are known: it lies in the space they span."""
    if not rows:
        return False
    table = np.array(rows, dtype=float)
    return bool(np.linalg.matrix_rank(np.vstack([table, wanted])) == np.linalg.matrix_rank(table))


@given(CITIES)
def test_nothing_of_fewer_than_k_follows_from_all_answers_and_all_totals(city: list[tuple[int, list[int]]]) -> None:
    groups, counts = np.array([group for group, _ in city]), np.array([row for _, row in city])
    told = tellable(counts, groups)
    # The attacker has every told row for itself (the differences of selections), and the totals of groups with a told row.
    rows = [np.eye(len(city))[unit] for unit in np.flatnonzero(told)]
    for group in np.unique(groups[told]):
        rows.append((groups == group).astype(float))
    for band in range(3):
        for unit in range(len(city)):
            if counts[unit, band] < K:
                assert not known(rows, np.eye(len(city))[unit])
        for group in np.unique(groups[told]):
            rest = (groups == group) & ~told
            assert not rest.any() or (rest.sum() > 1 and counts[rest, band].sum() >= K)


def test_a_group_of_large_units_is_told_whole_and_one_small_unit_takes_the_next_smallest_along() -> None:
    counts, groups = np.array([[50, 60], [40, 90], [30, 12], [9, 70], [400, 500]]), np.array([1, 2, 2, 2, 2])
    assert tellable(counts, groups).tolist() == [True, True, False, False, True]
    assert tellable(counts[[0, 1, 2, 4]], groups[[0, 1, 2, 4]]).all()


def test_where_the_hidden_ones_are_still_too_few_more_go_along_until_they_are_enough() -> None:
    counts = np.array([[0, 20], [1, 20], [11, 10], [500, 500]])
    assert tellable(counts, np.zeros(4, dtype=int)).tolist() == [False, False, False, True]
    assert not tellable(np.array([[3, 3], [2, 2]]), np.array([0, 0])).any()
