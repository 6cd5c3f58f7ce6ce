"""What a subject does at fences as it moves: enters, leaves, crosses, stays, comes near. Pure; a ``Track`` is all it remembers.

``advance`` takes positions in any order and returns events that depend only on which positions were taken (``positions``),
never on how they were batched or when the program was stopped. Of each fence:

* The **depth** of a fix is its distance from the border, negative outside; while the fence does not hold (``Term``) it is minus
  infinity. In units of the fix's accuracy, cut at ±(``evidence`` + 1), it is the **ratio**. A ratio of 1 or more is clearly
  inside, of -1 or less clearly outside.
* A subject changes sides on **evidence**: each fix adds by how much it is more than clearly on the other side, or takes away by
  how much it is less, never below nothing; a fix clearly on the old side begins anew; at ``evidence`` the side is changed, as of
  the first fix that added to it. One fix far beyond the border is enough; jitter about it very seldom is: at a fix a second by a
  device that stands on the border no change in an hour when its errors are independent, at most four when they wander, where
  the bare signs change more than five hundred times.
* **Afresh** (at first, after more than ``gap_ms`` without a fix, after a jump that was confirmed) the subject is where it
  clearly is; when that is unclear it stays on its side, outside at first. What is told then is ``inferred``.
* ``enter`` and ``exit`` are changes of side. They are inferred, too, when the fence began or ceased to hold.
* ``cross``: between two fixes clearly outside, at most ``gap_ms`` apart and with no fix clearly outside nor a change of side
  between, the straight line meets the fence, and still does when moved to either side by the worse accuracy of the two; the
  fence holds at both. ``enter`` and ``exit`` are told with it. Nothing is known of the way when a fix is afresh, so nothing is
  crossed.
* ``dwell``: at a fix without evidence to the contrary, inside for at least ``dwell_s`` since entering; once a stay; inferred
  when a fix since was afresh.
* ``approach``: the same change of side of the fence widened by ``approach_m``, unless the subject is inside the fence by then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, astuple, dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, NamedTuple

import numpy as np
import shapely

from geo.fences.evaluate.index import FenceIndex
from geo.fences.evaluate.positions import Fix, Limits, Position, Queue, Refusal, Step, believe


class EventKind(StrEnum):
    """What was done at a fence."""

    APPROACH = "approach"
    ENTER = "enter"
    DWELL = "dwell"
    CROSS = "cross"
    EXIT = "exit"

    @property
    def label(self) -> str:
        """Return it in Chinese."""
        return _KINDS[self]


_KINDS: Final = {
    EventKind.APPROACH: "接近",
    EventKind.ENTER: "进入",
    EventKind.DWELL: "停留",
    EventKind.CROSS: "穿越",
    EventKind.EXIT: "离开",
}
_ORDER: Final = {kind: number for number, kind in enumerate(EventKind)}


@dataclass(frozen=True, slots=True)
class FenceRule:
    """Which events of a fence are wanted; ``dwell_s`` and ``approach_m`` turn theirs on."""

    fence: str
    enter: bool = True
    exit: bool = True
    cross: bool = False
    dwell_s: float | None = None
    approach_m: float | None = None

    def wants(self, kind: EventKind) -> bool:
        """Say whether an event of this kind is told."""
        if kind is EventKind.DWELL:
            return self.dwell_s is not None
        if kind is EventKind.APPROACH:
            return self.approach_m is not None
        return bool(getattr(self, kind))


@dataclass(frozen=True, slots=True)
class Event:
    """Something done at a fence: at the fix of ``at_ms``, and after the one of ``after_ms`` (``None``: nothing is known before).

    It names no place. ``sequence`` is the same whenever the same positions are replayed, from whatever ``Track``.
    """

    fence: str
    kind: EventKind
    at_ms: int
    after_ms: int | None
    inferred: bool

    @property
    def sequence(self) -> int:
        """Return the number of the event, unique and ascending for its fence and subject."""
        return self.at_ms * 8 + _ORDER[self.kind]


@dataclass(frozen=True, slots=True, eq=False)
class RuleBook:
    """Rules over the fences of an index, by row; the boxes of those with a rule, widened by how far off one comes near."""

    index: FenceIndex
    rules: Mapping[int, FenceRule]
    limits: Limits
    rows: Mapping[str, int]
    _tree: shapely.STRtree
    _boxed: np.ndarray[Any, np.dtype[np.int32]]

    @classmethod
    def build(cls, index: FenceIndex, rules: Iterable[FenceRule], limits: Limits | None = None) -> RuleBook:
        """Join rules to an index; raises ``KeyError`` for a rule of a fence that the index does not hold."""
        row_of = {name: row for row, name in enumerate(index.ids)}
        by_row = {row_of[rule.fence]: rule for rule in rules}
        boxed = np.array(sorted(by_row), dtype=np.int32)
        bounds = shapely.bounds(index.shapes[boxed]).reshape(-1, 4)
        wide = np.array([by_row[int(row)].approach_m or 0.0 for row in boxed], dtype=np.float64)
        boxes = shapely.box(bounds[:, 0] - wide, bounds[:, 1] - wide, bounds[:, 2] + wide, bounds[:, 3] + wide)
        names = {rule.fence: row for row, rule in by_row.items()}
        return cls(index, by_row, limits or Limits(), names, shapely.STRtree(boxes), boxed)

    def depths(self, steps: list[Step]) -> list[dict[int, float]]:
        """Return of each step the depth in the fences (rows) near its way that hold; those left out are too far to matter."""
        found: list[dict[int, float]] = [{} for _ in steps]
        if not steps or not self.rules:
            return found
        here = np.array([step.fix[1:] for step in steps])
        times = np.array([step.fix.time_ms for step in steps])
        ways = [step.fix if step.afresh or step.before is None else step.before for step in steps]
        there = np.array([way[1:] for way in ways])
        reach = np.maximum(here[:, 2], there[:, 2]) * (self.limits.evidence + 1.0) + 1.0
        low = np.minimum(here, there)[:, :2] - reach[:, None]
        high = np.maximum(here, there)[:, :2] + reach[:, None]
        at, boxed = self._tree.query(shapely.box(low[:, 0], low[:, 1], high[:, 0], high[:, 1]))
        rows = self._boxed[boxed]
        holds = self.index.timetable.hold(rows, times[at])
        at, rows = at[holds], rows[holds]
        for step, row, depth in zip(at, rows, self.index.depths(here[at, 0], here[at, 1], rows), strict=True):
            found[step][int(row)] = float(depth)
        return found

    def holds(self, row: int, time_ms: int | None) -> bool:
        """Say whether a fence holds at a moment; at none it does."""
        return time_ms is None or bool(self.index.timetable.hold(np.array([row]), np.array([time_ms]))[0])


@dataclass(slots=True)
class Side:
    """On which side of a border a subject is, and the evidence that it is on the other since ``since_ms``."""

    inside: bool = False
    evidence: float = 0.0
    since_ms: int = 0
    after_ms: int | None = None

    def observe(self, ratio: float, step: Step, limits: Limits) -> bool:
        """Take a fix into account; say whether the side was changed. ``since_ms`` and ``after_ms`` then tell when."""
        before_ms = None if step.before is None else step.before.time_ms
        if step.afresh:
            self.evidence = 0.0
            if abs(ratio) < 1.0 or (ratio > 0.0) == self.inside:
                return False
            self.inside, self.since_ms, self.after_ms = ratio > 0.0, step.fix.time_ms, before_ms
            return True
        beyond = -ratio if self.inside else ratio
        evidence = max(0.0, self.evidence + beyond - 1.0) if beyond > -1.0 else 0.0
        if evidence > 0.0 and self.evidence == 0.0:
            self.since_ms, self.after_ms = step.fix.time_ms, before_ms
        self.evidence = evidence
        if evidence < limits.evidence:
            return False
        self.inside, self.evidence = not self.inside, 0.0
        return True


@dataclass(slots=True)
class Stay:
    """What is remembered of a subject and one fence that it is inside, near, or not clearly away from."""

    side: Side = field(default_factory=Side)
    near: Side = field(default_factory=Side)
    entered_ms: int = 0
    dwelt: bool = False
    unseen: bool = False
    outside: Fix | None = None
    """The last fix clearly outside, with no change of side and nothing unknown since."""

    def matters(self, clearly_outside: bool) -> bool:
        """Say whether forgetting it would lose anything."""
        return not clearly_outside or self.side.inside or self.near.inside or self.near.evidence > 0.0


@dataclass(frozen=True, slots=True)
class Track:
    """All that is remembered of one subject between calls; ``counts`` says how many positions were left out, by reason.

    It holds the last positions: keep it no longer than the subject is followed.
    """

    waiting: tuple[Position, ...] = ()
    newest_ms: int | None = None
    released_ms: int | None = None
    sequences: tuple[int, ...] = ()
    last: Fix | None = None
    doubted: tuple[Fix, ...] = ()
    stays: Mapping[str, Stay] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        plain = asdict(self)
        return plain | {
            "waiting": [list(astuple(each)) for each in self.waiting],
            "sequences": list(self.sequences),
            "doubted": [list(fix) for fix in self.doubted],
            "last": None if self.last is None else list(self.last),
        }

    def without_positions(self) -> Track:
        """Return what may be remembered of a subject unheard for long: times, and inside or near which fences it was."""
        kept = {fence: stay for fence, stay in self.stays.items() if stay.side.inside or stay.near.inside}
        stays = {fence: replace(stay, outside=None) for fence, stay in kept.items()}
        return replace(self, waiting=(), last=None, doubted=(), stays=stays)

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Track:
        """Read what ``as_json`` returned."""
        return cls(
            waiting=tuple(Position(*each) for each in plain["waiting"]),
            newest_ms=plain["newest_ms"],
            released_ms=plain["released_ms"],
            sequences=tuple(plain["sequences"]),
            last=_fix(plain["last"]),
            doubted=tuple(Fix(*each) for each in plain["doubted"]),
            stays={fence: _stay(each) for fence, each in plain["stays"].items()},
            counts=dict(plain["counts"]),
        )


class Heard(NamedTuple):
    """What came of positions: what to remember, the events that are now certain, and of each position why it was refused.

    That a position was a copy or a jump may be known later only; ``Track.counts`` counts those as well.
    """

    track: Track
    events: list[Event]
    refusals: list[Refusal | None]


def advance(
    track: Track, positions: Iterable[Position], book: RuleBook, *, until_ms: int | None = None
) -> tuple[Track, list[Event]]:
    """Take positions of one subject, in the order of arrival; return what to remember of it, and the events that are now
    certain.

    An event is certain once the newest time heard is ``lateness_ms`` after its fix. ``until_ms`` is a time heard from
    elsewhere, such as our own clock for a subject that fell silent. ``track`` itself is left as it is.
    """
    return hear(track, positions, book, until_ms=until_ms)[:2]


def hear(track: Track, positions: Iterable[Position], book: RuleBook, *, until_ms: int | None = None) -> Heard:
    """Do what ``advance`` does, and say of each position why it was refused."""
    queue = Queue(list(track.waiting), track.newest_ms, track.released_ms, list(track.sequences), dict(track.counts))
    refusals = queue.take(positions, book.limits)
    if until_ms is not None:
        queue.hear(until_ms)
    steps, doubted, wrong = believe(track.last, list(track.doubted), queue.release(book.limits), book.limits)
    queue.count(Refusal.JUMP, wrong)
    stays = {
        fence: replace(stay, side=replace(stay.side), near=replace(stay.near)) for fence, stay in track.stays.items()
    }
    events: list[Event] = []
    for step, depths in zip(steps, book.depths(steps), strict=True):
        events += _follow(stays, step, depths, book)
    after = Track(
        waiting=tuple(queue.waiting),
        newest_ms=queue.newest_ms,
        released_ms=queue.released_ms,
        sequences=tuple(queue.sequences),
        last=steps[-1].fix if steps else track.last,
        doubted=tuple(doubted),
        stays=stays,
        counts=queue.counts,
    )
    return Heard(after, events, refusals)


def settle(track: Track, book: RuleBook) -> tuple[Track, list[Event]]:
    """Wait for nothing more: take what waits into account, as at the end of a journey."""
    if track.newest_ms is None:
        return track, []
    return advance(track, (), book, until_ms=track.newest_ms + book.limits.lateness_ms + 1)


def _follow(stays: dict[str, Stay], step: Step, depths: Mapping[int, float], book: RuleBook) -> list[Event]:
    """Take one fix into account at every fence it can matter to; the events are in the order of the fences' ids."""
    events: list[Event] = []
    names = {book.rules[row].fence for row in depths}
    for fence in sorted(names | stays.keys()):
        row = book.rows.get(fence)
        if row is None:
            del stays[fence]  # it has no rule any more
            continue
        stay = stays.get(fence) or Stay(outside=step.before)
        told, clearly_outside = _AtFence(row, book, step, stay).observe(depths.get(row, -np.inf))
        events += told
        if stay.matters(clearly_outside):
            stays[fence] = stay
        else:
            stays.pop(fence, None)
    return events


@dataclass(frozen=True, slots=True)
class _AtFence:
    """One step of a subject at one fence."""

    row: int
    book: RuleBook
    step: Step
    stay: Stay

    def observe(self, depth: float) -> tuple[list[Event], bool]:
        """Return the events of this step, and whether its fix is clearly outside."""
        stay, step, limits, rule = self.stay, self.step, self.book.limits, self.book.rules[self.row]
        ratio = self._ratio(depth)
        changed = stay.side.observe(ratio, step, limits)
        told = []
        if rule.approach_m is not None:
            came = stay.near.observe(self._ratio(depth + rule.approach_m), step, limits) and stay.near.inside
            if came and not stay.side.inside:
                told.append(self._event(EventKind.APPROACH, stay.near))
        else:
            stay.near = Side()  # the rule may have asked for it before
        if changed:
            told.append(self._change())
        if stay.side.inside:
            told += self._dwell(rule.dwell_s, changed)
        told += self._cross(clearly_outside=ratio <= -1.0)
        return [event for event in told if rule.wants(event.kind)], ratio <= -1.0

    def _ratio(self, depth: float) -> float:
        most = self.book.limits.evidence + 1.0
        return max(-most, min(most, depth / self.step.fix.accuracy_m))

    def _event(self, kind: EventKind, side: Side) -> Event:
        at, after = side.since_ms, side.after_ms
        whole = not self.step.afresh and self.book.holds(self.row, at) and self.book.holds(self.row, after)
        return Event(self.book.rules[self.row].fence, kind, at, after, not whole)

    def _change(self) -> Event:
        stay = self.stay
        if not stay.side.inside:
            return self._event(EventKind.EXIT, stay.side)
        stay.entered_ms, stay.dwelt, stay.unseen = stay.side.since_ms, False, False
        return self._event(EventKind.ENTER, stay.side)

    def _dwell(self, dwell_s: float | None, changed: bool) -> list[Event]:
        stay, fix = self.stay, self.step.fix
        stay.unseen = stay.unseen or (self.step.afresh and not changed)
        if dwell_s is None or stay.dwelt or stay.side.evidence > 0.0:
            return []
        at = stay.entered_ms + round(dwell_s * 1000)
        if fix.time_ms < at:
            return []
        stay.dwelt = True
        return [Event(self.book.rules[self.row].fence, EventKind.DWELL, at, stay.entered_ms, stay.unseen)]

    def _cross(self, *, clearly_outside: bool) -> list[Event]:
        """Tell that the fence was crossed since the last fix clearly outside, and remember this one when it is."""
        stay, fix = self.stay, self.step.fix
        before = None if self.step.afresh or stay.side.inside else stay.outside
        stay.outside = before
        if stay.side.inside or not clearly_outside:
            return []
        stay.outside = fix
        if before is None or fix.time_ms - before.time_ms > self.book.limits.gap_ms:
            return []
        if not self._whole_way(before, fix):
            return []
        fence = self.book.rules[self.row].fence
        kinds = (EventKind.ENTER, EventKind.CROSS, EventKind.EXIT)
        return [Event(fence, kind, fix.time_ms, before.time_ms, False) for kind in kinds]

    def _whole_way(self, a: Fix, b: Fix) -> bool:
        """Say whether the way between two fixes clearly crosses the fence; a may be from before the fence had this shape."""
        index, row = self.book.index, self.row
        return (
            index.crosses_wholly(row, a[1:3], b[1:3], max(a.accuracy_m, b.accuracy_m))
            and self.book.holds(row, a.time_ms)
            and self.book.holds(row, b.time_ms)
            and bool(index.depths([a.x], [a.y], row)[0] <= -a.accuracy_m)
        )


def _fix(plain: Any) -> Fix | None:
    return None if plain is None else Fix(*plain)


def _stay(plain: Mapping[str, Any]) -> Stay:
    values = {"side": Side(**plain["side"]), "near": Side(**plain["near"]), "outside": _fix(plain["outside"])}
    return Stay(**{**plain, **values})
