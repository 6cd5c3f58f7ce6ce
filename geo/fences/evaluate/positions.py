"""Positions of one subject on their way in: refused, put in order, told from copies, and believed or doubted. Pure.

What is released depends only on the set of positions taken, never on how they were batched:

1. At the door a position is refused that is no place, is from more than ``skew_ms`` after it was received, is vaguer than
   ``worst_accuracy_m``, or is late: older than the newest time heard less ``lateness_ms``.
2. The others wait until the newest time heard is more than ``lateness_ms`` after them, and are released in order of time. Of
   those of one time the most accurate is taken; one with a sequence number among the last 64 released is a copy.
3. A released fix is believed when the subject could have come there from the last one believed, no faster than ``fastest_m_s``.
   Else it is doubted, until the next shows that it was wrong, or ``confirmations`` in a row, each reachable from the one
   before, show it was right.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

REMEMBERED: Final = 64
"""Sequence numbers of devices remembered after their release."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a device says it is: its own time in UTC, milliseconds since 1970, and metres of the city's plane.

    ``accuracy_m`` is the radius it states, ``sequence`` its own number, ``received_ms`` the time of arrival by our clock.
    """

    time_ms: int
    x: float
    y: float
    accuracy_m: float | None = None
    sequence: int | None = None
    received_ms: int | None = None


class Fix(NamedTuple):
    """A position that was released; ``accuracy_m`` is never below the finest believed."""

    time_ms: int
    x: float
    y: float
    accuracy_m: float


class Refusal(StrEnum):
    """Why a position was left out."""

    UNPLACED = "unplaced"
    FUTURE = "future"
    INACCURATE = "inaccurate"
    LATE = "late"
    CROWDED = "crowded"
    DUPLICATE = "duplicate"
    JUMP = "jump"

    @property
    def label(self) -> str:
        """Return it in Chinese."""
        return _REFUSALS[self]


_REFUSALS: Final = {
    Refusal.UNPLACED: "不在城市范围内",
    Refusal.FUTURE: "时间超前，请校准设备时钟",
    Refusal.INACCURATE: "定位精度太差",
    Refusal.LATE: "超过迟到时限",
    Refusal.CROWDED: "同一时段上报太多",
    Refusal.DUPLICATE: "重复上报",
    Refusal.JUMP: "位置跳变",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What is believed of positions, and when a side of a border is. Times in milliseconds, lengths in metres.

    A device that states no accuracy is taken to be ``assumed_accuracy_m`` off; none is taken to be nearer than
    ``finest_accuracy_m``. ``evidence`` is explained in ``geo.fences.evaluate.tracking``.
    """

    lateness_ms: int = 60_000
    skew_ms: int = 120_000
    gap_ms: int = 300_000
    worst_accuracy_m: float = 100.0
    assumed_accuracy_m: float = 15.0
    finest_accuracy_m: float = 5.0
    fastest_m_s: float = 70.0
    confirmations: int = 3
    evidence: float = 4.0
    most_waiting: int = 1000

    def accuracy(self, position: Position) -> float:
        """Return how far off a position may be, in metres."""
        stated = position.accuracy_m
        if stated is None or math.isnan(stated) or stated < 0:
            return self.assumed_accuracy_m
        return max(stated, self.finest_accuracy_m)


@dataclass(slots=True)
class Queue:
    """The positions of a subject that wait for those before them, and what is remembered of those released."""

    waiting: list[Position]
    newest_ms: int | None
    released_ms: int | None
    sequences: list[int]
    counts: dict[str, int]
    fixes: list[Fix] = field(default_factory=list)
    """What was released since."""

    def count(self, refusal: Refusal, times: int = 1) -> None:
        """Note that positions were left out."""
        if times:
            self.counts[refusal] = self.counts.get(refusal, 0) + times

    def take(self, positions: Iterable[Position], limits: Limits) -> list[Refusal | None]:
        """Let positions wait, or count why not, in the order in which they arrived; return of each why it was refused, if so."""
        keys = {_key(each, limits) for each in self.waiting}
        refusals: list[Refusal | None] = []
        for position in positions:
            if len(self.waiting) >= limits.most_waiting:
                self.release(limits)
            refusal = self._refusal(position, limits)
            if refusal is None and _key(position, limits) in keys:
                refusal = Refusal.DUPLICATE
            refusals.append(refusal)
            if refusal is not None:
                self.count(refusal)
                continue
            keys.add(_key(position, limits))
            self.waiting.append(_plain(position))
            self.hear(self.waiting[-1].time_ms)
        return refusals

    def hear(self, time_ms: int) -> None:
        """Take note of a time: nothing older than it by ``lateness_ms`` is waited for any more."""
        self.newest_ms = time_ms if self.newest_ms is None else max(self.newest_ms, time_ms)

    def release(self, limits: Limits) -> list[Fix]:
        """Let go what need not wait any more, in order of time; return all that was let go so far."""
        if self.newest_ms is not None:
            until = self.newest_ms - limits.lateness_ms
            self.waiting.sort(key=lambda each: _key(each, limits))
            due = [each for each in self.waiting if each.time_ms < until]
            del self.waiting[: len(due)]
            self.fixes += [self._released(each, limits) for each in due if not self._is_copy(each)]
        return self.fixes

    def _refusal(self, position: Position, limits: Limits) -> Refusal | None:
        if not (math.isfinite(position.x) and math.isfinite(position.y)):
            return Refusal.UNPLACED
        if position.received_ms is not None and position.time_ms > position.received_ms + limits.skew_ms:
            return Refusal.FUTURE
        if limits.accuracy(position) > limits.worst_accuracy_m:
            return Refusal.INACCURATE
        if self.newest_ms is not None and position.time_ms < self.newest_ms - limits.lateness_ms:
            return Refusal.LATE
        return Refusal.CROWDED if len(self.waiting) >= limits.most_waiting else None

    def _is_copy(self, position: Position) -> bool:
        copy = position.time_ms == self.released_ms or position.sequence in self.sequences
        if copy:
            self.count(Refusal.DUPLICATE)
        return copy

    def _released(self, position: Position, limits: Limits) -> Fix:
        self.released_ms = position.time_ms
        if position.sequence is not None:
            self.sequences = [*self.sequences, position.sequence][-REMEMBERED:]
        return Fix(position.time_ms, position.x, position.y, limits.accuracy(position))


class Step(NamedTuple):
    """A believed fix, the one before it, and whether nothing is known of the way between: at first, after a gap or a jump."""

    fix: Fix
    before: Fix | None
    afresh: bool


def believe(
    last: Fix | None, doubted: list[Fix], fixes: Iterable[Fix], limits: Limits
) -> tuple[list[Step], list[Fix], int]:
    """Return the steps believed, the fixes still doubted, and how many were found wrong."""
    steps: list[Step] = []
    wrong = 0
    for fix in fixes:
        if last is None or reachable(last, fix, limits):
            wrong += len(doubted)
            doubted = []
            steps.append(Step(fix, last, last is None or fix.time_ms - last.time_ms > limits.gap_ms))
            last = fix
        elif doubted and reachable(doubted[-1], fix, limits):
            doubted = [*doubted, fix]
        else:
            wrong += len(doubted)
            doubted = [fix]
        if last is not None and len(doubted) >= limits.confirmations:
            for there in doubted:
                far = there is doubted[0] or there.time_ms - last.time_ms > limits.gap_ms
                steps.append(Step(there, last, far))
                last = there
            doubted = []
    return steps, doubted, wrong


def reachable(a: Fix, b: Fix, limits: Limits) -> bool:
    """Say whether a subject at a can have been at b later, both as far off as they may be."""
    apart = math.hypot(b.x - a.x, b.y - a.y) - a.accuracy_m - b.accuracy_m
    return apart * 1000.0 <= limits.fastest_m_s * (b.time_ms - a.time_ms)


def _plain(position: Position) -> Position:
    """Return a position of Python's own numbers, which JSON can hold, without what mattered at the door only."""
    accuracy = None if position.accuracy_m is None else float(position.accuracy_m)
    number = None if position.sequence is None else int(position.sequence)
    return Position(int(position.time_ms), float(position.x), float(position.y), accuracy, number)


def _key(position: Position, limits: Limits) -> tuple[int, float, int, float, float]:
    """Return what orders positions, and is the same of copies."""
    number = -1 if position.sequence is None else position.sequence
    return position.time_ms, limits.accuracy(position), number, position.x, position.y
