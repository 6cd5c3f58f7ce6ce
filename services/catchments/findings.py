"""What is wrong with rules taken together: doors that two kindergartens claim, rules that cover nothing, idle exceptions. Pure.

Along a road a rule changes its mind only where a stretch begins or ends, from one side to the other, or at an annex it names. So
a few doors around each end stand for all: what holds for none of them holds for no door at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from services.catchments.doors import EVERY_ANNEX, Door, Rule, Stretch
from services.catchments.matching import RuleBook

Wrong = Literal["overlap", "empty", "idle_exception"]
_ENDLESS: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong: the rule, what it meets (another rule, or a stretch of its own), and a door that shows it."""

    what: Wrong
    rule: Rule
    other: Rule | None = None
    stretch: Stretch | None = None
    door: Door | None = None

    @property
    def said(self) -> str:
        """Return the sentence for people."""
        if self.what == "overlap" and self.other and self.door:
            return f"“{self.door.said}”同时属于“{self.rule.target}”和“{self.other.target}”，请改其中一条。"
        if self.what == "idle_exception" and self.stretch:
            return f"“{self.rule.target}”的规则除外了“{self.stretch.said}”，可它本来就不在里面，请核对。"
        return f"“{self.rule.target}”有一条规则一个门牌也没有包括，请核对。"


def findings(rules: Sequence[Rule]) -> list[Finding]:
    """Return everything that is wrong with rules: each alone, then each two of different targets that claim one door."""
    found = [finding for rule in rules for finding in _alone(rule)]
    book, seen = RuleBook(rules), set()
    for road in dict.fromkeys(stretch.road for rule in rules for stretch in rule.covers):
        for first, second in _meeting(book.of_road(road), road):
            if first.target == second.target or (id(first), id(second)) in seen:
                continue
            door = shared_door(first, second)
            if door is not None:
                seen.add((id(first), id(second)))
                found.append(Finding("overlap", first, second, door=door))
    return found


def shared_door(first: Rule, second: Rule) -> Door | None:
    """Return a door that both rules cover, ``None`` when there is none: the lowest of those that stand for all."""
    both = (*first.covers, *first.excepts, *second.covers, *second.excepts)
    return next((door for door in telling_doors(both) if first.holds(door) and second.holds(door)), None)


def _meeting(rules: Sequence[Rule], road: str) -> Iterator[tuple[Rule, Rule]]:
    """Return each two rules whose stretches of a road come upon one number, of a house or a lane, on one side of it."""
    along = sorted(
        (*_reach(stretch), stretch.span.parity if stretch.lane is None else "", at)
        for at, rule in enumerate(rules)
        for stretch in rule.covers
        if stretch.road == road
    )
    met: set[tuple[int, int]] = set()
    for at, (_, high, side, first) in enumerate(along):
        for other in range(at + 1, len(along)):
            low, _, other_side, second = along[other]
            if low > high:
                break
            pair = (min(first, second), max(first, second))
            if first != second and pair not in met and (not side or not other_side or side == other_side):
                met.add(pair)
                yield rules[pair[0]], rules[pair[1]]


def _reach(stretch: Stretch) -> tuple[int, int]:
    if stretch.lane is not None:
        return stretch.lane, stretch.lane
    return stretch.span.low, _ENDLESS if stretch.span.high is None else stretch.span.high


def _alone(rule: Rule) -> Iterator[Finding]:
    doors = list(telling_doors((*rule.covers, *rule.excepts)))
    if not any(rule.holds(door) for door in doors):
        yield Finding("empty", rule)
        return
    for stretch in rule.excepts:
        if not any(stretch.holds(door) and any(one.holds(door) for one in rule.covers) for door in doors):
            yield Finding("idle_exception", rule, stretch=stretch)


def telling_doors(stretches: Iterable[Stretch]) -> Iterator[Door]:
    """Return, road by road and in their order, doors that stand for every door: no rule of these stretches tells more apart."""
    every = list(stretches)
    for road in sorted({stretch.road for stretch in every}):
        own = [stretch for stretch in every if stretch.road == road]
        along = [stretch for stretch in own if stretch.lane is None]
        within = [stretch for stretch in own if stretch.lane is not None]
        annexes = ["", *sorted({stretch.annex for stretch in own} - {"", EVERY_ANNEX}), "甲乙"]
        lanes = {stretch.lane for stretch in within if stretch.lane is not None}
        inner = _turning(within)
        for at in sorted(set(_turning(along)) | lanes):
            yield from (Door(road, None, at, annex) for annex in annexes)
            yield from (Door(road, at, number, annex) for number in inner for annex in annexes)


def _turning(stretches: Sequence[Stretch]) -> list[int]:
    """Return the numbers around every end, of both sides, and two beyond the last."""
    ends = {1}
    for stretch in stretches:
        ends |= {stretch.span.low, stretch.span.high or stretch.span.low}
    around = {end + by for end in ends for by in (-2, -1, 0, 1, 2)} | {max(ends) + 3, max(ends) + 4}
    return sorted(number for number in around if number >= 1)
