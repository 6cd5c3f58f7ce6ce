"""Opening hours: whether a place is open at a moment, until when, and when it opens next. Pure, in local wall-clock time.

On a public holiday a place keeps its hours of holidays, or those of its Sundays where it said none; on a weekend that is
worked instead, one that rests on that day of the week keeps the hours of its Fridays.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

from geo.calendars.working import SATURDAY, WorkingDays
from geo.errors import BadInput

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOLIDAY: Final = "holiday"
HOLIDAY_NAME: Final = "节假日"
TOMORROW, WEEK_AHEAD, AHEAD_DAYS = 1, 8, 16
"""How far ahead the next opening is looked for: mostly today or tomorrow tells, then the week; no holiday exceeds the last."""
DAY_NAMES: Final = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
_CLOCK: Final = re.compile(r"(?:([01]\d|2[0-3]):([0-5]\d)|24:00)")

WEEKS: Final = WorkingDays()
"""A calendar without holidays."""
Span = tuple[dt.datetime, dt.datetime]


class DayKey(NamedTuple):
    """An entry of the hours that may say when a place is open on a day: it does if it is there, and filled where it must be."""

    key: str
    must: Literal["", "exist", "be_filled"] = ""


_OWN: Final = tuple((DayKey(day),) for day in DAYS)
_ON_HOLIDAYS: Final = (DayKey(HOLIDAY, "exist"), DayKey("sun"))


def keys_of_day(date: dt.date, days: WorkingDays) -> tuple[DayKey, ...]:
    """Return the entries that may hold on a day; the first whose condition is met does."""
    weekday = date.weekday()
    if days.is_holiday(date):
        return _ON_HOLIDAYS
    if weekday >= SATURDAY and days.is_working(date):
        return DayKey(DAYS[weekday], "be_filled"), DayKey("fri")
    return _OWN[weekday]


@dataclass(frozen=True, slots=True)
class Opening:
    """Whether a place is open. ``open`` is ``None`` when its hours are unknown.

    ``until`` is when it closes, ``None`` when it never does or is closed; ``opens`` is when it opens next. Both are aware,
    in the zone of the moment asked about. ``text`` says the same in Chinese.
    """

    open: bool | None
    until: dt.datetime | None
    opens: dt.datetime | None
    text: str


def opening_at(hours: Mapping[str, Any], at: dt.datetime, days: WorkingDays = WEEKS) -> Opening:
    """Return the state at ``at``, an aware moment in the city's zone; ``days`` are the holidays around it.

    ``hours`` is ``{"mon": [["08:00", "17:30"]], …, "sun": [], "holiday": []}``; a closing time not after the opening one
    means the next day, ``24:00`` is midnight. A day left out is closed; no day at all means that nothing is known.
    """
    if not hours:
        return Opening(None, None, None, "开放时间未提供")
    moment, later = at.replace(tzinfo=None), dt.datetime.max
    for ahead in (TOMORROW, WEEK_AHEAD, AHEAD_DAYS):
        spans = _spans(hours, moment.date(), days, ahead)
        beyond = dt.datetime.combine(moment.date() + dt.timedelta(days=ahead + 1), dt.time())
        for begin, end in spans:
            if begin <= moment < end:
                if end >= beyond and ahead < WEEK_AHEAD:
                    break  # what opens on the day after may touch it
                # A week without a break in it: open around the clock.
                if end - moment > dt.timedelta(days=6):
                    return Opening(True, None, None, "全天开放")
                return Opening(True, _aware(end, at), None, f"营业中 至 {_clock(end, moment)}")
        else:
            later = min((begin for begin, _ in spans if begin > moment), default=later)
        if later < dt.datetime.max:
            text = f"{_closed(hours, moment.date(), days)} {_day(later, moment)}{later:%H:%M} 开门"
            return Opening(False, None, _aware(later, at), text)
    return Opening(False, None, None, "未开放")


def _closed(hours: Mapping[str, Any], today: dt.date, days: WorkingDays) -> str:
    """Return why a place is closed now: for the holiday when it keeps no hours on it at all."""
    rests = days.is_holiday(today) and not hours.get(_key(hours, keys_of_day(today, days)))
    return f"{days.names.get(today, HOLIDAY_NAME)}休息" if rests else "已关门"


def is_open_at(hours: Mapping[str, Any], at: dt.datetime, days: WorkingDays = WEEKS) -> bool:
    """Say whether hours hold a moment on the city's clocks; what ``opening_at`` says of it, without looking further."""
    if not hours:
        return False
    clock, date = f"{at:%H:%M}", at.date()
    today = hours.get(_key(hours, keys_of_day(date, days)), ())
    if any(begin <= clock and (clock < end or end <= begin) for begin, end in today):
        return True
    before = hours.get(_key(hours, keys_of_day(date - dt.timedelta(days=1), days)), ())
    return any(end <= begin and clock < end for begin, end in before)


def open_throughout(hours: Mapping[str, Any], day: str, since: str = "", until: str = "") -> bool:
    """Say whether one span of an ordinary ``day`` (mon to sun) holds the times asked for; without any, whether it opens at all.

    ``since`` alone: already open then; ``until`` alone: still open until then. A span over midnight lasts the evening.
    """
    return any(_holds(begin, end, since, until) for begin, end in hours.get(day, ()))


def _holds(begin: str, end: str, since: str, until: str) -> bool:
    night = end <= begin
    if since and until:
        return begin <= since and (night or until <= end)
    if since:
        return begin <= since and (night or since < end)
    return not until or (begin < until and (night or until <= end))


def open_on_holidays(hours: Mapping[str, Any]) -> bool:
    """Say whether a place opens on public holidays: by its hours of holidays, or of its Sundays where it said none."""
    return bool(hours.get(HOLIDAY, hours.get("sun")))


def weekly_hours(hours: Mapping[str, Any]) -> float:
    """Return for how many hours of an ordinary week a place is open."""
    total = 0.0
    for day in DAYS:
        for begin, end in hours.get(day, ()):
            spent = _minutes(end) - _minutes(begin)
            total += (spent if spent > 0 else spent + 24 * 60) / 60
    return total


def _minutes(clock: str) -> int:
    return 60 * int(clock[:2]) + int(clock[3:])


def hours_on(hours: Mapping[str, Any], date: dt.date, days: WorkingDays = WEEKS) -> str:
    """Return the hours of one day as people read them, such as 08:00–17:30 or 休息; ``days`` are the holidays around it."""
    return _said(hours.get(_key(hours, keys_of_day(date, days)), ()))


def week_lines(hours: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the week as people read it: runs of days with the same hours, such as ``("周一至周五", "08:00–17:30")``."""
    if not hours:
        return []
    runs: list[tuple[int, int, str]] = []
    for day, key in enumerate(DAYS):
        said = _said(hours.get(key, ()))
        if runs and runs[-1][2] == said:
            runs[-1] = (runs[-1][0], day, said)
        else:
            runs.append((day, day, said))
    lines = [(DAY_NAMES[a] if a == b else f"{DAY_NAMES[a]}至{DAY_NAMES[b]}", said) for a, b, said in runs]
    if HOLIDAY in hours:
        lines.append((HOLIDAY_NAME, _said(hours[HOLIDAY])))
    return lines


def _said(spans: Sequence[Sequence[str]]) -> str:
    return "、".join(f"{begin}–{end}" for begin, end in spans) or "休息"


def check_hours(hours: Any) -> dict[str, list[list[str]]]:
    """Return hours in their stored form, or raise ``BadInput`` naming the day that cannot be read."""
    if not isinstance(hours, Mapping) or set(hours) - {*DAYS, HOLIDAY}:
        raise BadInput("hours_invalid", "开放时间要按 mon 到 sun 七天填写，节假日写在 holiday 里。")
    checked: dict[str, list[list[str]]] = {}
    for day, spans in hours.items():
        checked[day] = [_check_span(day, span) for span in spans]
        for before, after in zip(checked[day], checked[day][1:], strict=False):
            if after[0] < before[1] or before[1] <= before[0]:
                raise BadInput("hours_invalid", f"{_named(day)}的开放时段有重叠或先后颠倒，请核对。", day=day)
    return checked


def _check_span(day: str, span: Any) -> list[str]:
    readable = isinstance(span, Sequence) and not isinstance(span, str) and len(span) == 2
    if not readable or not all(isinstance(clock, str) and _CLOCK.fullmatch(clock) for clock in span):
        raise BadInput("hours_invalid", f"{_named(day)}的开放时段要写成“08:00”到“17:30”这样的形式。", day=day)
    if span[0] == "24:00" or span[0] == span[1]:
        raise BadInput("hours_invalid", f"{_named(day)}的开放时段没有长度，请核对。", day=day)
    return [span[0], span[1]]


def _named(day: str) -> str:
    return HOLIDAY_NAME if day == HOLIDAY else DAY_NAMES[DAYS.index(day)]


def _spans(hours: Mapping[str, Any], today: dt.date, days: WorkingDays, ahead: int) -> list[Span]:
    """Return the spans from yesterday to ``ahead`` days later, in order, with those that touch joined."""
    spans: list[Span] = []
    for shift in range(-1, ahead + 1):
        date = today + dt.timedelta(days=shift)
        for begin, end in hours.get(_key(hours, keys_of_day(date, days)), ()):
            start, stop = _moment(date, begin), _moment(date, end)
            spans.append((start, stop if stop > start else stop + dt.timedelta(days=1)))
    joined: list[Span] = []
    for span in sorted(spans):
        if joined and span[0] <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], span[1]))
        else:
            joined.append(span)
    return joined


def _key(hours: Mapping[str, Any], keys: Sequence[DayKey]) -> str:
    """Return the first entry whose condition is met; the last has none."""
    return next(
        each.key
        for each in keys
        if not each.must or (hours.get(each.key) if each.must == "be_filled" else each.key in hours)
    )


def _moment(date: dt.date, clock: str) -> dt.datetime:
    return dt.datetime(date.year, date.month, date.day) + dt.timedelta(minutes=_minutes(clock))


def _aware(moment: dt.datetime, like: dt.datetime) -> dt.datetime:
    return moment.replace(tzinfo=like.tzinfo)


def _clock(end: dt.datetime, now: dt.datetime) -> str:
    """Return a closing time; midnight is said as 24:00 of the day that ends."""
    if end.time() == dt.time() and (end.date() - now.date()).days == 1:
        return "24:00"
    days = (end.date() - now.date()).days
    return f"{'' if days == 0 else '次日 ' if days == 1 else DAY_NAMES[end.weekday()] + ' '}{end:%H:%M}"


def _day(moment: dt.datetime, now: dt.datetime) -> str:
    days = (moment.date() - now.date()).days
    later = DAY_NAMES[moment.weekday()] if days <= 7 else f"{moment:%-m月%-d日}"
    return {0: "今天", 1: "明天"}.get(days, later) + " "
