"""The days that the State Council announced, so that a new installation counts working days from its first hour.

Source: the yearly notices of the General Office of the State Council on holidays (2024-11-12 for 2025, 2025-11-04 for 2026).
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from django.db import DEFAULT_DB_ALIAS

CHINA: Final = "china"
# name, first day off, last day off, weekend days worked for it
_ANNOUNCED: Final[tuple[tuple[str, str, str, tuple[str, ...]], ...]] = (
    ("元旦", "2025-01-01", "2025-01-01", ()),
    ("春节", "2025-01-28", "2025-02-04", ("2025-01-26", "2025-02-08")),
    ("清明节", "2025-04-04", "2025-04-06", ()),
    ("劳动节", "2025-05-01", "2025-05-05", ("2025-04-27",)),
    ("端午节", "2025-05-31", "2025-06-02", ()),
    ("国庆节、中秋节", "2025-10-01", "2025-10-08", ("2025-09-28", "2025-10-11")),
    ("元旦", "2026-01-01", "2026-01-03", ("2026-01-04",)),
    ("春节", "2026-02-15", "2026-02-23", ("2026-02-14", "2026-02-28")),
    ("清明节", "2026-04-04", "2026-04-06", ()),
    ("劳动节", "2026-05-01", "2026-05-05", ("2026-05-09",)),
    ("端午节", "2026-06-19", "2026-06-21", ()),
    ("中秋节", "2026-09-25", "2026-09-27", ()),
    ("国庆节", "2026-10-01", "2026-10-07", ("2026-09-20", "2026-10-10")),
)


def announced_days() -> list[tuple[dt.date, bool, str]]:
    """Return every announced day: the day, whether it is off, and its name."""
    days = []
    for name, first, last, worked in _ANNOUNCED:
        begin = dt.date.fromisoformat(first)
        length = (dt.date.fromisoformat(last) - begin).days + 1
        days += [(begin + dt.timedelta(days=shift), True, name) for shift in range(length)]
        days += [(dt.date.fromisoformat(day), False, name) for day in worked]
    return days


def bring_announced(*, using: str = DEFAULT_DB_ALIAS, **_: Any) -> None:
    """Bring the announced days of years of which nothing is kept; what staff have kept stays as it is."""
    from geo.calendars.models import CalendarDay

    rows = CalendarDay.objects.using(using)
    kept = set(rows.filter(calendar=CHINA).values_list("day__year", flat=True).distinct())
    rows.bulk_create(
        CalendarDay(calendar=CHINA, day=day, off=off, name=name)
        for day, off, name in announced_days()
        if day.year not in kept
    )
