"""B7: which of many fences hold each of many points, beside shapely's tree of prepared shapes; building; following subjects.

Times are those of the processor, of one thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import shapely

from geo.fences.evaluate.index import FenceIndex, Hits, warm_up
from geo.fences.evaluate.positions import Position
from geo.fences.evaluate.tracking import FenceRule, RuleBook, Track, advance
from tests.bench.report import Bar
from tests.geo.fences.evaluate.drawing import named, stars

GOAL = 2.0
POINTS, PEER_POINTS = 2_000_000, 400_000
ROUNDS = 5
EXTENT = 60_000.0
START = 1_795_392_000_000
SUBJECTS, FIXES = 100, 600


def run() -> list[Bar]:
    """Return the rates of points among 1,000 and 50,000 fences, of building, and of positions followed."""
    warm_up()
    rng = np.random.default_rng(7)
    thousand = stars(rng, 1000, 100, 1000.0, EXTENT)
    many = stars(rng, 50_000, 20, 150.0, EXTENT)
    anywhere = rng.uniform(0, EXTENT, (2, POINTS))
    within = _within(thousand, rng)
    return [
        _points(thousand, anywhere, "1,000 fences of 100 vertices, points all over the city"),
        _points(thousand, within, "the same, every point in a fence"),
        _points(many, anywhere, "50,000 fences of 20 vertices"),
        *_building(thousand, many),
        *_following(thousand),
    ]


def _within(shapes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return points of which each lies within half the largest radius of some fence, so inside it."""
    middles = shapely.get_coordinates(shapely.centroid(shapes))[rng.integers(0, len(shapes), POINTS)]
    return (middles + rng.uniform(-250, 250, (POINTS, 2))).T.copy()


def _points(shapes: np.ndarray, points: np.ndarray, note: str) -> Bar:
    index = FenceIndex.build(shapes, named(len(shapes)))
    tree = shapely.STRtree(shapes)
    shapely.prepare(shapes)
    few = shapely.points(points[:, :PEER_POINTS].T)
    # in turns, so that a noisy moment of the machine strikes both; the best of each counts
    ours, peer, hits, pairs = np.inf, np.inf, None, None
    for _ in range(ROUNDS):
        spent, hits = _timed(lambda: index.at(*points))
        ours = min(ours, spent)
        spent, pairs = _timed(lambda: tree.query(few, predicate="intersects"))
        peer = min(peer, spent)
    _require_equal(hits, pairs)
    rate, peer_rate = POINTS / ours / 1e6, PEER_POINTS / peer / 1e6
    found = f"{len(hits.fences) / POINTS:.2f} fences a point, {index.nbytes / 1e6:.0f} MB"
    return Bar(
        "B7", rate, peer_rate, rate / peer_rate, "M points/s", f"{note}; {found}; bar {GOAL:g}, peer STRtree, equal"
    )


def _require_equal(hits: Hits, pairs: np.ndarray) -> None:
    """Refuse to report a rate of wrong answers."""
    points, fences = pairs
    order = np.lexsort((fences, points))
    until = hits.offsets[PEER_POINTS]
    same = np.array_equal(hits.points[:until], points[order]) and np.array_equal(hits.fences[:until], fences[order])
    if not same:
        raise AssertionError("the tree of shapes answers otherwise")


def _building(thousand: np.ndarray, many: np.ndarray) -> list[Bar]:
    bars = []
    for shapes in (thousand, many):
        spent, index = min(
            (_timed(lambda s=shapes: FenceIndex.build(s, named(len(s)))) for _ in range(3)), key=lambda t: t[0]
        )
        note = f"building {len(shapes):,} fences, checks of validity included"
        bars.append(Bar("B7", spent, None, None, "s", f"{note}; {index.nbytes / 1e6:.0f} MB"))
    return bars


def _following(shapes: np.ndarray) -> list[Bar]:
    """Drive subjects straight through the city, a fix in two seconds, with all kinds of events wanted of every fence."""
    names = named(len(shapes))
    rules = [FenceRule(name, cross=True, dwell_s=60.0, approach_m=100.0) for name in names]
    book = RuleBook.build(FenceIndex.build(shapes, names), rules)
    rng = np.random.default_rng(8)
    drives = [_drive(rng) for _ in range(SUBJECTS)]
    bars = []
    for size in (100, 1):
        some = drives if size > 1 else drives[: SUBJECTS // 10]
        spent, events = min((_timed(lambda d=some, n=size: _follow(d, n, book)) for _ in range(3)), key=lambda t: t[0])
        rate = len(some) * FIXES / spent
        note = f"following subjects among 1,000 fences, {size} positions at a time; {events / len(some) / FIXES:.3f} events each"
        bars.append(Bar("B7", rate, None, None, "positions/s", note))
    return bars


def _drive(rng: np.random.Generator) -> list[Position]:
    x, y = rng.uniform(0, EXTENT, 2)
    east, north = rng.normal(0, 10, 2)
    noise = rng.normal(0, 4, (FIXES, 2))
    return [
        Position(START + 2000 * t, float(x + east * 2 * t + dx), float(y + north * 2 * t + dy), 6.0, t)
        for t, (dx, dy) in enumerate(noise)
    ]


def _follow(drives: list[list[Position]], size: int, book: RuleBook) -> int:
    count = 0
    for positions in drives:
        track = Track()
        for begin in range(0, len(positions), size):
            track, events = advance(track, positions[begin : begin + size], book)
            count += len(events)
    return count


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    begun = time.thread_time()
    result = work()
    return time.thread_time() - begun, result
