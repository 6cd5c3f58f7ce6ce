"""A slow reading of the rules of ``tracking``: the whole history of a subject at once, one fence at a time, with shapely alone."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import shapely

from geo.fences.evaluate.hours import DAYS

Told = tuple[str, str, int, int | None, bool]


def ordered(positions, limits):
    """Return (time, x, y, accuracy) in order of time, of each time and number the first of the most accurate."""
    rows = []
    for p in positions:
        stated = p.accuracy_m
        off = limits.assumed_accuracy_m if stated is None else max(stated, limits.finest_accuracy_m)
        if off <= limits.worst_accuracy_m:
            rows.append((p.time_ms, off, -1 if p.sequence is None else p.sequence, p.x, p.y))
    taken, times, numbers = [], set(), set()
    for time, off, number, x, y in sorted(rows):
        if time in times or number in numbers:
            continue
        times.add(time)
        if number >= 0:
            numbers.add(number)
        taken.append((time, x, y, off))
    return taken


def believed(fixes, limits):
    """Return the fixes that are no jumps, and of each whether nothing is known of the way to it. Looks ahead where it must."""

    def can_come(a, b):
        return math.dist(a[1:3], b[1:3]) - a[3] - b[3] <= limits.fastest_m_s * (b[0] - a[0]) / 1000

    kept, afresh, i = [], [], 0
    while i < len(fixes):
        if not kept or can_come(kept[-1], fixes[i]):
            afresh.append(not kept or fixes[i][0] - kept[-1][0] > limits.gap_ms)
            kept.append(fixes[i])
            i += 1
            continue
        run = [fixes[i]]
        for fix in fixes[i + 1 : i + limits.confirmations]:
            if can_come(kept[-1], fix) or not can_come(run[-1], fix):
                break
            run.append(fix)
        if len(run) == limits.confirmations:
            for n, fix in enumerate(run):
                afresh.append(n == 0 or fix[0] - kept[-1][0] > limits.gap_ms)
                kept.append(fix)
        i += len(run)
    return kept, afresh


def holds(term, time_ms, zone="Asia/Shanghai"):
    """Read a term as a person does: the day, and the hours of today and of last night. ``term`` is (from, to, stored hours)."""
    first, last, stored = term
    if not (first or last or stored):
        return True
    moment = dt.datetime.fromtimestamp(time_ms / 1000, ZoneInfo(zone))
    if (first and moment.date() < first) or (last and moment.date() > last):
        return False
    if not stored:
        return True
    now = f"{moment:%H:%M}"
    today, night = stored.get(DAYS[moment.weekday()], ()), stored.get(DAYS[moment.weekday() - 1], ())
    return any(b <= now and (now < e or e < b) for b, e in today) or any(e < b and now < e for b, e in night)


def sides(ratios, afresh, limits):
    """Return of each fix the side after it, the evidence after it, and the fix from which a change counts (None: no change)."""
    inside, start, side, evidence, since = False, 0, [], [], []
    for i, ratio in enumerate(ratios):
        change = None
        if afresh[i]:
            if abs(ratio) >= 1 and (ratio > 0) != inside:
                inside, change = not inside, i
            start, found = i + 1, 0.0
        else:
            if (-ratio if inside else ratio) <= -1:
                start = i + 1
            # the largest sum over the fixes up to this one since the last that was clearly on the old side
            beyond = [(-r if inside else r) - 1 for r in ratios[start : i + 1]]
            sums = [sum(beyond[s:]) for s in range(len(beyond))]
            found = max([0.0, *sums])
            if found >= limits.evidence:
                change = max([k for k in range(start, i) if evidence[k] == 0.0], default=start - 1) + 1
                inside, start, found = not inside, i + 1, 0.0
        side.append(inside)
        evidence.append(found)
        since.append(change)
    return side, evidence, since


def read(positions, shapes, rules, limits, terms=None) -> list[Told]:
    """Return every event of one subject, sorted: fence, kind, at, after, inferred. None of the positions may be late or early."""
    fixes, afresh = believed(ordered(positions, limits), limits)
    told: list[Told] = []
    for rule in rules if fixes else ():
        seen = _see(fixes, afresh, shapes[rule.fence], rule, limits, (terms or {}).get(rule.fence, (None, None, {})))
        wanted = {"enter": rule.enter, "exit": rule.exit, "cross": rule.cross, "dwell": True, "approach": True}
        found = [
            *_changes(seen),
            *_stays(seen, rule),
            *_crossings(seen, shapes[rule.fence], limits),
            *_comings(seen, rule),
        ]
        told += [(rule.fence, *event) for event in found if wanted[event[0]]]
    return sorted(told)


@dataclass
class Seen:
    """A subject's fixes as one fence sees them."""

    fixes: list
    times: list[int]
    afresh: list[bool]
    open: list[bool]
    ratios: list[float]
    side: list[bool]
    evidence: list[float]
    since: list
    near: tuple

    def moment(self, kind, k, first):
        before = None if first == 0 else self.times[first - 1]
        known = not self.afresh[k] and self.open[first] and (first == 0 or self.open[first - 1])
        return kind, self.times[first], before, not known


def _see(fixes, afresh, shape, rule, limits, term) -> Seen:
    times = [fix[0] for fix in fixes]
    open_ = [holds(term, time) for time in times]
    points = shapely.points([fix[1:3] for fix in fixes])
    depth = shapely.distance(shape.boundary, points) * np.where(shapely.intersects(shape, points), 1.0, -1.0)
    depth = np.where(open_, depth, -np.inf)
    off = np.array([fix[3] for fix in fixes])
    most = limits.evidence + 1
    ratios = np.clip(depth / off, -most, most).tolist()
    ring = np.clip((depth + (rule.approach_m or 0.0)) / off, -most, most).tolist()
    return Seen(fixes, times, afresh, open_, ratios, *sides(ratios, afresh, limits), near=sides(ring, afresh, limits))


def _changes(seen: Seen):
    for k, first in enumerate(seen.since):
        if first is not None:
            yield seen.moment("enter" if seen.side[k] else "exit", k, first)


def _stays(seen: Seen, rule):
    entries = [k for k, first in enumerate(seen.since) if first is not None and seen.side[k]]
    for k in entries if rule.dwell_s is not None else ():
        entered = seen.times[seen.since[k]]
        due = entered + round(rule.dwell_s * 1000)
        end = next((j for j in range(k, len(seen.side)) if not seen.side[j]), len(seen.side))
        certain = [j for j in range(k, end) if seen.evidence[j] == 0.0 and seen.times[j] >= due]
        if certain:
            yield "dwell", due, entered, any(seen.afresh[k + 1 : certain[0] + 1])


def _crossings(seen: Seen, shape, limits):
    away = [k for k, ratio in enumerate(seen.ratios) if ratio <= -1]
    for a, b in zip(away, away[1:], strict=False):
        if any(seen.side[a : b + 1]) or any(seen.afresh[a + 1 : b + 1]) or not (seen.open[a] and seen.open[b]):
            continue
        if seen.times[b] - seen.times[a] <= limits.gap_ms and _cuts(shape, seen.fixes[a], seen.fixes[b]):
            yield from ((kind, seen.times[b], seen.times[a], False) for kind in ("enter", "cross", "exit"))


def _comings(seen: Seen, rule):
    if rule.approach_m is None:
        return
    near, _, since = seen.near
    for k, first in enumerate(since):
        if first is not None and near[k] and not seen.side[k]:
            yield seen.moment("approach", k, first)


def _cuts(shape, a, b):
    ax, ay, bx, by = *a[1:3], *b[1:3]
    length = math.hypot(bx - ax, by - ay)
    if length == 0:
        return False
    off = max(a[3], b[3])
    dx, dy = -(by - ay) / length * off, (bx - ax) / length * off
    lines = [shapely.LineString([(ax + s * dx, ay + s * dy), (bx + s * dx, by + s * dy)]) for s in (0, 1, -1)]
    return all(shapely.intersects(shape, line) for line in lines)
