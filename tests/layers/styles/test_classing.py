"""Classes against their definitions: natural breaks against every partition and against jenkspy, quantiles and widths by counting."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import jenkspy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.styles.classing import Spread, breaks_of, counts_in

VALUES = st.lists(st.integers(-40, 40), min_size=1, max_size=14)
SIZES = st.integers(2, 9)


def spread(values: list[float]) -> Spread:
    held = sorted(Counter(values).items())
    return Spread(tuple(float(value) for value, _ in held), tuple(count for _, count in held))


def parted(values: list[float], breaks: tuple[float, ...]) -> list[list[float]]:
    edges = (float("-inf"), *breaks, float("inf"))
    return [[one for one in values if low <= one < high] for low, high in zip(edges, edges[1:], strict=False)]


def loss(values: list[float], breaks: tuple[float, ...]) -> float:
    return sum(sum((one - sum(part) / len(part)) ** 2 for one in part) for part in parted(values, breaks) if part)


@given(VALUES, SIZES)
def test_natural_breaks_lose_no_more_than_any_other_partition(values: list[int], classes: int) -> None:
    own = [float(one) for one in values]
    found = breaks_of(spread(own), "jenks", classes)
    distinct = sorted(set(own))
    cuts = min(classes, len(distinct)) - 1
    assert len(found) == cuts
    best = min(loss(own, chosen) for chosen in combinations(distinct[1:], cuts))
    assert loss(own, found) == pytest.approx(best, abs=1e-6)


def test_natural_breaks_are_those_of_another_program() -> None:
    values = [float((number * number * 7919) % 1009) + (500 if number % 3 else 0) for number in range(400)]
    for classes in (2, 4, 7, 9):
        theirs = jenkspy.jenks_breaks(values, n_classes=classes)
        ours = breaks_of(spread(values), "jenks", classes)
        # theirs are the last value of each class, ours the first of the next
        upper = [max(part) for part in parted(values, ours)]
        assert upper == pytest.approx(theirs[1:])


@given(st.sets(st.integers(-1000, 1000), min_size=9, max_size=60), SIZES)
def test_quantiles_of_distinct_values_differ_by_one_at_most(values: set[int], classes: int) -> None:
    own = spread([float(one) for one in values])
    sizes = counts_in(own, breaks_of(own, "quantile", classes))
    assert len(sizes) == classes
    assert max(sizes) - min(sizes) <= 1


@given(VALUES, SIZES)
def test_quantiles_never_part_equal_values_nor_leave_a_class_empty(values: list[int], classes: int) -> None:
    own = spread([float(one) for one in values])
    sizes = counts_in(own, breaks_of(own, "quantile", classes))
    assert len(sizes) <= classes
    assert min(sizes) > 0
    assert sum(sizes) == len(values)


def test_quantiles_of_skewed_values_say_fewer_classes_rather_than_empty_ones() -> None:
    skewed = spread([0.0] * 900 + [1.0, 2.0, 3.0] * 33 + [400.0])
    found = breaks_of(skewed, "quantile", 5)
    assert found == (1.0,)
    assert counts_in(skewed, found) == (900, 100)


@given(VALUES, SIZES)
def test_equal_intervals_are_equally_wide(values: list[int], classes: int) -> None:
    own = spread([float(one) for one in values])
    found = breaks_of(own, "equal", classes)
    if own.least == own.most:
        assert found == ()
        return
    edges = [own.least, *found, own.most]
    widths = [after - before for before, after in zip(edges, edges[1:], strict=False)]
    assert widths == pytest.approx([(own.most - own.least) / classes] * classes)
    assert sum(counts_in(own, found)) == len(values)


def test_a_break_belongs_to_the_class_above_it() -> None:
    assert counts_in(spread([9.0, 10.0, 19.0, 20.0, 40.0]), (10.0, 20.0)) == (1, 2, 2)


def test_what_cannot_be_classed_is_refused() -> None:
    for classes in (1, 10):
        with pytest.raises(ValueError, match="two to nine"):
            breaks_of(spread([1.0, 2.0]), "jenks", classes)
    with pytest.raises(ValueError, match="by hand"):
        breaks_of(spread([1.0, 2.0]), "manual", 3)
    assert breaks_of(spread([7.0] * 30), "jenks", 5) == ()
    assert breaks_of(Spread((), (), 12), "quantile", 5) == ()


def test_far_off_values_lose_no_digits() -> None:
    base = 4e9
    own = spread([base + one for one in (0.0, 1.0, 2.0, 50.0, 51.0, 99.0, 100.0)])
    assert breaks_of(own, "jenks", 3) == (base + 50, base + 99)
