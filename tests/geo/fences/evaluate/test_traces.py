from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import shapely

from geo.fences.evaluate.index import FenceIndex
from geo.fences.evaluate.positions import Limits
from geo.fences.evaluate.tracking import FenceRule, RuleBook, Track, advance, settle
from tests.geo.fences.evaluate.reading import read
from tests.geo.fences.evaluate.traces import fences_along, tracks

LIMITS = Limits()


def rules_of(shapes) -> list[FenceRule]:
    near = {"circle": 100.0, "lane": None, "star": 40.0}
    return [FenceRule(name, cross=True, dwell_s=30.0, approach_m=near[name[:-1]]) for name in shapes]


def replayed(positions, book, rng=None):
    """Return the events of a track; with ``rng`` its positions come in batches, up to a minute late, some twice."""
    arrivals, cuts = positions, [0, len(positions)]
    if rng is not None:
        arrivals = positions + [positions[k] for k in rng.integers(0, len(positions), len(positions) // 5)]
        heard = np.array([p.time_ms for p in arrivals]) + rng.uniform(0, LIMITS.lateness_ms, len(arrivals))
        arrivals = [arrivals[k] for k in np.argsort(heard)]
        cuts = [*range(0, len(arrivals), 60), len(arrivals)]
    track, events = Track(), []
    for a, b in zip(cuts, cuts[1:], strict=False):
        track, more = advance(track, arrivals[a:b], book)
        events += more
    return events + settle(track, book)[1]


def as_told(events):
    return sorted((e.fence, str(e.kind), e.at_ms, e.after_ms, e.inferred) for e in events)


@pytest.mark.data
@pytest.mark.timeout(900)
def test_every_real_track_gives_the_events_of_a_slow_reading(data_folder):
    """All 180 tracks in order, each third also as a bad network brings it."""
    count: Counter[str] = Counter()
    for number, positions in tracks(data_folder):
        rng = np.random.default_rng(number)
        shapes = fences_along(positions, rng)
        rules = rules_of(shapes)
        book = RuleBook.build(FenceIndex.build(list(shapes.values()), list(shapes)), rules, LIMITS)
        events = replayed(positions, book)
        assert as_told(events) == read(positions, shapes, rules, LIMITS), f"track {number}"
        if number % 3 == 0:
            assert replayed(positions, book, rng) == events, f"track {number}"
        count.update(str(event.kind) for event in events)
        count["inferred"] += sum(event.inferred for event in events)
    assert min(count[kind] for kind in ("enter", "exit", "cross", "dwell", "approach", "inferred")) > 25, count


@pytest.mark.data
@pytest.mark.timeout(900)
def test_added_jitter_makes_no_coming_and_going_on_real_tracks(data_folder):
    """Each fix is moved by as much as its accuracy says; who then enters and leaves more often does so by jitter."""
    clean, excess, bare, bare_shaken = 0, 0, 0, 0
    for number, positions in tracks(data_folder):
        rng = np.random.default_rng(1000 + number)
        shapes = fences_along(positions, rng)
        book = RuleBook.build(
            FenceIndex.build(list(shapes.values()), list(shapes)), [FenceRule(s) for s in shapes], LIMITS
        )
        noisy = shaken(positions, rng)
        without, with_ = (Counter(e.fence for e in replayed(each, book)) for each in (positions, noisy))
        clean += without.total()
        excess += (with_ - without).total()
        bare += bare_changes(positions, shapes)
        bare_shaken += bare_changes(noisy, shapes)
    assert clean > 1200
    assert bare_shaken - bare > 300, "what is simply inside or not comes and goes"
    assert excess < clean * 0.02, (clean, excess)


def shaken(positions, rng, kept=0.7):
    """Return positions moved by errors that wander, of the size each states (at most that of a vague fix)."""
    error, moved = np.zeros(2), []
    for each in positions:
        error = kept * error + rng.normal(0, np.sqrt(1 - kept**2) / 1.5, 2)
        size = min(max(each.accuracy_m or 0.0, LIMITS.finest_accuracy_m), LIMITS.worst_accuracy_m)
        moved.append(replace(each, x=each.x + size * error[0], y=each.y + size * error[1]))
    return moved


def bare_changes(positions, shapes) -> int:
    """Count what is told when each fix is simply inside or not."""
    good = [p for p in positions if (p.accuracy_m or 0.0) <= LIMITS.worst_accuracy_m]
    points = shapely.points(np.array([(p.x, p.y) for p in good]).reshape(-1, 2))
    return sum(
        int(np.diff(shapely.intersects(shape, points).astype(int), prepend=0).astype(bool).sum())
        for shape in shapes.values()
    )
