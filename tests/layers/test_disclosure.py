"""Counts of persons held against somebody who knows all totals, has every answer, and takes one from the other."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from layers.disclosure import K, tellable, tellable_below

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


TREES = st.lists(
    st.lists(st.lists(st.sampled_from([1, 2, 5, 9, 10, 11, 14, 40]), min_size=1, max_size=3), min_size=1, max_size=3),
    min_size=1, max_size=3,
)  # fmt: skip


def told_of(tree: list[list[list[int]]]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return of every level from the top which units are told, and the sets of leaves that its units are."""
    leaves = [(at, among, head) for at, part in enumerate(tree) for among, small in enumerate(part) for head in small]
    heads = np.array([head for *_, head in leaves])
    middle = sorted({(at, among) for at, among, _ in leaves})
    of_middle = np.array([middle.index((at, among)) for at, among, _ in leaves])
    of_top = np.array([at for at, _ in middle])
    units = [
        np.eye(len(tree), dtype=bool)[:, of_top[of_middle]],
        np.eye(len(middle), dtype=bool)[:, of_middle],
        np.eye(len(heads), dtype=bool),
    ]
    parents = [np.zeros(len(tree), dtype=np.int64), of_top, of_middle]
    told, found = np.ones(1, dtype=bool), []
    for level, above in zip(units, parents, strict=True):
        told = tellable_below(level @ heads, above, told)
        found.append(told)
    return found, units


@given(TREES)
def test_no_sum_or_difference_of_figures_at_all_zooms_is_one_of_fewer_than_k(tree: list[list[list[int]]]) -> None:
    heads = np.array([head for part in tree for small in part for head in small])
    told, units = told_of(tree)
    # The attacker has all told figures of all levels and the total of all, and tries every set of leaves there is.
    known_rows = np.vstack([np.ones((1, len(heads))), *(level[may] for level, may in zip(units, told, strict=True))])
    basis = np.linalg.svd(known_rows.astype(float))
    space = basis.Vh[: np.linalg.matrix_rank(known_rows)]
    sets = ((np.arange(1, min(2 ** len(heads), 2**15))[:, None] >> np.arange(len(heads))) & 1).astype(float)
    follows = np.abs(sets - sets @ space.T @ space).max(axis=1) < 1e-9
    worst = (sets @ heads)[follows]
    assert heads.sum() < K or worst.min() >= K


def test_a_level_hides_the_smallest_of_the_large_with_the_small_and_all_below_what_is_hidden() -> None:
    heads = np.array([30, 3, 12, 50, 20, 60, 70])
    parents = np.array([0, 0, 0, 0, 1, 2, 2])
    told = tellable_below(heads, parents, np.array([True, False, True]))
    assert told.tolist() == [True, False, False, True, False, True, True]
    assert not tellable_below(heads, parents, np.ones(3, dtype=bool), least=1000).any()
    assert tellable_below(heads[:0], parents[:0], np.ones(3, dtype=bool)).tolist() == []
