"""How well institutions suit what a family finds important: a score in each dimension, weighed, and said in words. Pure.

Every score lies between 0 and 1 and only grows as its figure gets better; what is unknown scores 0, neither hidden nor guessed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
MOST_WEIGHT: Final = 5
WALK_M: Final = 1000.0
ENOUGH_PLACES: Final = 5.0
USUAL_FEE: Final = 3000.0
ENOUGH_MONTHS: Final = 24.0
LONG_WEEK: Final = 84.0
YEAR: Final = 365.0
MOST_REASONS: Final = 4
GRADES: Final[Mapping[str, Mapping[str, float]]] = {
    "childcare": {"示范": 1.0, "一级": 0.8, "二级": 0.5, "三级": 0.3},
    "preschool": {"示范园": 1.0, "一级园": 0.8, "二级园": 0.5, "三级园": 0.3},
    "eldercare": {"五级": 1.0, "四级": 0.85, "三级": 0.7, "二级": 0.5, "一级": 0.3},
}
"""How high a grade stands in its group; elders' homes count upwards, nurseries downwards."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What is known of some institutions, ``nan`` where it is not.

    Metres in a straight line; fresh vacancies; yuan a month; the months a child may stay (or, of no age in particular, the width
    of the accepted ages); hours open in a week; grades 0 to 1; days since the facts were confirmed.
    """

    distance: Floats
    vacancy: Floats
    fee: Floats
    age: Floats
    hours: Floats
    grade: Floats
    fresh: Floats


@dataclass(frozen=True, slots=True)
class Dimension:
    """One thing a list can be weighed by: its name, what a high weight prefers, its score and the words for a good figure."""

    key: str
    label: str
    prefers: str
    score: Callable[[Floats], Floats]
    words: Callable[[float], str]


def _known(score: Floats) -> Floats:
    return np.clip(np.nan_to_num(score, nan=0.0), 0.0, 1.0)


def _near(metres: Floats) -> Floats:
    return _known(WALK_M / (WALK_M + metres))


def _cheap(yuan: Floats) -> Floats:
    return _known(USUAL_FEE / (USUAL_FEE + yuan))


def _fresh(days: Floats) -> Floats:
    return _known(1.0 - days / YEAR)


def _share(enough: float) -> Callable[[Floats], Floats]:
    return lambda figure: _known(figure / (figure + enough))


def _near_words(metres: float) -> str:
    return "近" if metres <= 1.5 * WALK_M else "不太远" if metres <= 4 * WALK_M else "远"


def _cheap_words(yuan: float) -> str:
    return "免费" if yuan == 0 else "收费低" if yuan <= 2000 else "收费适中" if yuan <= 5000 else "收费高"


DIMENSIONS: Final[Mapping[str, Dimension]] = {
    one.key: one
    for one in (
        Dimension("distance", "距离", "近的", _near, _near_words),
        Dimension("vacancy", "余位", "余位多的", _share(ENOUGH_PLACES), lambda n: "有余位" if n else "已满"),
        Dimension("fee", "收费", "收费低的", _cheap, _cheap_words),
        Dimension("age", "月龄", "能上得久的", _share(ENOUGH_MONTHS), lambda n: f"可上 {n:.0f} 个月"),
        Dimension("hours", "时间", "开得久的", _share(LONG_WEEK), lambda n: f"每周开 {n:.0f} 小时"),
        Dimension("grade", "等级", "等级高的", _known, lambda n: "等级高" if n >= 0.8 else "有等级"),
        Dimension("fresh", "信息", "信息新的", _fresh, lambda n: "信息新" if n <= 30 else "信息较旧"),
    )
}
UNKNOWN: Final[Mapping[str, str]] = {
    "distance": "距离未知",
    "vacancy": "余位待确认",
    "fee": "收费没登记",
    "age": "月龄没登记",
    "hours": "时间没登记",
    "grade": "没有等级",
    "fresh": "日期没注明",
}


def scores(figures: Figures, weights: Mapping[str, int]) -> Floats:
    """Return the weighed mean of the scores, 0 to 1; without any weight all are 0."""
    total = sum(weights.values())
    weighed = np.zeros(len(figures.distance))
    for key, weight in weights.items():
        if weight:
            weighed += weight * DIMENSIONS[key].score(getattr(figures, key))
    # Equal institutions must stay equal, whatever the order in which the parts were added.
    return np.round(weighed / total, 9) if total else weighed


def reasons(figures: Figures, at: int, weights: Mapping[str, int]) -> str:
    """Return in words how one institution stands in what matters to the family, the weightiest first: 近 · 有余位 · 收费低."""
    order = sorted((key for key in DIMENSIONS if weights.get(key)), key=lambda key: -weights[key])
    return " · ".join(_words(key, float(getattr(figures, key)[at])) for key in order[:MOST_REASONS])


def _words(key: str, figure: float) -> str:
    return UNKNOWN[key] if np.isnan(figure) else DIMENSIONS[key].words(figure)


def ages_left(first: Floats, last: Floats, ages: tuple[int, int] | None) -> Floats:
    """Return for how many months the child of an age may stay; of no age in particular, how many the accepted ages span."""
    if ages is None:
        return last - first
    return np.where((first <= ages[0]) & (last >= ages[1]), last - ages[0], np.nan)


def days_since(as_of: Floats, today: dt.date) -> Floats:
    """Return how many days ago each day (counted since 1970) was; never less than none."""
    return np.maximum(0.0, (today - dt.date(1970, 1, 1)).days - as_of)


def grade_scores(groups: Sequence[str], grades: Sequence[str | None]) -> Floats:
    """Return how high the grades stand in their groups."""
    return np.array(
        [GRADES.get(group, {}).get(grade or "", np.nan) for group, grade in zip(groups, grades, strict=True)],
        dtype=float,
    )
