from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import BadInput
from geo.fences.evaluate.hours import ALWAYS, Hours, Term, Timetable, local_clock
from geo.fences.evaluate.index import FenceIndex

SHANGHAI = ZoneInfo("Asia/Shanghai")
clock = st.tuples(st.integers(0, 23), st.integers(0, 59)).map(lambda pair: f"{pair[0]:02}:{pair[1]:02}")
span = st.tuples(clock, clock | st.just("24:00")).filter(lambda pair: pair[0] != pair[1])
weeks = st.dictionaries(
    st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]), st.lists(span, max_size=3), min_size=1
)


def ms(text: str, zone: ZoneInfo = SHANGHAI) -> int:
    return round(dt.datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)


def holds_by_reading(stored, moment: dt.datetime) -> bool:
    """Read the stored form as a person would: today's spans, and yesterday's that last past midnight."""
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    now = f"{moment:%H:%M}"
    today = stored.get(days[moment.weekday()], ())
    yesterday = stored.get(days[moment.weekday() - 1], ())
    return any(begin <= now and (now < end or end < begin) for begin, end in today) or any(
        end < begin and now < end for begin, end in yesterday
    )


@given(stored=weeks, moment=st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2030, 1, 1)))
def test_hours_hold_as_a_person_reads_them(stored, moment):
    table = Timetable.build([Term(hours=Hours.read(stored))], SHANGHAI)
    when = np.array([round(moment.replace(tzinfo=SHANGHAI).timestamp() * 1000)])
    assert table.hold(np.array([0]), when).tolist() == [holds_by_reading(stored, moment)]


def test_a_night_from_sunday_to_monday_holds_over_the_end_of_the_week():
    night = Hours.read({"sun": [["22:00", "06:00"]]})
    table = Timetable.build([Term(hours=night)], SHANGHAI)
    asked = ["2026-11-22T21:59", "2026-11-22T22:00", "2026-11-23T05:59", "2026-11-23T06:00", "2026-11-24T05:00"]
    held = table.hold(np.zeros(5, dtype=np.int32), np.array([ms(text) for text in asked]))
    assert held.tolist() == [False, True, True, False, False]


def test_days_from_and_to_are_days_of_the_city():
    term = Term(dt.date(2026, 3, 1), dt.date(2026, 3, 31))
    table = Timetable.build([term], SHANGHAI)
    asked = ["2026-02-28T23:59", "2026-03-01T00:00", "2026-03-31T23:59", "2026-04-01T00:00"]
    held = table.hold(np.zeros(4, dtype=np.int32), np.array([ms(text) for text in asked]))
    assert held.tolist() == [False, True, True, False]


def test_the_clock_of_a_zone_that_is_put_forward_is_followed():
    zone = ZoneInfo("Europe/Berlin")
    utc = dt.datetime(2026, 3, 29, 0, 59, tzinfo=dt.UTC)
    days, minutes = local_clock(
        np.array([utc.timestamp() * 1000, (utc.timestamp() + 60) * 1000]).astype(np.int64), zone
    )
    assert (minutes % 1440).tolist() == [119, 180]
    assert (days == (dt.date(2026, 3, 29) - dt.date(1970, 1, 1)).days).all()
    assert (minutes // 1440).tolist() == [6, 6]


def test_points_are_asked_for_the_fences_that_hold_at_their_moments():
    square = shapely.box(0, 0, 10, 10)
    working = Term(hours=Hours.read({"mon": [["08:00", "18:00"]]}))
    ended = Term(to_day=dt.date(2026, 1, 1))
    index = FenceIndex.build([square] * 3, ["always", "working", "ended"], [Term(), working, ended])
    monday, sunday, long_ago = ms("2026-11-23T09:00"), ms("2026-11-22T09:00"), ms("2025-12-29T09:00")
    hits = index.at_times([5, 5, 50, 5], [5, 5, 5, 5], [monday, sunday, monday, long_ago])
    assert hits.offsets.tolist() == [0, 2, 3, 3, 6]
    assert [index.ids[row] for row in hits.fences] == ["always", "working", "always", "always", "working", "ended"]
    assert len(index.at_times([5.0], [5.0], sunday).fences) == 1


def test_nothing_stored_is_always_and_a_day_without_spans_never():
    assert Hours.read({}) is ALWAYS
    assert Hours.read({"mon": [["00:00", "24:00"]]}).spans == ((0, 1440),)
    assert not Hours.read({"mon": []}).minutes().any()


@pytest.mark.parametrize(
    "stored",
    [{"holiday": []}, {"mon": [["8:00", "9:00"]]}, {"tue": [["08:00"]]}, {"wed": ["08:00"]}, {"thu": [["09:00", "09:00"]]},
     {"fri": [["24:00", "08:00"]]}, {"sat": [["08:00", "25:00"]]}],
)  # fmt: skip
def test_hours_that_cannot_be_read_are_refused(stored):
    with pytest.raises(BadInput):
        Hours.read(stored)
