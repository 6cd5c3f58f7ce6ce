"""Who is shown how often: what was shown much steps back a little, and some slots are kept for places seldom shown. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

import numpy as np

from services.facilities.browsing.table import Bools, Floats, Ints

FIRST_KEPT: Final = 2
KEPT_EVERY: Final = 5
"""The third slot, and every fifth after it, is kept for a place seldom shown."""
KEPT_AMONG: Final = 50
NEAR_ENOUGH: Final = 0.8
"""A place seldom shown takes a slot only with so large a share of the points of the one it stands in for."""
SELDOM: Final = 0.5
"""Seldom: less than this share of the mean of all that suit."""
OFTEN: Final = 3.0
MOST_BACK: Final = 6.0
"""What is shown more than thrice the mean loses points, at ten times as often this many of a hundred."""
TIRED: Final = 0.5
MOST_TIRED: Final = 5
"""Half a point less for every time somebody was shown a place and did not open it, for five times at most."""


def seed_of(who: str, day: str) -> int:
    """Return the seed of somebody's draws of a day: the same all day, another one tomorrow."""
    return int.from_bytes(hashlib.blake2b(f"{who}|{day}".encode(), digest_size=8).digest())


def balanced(total: Floats, suits: Bools, shown: Floats, tired: Floats, seed: int) -> tuple[Ints, Ints]:
    """Return the rows that suit in the order they are recommended in, and which of them were given a kept slot.

    ``total`` are points of a hundred, ``shown`` how often each row was recommended lately to anybody, ``tired`` how often to
    this one who did not open it. Ties stand in the order of the rows.
    """
    at = np.flatnonzero(suits)
    mean = float(shown[at].mean()) if len(at) else 0.0
    adjusted = total - _back(shown, mean) - TIRED * np.minimum(tired, MOST_TIRED)
    order = at[np.argsort(-adjusted[at], kind="stable")]
    seldom = shown < SELDOM * mean
    return _with_kept_slots(order.tolist(), adjusted, seldom, np.random.default_rng(seed))


def _back(shown: Floats, mean: float) -> Floats:
    if not mean:
        return np.zeros(len(shown))
    back: Floats = MOST_BACK * np.clip((shown / mean - OFTEN) / (10.0 - OFTEN), 0.0, 1.0)
    return back


def _with_kept_slots(
    order: Sequence[int], points: Floats, seldom: Bools, chance: np.random.Generator
) -> tuple[Ints, Ints]:
    """Move into each kept slot one of the places seldom shown that stand behind it, the better the likelier."""
    rest, kept = list(order), []
    for slot in range(FIRST_KEPT, min(KEPT_AMONG, len(rest)), KEPT_EVERY):
        if seldom[rest[slot]]:
            continue
        least = NEAR_ENOUGH * points[rest[slot]]
        behind = [row for row in rest[slot + 1 :] if seldom[row] and points[row] >= least and points[row] > 0]
        if behind:
            odds = points[behind] / points[behind].sum()
            chosen = behind[int(chance.choice(len(behind), p=odds))]
            rest.remove(chosen)
            rest.insert(slot, chosen)
            kept.append(chosen)
    return np.array(rest, dtype=np.int64), np.array(kept, dtype=np.int64)
