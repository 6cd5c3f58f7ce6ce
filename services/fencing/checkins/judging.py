"""Whether somebody is where and when a visit is, from one position with its accuracy. Pure: metres of the city's plane.

A position is a circle that holds its true place: wholly inside the target is certain, wholly outside too, anything else is not.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import shapely
from shapely.geometry.base import BaseGeometry

SUSPECT_FROM: Final = 3
"""The weight of hints from which a position is doubted."""


class Certainty(StrEnum):
    """What the circle of a position says of a target."""

    IN = "in"
    MAYBE = "maybe"
    OUT = "out"


class Verdict(StrEnum):
    """What a check-in comes to, the worst last."""

    PRESENT = "present"
    LIKELY = "likely"
    SUSPECT = "suspect"
    UNLOCATED = "unlocated"
    VAGUE = "vague"
    UNTIMELY = "untimely"
    OUTSIDE = "outside"


COUNTING: Final = frozenset({Verdict.PRESENT, Verdict.LIKELY, Verdict.SUSPECT})
"""The verdicts with which a check-in counts without more; a doubted one counts too, and is looked at."""


@dataclass(frozen=True, slots=True)
class Fix:
    """A position: metres east and north, and the radius that holds the true place; NaN for a place beyond the city."""

    east: float
    north: float
    accuracy_m: float

    @property
    def beyond(self) -> bool:
        """Say whether it lies beyond the city."""
        return not (math.isfinite(self.east) and math.isfinite(self.north))


@dataclass(frozen=True, slots=True)
class Target:
    """Where to be: a point or an area with how far from it still counts; ``open`` says that the area holds at the moment."""

    shape: BaseGeometry
    tolerance_m: float
    open: bool = True


@dataclass(frozen=True, slots=True)
class Window:
    """When to be there: from ``early`` before the beginning to ``late`` after the end, both included."""

    begins: dt.datetime
    ends: dt.datetime
    early: dt.timedelta = dt.timedelta()
    late: dt.timedelta = dt.timedelta()

    def off(self, moment: dt.datetime) -> str:
        """Return ``too_early`` or ``too_late``, '' within."""
        if moment < self.begins - self.early:
            return "too_early"
        return "too_late" if moment > self.ends + self.late else ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, how certain the place is, the metres from the target (rounded, None unknown), and every reason against it."""

    verdict: Verdict
    certainty: Certainty | None
    distance_m: int | None
    reasons: tuple[str, ...]


def judge(
    fix: Fix | None, moment: dt.datetime, target: Target, window: Window, *, vaguest_m: float, weight: int = 0
) -> Judgement:
    """Return what a position at a moment comes to; ``weight`` is that of the hints against it, ``vaguest_m`` the worst radius.

    What is certain is so however vague the position is; what is not, and is vaguer than ``vaguest_m`` or has its middle outside,
    does not count.
    """
    verdicts: list[tuple[Verdict, str]] = []
    certainty, distance = None, None
    if fix is None:
        verdicts.append((Verdict.UNLOCATED, "no_position"))
    elif fix.beyond:
        certainty = Certainty.OUT
        verdicts.append((Verdict.OUTSIDE, "beyond_city"))
    else:
        certainty, distance = certainty_of(fix, target), rounded(_gap(fix, target))
        verdicts.append(_placed(fix, target, certainty, vaguest_m))
    if off := window.off(moment):
        verdicts.append((Verdict.UNTIMELY, off))
    if not target.open:
        verdicts.append((Verdict.UNTIMELY, "fence_closed"))
    if weight >= SUSPECT_FROM:
        verdicts.append((Verdict.SUSPECT, "hints"))
    worst = max((verdict for verdict, _ in verdicts), key=list(Verdict).index)
    return Judgement(worst, certainty, distance, tuple(reason for _, reason in verdicts if reason))


def certainty_of(fix: Fix, target: Target) -> Certainty:
    """Say whether the circle of a position lies wholly inside a target, wholly outside, or neither.

    Inside an area the depth is that to its border, so that beside a notch narrower than the tolerance it errs towards ``MAYBE``.
    """
    depth, radius = _depth(fix, target), max(fix.accuracy_m, 0.0)
    if depth >= radius:
        return Certainty.IN
    return Certainty.OUT if depth < -radius else Certainty.MAYBE


def rounded(metres: float) -> int:
    """Return metres as they are told: to 10 m, beyond a kilometre to 100 m."""
    step = 10 if metres < 1_000 else 100
    return int(step * round(metres / step))


def _placed(fix: Fix, target: Target, certainty: Certainty, vaguest_m: float) -> tuple[Verdict, str]:
    if certainty is Certainty.IN:
        return Verdict.PRESENT, ""
    if certainty is Certainty.OUT:
        return Verdict.OUTSIDE, "too_far"
    if fix.accuracy_m > vaguest_m:
        return Verdict.VAGUE, "too_vague"
    return (Verdict.LIKELY, "at_the_edge") if _depth(fix, target) >= 0 else (Verdict.VAGUE, "just_outside")


def _gap(fix: Fix, target: Target) -> float:
    """Return the metres to the point or area, 0 in it."""
    return float(shapely.distance(shapely.Point(fix.east, fix.north), target.shape))


def _depth(fix: Fix, target: Target) -> float:
    """Return how deep the middle of a position lies in a target with its tolerance, negative outside."""
    gap = _gap(fix, target)
    if gap > 0 or target.shape.area == 0:
        return target.tolerance_m - gap
    return target.tolerance_m + float(shapely.distance(shapely.Point(fix.east, fix.north), target.shape.boundary))
