"""Where values are cut into classes, by definition: equal interval, quantiles, natural breaks (Jenks), or by hand. Pure.

Breaks ``b`` rise and stand inside the values; a value is of class ``i`` when ``b[i-1] <= value < b[i]``: a break belongs to the
class above it. Values come as distinct ones with their counts, so that a million rows are classed as cheaply as a hundred.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

Method = Literal["quantile", "jenks", "equal", "manual"]
METHODS: Final[dict[str, str]] = {
    "quantile": "分位数（每类个数相近）",
    "jenks": "自然断点（类内最相近）",
    "equal": "等间距",
    "manual": "自己定",
}
LEAST_CLASSES: Final = 2
MOST_CLASSES: Final = 9
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Spread:
    """Distinct values in rising order and how often each is there; ``missing`` rows say nothing.

    ``exact`` is false where values stand for the thousandth of the rows that begins with them.
    """

    values: tuple[float, ...]
    counts: tuple[int, ...]
    missing: int = 0
    greatest: float | None = None
    """The greatest value, where it is not the last of ``values``."""
    exact: bool = True

    @property
    def rows(self) -> int:
        """Return how many rows have a value."""
        return sum(self.counts)

    @property
    def least(self) -> float:
        """Return the smallest value."""
        return self.values[0]

    @property
    def most(self) -> float:
        """Return the greatest value."""
        return self.values[-1] if self.greatest is None else self.greatest


def breaks_of(spread: Spread, method: Method, classes: int) -> tuple[float, ...]:
    """Return the breaks of at most so many classes; fewer where the distinct values do not yield more.

    Raises ``ValueError`` for a number of classes outside 2 to 9 and for ``manual``, which nobody can work out.
    """
    if not LEAST_CLASSES <= classes <= MOST_CLASSES:
        raise ValueError("two to nine classes")
    if method == "manual":
        raise ValueError("breaks by hand are given, not found")
    if len(spread.values) < 2:
        return ()
    found = {"quantile": _quantiles, "jenks": _natural, "equal": _equal}[method](spread, classes)
    return tuple(sorted(set(found)))


def counts_in(spread: Spread, breaks: tuple[float, ...]) -> tuple[int, ...]:
    """Return how many rows each class of some breaks holds, ``len(breaks) + 1`` figures."""
    where = np.searchsorted(np.array(breaks), np.array(spread.values), side="right")
    held = np.bincount(where, weights=np.array(spread.counts), minlength=len(breaks) + 1)
    return tuple(int(one) for one in held)


def _quantiles(spread: Spread, classes: int) -> list[float]:
    """Cut where the share of rows below comes nearest to 1/k, 2/k …; equal values are never parted."""
    below = np.cumsum(spread.counts)[:-1]
    wanted = spread.rows * np.arange(1, classes) / classes
    nearest = np.abs(below[None, :] - wanted[:, None]).argmin(axis=1)
    return [spread.values[at + 1] for at in nearest]


def _equal(spread: Spread, classes: int) -> list[float]:
    """Cut the span from the smallest to the greatest value into classes of one width; some may be empty."""
    step = (spread.most - spread.least) / classes
    cuts = [spread.least + step * number for number in range(1, classes)]
    return [cut for cut in cuts if spread.least < cut <= spread.most]


def _natural(spread: Spread, classes: int) -> list[float]:
    """Cut so that the squared distances of values from the mean of their class sum up to the least (Fisher 1958, Jenks 1977)."""
    values, counts = np.array(spread.values, dtype=np.float64), np.array(spread.counts, dtype=np.float64)
    values = values - np.average(values, weights=counts)  # sums of squares of far-off values lose their digits
    size = len(values)
    classes = min(classes, size)
    cost = _costs(values, counts)
    best, cut = cost[0].copy(), np.zeros((classes, size), dtype=np.int64)
    for number in range(1, classes):
        # the class that ends at j may begin at any i: best[i - 1] before it, cost[i, j] itself
        total = np.full((size, size), np.inf)
        total[1:] = best[:-1, None] + cost[1:]
        cut[number] = total.argmin(axis=0)
        best = total.min(axis=0)
    found, end = [], size - 1
    for number in range(classes - 1, 0, -1):
        begin = int(cut[number, end])
        found.append(spread.values[begin])
        end = begin - 1
    return found


def _costs(values: Floats, counts: Floats) -> Floats:
    """Return by first and last value the squared distances of a class from its mean; infinite where it ends before it begins."""
    weight, first, second = (
        np.concatenate([[0.0], np.cumsum(part)]) for part in (counts, counts * values, counts * values**2)
    )
    inside, sums, squares = (part[None, 1:] - part[:-1, None] for part in (weight, first, second))
    with np.errstate(divide="ignore", invalid="ignore"):
        cost = np.maximum(squares - sums**2 / inside, 0.0)
    return np.where(inside > 0, cost, np.inf)
