"""Opening hours and vacancies as pure rules."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.calendars.working import WorkingDays
from geo.errors import BadInput
from services.facilities.hours import DAYS, check_hours, opening_at, week_lines
from services.facilities.vacancies import vacancies_at

SHANGHAI = ZoneInfo("Asia/Shanghai")
WORKDAYS = {day: [["08:00", "17:30"]] for day in DAYS[:5]}
SPLIT = {"wed": [["08:00", "11:30"], ["13:00", "17:00"]]}
NIGHT = {"wed": [["22:00", "06:00"]]}
ALWAYS = {day: [["00:00", "24:00"]] for day in DAYS}


def at(day: int, clock: str) -> dt.datetime:
    """Return a moment in the week of Monday 16 November 2026."""
    return dt.datetime.fromisoformat(f"2026-11-{day}T{clock}:00").replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("hours", "moment", "open_", "text"),
    [
        (WORKDAYS, at(18, "08:00"), True, "营业中 至 17:30"),
        (WORKDAYS, at(18, "17:29"), True, "营业中 至 17:30"),
        (WORKDAYS, at(18, "17:30"), False, "已关门 明天 08:00 开门"),
        (WORKDAYS, at(18, "07:59"), False, "已关门 今天 08:00 开门"),
        (WORKDAYS, at(20, "18:00"), False, "已关门 周一 08:00 开门"),
        (WORKDAYS, at(22, "12:00"), False, "已关门 明天 08:00 开门"),
        (SPLIT, at(18, "12:00"), False, "已关门 今天 13:00 开门"),
        (SPLIT, at(18, "18:00"), False, "已关门 周三 08:00 开门"),
        (NIGHT, at(18, "23:00"), True, "营业中 至 次日 06:00"),
        (NIGHT, at(19, "05:59"), True, "营业中 至 06:00"),
        (NIGHT, at(19, "06:00"), False, "已关门 周三 22:00 开门"),
        (ALWAYS, at(18, "03:00"), True, "全天开放"),
        ({"wed": [["18:00", "24:00"]]}, at(18, "19:00"), True, "营业中 至 24:00"),
        ({"wed": [["18:00", "24:00"]], "thu": [["00:00", "02:00"]]}, at(18, "19:00"), True, "营业中 至 次日 02:00"),
        ({day: [] for day in DAYS}, at(18, "10:00"), False, "未开放"),
        ({}, at(18, "10:00"), None, "开放时间未提供"),
    ],
)
def test_open_or_closed(hours: dict[str, Any], moment: dt.datetime, open_: bool | None, text: str) -> None:
    opening = opening_at(hours, moment)
    assert (opening.open, opening.text) == (open_, text)


MORNINGS = {**WORKDAYS, "holiday": [["09:00", "11:00"]]}
SIX_DAYS = {**WORKDAYS, "sat": [["09:00", "12:00"]]}
SPRING = WorkingDays(
    off=frozenset(dt.date(2026, 2, day) for day in range(15, 24)),
    work=frozenset({dt.date(2026, 2, 14), dt.date(2026, 2, 28)}),
    names={dt.date(2026, 2, day): "春节" for day in range(15, 24)},
)


@pytest.mark.parametrize(
    ("hours", "moment", "open_", "text"),
    [
        (WORKDAYS, "16T10:00", False, "春节休息 2月24日 08:00 开门"),
        (WORKDAYS, "20T10:00", False, "春节休息 周二 08:00 开门"),
        (WORKDAYS, "13T18:00", False, "已关门 明天 08:00 开门"),  # the Saturday after is worked, as a Friday is
        (WORKDAYS, "14T10:00", True, "营业中 至 17:30"),
        (SIX_DAYS, "14T13:00", False, "已关门 2月24日 08:00 开门"),  # it has hours of its own on Saturdays
        (MORNINGS, "16T10:00", True, "营业中 至 11:00"),
        (MORNINGS, "16T12:00", False, "已关门 明天 09:00 开门"),
        (ALWAYS, "16T10:00", True, "全天开放"),
        ({**WORKDAYS, "holiday": []}, "23T10:00", False, "春节休息 明天 08:00 开门"),
    ],
)
def test_holidays_and_the_weekends_worked_for_them(hours: dict[str, Any], moment: str, open_: bool, text: str) -> None:
    at = dt.datetime.fromisoformat(f"2026-02-{moment}:00").replace(tzinfo=SHANGHAI)
    opening = opening_at(hours, at, SPRING)
    assert (opening.open, opening.text) == (open_, text)


def test_hours_of_holidays_are_kept_and_said() -> None:
    assert check_hours(MORNINGS)["holiday"] == [["09:00", "11:00"]]
    assert week_lines(MORNINGS)[-1] == ("节假日", "09:00–11:00")
    assert week_lines({**WORKDAYS, "holiday": []})[-1] == ("节假日", "休息")


SPANS = st.lists(
    st.tuples(st.integers(0, 23), st.integers(1, 24)).filter(lambda s: s[0] != s[1] % 24 or s[1] == 24), max_size=2
)


@given(st.fixed_dictionaries(dict.fromkeys(DAYS, SPANS)), st.integers(0, 7 * 24 * 4 - 1))
def test_equal_to_asking_every_quarter_of_the_week(week: dict[str, list[tuple[int, int]]], quarter: int) -> None:
    hours = {day: [[f"{a:02d}:00", f"{b:02d}:00"] for a, b in spans if a != b] for day, spans in week.items()}
    slots = [False] * (7 * 24 * 4)
    for number, day in enumerate(DAYS):
        for begin, end in hours[day]:
            first, last = int(begin[:2]) * 4, int(end[:2]) * 4
            for slot in range(first, last if last > first else last + 96):
                slots[(number * 96 + slot) % len(slots)] = True
    moment = at(16, "00:00") + dt.timedelta(minutes=15 * quarter)
    opening = opening_at(hours, moment)
    assert opening.open is slots[quarter]
    if all(slots) or not any(slots):
        return
    change = next(n for n in range(1, len(slots)) if slots[(quarter + n) % len(slots)] is not slots[quarter])
    when = moment + dt.timedelta(minutes=15 * change)
    known = opening.until if opening.open else opening.opens
    assert known == when or (opening.text == "全天开放" and change > 6 * 96)


def test_the_week_is_written_in_runs() -> None:
    assert week_lines(WORKDAYS | {"sat": [["09:00", "12:00"]]}) == [
        ("周一至周五", "08:00–17:30"),
        ("周六", "09:00–12:00"),
        ("周日", "休息"),
    ]
    assert week_lines({}) == []


@pytest.mark.parametrize(
    "hours",
    [
        [],
        {"monday": []},
        {"mon": [["8:00", "17:00"]]},
        {"mon": [["08:00"]]},
        {"mon": ["08:00"]},
        {"mon": [["08:00", "25:00"]]},
        {"mon": [["08:00", "08:00"]]},
        {"mon": [["24:00", "08:00"]]},
        {"mon": [["08:00", "12:00"], ["11:00", "17:00"]]},
        {"mon": [["13:00", "17:00"], ["08:00", "12:00"]]},
        {"mon": [["22:00", "06:00"], ["23:00", "23:30"]]},
    ],
)
def test_hours_that_cannot_be_meant_are_refused(hours: Any) -> None:
    with pytest.raises(BadInput):
        check_hours(hours)


def test_good_hours_are_kept() -> None:
    hours = {"mon": [["08:00", "12:00"], ["13:00", "24:00"]], "tue": [["22:00", "06:00"]], "wed": []}
    assert check_hours(hours) == hours


@pytest.mark.parametrize(
    ("count", "days", "text", "said"),
    [
        (3, 0, "余位 3", "11月18日 机构填报"),
        (0, 30, "已满", "10月19日 机构填报"),
        (3, 31, "余位待确认", "上次更新 10月18日"),
        (None, 0, "", ""),
    ],
)
def test_vacancies_grow_stale_after_thirty_days(count: int | None, days: int, text: str, said: str) -> None:
    now = at(18, "12:00")
    vacancies = vacancies_at(count, now - dt.timedelta(days=days), "institution", now)
    assert (vacancies.text, vacancies.said) == (text, said)


def test_a_figure_without_a_date_is_not_trusted() -> None:
    assert vacancies_at(3, None, "", at(18, "12:00")).text == "余位待确认"
