"""What became of regions between two editions, found by comparing boundaries, and followed from then to today. Pure."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely

from geo.crs import City
from geo.geometry import to_plane
from geo.regions.records import LEVELS, Record

SLIVER: Final = 0.02
"""Shares below this are differences of drawing, not territory that moved."""
SAME: Final = 0.95
"""Two boundaries that share this much of both are one place under two codes."""


@dataclass(frozen=True, slots=True)
class Succeeded:
    """One step of a succession: the region it leads to, the share that went there, and the day."""

    successor: int
    share: float
    on: datetime.date


@dataclass(frozen=True, slots=True)
class Change:
    """A change of territory between editions, by codes: ``share`` of the origin's area went to the successor."""

    origin: str
    successor: str
    kind: str
    share: float


def changes_between(old: Sequence[Record], new: Sequence[Record], city: City) -> list[Change]:
    """Return what became of the regions of one edition in the next, level by level, for codes that vanished or appeared.

    A vanished region leads to every region that took a share of it; a region that stays but loses a share to a new one was
    split. Movements between two regions that both stay are corrections of a border, not successions.
    """
    found: list[Change] = []
    for level in LEVELS:
        before = [record for record in old if record.level == level]
        after = [record for record in new if record.level == level]
        if before and after:
            found += _changes(before, after, city)
    return found


def _changes(before: Sequence[Record], after: Sequence[Record], city: City) -> list[Change]:
    stayed = {record.code for record in before} & {record.code for record in after}
    ones = to_plane(np.array([record.polygon for record in before], dtype=object), city)
    others = to_plane(np.array([record.polygon for record in after], dtype=object), city)
    left, right = shapely.STRtree(others).query(ones, predicate="intersects")
    pieces: dict[str, list[tuple[str, float, float]]] = defaultdict(list)
    for i, j in zip(left, right, strict=True):
        origin, successor = before[i].code, after[j].code
        if origin == successor or (origin in stayed and successor in stayed):
            continue
        common = float(shapely.intersection(ones[i], others[j]).area)
        share = common / float(ones[i].area)
        if share > SLIVER:
            pieces[origin].append((successor, share, common / float(others[j].area)))
    givers: dict[str, int] = defaultdict(int)
    for origin, takers in pieces.items():
        for successor, _, _ in takers:
            givers[successor] += origin not in stayed
    return [
        Change(origin, successor, _kind(origin in stayed, len(takers), givers[successor], share, back), min(share, 1.0))
        for origin, takers in sorted(pieces.items())
        for successor, share, back in sorted(takers)
    ]


def _kind(origin_stays: bool, takers: int, givers: int, share: float, back: float) -> str:
    if share >= SAME and back >= SAME:
        return "rename"
    if origin_stays or takers > 1:
        return "split"
    return "merge" if givers > 1 or back < SAME else "rename"


def follow(region: int, edges: Mapping[int, Sequence[Succeeded]], alive: set[int]) -> dict[int, float]:
    """Return where a region leads today, with shares that sum to one.

    ``edges`` are the steps of each origin in order of days. What a living region did not give away stays with it; what a
    vanished one gave to nobody we know is spread over those who took the rest.
    """
    result: dict[int, float] = defaultdict(float)
    waiting: list[tuple[int, float, datetime.date]] = [(region, 1.0, datetime.date.min)]
    while waiting:
        at, weight, since = waiting.pop()
        steps = [step for step in edges.get(at, ()) if step.on > since]
        given = sum(step.share for step in steps)
        if not steps or given <= 0:
            result[at] += weight
            continue
        kept = max(0.0, 1.0 - given) if at in alive else 0.0
        scale = (1.0 - kept) / given
        if kept:
            result[at] += weight * kept
        waiting.extend((step.successor, weight * step.share * scale, step.on) for step in steps)
    return dict(result)
