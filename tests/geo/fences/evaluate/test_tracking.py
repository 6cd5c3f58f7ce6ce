from __future__ import annotations

import datetime as dt
import json
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.crs import SHANGHAI
from geo.fences.evaluate.hours import Hours, Term
from geo.fences.evaluate.index import FenceIndex
from geo.fences.evaluate.positions import Limits, Position
from geo.fences.evaluate.tracking import EventKind, FenceRule, RuleBook, Track, advance, settle
from tests.geo.fences.evaluate.drawing import star
from tests.geo.fences.evaluate.reading import read

LIMITS = Limits()
START = round(dt.datetime(2026, 11, 23, 8, 0, tzinfo=ZoneInfo("Asia/Shanghai")).timestamp() * 1000)
SQUARE = shapely.box(0, 0, 1000, 1000)
ALL = {"enter": True, "exit": True, "cross": True, "dwell_s": 60.0, "approach_m": 80.0}


def book_of(shapes, rules=None, terms=None, limits=LIMITS) -> RuleBook:
    index = FenceIndex.build(list(shapes.values()), list(shapes), terms)
    return RuleBook.build(index, rules or [FenceRule(name, **ALL) for name in shapes], limits)


def told(events):
    return sorted((e.fence, str(e.kind), e.at_ms, e.after_ms, e.inferred) for e in events)


def at(second, x, y=500.0, accuracy=5.0, **more) -> Position:
    return Position(START + round(second * 1000), x, y, accuracy, **more)


def replay(positions, book) -> tuple[Track, list]:
    track, events = advance(Track(), positions, book)
    track, rest = settle(track, book)
    return track, events + rest


def kinds(positions, book=None):
    """Return kind, seconds and whether inferred of the events of a journey past the square."""
    _, events = replay(positions, book or book_of({"a": SQUARE}, [FenceRule("a", cross=True)]))
    return [(str(e.kind), (e.at_ms - START) / 1000, e.inferred) for e in events]


# What happens


def test_driving_through_a_square_enters_and_leaves_it():
    """A fix every 5 s at 20 m/s; the border is passed between the fixes of 25 and 30 s, and of 75 and 80 s."""
    journey = [at(t, -550 + 20 * t) for t in range(0, 120, 5)]
    assert kinds(journey) == [("enter", 30, False), ("exit", 80, False)]
    _, events = replay(journey, book_of({"a": SQUARE}))
    entered = next(e for e in events if e.kind is EventKind.ENTER)
    assert entered.after_ms == START + 25_000, "between the fix before and this"


def test_a_narrow_fence_between_two_fixes_is_crossed():
    lane = shapely.box(100, -500, 112, 500)
    journey = [at(0, 0, 0), at(5, 60, 0), at(10, 160, 0), at(15, 260, 0)]
    book = book_of({"lane": lane}, [FenceRule("lane", cross=True)])
    assert kinds(journey, book) == [("enter", 10, False), ("cross", 10, False), ("exit", 10, False)]
    only = book_of({"lane": lane}, [FenceRule("lane", enter=False, exit=False, cross=True)])
    assert kinds(journey, only) == [("cross", 10, False)]


def test_driving_along_a_border_crosses_nothing():
    """6 m outside with 8 m of accuracy, now and then a fix that lies within."""
    rng = np.random.default_rng(5)
    journey = [at(t, 10 * t, -6 + rng.normal(0, 5), 8.0) for t in range(100)]
    assert kinds(journey) == []


def test_a_lane_that_begins_to_hold_on_the_way_across_is_not_crossed():
    lane = {"lane": shapely.box(100, -500, 112, 500)}
    rules = [FenceRule("lane", cross=True)]
    journey = [at(50, 0, 0), at(58, 60, 0), at(63, 160, 0), at(68, 260, 0)]
    opens = [Term(hours=Hours.read({"mon": [["08:01", "09:00"]]}))]
    assert kinds(journey, book_of(lane, rules, opens)) == []
    assert len(kinds(journey, book_of(lane, rules))) == 3


def test_staying_is_told_once_a_stay_when_it_is_certain():
    book = book_of({"a": SQUARE}, [FenceRule("a", dwell_s=120)])
    journey = [at(0, -200), at(10, 100), *(at(t, 500) for t in range(20, 400, 20)), at(420, -300), at(440, -300)]
    assert kinds(journey, book) == [("enter", 10, False), ("dwell", 130, False), ("exit", 420, False)]


def test_coming_near_is_told_before_entering_and_again_only_after_going_away():
    book = book_of({"a": SQUARE}, [FenceRule("a", approach_m=200)])
    there = [at(t, -900 + 15 * t) for t in range(0, 90, 2)]
    back = [at(90 + t, 435 - 15 * t) for t in range(0, 120, 2)]
    assert [kind for kind, _, _ in kinds(there + back, book)] == ["approach", "enter", "exit"]
    again = [at(210 + t, -1365 + 15 * t) for t in range(0, 90, 2)]
    assert [kind for kind, _, _ in kinds(there + back + again, book)] == ["approach", "enter", "exit", "approach"]


def test_who_is_inside_at_first_has_entered_by_inference():
    assert kinds([at(0, 500), at(10, 500)]) == [("enter", 0, True)]


def test_after_a_gap_the_subject_is_where_it_is():
    assert kinds([at(0, -500), at(10, -490), at(1000, 500), at(1010, 500)]) == [("enter", 1000, True)]
    # on the way across nothing is known
    assert kinds([at(0, -500), at(1000, 1500), at(1010, 1500)]) == []


def test_a_fence_that_closes_is_left_and_one_that_opens_is_entered_by_inference():
    term = Term(hours=Hours.read({"mon": [["08:01", "08:03"]]}))
    book = book_of({"a": SQUARE}, [FenceRule("a", cross=True)], [term])
    inside = [at(t, 500) for t in range(0, 300, 30)]
    assert kinds(inside, book) == [("enter", 60, True), ("exit", 180, True)]


# Noise


def test_a_jump_of_80_km_is_set_aside_and_its_way_back_too():
    journey = [at(t, -550 + 20 * t) for t in range(0, 120, 5)]
    jumped = [*journey[:7], at(32, 80_500), *journey[7:]]
    track, events = replay(jumped, book_of({"a": SQUARE, "far": shapely.box(80_000, 0, 81_000, 1000)}))
    assert told(events) == told(replay(journey, book_of({"a": SQUARE}))[1])
    assert track.counts == {"jump": 1}


def test_a_jump_that_three_fixes_confirm_is_believed_by_inference():
    journey = [at(0, 500), at(10, 500), at(20, 80_500), at(30, 80_510), at(40, 80_520)]
    book = book_of({"a": SQUARE, "far": shapely.box(80_000, 0, 81_000, 1000)}, [FenceRule("a"), FenceRule("far")])
    track, events = replay(journey, book)
    assert told(events) == [
        ("a", "enter", START, None, True),
        ("a", "exit", START + 20_000, START + 10_000, True),
        ("far", "enter", START + 20_000, START + 10_000, True),
    ]
    assert track.counts == {}


def test_what_is_left_out_is_counted_by_reason():
    book = book_of({"a": SQUARE})
    track, _ = advance(Track(), [at(100, 500, received_ms=START)], book)
    assert track.counts == {}, "within two minutes a clock may be ahead"
    positions = [
        at(121, 500, received_ms=START),
        at(10, float("nan")),
        at(10, 500, 500, 400.0),
        at(100, 500),
        at(39, 500),
        at(40, 500),
    ]
    track, _ = advance(track, positions, book)
    assert track.counts == {"future": 1, "unplaced": 1, "inaccurate": 1, "duplicate": 1, "late": 1}
    assert len(track.waiting) == 2


def test_a_clock_that_goes_backwards_is_late_until_it_has_caught_up():
    book = book_of({"a": SQUARE}, [FenceRule("a")])
    ahead = [at(t, 500) for t in range(3600, 3700, 10)]
    behind = [at(t, 1500) for t in range(0, 3630, 10)]
    track, events = replay([*ahead, *behind], book)
    assert [str(e.kind) for e in events] == ["enter"]
    assert track.counts["late"] == 363


def test_of_positions_of_one_time_the_most_accurate_counts():
    book = book_of({"a": SQUARE}, [FenceRule("a")])
    inside, outside = [at(t, 500, accuracy=6.0) for t in (0, 10)], [at(t, -500, accuracy=60.0) for t in (0, 10)]
    for positions in (inside + outside, outside + inside):
        track, events = replay(positions, book)
        assert [str(e.kind) for e in events] == ["enter"]
        assert track.counts == {"duplicate": 2}


def test_a_fix_clearly_on_the_old_side_begins_the_evidence_anew():
    """4.5 accuracies beyond the border, 1.05 before it, 3.8 beyond: neither fix beyond is enough, and together they are none."""
    book = book_of({"a": SQUARE}, [FenceRule("a")])

    def told_of(*depths):
        return kinds([at(10 * n, depth, accuracy=10.0) for n, depth in enumerate(depths)], book)

    assert told_of(-100, 45, -10.5, 38, -100) == []
    assert told_of(-100, 45, 5, 38, 100) == [("enter", 10, False)]
    assert told_of(100, -45, 10.5, -38, 100) == [("enter", 0, True)]
    assert told_of(100, -45, -5, -38, -100) == [("enter", 0, True), ("exit", 10, False)]


def test_the_same_number_of_a_device_counts_once():
    book = book_of({"a": SQUARE}, [FenceRule("a")])
    journey = [at(t, 500, sequence=t) for t in range(0, 200, 10)]
    resent = [at(t + 3, -5000 if t > 100 else 500, sequence=t) for t in range(0, 200, 10)]
    track, events = replay([p for pair in zip(journey, resent, strict=True) for p in pair], book)
    assert [str(e.kind) for e in events] == ["enter"]
    assert track.counts == {"duplicate": 20}


def test_who_sends_too_much_at_once_is_held_back():
    book = book_of({"a": SQUARE}, limits=Limits(most_waiting=50))
    track, _ = advance(Track(), [at(t / 100, 500) for t in range(80)], book)
    assert (len(track.waiting), track.counts) == (50, {"crowded": 30})
    track, _ = advance(Track(), [at(10 * t, 500) for t in range(5000)], book)
    assert track.counts == {}, "what need not wait any more does not"


@pytest.mark.parametrize("accuracy", [5.0, 12.0, 40.0])
@pytest.mark.parametrize("kept", [0.0, 0.9], ids=["independent", "wandering"])
def test_standing_on_a_border_is_no_coming_and_going(accuracy, kept):
    """Over an hour of fixes a second, each off by no more than stated two times in three; their bare signs change hundreds of times."""
    rng = np.random.default_rng(11)
    changes, naive = 0, 0
    for _ in range(4):
        noise = np.zeros((1500, 2))
        for t in range(1, 1500):
            noise[t] = kept * noise[t - 1] + rng.normal(0, accuracy / 1.5 * np.sqrt(1 - kept**2), 2)
        journey = [at(t, dx, 500 + dy, accuracy) for t, (dx, dy) in enumerate(noise)]
        changes += len(kinds(journey))
        naive += int((np.diff(np.sign(noise[:, 0])) != 0).sum())
    assert naive > 700
    assert changes <= (0 if kept == 0.0 else naive // 100)


# The rules, read slowly


@st.composite
def journeys(draw):
    """A walk or drive among a few fences, with gaps, jumps, vague fixes and terms; positions come with numbers and copies or not."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    shapes = {f"s{n}": star(rng, int(rng.integers(3, 12)), rng.uniform(20, 300), extent=900) for n in range(3)}
    line = shapely.LineString(rng.uniform(0, 900, (3, 2)))
    shapes["lane"] = line.buffer(rng.uniform(3, 12))
    shapes["holed"] = shapely.box(200, 200, 700, 700).difference(shapely.box(300, 300, 600, 500))
    stored = {"mon": [["08:02", "08:05"], ["08:09", "23:00"]]}
    terms = {
        "s1": (None, None, stored),
        "holed": (None, dt.date(2026, 11, 22), {}) if draw(st.booleans()) else (None, None, {}),
    }
    pace = draw(st.sampled_from([1.5, 8.0, 25.0]))
    place, heading, second = rng.uniform(0, 900, 2), rng.uniform(0, 6.3), 0.0
    positions = []
    for n in range(draw(st.integers(1, 120))):
        step = rng.choice([1.0, 2.0, 5.0, 30.0, 400.0], p=[0.5, 0.25, 0.2, 0.03, 0.02])
        second += step
        heading += rng.normal(0, 0.4)
        place = place + pace * min(step, 30.0) * np.array([np.cos(heading), np.sin(heading)])
        if place.min() < 0 or place.max() > 900:
            heading = np.arctan2(*(450 - place)[::-1])
        accuracy = rng.choice([4.0, 9.0, 25.0, 300.0], p=[0.5, 0.3, 0.17, 0.03])
        x, y = place + rng.normal(0, min(accuracy, 25.0) / 1.5, 2)
        if rng.uniform() < 0.02:
            x += 80_000
        positions.append(Position(START + round(second * 1000), x, y, accuracy, n if draw(st.booleans()) else None))
    return shapes, terms, positions, rng


def rules_of(shapes):
    return [
        FenceRule(name, **(ALL if n % 2 else ALL | {"approach_m": None, "dwell_s": 5.0}))
        for n, name in enumerate(shapes)
    ]


def book_with_terms(shapes, terms):
    holding = [
        Term(f, t, Hours.read(stored)) for f, t, stored in (terms.get(name, (None, None, {})) for name in shapes)
    ]
    return book_of(shapes, rules_of(shapes), holding)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(journey=journeys())
def test_events_are_those_of_a_slow_reading_of_the_rules(journey):
    shapes, terms, positions, _ = journey
    _, events = replay(positions, book_with_terms(shapes, terms))
    assert told(events) == read(positions, shapes, rules_of(shapes), LIMITS, terms)
    marks = [(e.fence, e.sequence) for e in events]
    assert len(set(marks)) == len(marks)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(journey=journeys(), cuts=st.lists(st.integers(0, 300), max_size=8))
def test_batches_copies_order_and_restarts_change_nothing(journey, cuts):
    shapes, terms, positions, rng = journey
    book = book_with_terms(shapes, terms)
    _, expected = replay(positions, book)
    arrivals = positions + [positions[k] for k in rng.integers(0, len(positions), len(positions) // 2)]
    delays = rng.uniform(0, LIMITS.lateness_ms, len(arrivals))
    order = sorted(range(len(arrivals)), key=lambda k: arrivals[k].time_ms + delays[k])
    arrivals = [arrivals[k] for k in order]
    track, events = Track(), []
    for a, b in zip([0, *sorted(cuts)], [*sorted(cuts), len(arrivals)], strict=True):
        part = arrivals[a:b]
        advance(track, part, book)  # lost in a crash: nothing was kept of it
        saved = json.loads(json.dumps(track.as_json()))
        track, more = advance(Track.from_json(saved), part, book)
        events += more
    track, rest = settle(Track.from_json(json.loads(json.dumps(track.as_json()))), book)
    assert events + rest == expected
    assert "late" not in track.counts


def test_a_replay_from_the_beginning_makes_no_event_twice():
    book = book_of({"a": SQUARE}, [FenceRule("a", cross=True)])
    journey = [at(t, 500 + 900 * np.sin(t / 40)) for t in range(0, 900, 3)]
    kept: dict[tuple[str, int], str] = {}
    track = Track()
    for begin in range(0, len(journey), 37):
        track, events = advance(track, journey[begin : begin + 37], book)
        kept.update({(e.fence, e.sequence): str(e.kind) for e in events})
    once = dict(kept)
    for event in replay(journey, book)[1]:
        kept.setdefault((event.fence, event.sequence), str(event.kind))
    assert kept.items() >= once.items()
    assert sorted(kept) == sorted((e.fence, e.sequence) for e in replay(journey, book)[1])


def test_a_track_remembers_little_and_forgets_what_is_far_behind():
    rng = np.random.default_rng(3)
    shapes = {f"s{n}": shapely.Point(n * 300.0, 500.0).buffer(100) for n in range(300)}
    book = book_of(shapes, [FenceRule(name, cross=True, approach_m=50) for name in shapes])
    journey = [at(t, 15 * t + rng.normal(0, 3)) for t in range(5500)]
    track, events = replay(journey, book)
    assert len(events) > 500
    assert len(json.dumps(track.as_json())) < 3000


def test_rules_that_go_take_what_was_remembered_with_them():
    both = book_of({"a": SQUARE, "b": SQUARE.buffer(50)})
    track, _ = replay([at(0, 500), at(10, 500)], both)
    assert set(track.stays) == {"a", "b"}
    one = book_of({"b": SQUARE.buffer(50)}, [FenceRule("b")])
    track, events = advance(track, [at(200, 500), at(300, 500)], one)
    assert (set(track.stays), events) == ({"b"}, [])
    with pytest.raises(KeyError):
        RuleBook.build(one.index, [FenceRule("a")])


def test_a_fence_drawn_around_a_subject_that_leaves_was_not_crossed():
    track, _ = replay([at(0, -500), at(2, -480), at(4, -460)], book_of({"far": shapely.box(5000, 0, 5100, 100)}))
    around = book_of({"new": shapely.box(-600, 0, -400, 1000)}, [FenceRule("new", cross=True)])
    track, events = advance(track, [at(70, 300), at(200, 320)], around)
    assert events == []


def test_a_rule_that_asks_for_no_approach_any_more_is_forgotten_when_far():
    near = book_of({"a": SQUARE}, [FenceRule("a", approach_m=300)])
    track, events = replay([at(0, -900), at(10, -150), at(20, -140)], near)
    assert [str(e.kind) for e in events] == ["approach"]
    track, _ = advance(track, [at(100, -400), at(110, -400), at(300, -400)], book_of({"a": SQUARE}, [FenceRule("a")]))
    assert track.stays == {}


@pytest.mark.parametrize(
    ("lon", "lat"), [(31.2304, 121.4737), (179.9999, 31.2), (-180.0, 31.2), (0.0, 0.0), (116.39, 39.91)]
)
def test_positions_with_swapped_axes_or_of_elsewhere_are_counted_and_do_nothing(lon, lat):
    """Swapped, at the antimeridian, null island, another city: the plane gives no metres."""
    x, y = (float(each[0]) for each in SHANGHAI.plane.project(np.array([lon]), np.array([lat])))
    track, events = replay([at(0, x, y)], book_of({"a": SQUARE}))
    assert (track.counts, events) == ({"unplaced": 1}, [])
