"""Into which classes figures of heat fall, with their words: five of quantity or gaps, or seven of change around none. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from layers.styles.classing import Spread, breaks_of

Floats = npt.NDArray[np.float64]
Ramp = Literal["quantity", "gap"]
CLASSES: Final = 5
NONE: Final = 4
"""The class of what did not change, of seven."""


@dataclass(frozen=True, slots=True)
class Classes:
    """Classes by the numbers of their colours, from 1, with words; a break belongs to the class above it."""

    palette: Ramp | Literal["diverging"]
    breaks: tuple[float, ...]
    words: tuple[tuple[int, str], ...]

    def of(self, values: Floats) -> npt.NDArray[np.int64]:
        """Return the class of each value."""
        if self.palette == "diverging":
            size = 1 + np.searchsorted(np.array(self.breaks), np.abs(values), side="right")
            return np.where(values == 0, NONE, NONE + np.sign(values) * size).astype(np.int64)
        steps = np.array([number for number, _ in self.words], dtype=np.int64)
        return steps[np.searchsorted(np.array(self.breaks), values, side="right")] if len(steps) else steps


def classes_of(values: Floats, palette: Ramp = "quantity") -> Classes:
    """Return up to five classes of figures in an ordered ramp, as many figures in each as may be; none of no figures."""
    if not len(values):
        return Classes(palette, (), ())
    breaks = breaks_of(_spread(values), "quantile", CLASSES)
    steps = [round(1 + at * (CLASSES - 1) / len(breaks)) for at in range(len(breaks) + 1)] if breaks else [3]
    distinct = np.unique(values)
    where = np.searchsorted(np.array(breaks), distinct, side="right")
    words = tuple((step, _ends(distinct[where == at])) for at, step in enumerate(steps))
    return Classes(palette, breaks, words)


def change_classes(values: Floats) -> Classes:
    """Return seven classes of change: three of decrease, none, three of increase, of the same sizes."""
    sizes = np.abs(values[values != 0])
    breaks = breaks_of(_spread(sizes), "quantile", 3) if len(sizes) else ()
    bounds = [f"不到 {said(breaks[0])}" if breaks else "", *(f" {said(one)} 及以上" for one in breaks)]
    if len(breaks) == 2:
        bounds[1] = f" {said(breaks[0])} 到 {said(breaks[1])}"
    less = [(NONE - 1 - at, f"减{bounds[at]}") for at in reversed(range(len(bounds)))]
    more = [(NONE + 1 + at, f"增{bounds[at]}") for at in range(len(bounds))]
    return Classes("diverging", breaks, (*less, (NONE, "没有变化"), *more))


def said(value: float) -> str:
    """Return a figure as people read it: whole where it is, else with one digit, more where it is small."""
    if float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:,.1f}" if abs(value) >= 1 else f"{value:.2g}"


def _ends(held: Floats) -> str:
    return said(held[0]) if held[0] == held[-1] else f"{said(held[0])}–{said(held[-1])}"


def _spread(values: Floats) -> Spread:
    distinct, counts = np.unique(values, return_counts=True)
    return Spread(tuple(distinct.tolist()), tuple(counts.tolist()))
