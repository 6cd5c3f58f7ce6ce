"""Where and when somebody is, held against every point of the circle of his position; and what speaks against one."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.crs import Coordinate, System
from services.fencing.checkins.hints import HINTS, Earlier, Reading, hints_of, metres_between, weight_of
from services.fencing.checkins.judging import Certainty, Fix, Target, Verdict, Window, certainty_of, judge, rounded

NOON = dt.datetime(2026, 11, 22, 4, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
WINDOW = Window(NOON - HOUR, NOON + HOUR, early=HOUR / 2, late=HOUR / 2)
DOOR = Target(shapely.Point(0, 0), 100.0)
TURNS = [turn * math.pi / 180 for turn in range(0, 360, 2)]
metres = st.floats(-400, 400)
radii = st.floats(0, 300)


def circle_of(fix: Fix) -> list[tuple[float, float]]:
    """Return the middle and points all over the circle, the outermost among them."""
    found = [(fix.east, fix.north)]
    for share in (0.25, 0.5, 0.75, 1.0):
        found += [
            (fix.east + share * fix.accuracy_m * math.cos(turn), fix.north + share * fix.accuracy_m * math.sin(turn))
            for turn in TURNS
        ]
    return found


@given(metres, metres, radii, st.floats(20, 250))
def test_a_circle_is_in_out_or_neither_as_its_points_are(east: float, north: float, radius: float, far: float) -> None:
    fix, target = Fix(east, north, radius), Target(shapely.Point(0, 0), far)
    inside = [math.hypot(x, y) <= far + 1e-6 for x, y in circle_of(fix)]
    found = certainty_of(fix, target)
    if found is Certainty.IN:
        assert all(inside)
    elif found is Certainty.OUT:
        assert not any(math.hypot(x, y) < far - 1e-6 for x, y in circle_of(fix))
    else:  # neither: the nearest and the farthest point of the circle are on two sides of the border
        middle = math.hypot(east, north)
        assert max(0.0, middle - radius) <= far + 1e-6
        assert middle + radius >= far - 1e-6


NOTCHED = shapely.Polygon([(0, 0), (300, 0), (300, 300), (160, 300), (160, 120), (140, 120), (140, 300), (0, 300)])


@given(metres, metres, radii)
def test_an_area_with_a_notch_is_judged_by_all_points_of_the_circle(east: float, north: float, radius: float) -> None:
    fix, target = Fix(east, north, radius), Target(NOTCHED, 0.0)
    circle = shapely.MultiPoint(circle_of(fix))
    found = certainty_of(fix, target)
    if found is Certainty.IN:
        assert NOTCHED.buffer(1e-6).covers(circle)
    elif found is Certainty.OUT:
        assert shapely.distance(NOTCHED, circle) > 0
    else:
        reach = shapely.Point(east, north).buffer(radius + 1e-6, quad_segs=64)
        assert reach.intersects(NOTCHED)
        assert not NOTCHED.buffer(-1e-3).covers(reach) or radius == 0


@pytest.mark.parametrize(
    ("at", "accuracy", "verdict", "reason"),
    [
        (30, 20, Verdict.PRESENT, ""),
        (80, 20, Verdict.PRESENT, ""),
        (90, 20, Verdict.LIKELY, "at_the_edge"),
        (110, 20, Verdict.VAGUE, "just_outside"),
        (121, 20, Verdict.OUTSIDE, "too_far"),
        (30, 400, Verdict.VAGUE, "too_vague"),
        (3_000, 400, Verdict.OUTSIDE, "too_far"),  # however vague: certainly not here
        (0, 0, Verdict.PRESENT, ""),
    ],
)
def test_the_radius_of_a_position_decides(at: float, accuracy: float, verdict: Verdict, reason: str) -> None:
    found = judge(Fix(at, 0, accuracy), NOON, DOOR, WINDOW, vaguest_m=150)
    assert (found.verdict, "".join(found.reasons)) == (verdict, reason)
    assert found.distance_m == rounded(at)


def test_the_worst_counts_and_every_reason_is_told() -> None:
    late = NOON + 2 * HOUR
    found = judge(Fix(5_000, 0, 10), late, Target(DOOR.shape, 100, open=False), WINDOW, vaguest_m=150, weight=9)
    assert found.verdict is Verdict.OUTSIDE
    assert found.reasons == ("too_far", "too_late", "fence_closed", "hints")
    assert judge(Fix(0, 0, 10), NOON, DOOR, WINDOW, vaguest_m=150, weight=3).verdict is Verdict.SUSPECT
    assert judge(Fix(0, 0, 10), NOON, DOOR, WINDOW, vaguest_m=150, weight=2).verdict is Verdict.PRESENT
    assert judge(None, NOON, DOOR, WINDOW, vaguest_m=150).verdict is Verdict.UNLOCATED
    beyond = judge(Fix(math.nan, math.nan, 5), NOON, DOOR, WINDOW, vaguest_m=150)
    assert (beyond.verdict, beyond.distance_m, beyond.reasons) == (Verdict.OUTSIDE, None, ("beyond_city",))


@pytest.mark.parametrize(
    ("minutes", "off"), [(-91, "too_early"), (-90, ""), (0, ""), (90, ""), (91, "too_late")]
)  # fmt: skip
def test_both_ends_of_the_time_belong_to_it(minutes: int, off: str) -> None:
    assert WINDOW.off(NOON + dt.timedelta(minutes=minutes)) == off


def test_distances_are_told_roughly() -> None:
    assert [rounded(each) for each in (0, 4, 16, 994, 1_049, 1_960)] == [0, 0, 20, 990, 1_000, 2_000]


def reading(**over: Any) -> Reading:
    return Reading(
        **{
            "lon": 121.48, "lat": 31.22, "accuracy_m": 18.0, "given": Coordinate(121.48, 31.22, System.WGS84),
            "fixed_at": NOON, "sent_at": NOON,
        } | over
    )  # fmt: skip


def earlier(minutes: float, lon: float = 121.4801, accuracy: float = 20.0, **over: Any) -> Earlier:
    given = over.get("given", (lon, 31.22, System.WGS84))
    return Earlier(NOON - dt.timedelta(minutes=minutes), lon, 31.22, accuracy, given)


@pytest.mark.parametrize(
    ("position", "before", "hint"),
    [
        (reading(), (), ""),
        (reading(), (earlier(10),), ""),
        (reading(mocked=True), (), "mock"),
        (reading(accuracy_m=0.0), (), "exact"),
        (reading(), (earlier(5, lon=121.9),), "jump"),  # 40 km in five minutes
        (reading(), (earlier(60, lon=121.9),), ""),
        (reading(), (earlier(5, lon=121.9, accuracy=45_000),), ""),  # nobody knew where he was
        (reading(), (earlier(5), earlier(6, lon=121.9)), ""),  # only the last one
        (reading(), (earlier(9, lon=121.48), earlier(99, lon=121.48)), "same"),
        (reading(), (earlier(9, lon=121.48),), ""),
        (reading(sent_at=NOON - dt.timedelta(minutes=4), fixed_at=None), (), "clock"),
        (reading(fixed_at=NOON - dt.timedelta(minutes=3)), (), "stale"),
        (reading(source="微信"), (), "bare"),
        (reading(source="微信", altitude=4.0, speed=0.0), (), ""),
    ],
)  # fmt: skip
def test_what_speaks_against_a_position_is_named(position: Reading, before: tuple[Earlier, ...], hint: str) -> None:
    assert [each.key for each in hints_of(position, NOON, before)] == ([hint] if hint else [])


def test_hints_add_up_and_come_the_heaviest_first() -> None:
    found = hints_of(reading(mocked=True, accuracy_m=0.0, fixed_at=NOON - HOUR), NOON, other_device=True)
    assert [each.key for each in found] == ["mock", "exact", "two_devices", "stale"]
    assert weight_of(found) == sum(HINTS[key].weight for key in ("mock", "exact", "two_devices", "stale"))
    assert metres_between(121.48, 31.22, 121.48, 31.23) == pytest.approx(1112, abs=2)
