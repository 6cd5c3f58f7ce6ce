"""The clock of a step: when its working days end, when its yellow and red cards come, and what a pause does to them. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Protocol
from zoneinfo import ZoneInfo


class Days(Protocol):
    """The working days of a city; ``geo.calendars`` has them."""

    def is_working(self, day: dt.date, /) -> bool: ...
    def add(self, day: dt.date, count: int, /) -> dt.date: ...
    def between(self, begin: dt.date, end: dt.date, /) -> int: ...


@dataclass(frozen=True, slots=True)
class Deadline:
    """When a step is due, and the next moment at which a card is lit; ``None`` for never."""

    due_at: dt.datetime | None
    next_at: dt.datetime | None
    lit: str


def midnight_after(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    """Return the moment at which a day of the city is over."""
    return dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), zone)


def last_day(due_at: dt.datetime, zone: ZoneInfo) -> dt.date:
    """Return the last day on which a step that is due at a midnight may be done."""
    return (due_at.astimezone(zone) - dt.timedelta(microseconds=1)).date()


def due_after(opened_at: dt.datetime, days: int, calendar: Days, zone: ZoneInfo) -> dt.datetime | None:
    """Return when a step with so many working days is due: the end of the last of them; the day it opened does not count."""
    return midnight_after(calendar.add(opened_at.astimezone(zone).date(), days), zone) if days else None


def end_of_today(now: dt.datetime, calendar: Days, zone: ZoneInfo) -> dt.datetime:
    """Return the end of today, or of the next working day where today is none."""
    today = now.astimezone(zone).date()
    return midnight_after(today if calendar.is_working(today) else calendar.add(today, 1), zone)


def shifted(due_at: dt.datetime | None, working_days: int, calendar: Days, zone: ZoneInfo) -> dt.datetime | None:
    """Return a due moment put off by working days."""
    if due_at is None or working_days <= 0:
        return due_at
    return midnight_after(calendar.add(last_day(due_at, zone), working_days), zone)


def deadline(due_at: dt.datetime | None, remind: int, now: dt.datetime, calendar: Days, zone: ZoneInfo) -> Deadline:
    """Return which card is lit ``now`` and when the next one is: yellow from ``remind`` working days before the last day."""
    if due_at is None:
        return Deadline(None, None, "")
    if now >= due_at:
        return Deadline(due_at, None, "red")
    yellow_at = _yellow(last_day(due_at, zone), remind, calendar, zone)
    if remind and now >= yellow_at:
        return Deadline(due_at, due_at, "yellow")
    return Deadline(due_at, yellow_at if remind else due_at, "")


def _yellow(last: dt.date, remind: int, calendar: Days, zone: ZoneInfo) -> dt.datetime:
    """Return the beginning of the day that lies ``remind`` working days before the last one."""
    day, left = last, remind
    while left > 0 and (last - day).days < 800:
        day -= dt.timedelta(days=1)
        left -= calendar.is_working(day)
    return dt.datetime.combine(day, dt.time(), zone)


def days_left(due_at: dt.datetime, now: dt.datetime, calendar: Days, zone: ZoneInfo) -> int:
    """Return how many working days are left after today, negative for how many it is late."""
    today, last = now.astimezone(zone).date(), last_day(due_at, zone)
    return calendar.between(today, last) if today <= last else -max(calendar.between(last, today), 1)
