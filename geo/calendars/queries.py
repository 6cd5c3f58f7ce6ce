"""Reads of the calendar. Which days a city works is public."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet

from geo.answering import once
from geo.calendars.models import CalendarDay
from geo.calendars.working import WorkingDays
from geo.crs import CITIES

_DAYS: Final = (
    "SELECT day, off, name FROM calendars_calendarday WHERE calendar = %s AND day BETWEEN %s AND %s ORDER BY day"
)


def calendar_key() -> str:
    """Return the calendar that the city of this installation keeps."""
    return CITIES[settings.CITY].calendar


def days_kept(*, year: int | None = None) -> QuerySet[CalendarDay]:
    """Return the days of the city's calendar that differ from the week, in order; of one year or of all."""
    days = CalendarDay.objects.filter(calendar=calendar_key())
    return days.filter(day__year=year) if year else days


def working_days(*, since: dt.date | None = None, until: dt.date | None = None) -> WorkingDays:
    """Return the calendar as a value, of the days from ``since`` to ``until`` where only those are needed.

    It holds some thirty days a year, so every answer reads it anew and is never stale.
    """
    return once(("calendar", since, until), lambda: _read(since or dt.date.min, until or dt.date.max))


def _read(since: dt.date, until: dt.date) -> WorkingDays:
    with connection.cursor() as cursor:
        cursor.execute(_DAYS, [calendar_key(), since, until])
        rows = cursor.fetchall()
    return WorkingDays(
        off=frozenset(day for day, off, _ in rows if off),
        work=frozenset(day for day, off, _ in rows if not off),
        names={day: name for day, off, name in rows if off},
    )


def years_kept() -> list[int]:
    """Return the years of which holidays are kept; of others only the weekends are known."""
    return [day.year for day in days_kept().filter(off=True).dates("day", "year")]


def year_missing(today: dt.date) -> int | None:
    """Return the year whose holidays are due and not kept: this one, or the next from the middle of November on."""
    kept = set(years_kept())
    due = [today.year] + ([today.year + 1] if (today.month, today.day) >= (11, 15) else [])
    return next((year for year in due if year not in kept), None)
