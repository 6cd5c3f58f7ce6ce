"""Slots kept for places seldom shown, and places shown too often that step back: measured, seeded, never at the cost of what suits."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.modules.finder.recommending.fairness import FIRST_KEPT, KEPT_AMONG, NEAR_ENOUGH, balanced, seed_of

ALL = np.ones(40, dtype=bool)
NONE = np.zeros(40)


def test_the_third_slot_goes_to_a_place_seldom_shown_that_suits_nearly_as_well() -> None:
    total = np.linspace(90, 51, 40)
    shown = np.where(np.arange(40) < 10, 50.0, 0.0)
    order, kept = balanced(total, ALL, shown, NONE, seed=1)
    assert order[:2].tolist() == [0, 1]
    assert order[FIRST_KEPT] in kept
    assert shown[order[FIRST_KEPT]] == 0
    assert total[order[FIRST_KEPT]] >= NEAR_ENOUGH * total[2]
    assert sorted(order.tolist()) == list(range(40))
    # The same day the same order, another day another place in the slot: over a month it goes round.
    again, _ = balanced(total, ALL, shown, NONE, seed=1)
    assert again.tolist() == order.tolist()
    third = {int(balanced(total, ALL, shown, NONE, seed=day)[0][FIRST_KEPT]) for day in range(60)}
    assert len(third) >= 8


def test_a_place_that_suits_far_less_gets_no_slot() -> None:
    total = np.where(np.arange(40) < 10, 90.0, 20.0)
    shown = np.where(np.arange(40) < 10, 50.0, 0.0)
    order, kept = balanced(total, ALL, shown, NONE, seed=1)
    assert order[:10].tolist() == list(range(10))
    assert 2 not in kept


def test_what_is_shown_far_too_often_and_what_one_did_not_open_step_back() -> None:
    total = np.linspace(80, 69, 12)
    everyone, nothing = np.ones(12, dtype=bool), np.zeros(12)
    shown = np.where(np.arange(12) == 0, 100.0, 1.0)
    assert balanced(total, everyone, shown, nothing, seed=1)[0].tolist().index(0) == 5  # six points of a hundred
    tired = np.where(np.arange(12) == 1, 9.0, 0.0)  # two and a half points, however often
    assert balanced(total, everyone, nothing, tired, seed=1)[0].tolist().index(1) == 3


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.floats(0, 100), st.booleans(), st.integers(0, 500), st.integers(0, 9)), max_size=40),
    st.integers(0, 2**63),
)
def test_every_place_that_suits_stands_in_the_order_once_and_no_other(
    rows: list[tuple[float, bool, int, int]], seed: int
) -> None:
    total, suits, shown, tired = (np.array([row[at] for row in rows]) for at in range(4))
    order, kept = balanced(total.astype(float), suits.astype(bool), shown.astype(float), tired.astype(float), seed)
    assert sorted(order.tolist()) == np.flatnonzero(suits.astype(bool)).tolist()
    assert len(kept) <= KEPT_AMONG // 5 + 1


def test_somebody_has_another_draw_every_day() -> None:
    assert seed_of("a", "2026-11-22") == seed_of("a", "2026-11-22")
    assert len({seed_of("a", "2026-11-22"), seed_of("a", "2026-11-23"), seed_of("b", "2026-11-22")}) == 3
