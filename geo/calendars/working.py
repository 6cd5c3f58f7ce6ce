"""Which days are worked: counting of working days and the ends of terms. Pure; days are days of the city's own clock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

SATURDAY: Final = 5
MOST_DAYS: Final = 10_000
"""Beyond some forty years of working days nobody sets a term; it is a mistake."""


@dataclass(frozen=True, slots=True)
class WorkingDays:
    """A calendar: Monday to Friday are worked, but for the days ``off``, and so are the weekend days of ``work``.

    ``names`` says what a day off is called (国庆节). A day in both is worked.
    """

    off: frozenset[dt.date] = frozenset()
    work: frozenset[dt.date] = frozenset()
    names: Mapping[dt.date, str] = field(default_factory=lambda: MappingProxyType({}))

    def is_working(self, day: dt.date) -> bool:
        """Whether a day is worked."""
        return day in self.work or (day.weekday() < SATURDAY and day not in self.off)

    def is_holiday(self, day: dt.date) -> bool:
        """Whether a day belongs to a public holiday, be it a weekday or not."""
        return day in self.off and day not in self.work

    def add(self, day: dt.date, count: int) -> dt.date:
        """Return the ``count``-th working day after a day, which itself does not count; before it when negative.

        Zero returns the day itself, worked or not. Raises ``ValueError`` beyond ``MOST_DAYS``.
        """
        if abs(count) > MOST_DAYS:
            raise ValueError(f"{count} working days is more than {MOST_DAYS}")
        step = dt.timedelta(days=1 if count > 0 else -1)
        left = abs(count)
        while left:
            day += step
            left -= self.is_working(day)
        return day

    def between(self, begin: dt.date, end: dt.date) -> int:
        """Return how many working days lie after ``begin`` up to ``end``, the end included; negative when it lies before.

        The inverse of ``add`` for days that are worked: ``between(day, add(day, n)) == n`` for ``n >= 0``.
        """
        if end < begin:
            return -self.between(end, begin)
        days = (end - begin).days
        return sum(self.is_working(begin + dt.timedelta(days=shift)) for shift in range(1, days + 1))

    def deadline(self, moment: dt.datetime, count: int) -> dt.datetime:
        """Return the end of a term of ``count`` working days that begins at an aware ``moment`` of the city's clock.

        The day it begins does not count, and the term ends with the last moment of its last day: the midnight after it.
        """
        if moment.tzinfo is None:
            raise ValueError("a term begins at an aware moment")
        last = self.add(moment.date(), count)
        return dt.datetime.combine(last + dt.timedelta(days=1), dt.time(), moment.tzinfo)
