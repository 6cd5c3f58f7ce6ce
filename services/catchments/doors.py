"""What a rule of addresses says, as values: stretches of a road or of a lane, on one side or both; a door of an address. Pure.

Along a Shanghai road the numbers of houses (号) and of lanes (弄) run in one sequence, odd on one side and even on the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Parity = Literal["", "odd", "even"]
Counts = Literal["both", "number", "lane"]
"""What is counted along a road: its houses and lanes together, only its houses (号), or only its lanes (弄) with all within."""
PARITY_WORDS: Final[dict[Parity, str]] = {"": "", "odd": "单号", "even": "双号"}
EVERY_ANNEX: Final = "*"


@dataclass(frozen=True, slots=True)
class Door:
    """A door of an address: the number of its lane and its own, ``None`` where not said; ``annex`` tells 12号甲 from 12号."""

    road: str
    lane: int | None = None
    number: int | None = None
    annex: str = ""

    @property
    def said(self) -> str:
        """Return the door as it is written."""
        lane = "" if self.lane is None else f"{self.lane}弄"
        return f"{self.road}{lane}" + ("" if self.number is None else f"{self.number}号{self.annex}")


@dataclass(frozen=True, slots=True)
class Span:
    """Numbers from ``low`` to ``high``, both included, ``None`` for the end of the road; of one parity or both."""

    low: int = 1
    high: int | None = None
    parity: Parity = ""

    def holds(self, number: int) -> bool:
        """Say whether a number lies in the span, on the right side."""
        if number < self.low or (self.high is not None and number > self.high):
            return False
        return not self.parity or (number % 2 == 1) is (self.parity == "odd")

    @property
    def whole(self) -> bool:
        """Say whether every number lies in it."""
        return self == Span()


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of a road, or with ``lane`` of the numbers inside that one lane.

    ``annex`` is ``EVERY_ANNEX`` where numbers count with what is annexed to them (附号), '' where only the plain number
    is meant, else the one annex. It tells doors of the road or of ``lane`` apart, never those within a counted lane.
    """

    road: str
    span: Span = Span()
    counts: Counts = "both"
    lane: int | None = None
    annex: str = EVERY_ANNEX

    def holds(self, door: Door) -> bool | None:
        """Say whether a door stands in the stretch; ``None`` when the address does not say enough to know."""
        if door.road != self.road:
            return False
        if self.lane is not None:
            return self._at(door.number, door) if door.lane == self.lane else self._elsewhere(door)
        if door.lane is not None:
            return False if self.counts == "number" else self.span.holds(door.lane)
        if door.number is not None:
            return False if self.counts == "lane" else self._at(door.number, door)
        return True if self.counts == "both" and self.span.whole and self.annex == EVERY_ANNEX else None

    def _elsewhere(self, door: Door) -> bool | None:
        return None if door.lane is None and door.number is None else False

    def _at(self, number: int | None, door: Door) -> bool | None:
        if number is None:
            return True if self.span.whole and self.annex == EVERY_ANNEX else None
        return self.span.holds(number) and self.annex in (EVERY_ANNEX, door.annex)

    @property
    def said(self) -> str:
        """Return the stretch as districts write it; read again it is the same."""
        unit = "号" if self.lane is not None else {"both": "", "number": "号", "lane": "弄"}[self.counts]
        base = self.road if self.lane is None else f"{self.road}{self.lane}弄"
        span = self.span
        if self.annex not in (EVERY_ANNEX, ""):
            return f"{base}{span.low}号{self.annex}"
        side = f"（{PARITY_WORDS[span.parity]}）" if span.parity and span.low != span.high else ""
        return f"{base}{self._numbers_said(unit)}{side}{'' if self.annex else '（不含附号）'}"

    def _numbers_said(self, unit: str) -> str:
        low, high = self.span.low, self.span.high
        if (low, high) == (1, None) and (self.lane is None or self.span.parity):
            return "" if self.lane is not None else f"全部{unit}"
        if high is None:
            return f"{low}{unit}至底"
        return f"{low}{unit}" if low == high and unit else f"{low}-{high}{unit}"


@dataclass(frozen=True, slots=True)
class Rule:
    """What one line of a district's table says: the doors it covers less those it sets aside go to ``target``."""

    target: str
    covers: tuple[Stretch, ...]
    excepts: tuple[Stretch, ...] = ()

    def holds(self, door: Door) -> bool | None:
        """Say whether the rule sends a door to its target; ``None`` when the address does not say enough."""
        covered = _any(self.covers, door)
        if covered is False:
            return False
        aside = _any(self.excepts, door)
        if aside:
            return False
        return True if covered and aside is False else None


def _any(stretches: tuple[Stretch, ...], door: Door) -> bool | None:
    doubt = False
    for stretch in stretches:
        held = stretch.holds(door)
        if held:
            return True
        doubt = doubt or held is None
    return None if doubt else False
