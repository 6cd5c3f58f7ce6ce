"""Working days counted one by one, and the yearly notice read as it is written."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.calendars.announced import announced_days
from geo.calendars.notices import NoticedDay, read_notice
from geo.calendars.working import MOST_DAYS, WorkingDays
from geo.errors import BadInput

SHANGHAI = ZoneInfo("Asia/Shanghai")
ANNOUNCED = WorkingDays(
    off=frozenset(day for day, off, _ in announced_days() if off),
    work=frozenset(day for day, off, _ in announced_days() if not off),
)
DAYS = st.dates(dt.date(2024, 12, 1), dt.date(2027, 1, 31))
CALENDARS = st.builds(WorkingDays, off=st.frozensets(DAYS, max_size=60), work=st.frozensets(DAYS, max_size=30))


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("begin", "count", "end"),
    [
        ("2026-02-12", 1, "2026-02-13"),
        ("2026-02-13", 1, "2026-02-14"),  # a Saturday that is worked
        ("2026-02-14", 1, "2026-02-24"),  # nine days of Spring Festival
        ("2026-02-20", 5, "2026-02-28"),  # begun on a day off; the last day is a worked Saturday
        ("2026-09-18", 1, "2026-09-20"),  # a worked Sunday
        ("2026-10-08", 2, "2026-10-10"),
        ("2026-11-20", 0, "2026-11-20"),
        ("2026-02-24", -1, "2026-02-14"),
    ],
)
def test_terms_pass_over_holidays_and_count_the_weekends_worked_for_them(begin: str, count: int, end: str) -> None:
    assert ANNOUNCED.add(day(begin), count) == day(end)


@given(CALENDARS, DAYS, st.integers(0, 40))
def test_adding_is_stepping_day_by_day(calendar: WorkingDays, begin: dt.date, count: int) -> None:
    step, passed = begin, 0
    while passed < count:
        step += dt.timedelta(days=1)
        worked = step in calendar.work or (step.weekday() < 5 and step not in calendar.off)
        passed += worked
    assert calendar.add(begin, count) == step
    assert calendar.between(begin, step) == count
    assert calendar.between(step, begin) == -count


@given(CALENDARS, DAYS, st.integers(1, 40))
def test_going_back_lands_on_a_worked_day_with_as_many_between(
    calendar: WorkingDays, begin: dt.date, count: int
) -> None:
    before = calendar.add(begin, -count)
    assert calendar.is_working(before)
    assert calendar.between(before, begin) == count + calendar.is_working(begin) - 1


def test_a_term_ends_with_its_last_day() -> None:
    begun = dt.datetime(2026, 9, 30, 16, 20, tzinfo=SHANGHAI)
    assert ANNOUNCED.deadline(begun, 3) == dt.datetime(2026, 10, 11, tzinfo=SHANGHAI)


def test_what_cannot_be_meant_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        ANNOUNCED.deadline(dt.datetime(2026, 9, 30), 3)
    with pytest.raises(ValueError, match="more than"):
        ANNOUNCED.add(day("2026-09-30"), MOST_DAYS + 1)


NOTICE = """各区、各部门：现将2027年放假安排通知如下。
一、元旦：1月1日（周五）至3日（周日）放假，共3天。
二、春节：2月5日（农历除夕、周五）至11日（周四）放假调休，共7天。2月13日（周六）、14日（周日）上班。
三、国庆节：9月30日至10月6日放假调休，共7天。10月9日（周六）上班。
请妥善安排值班。"""


def test_a_notice_is_read_with_its_spans_asides_and_months_left_out() -> None:
    read = read_notice(NOTICE, 2027)
    assert [(noticed.day.isoformat()[5:], noticed.name) for noticed in read if not noticed.off] == [
        ("02-13", "春节"),
        ("02-14", "春节"),
        ("10-09", "国庆节"),
    ]
    off = [noticed for noticed in read if noticed.off]
    assert len(off) == 3 + 7 + 7
    assert NoticedDay(day("2027-10-06"), True, "国庆节") in off


def test_the_announced_year_is_what_its_notice_says() -> None:
    notice = (
        "一、元旦：1月1日（周四）至3日（周六）放假调休，共3天。1月4日（周日）上班。\n"
        "二、春节：2月15日至23日放假调休，共9天。2月14日、2月28日上班。\n三、清明节：4月4日至6日放假。\n"
        "四、劳动节：5月1日至5日放假调休。5月9日上班。\n五、端午节：6月19日至21日放假。\n"
        "六、中秋节：9月25日至27日放假。\n七、国庆节：10月1日至7日放假调休。9月20日、10月10日上班。"
    )
    read = [(noticed.day, noticed.off, noticed.name) for noticed in read_notice(notice, 2026)]
    assert read == sorted(row for row in announced_days() if row[0].year == 2026)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "没有读到"),
        ("一、元旦：好好休息。", "没有读到"),
        ("一、元旦：1月3日至1日放假。", "起止日期"),
        ("一、春节：2月30日放假。", "读不懂"),
        ("一、元旦：1月1日放假。1月1日放假，1月4日上班。", "分成两句"),
        ("一、元旦：1月1日放假。1月5日上班。", "不是周末"),
        ("一、元旦：1月2日放假。1月2日上班。", "又写了上班"),
        ("一、春节：2月1日至3月1日放假。", "起止日期"),
        ("字" * 20_001, "太长"),
    ],
)
def test_a_notice_that_cannot_be_meant_names_its_words(text: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        read_notice(text, 2027)
