"""How well places suit what a family states and did: parts that are added, each with its words; nothing else counts. Pure.

There is no part for who keeps a place or what it pays, and none can be bought: the parts below are all there are.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from services.facilities.browsing.queries import grades_of
from services.facilities.browsing.ranking import DIMENSIONS, UNKNOWN, days_since
from services.facilities.browsing.table import Bools, Floats, Table
from services.facilities.vacancies import STALE_AFTER
from services.modules.finder.recommending.learning import Liking
from services.modules.finder.recommending.wishes import NEEDS, NOTHING_STATED, Need, Wishes

NEAR, VACANCY, AGE, FEE, NEEDED, LIKED, GRADED, FRESH = 40.0, 15.0, 20.0, 15.0, 15.0, 20.0, 10.0, 5.0
"""What each part is worth at most. What nobody asked for, or nobody knows of any place, is no part."""
SOON_MONTHS: Final = 6
"""A place that takes the child within so many months is still recommended, without points for it."""
TOLERATED: Final = 0.5
"""How far beyond the fees stated the part falls to nothing, as a share of them."""
MOST_REASONS: Final = 4


@dataclass(frozen=True)
class Part:
    """One part of the score along the rows: its name, the points it may give, its points, and how a row stands in words."""

    label: str
    most: float
    points: Floats
    say: Callable[[int], str]


@dataclass(frozen=True)
class Scored:
    """Rows with their points of a hundred; ``suits`` says which of them may be recommended at all."""

    table: Table
    parts: tuple[Part, ...]
    total: Floats
    suits: Bools

    def explained(self, at: int) -> Iterator[tuple[str, str, float, float]]:
        """Yield for a row what each part is called, how the row stands in it, its points and the most it could give."""
        whole = sum(part.most for part in self.parts)
        for part in self.parts:
            scale = 100.0 / whole
            yield part.label, part.say(at), float(part.points[at]) * scale, part.most * scale

    def reasons(self, at: int) -> tuple[str, ...]:
        """Return what speaks for a row, the weightiest first: 近, 有余位, 接收 18 月龄."""
        order = sorted(self.parts, key=lambda part: -float(part.points[at]))
        good = [part.say(at) for part in order if part.points[at] >= 0.45 * part.most]
        return tuple(good[:MOST_REASONS])


def scored(
    table: Table,
    *,
    side: str,
    wishes: Wishes = NOTHING_STATED,
    liking: Liking | None = None,
    metres: Floats | None = None,
    now: dt.datetime,
) -> Scored:
    """Return the score of every row; ``metres`` are those from the home or from where somebody asks, ``now`` is aware."""
    parts = list(_parts(table, side, wishes, liking, metres, now))
    whole = sum(part.most for part in parts)
    total = np.zeros(len(table))
    for part in parts:
        total += part.points
    suits = np.ones(len(table), dtype=bool)
    age = wishes.age_months(now.date())
    if age is not None:
        suits = _accepting(table, age)[1]
    # Equal places must stay equal, whatever the order in which the parts were added.
    return Scored(table, tuple(parts), np.round(100.0 * total / whole, 6) if whole else total, suits)


def _parts(
    table: Table, side: str, wishes: Wishes, liking: Liking | None, metres: Floats | None, now: dt.datetime
) -> Iterator[Part]:
    if metres is not None:
        yield _figured("distance", NEAR, metres)
    fresh = table.vacancies_at >= (now - STALE_AFTER).timestamp()
    known = {
        "vacancy": (VACANCY, np.where(fresh, table.vacancies, np.nan)),
        "grade": (GRADED, grades_of(table)),
        "fresh": (FRESH, days_since(table.as_of, now.date())),
    }
    for key, (most, figures) in known.items():
        if np.isfinite(figures).any():
            yield _figured(key, most, figures)
    age = wishes.age_months(now.date())
    if age is not None:
        yield _aged(table, age)
    if wishes.fee_least is not None or wishes.fee_most is not None:
        yield _priced(table.fees, wishes)
    needs = [need for need in NEEDS[side] if need.key in wishes.needs]
    if needs:
        yield _needed(table, needs)
    if liking is not None and liking.sure:
        worth = LIKED * liking.sure
        yield Part(
            "您看过的", worth, worth * liking.score(table), lambda at: liking.words(table, at) or "和您看过的不像"
        )


def _figured(key: str, most: float, figures: Floats) -> Part:
    dimension = DIMENSIONS[key]

    def say(at: int) -> str:
        figure = float(figures[at])
        return UNKNOWN[key] if np.isnan(figure) else dimension.words(figure)

    return Part(dimension.label, most, most * dimension.score(figures), say)


def _aged(table: Table, age: int) -> Part:
    share, _ = _accepting(table, age)
    low = table.figures("age_from_months")

    def say(at: int) -> str:
        if share[at] == 1.0:
            return f"接收 {age} 月龄"
        if low[at] > age and low[at] - age <= SOON_MONTHS:
            return f"再过 {low[at] - age:.0f} 个月就收"
        return UNKNOWN["age"] if np.isnan(low[at]) else f"不收 {age} 月龄"

    return Part("月龄", AGE, AGE * share, say)


def _priced(fees: Floats, wishes: Wishes) -> Part:
    share = _affordable(fees, wishes)

    def say(at: int) -> str:
        if np.isnan(fees[at]):
            return UNKNOWN["fee"]
        return "收费合适" if share[at] == 1.0 else "收费差不多" if share[at] else "收费不在您说的范围"

    return Part("收费", FEE, FEE * share, say)


def _needed(table: Table, needs: Sequence[Need]) -> Part:
    met = [offers(table, need) for need in needs]

    def say(at: int) -> str:
        return "、".join(need.label for need, held in zip(needs, met, strict=True) if held[at]) or "没有登记您要的服务"

    return Part("需要的服务", NEEDED, NEEDED * np.mean(met, axis=0), say)


def offers(table: Table, need: Need) -> Bools:
    """Return which rows offer what is needed."""
    held = np.zeros(len(table), dtype=bool)
    for key in need.kinds:
        held |= table.of_kind(key)
    return held | table.having(need.attribute, need.value) if need.attribute else held


def _accepting(table: Table, age: int) -> tuple[Floats, Bools]:
    """Return the share of the part for an age in months, and which rows are not known to refuse it."""
    low, high = table.figures("age_from_months"), table.figures("age_to_months")
    unknown = np.isnan(low) | np.isnan(high)
    takes = (low <= age) & (high >= age)
    soon = (low > age) & (low - age <= SOON_MONTHS)
    return takes.astype(float), takes | soon | unknown


def _affordable(fees: Floats, wishes: Wishes) -> Floats:
    """Return 1 between the fees stated, falling beyond them; unknown is 0, neither hidden nor guessed."""
    least, most = wishes.fee_least or 0, wishes.fee_most if wishes.fee_most is not None else np.inf
    over = np.maximum(fees - most, 0) / max(1.0, TOLERATED * most if np.isfinite(most) else 1.0)
    under = np.maximum(least - fees, 0) / max(1.0, TOLERATED * least)
    found: Floats = np.clip(np.nan_to_num(1.0 - over - under, nan=0.0), 0.0, 1.0)
    return found
