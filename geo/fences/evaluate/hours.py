"""When fences hold: days from and to, and hours of the week on the city's clocks. Pure."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from geo.errors import BadInput

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NAMES: Final = dict(zip(DAYS, "一二三四五六日", strict=True))
_CLOCK: Final = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00")
DAY: Final = 24 * 60
WEEK: Final = 7 * DAY
QUARTER_MS: Final = 15 * 60_000
"""Clocks are put forward and back on the quarter of an hour."""
THURSDAY: Final = 3
"""The weekday of the first day of 1970."""
_FIRST, _LAST = np.iinfo(np.int64).min, np.iinfo(np.int64).max
Longs = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours of an ordinary week: spans of its minutes, begin included and end not; Monday 00:00 is 0."""

    spans: tuple[tuple[int, int], ...] = ((0, WEEK),)

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Hours:
        """Read ``{"mon": [["08:00", "17:30"]], …}``: an end not after its begin is one of the next day; nothing at all is always.

        A day left out has no hours. Spans may overlap. Raises ``BadInput`` naming the day that cannot be read.
        """
        if not stored:
            return ALWAYS
        if unknown := set(stored) - set(DAYS):
            raise BadInput("hours_invalid", "生效时段要按 mon 到 sun 七天填写。", day=min(unknown))
        spans: list[tuple[int, int]] = []
        for number, day in enumerate(DAYS):
            for span in stored.get(day, ()):
                begin, end = _read_span(day, span)
                begin, end = begin + number * DAY, end + number * DAY
                spans.append((begin, min(end, WEEK)))
                if end > WEEK:
                    spans.append((0, end - WEEK))
        return cls(tuple(sorted(spans)))

    def minutes(self) -> Booleans:
        """Return of each minute of the week whether it is held."""
        held = np.zeros(WEEK, dtype=bool)
        for begin, end in self.spans:
            held[begin:end] = True
        return held


ALWAYS: Final = Hours()


@dataclass(frozen=True, slots=True)
class Term:
    """When a fence holds: from a day to a day, both included, ``None`` without end, at hours of the week."""

    from_day: dt.date | None = None
    to_day: dt.date | None = None
    hours: Hours = ALWAYS


FOREVER: Final = Term()


@dataclass(frozen=True, slots=True, eq=False)
class Timetable:
    """The terms of many fences, to be asked all at once."""

    zone: ZoneInfo
    first: Longs
    last: Longs
    week: npt.NDArray[np.int32]
    weeks: npt.NDArray[np.uint8]
    always: bool

    @classmethod
    def build(cls, terms: Sequence[Term], zone: ZoneInfo) -> Timetable:
        """Gather terms; fences with the same hours share one week of 1,260 bytes."""
        distinct = {hours: number for number, hours in enumerate(dict.fromkeys(term.hours for term in terms))}
        bits = [np.packbits(hours.minutes()) for hours in distinct]
        return cls(
            zone=zone,
            first=np.array([_day(term.from_day, _FIRST) for term in terms], dtype=np.int64),
            last=np.array([_day(term.to_day, _LAST) for term in terms], dtype=np.int64),
            week=np.array([distinct[term.hours] for term in terms], dtype=np.int32),
            weeks=np.stack(bits) if bits else np.zeros((0, WEEK // 8), dtype=np.uint8),
            always=all(term == FOREVER for term in terms),
        )

    def hold(self, fences: npt.NDArray[np.integer[Any]], times_ms: Longs) -> Booleans:
        """Say for each pair of a fence (its row) and a moment (UTC, milliseconds since 1970) whether the fence holds then."""
        if self.always:
            return np.ones(len(fences), dtype=bool)
        days, minutes = local_clock(times_ms, self.zone)
        held = self.weeks[self.week[fences], minutes >> 3] >> (7 - (minutes & 7)).astype(np.uint8) & 1
        within: Booleans = (self.first[fences] <= days) & (days <= self.last[fences]) & held.astype(bool)
        return within


def local_clock(times_ms: Longs, zone: ZoneInfo) -> tuple[Longs, Longs]:
    """Return day (days since 1970-01-01) and minute of the week (Monday 00:00 is 0) of moments on the clocks of a zone."""
    quarters, place = np.unique(np.floor_divide(times_ms, QUARTER_MS), return_inverse=True)
    offsets = np.array([_offset_minutes(int(quarter), zone) for quarter in quarters], dtype=np.int64)
    minutes = np.floor_divide(times_ms, 60_000) + offsets[place]
    days = np.floor_divide(minutes, DAY)
    return days, np.mod(days + THURSDAY, 7) * DAY + np.mod(minutes, DAY)


def _offset_minutes(quarter: int, zone: ZoneInfo) -> int:
    moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=quarter * QUARTER_MS)
    offset = moment.astimezone(zone).utcoffset()
    return 0 if offset is None else round(offset.total_seconds() / 60)


def _day(day: dt.date | None, without: int) -> int:
    return without if day is None else (day - dt.date(1970, 1, 1)).days


def _read_span(day: str, span: Any) -> tuple[int, int]:
    """Return begin and end of a span in minutes of its day; the end may lie on the next."""
    readable = isinstance(span, Sequence) and not isinstance(span, str) and len(span) == 2
    if not readable or not all(isinstance(clock, str) and _CLOCK.fullmatch(clock) for clock in span):
        raise BadInput("hours_invalid", f"周{_NAMES[day]}的生效时段要写成“08:00”到“17:30”这样的形式。", day=day)
    begin, end = (60 * int(clock[:2]) + int(clock[3:]) for clock in span)
    if begin in (end, DAY):
        raise BadInput("hours_invalid", f"周{_NAMES[day]}的生效时段没有长度，请核对。", day=day)
    return begin, end if end > begin else end + DAY
