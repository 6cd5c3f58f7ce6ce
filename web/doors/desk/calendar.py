"""The city's working days: a year at a glance for everyone at work, and for those who keep it, days changed one by one or read
from the yearly notice.
"""

from __future__ import annotations

import calendar as months
import datetime as dt
from typing import Any, Final, NamedTuple

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from geo.calendars.actions import EDIT, FIRST_YEAR, LAST_YEAR, forget_day, keep_days
from geo.calendars.models import CalendarDay
from geo.calendars.notices import NoticedDay, read_notice
from geo.calendars.queries import days_kept, working_days, year_missing
from geo.calendars.working import SATURDAY, WorkingDays
from geo.errors import BadInput, CityError
from services.access.queries import check_city_duty, holds_citywide, scope_for
from services.facilities.queries import city_now
from web.api.errors import status_of
from web.doors.common.callers import user_of
from web.doors.common.typed import typed

MOST_COUNTED: Final = 1_000
MONTHS: Final = range(1, 13)


class Day(NamedTuple):
    """A day of the year as it is drawn; ``kept`` is what the calendar says of it, where it differs from the week."""

    date: dt.date
    state: str
    kept: CalendarDay | None


class Month(NamedTuple):
    """A month: its weeks from Monday on, ``None`` where a week reaches into another month, and its working days."""

    number: int
    weeks: list[list[Day | None]]
    working: int


class Holiday(NamedTuple):
    """A holiday in a line: its days off and the weekends worked for it, in words."""

    name: str
    off: str
    worked: str


@never_cache
@login_required
@require_safe
def year_page(request: HttpRequest) -> HttpResponse:
    """Show a year, and of it the day that was chosen."""
    return _year(request)


def _year(request: HttpRequest, fault: CityError | None = None, **more: Any) -> HttpResponse:
    today = city_now().date()
    chosen = _day(typed(request, "day"))
    year = chosen.year if chosen else _number(typed(request, "year"), FIRST_YEAR, LAST_YEAR) or today.year
    rows = list(days_kept(year=year))
    days = working_days()
    drawn = _months(year, days, {row.day: row for row in rows})
    context = {
        "year": year,
        "years": [each for each in (year - 1, year + 1) if FIRST_YEAR <= each <= LAST_YEAR],
        "today": today,
        "months": drawn,
        "working": sum(month.working for month in drawn),
        "off": sum(row.off for row in rows),
        "holidays": _holidays(rows),
        "kept": max(rows, key=lambda row: row.kept_at, default=None),
        "missing": year_missing(today),
        "may_edit": holds_citywide(scope_for(request), EDIT),
        "chosen": _drawn(chosen, days, {row.day: row for row in rows}) if chosen else None,
        "count": _counted(request, today, days),
        "fault": fault,
        **more,
    }
    return render(request, "desk/calendar.html", context, status=status_of(fault) if fault else 200)


@login_required
@require_POST
def keep(request: HttpRequest) -> HttpResponse:
    """Keep one day as off or worked, or let it be as the week has it."""
    scope = scope_for(request)
    check_city_duty(scope, EDIT)
    day = _day(typed(request, "day"))
    if day is None:
        return _year(request, BadInput("calendar_day_missing", "请先在日历上选一天。"))
    state = typed(request, "state")
    try:
        if state == "week":
            forget_day(day=day, scope=scope)
        else:
            noticed = NoticedDay(day, state == "off", typed(request, "name"))
            keep_days(days=[noticed], by=user_of(request).username, scope=scope)
    except BadInput as fault:
        return _year(request, fault)
    said.success(request, f"{day:%-m月%-d日}已保存，马上生效。")
    return redirect(f"{reverse('desk-calendar')}?day={day:%F}#day")


@login_required
@require_POST
def read(request: HttpRequest) -> HttpResponse:
    """Read a pasted notice and show what it says; keep it once that is confirmed."""
    scope = scope_for(request)
    check_city_duty(scope, EDIT)
    text = typed(request, "text")
    year = _number(typed(request, "year"), FIRST_YEAR, LAST_YEAR) or city_now().year
    try:
        noticed = read_notice(text, year)
        if not request.POST.get("confirmed"):
            found = [CalendarDay(day=each.day, off=each.off, name=each.name) for each in noticed]
            return _year(request, text=text, read=_holidays(found))
        keep_days(days=noticed, by=user_of(request).username, scope=scope)
    except BadInput as fault:
        return _year(request, fault, text=text)
    said.success(request, f"已登记{year}年的 {len(noticed)} 天，马上生效。")
    return redirect(f"{reverse('desk-calendar')}?year={year}")


def _months(year: int, days: WorkingDays, kept: dict[dt.date, CalendarDay]) -> list[Month]:
    drawn = []
    for number in MONTHS:
        weeks = [
            [_drawn(day, days, kept) if day.month == number else None for day in week]
            for week in months.Calendar().monthdatescalendar(year, number)
        ]
        working = sum(days.is_working(day.date) for week in weeks for day in week if day)
        drawn.append(Month(number, weeks, working))
    return drawn


def _drawn(day: dt.date, days: WorkingDays, kept: dict[dt.date, CalendarDay]) -> Day:
    if days.is_holiday(day):
        state = "off"
    elif day.weekday() >= SATURDAY:
        state = "worked" if days.is_working(day) else "weekend"
    else:
        state = "week"
    return Day(day, state, kept.get(day))


def _holidays(rows: list[CalendarDay]) -> list[Holiday]:
    """Return the days of a year gathered by their holiday, in the order of the year."""
    names = dict.fromkeys(row.name for row in sorted(rows, key=lambda row: (not row.off, row.day)))
    return [
        Holiday(
            name,
            _said([row.day for row in rows if row.name == name and row.off]),
            _said([row.day for row in rows if row.name == name and not row.off]),
        )
        for name in names
    ]


def _said(days: list[dt.date]) -> str:
    """Return days in words, those that follow each other as one span: ``2月15日至2月23日（9 天）、…``."""
    runs: list[list[dt.date]] = []
    for day in sorted(days):
        if runs and day - runs[-1][-1] == dt.timedelta(days=1):
            runs[-1].append(day)
        else:
            runs.append([day])
    return "、".join(
        f"{run[0]:%-m月%-d日}至{run[-1]:%-m月%-d日}（{len(run)} 天）"
        if len(run) > 2
        else "、".join(f"{day:%-m月%-d日}" for day in run)
        for run in runs
    )


def _counted(request: HttpRequest, today: dt.date, days: WorkingDays) -> dict[str, Any]:
    begin = _day(typed(request, "from")) or today
    count = _number(typed(request, "count"), 0, MOST_COUNTED)
    return {"from": begin, "count": count, "end": days.add(begin, count) if count is not None else None}


def _day(text: str) -> dt.date | None:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return None
    return day if FIRST_YEAR <= day.year <= LAST_YEAR else None


def _number(text: str, least: int, most: int) -> int | None:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None
    return number if number is not None and least <= number <= most else None
