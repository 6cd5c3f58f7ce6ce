"""The weighing of a list: better is never worse, no weight is no influence, and equals stay equal."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.facilities.browsing.ranking import DIMENSIONS, Figures, ages_left, reasons, scores

MOST = {"distance": 50_000, "vacancy": 60, "fee": 30_000, "age": 60, "hours": 168, "grade": 1, "fresh": 2000}
SMALLER_IS_BETTER = {"distance", "fee", "fresh"}
FIGURE = st.floats(0, 1) | st.none()


@st.composite
def two_rows(draw: st.DrawFn) -> Figures:
    columns = {}
    for key, most in MOST.items():
        values = [draw(FIGURE), draw(FIGURE)]
        columns[key] = np.array([np.nan if value is None else value * most for value in values])
    return Figures(**columns)


WEIGHTS = st.dictionaries(st.sampled_from(list(DIMENSIONS)), st.integers(0, 5))


@given(figures=two_rows(), weights=WEIGHTS, key=st.sampled_from(list(DIMENSIONS)), better=st.floats(0, 1))
def test_a_better_figure_never_scores_less(figures: Figures, weights: dict[str, int], key: str, better: float) -> None:
    before = scores(figures, weights)[0]
    column = getattr(figures, key)
    if np.isnan(column[0]):
        column[0] = better * MOST[key]  # known at last
    elif key in SMALLER_IS_BETTER:
        column[0] *= better
    else:
        column[0] += better * (MOST[key] - column[0])
    after = scores(figures, weights)[0]
    assert after >= before - 1e-9
    assert 0 <= after <= 1


@given(figures=two_rows(), weights=WEIGHTS, key=st.sampled_from(list(DIMENSIONS)))
def test_what_weighs_nothing_changes_nothing(figures: Figures, weights: dict[str, int], key: str) -> None:
    weights[key] = 0
    before = scores(figures, weights).tolist()
    getattr(figures, key)[:] = [0.0, np.nan]
    assert scores(figures, weights).tolist() == before


@given(figures=two_rows(), weights=WEIGHTS)
def test_equal_institutions_score_equal_whatever_their_place(figures: Figures, weights: dict[str, int]) -> None:
    turned = Figures(**{key: getattr(figures, key)[::-1] for key in MOST})
    assert scores(turned, weights).tolist() == scores(figures, weights)[::-1].tolist()


def test_a_strictly_better_figure_with_weight_scores_more() -> None:
    for key, most in MOST.items():
        columns = {name: np.array([np.nan, np.nan]) for name in MOST}
        low, high = 0.1 * most, 0.5 * most
        columns[key] = np.array([low, high] if key in SMALLER_IS_BETTER else [high, low])
        first, second = scores(Figures(**columns), {key: 1})
        if key == "fresh":
            assert first >= second
        else:
            assert first > second, key


def test_reasons_are_said_in_the_order_of_what_matters() -> None:
    figures = Figures(
        distance=np.array([400.0]),
        vacancy=np.array([3.0]),
        fee=np.array([1200.0]),
        age=np.array([18.0]),
        hours=np.array([np.nan]),
        grade=np.array([1.0]),
        fresh=np.array([3.0]),
    )
    assert reasons(figures, 0, {"distance": 5, "fee": 2, "vacancy": 4}) == "近 · 有余位 · 收费低"
    assert reasons(figures, 0, {"hours": 1}) == "时间没登记"
    assert reasons(figures, 0, {}) == ""


@pytest.mark.parametrize(("ages", "left"), [(None, 24.0), ((18, 18), 18.0), ((18, 30), 18.0), ((40, 40), None)])
def test_how_long_a_child_may_stay(ages: tuple[int, int] | None, left: float | None) -> None:
    (got,) = ages_left(np.array([12.0]), np.array([36.0]), ages)
    assert np.isnan(got) if left is None else got == left
