"""Which rule an address falls under, and why: one, several, none, or not enough said. Pure.

``RuleBook`` keeps rules by road; a question looks only at those of its road.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from geo.addresses.parsing import Parts
from services.catchments.doors import PARITY_WORDS, Door, Rule, Stretch

Found = Literal["one", "several", "none", "unclear"]
Reason = Literal["covered", "set_aside", "side", "range", "counts", "annex", "unsaid", "other_lane"]
NEAREST: Final = 5
"""So many rules that just do not hold are told."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule says of a door: ``reason`` decided it, by the ``stretch`` that is told to people."""

    rule: Rule
    reason: Reason
    stretch: Stretch

    def said(self, door: Door) -> str:
        """Return the sentence for people."""
        stretch, where = self.stretch.said, door.said
        match self.reason:
            case "covered":
                return f"“{where}”在“{stretch}”里。"
            case "set_aside":
                return f"“{where}”写在“{stretch}”里，这一条规则把它除外。"
            case "side":
                side = PARITY_WORDS[self.stretch.span.parity]
                return f"“{where}”不是{side}，“{stretch}”只收{side}。"
            case "range":
                return f"“{where}”不在“{stretch}”的号码范围里。"
            case "counts":
                only = "路边的号" if self.stretch.counts == "number" else "弄"
                return f"“{stretch}”只收{only}，不收“{where}”。"
            case "annex":
                return f"“{where}”的附号和“{stretch}”不一样。"
            case "other_lane":
                return f"“{where}”不在“{stretch}”的那条弄里。"
            case "unsaid":
                return f"只写“{where}”分不清在不在“{stretch}”里，请把{'门牌号' if door.lane is not None else '弄和门牌号'}写全。"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the rules say of a door: those that hold, those that may hold once more is said, and ``others`` that do not.

    Why the others do not hold is worked out when it is asked for: where some rule holds nobody needs to know.
    """

    door: Door
    holding: tuple[Verdict, ...]
    unclear: tuple[Verdict, ...]
    others: tuple[Rule, ...]

    @property
    def refused(self) -> tuple[Verdict, ...]:
        """Return why the first few of the others do not hold."""
        return tuple(_refused(rule, self.door) for rule in self.others[:NEAREST])

    @property
    def found(self) -> Found:
        """Return the kind of outcome; two rules of one target are one."""
        targets = {verdict.rule.target for verdict in self.holding}
        if len(targets) > 1:
            return "several"
        if {verdict.rule.target for verdict in self.unclear} - targets:
            return "unclear"
        return "one" if targets else "none"

    @property
    def target(self) -> str:
        """Return the target where there is one, else ''."""
        return self.holding[0].rule.target if self.found == "one" else ""

    @property
    def said(self) -> tuple[str, ...]:
        """Return why, in sentences: what holds and what is in doubt, else what just does not hold."""
        told = self.holding + self.unclear if self.found != "none" else self.refused
        if not told:
            return (f"没有一条规则写到“{self.door.road}”。",)
        return tuple(verdict.said(self.door) for verdict in told)


def door_of(parts: Parts) -> Door | None:
    """Return the door of a parsed address; ``None`` without a road or with numbers that are none.

    A sub-lane lies within its lane. An address that spans several numbers has no single door.
    """
    if not parts.road or parts.upto or parts.lane_upto:
        return None
    lane, number = _figure(parts.lane), _figure(parts.number)
    if (parts.lane and lane is None) or (parts.number and number is None):
        return None
    return Door(parts.road, lane, number, parts.suffix if number is not None else "")


def _figure(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 9 else None


class RuleBook:
    """Rules by the roads they speak of."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._by_road: dict[str, list[Rule]] = {}
        for rule in rules:
            for road in dict.fromkeys(stretch.road for stretch in rule.covers):
                self._by_road.setdefault(road, []).append(rule)

    def of_road(self, road: str) -> Sequence[Rule]:
        """Return the rules that speak of a road, in their order."""
        return self._by_road.get(road, ())

    def match(self, door: Door) -> Outcome:
        """Return what the rules say of a door, each with its reason."""
        holding: list[Verdict] = []
        unclear: list[Verdict] = []
        others: list[Rule] = []
        for rule in self.of_road(door.road):
            holds = rule.holds(door)
            if holds:
                holding.append(_covered(rule, door))
            elif holds is None:
                unclear.append(_in_doubt(rule, door))
            else:
                others.append(rule)
        return Outcome(door, tuple(holding), tuple(unclear), tuple(others))


def _covered(rule: Rule, door: Door) -> Verdict:
    return Verdict(rule, "covered", next(one for one in rule.covers if one.holds(door)))


def _in_doubt(rule: Rule, door: Door) -> Verdict:
    stretches = (*rule.covers, *rule.excepts)
    return Verdict(rule, "unsaid", next(one for one in stretches if one.holds(door) is None))


def _refused(rule: Rule, door: Door) -> Verdict:
    for stretch in rule.excepts:
        if stretch.holds(door):
            return Verdict(rule, "set_aside", stretch)
    near = [Verdict(rule, _why_not(one, door), one) for one in rule.covers if one.road == door.road]
    return min(near, key=lambda verdict: _TOLD_FIRST.index(verdict.reason))


_TOLD_FIRST: Final[tuple[Reason, ...]] = ("side", "annex", "range", "counts", "other_lane")


def _why_not(stretch: Stretch, door: Door) -> Reason:
    """Return why a stretch of the door's own road does not hold it."""
    if stretch.lane is not None and stretch.lane != door.lane:
        return "other_lane"
    inside = stretch.lane is not None
    if not inside and stretch.counts == ("number" if door.lane is not None else "lane"):
        return "counts"
    number = door.number if inside or door.lane is None else door.lane
    if number is not None and stretch.span.holds(number):
        return "annex"
    span = stretch.span
    return "side" if number is not None and span.low <= number <= (span.high or number) else "range"
