"""Opening hours as people type them, a line for each day: 8:00-11:30 13:00-17:00, 休息, 全天. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from geo.errors import BadInput
from services.facilities.hours import DAY_NAMES, DAYS, HOLIDAY, HOLIDAY_NAME, check_hours

LINES: Final[tuple[tuple[str, str], ...]] = (*zip(DAYS, DAY_NAMES, strict=True), (HOLIDAY, HOLIDAY_NAME))
"""The entries of the hours with what they are called."""
REST: Final = "休息"
_WHOLE_DAY: Final = frozenset({"全天", "24小时", "00:00-24:00"})
_RESTS: Final = frozenset({"休息", "不开放", "不开", "无"})
_SPAN: Final = re.compile(r"(\d{1,2})[:：](\d{2})\s*(?:[-–—~～至到]+)\s*(次日)?\s*(\d{1,2})[:：](\d{2})")
_BETWEEN: Final = re.compile(r"[\s、,，;；和及]*")


def hours_of(lines: Mapping[str, str]) -> dict[str, list[list[str]]]:
    """Return the hours that lines say, by ``DAYS`` and ``holiday``; no line at all means that nothing is known.

    A weekday left empty beside others is a day of rest; holidays left empty say nothing of their own. Raises ``BadInput`` that
    names the entry.
    """
    said = {day: lines.get(day, "").strip() for day, _ in LINES}
    if not any(said.values()):
        return {}
    found = {day: spans_of(day, said[day]) for day in DAYS}
    if said[HOLIDAY]:
        found[HOLIDAY] = spans_of(HOLIDAY, said[HOLIDAY])
    return check_hours(found)


def spans_of(day: str, text: str) -> list[list[str]]:
    """Return the spans of one line. Raises ``BadInput`` for what is no time of day."""
    plain = "".join(text.split())
    if not plain or plain in _RESTS:
        return []
    if plain in _WHOLE_DAY:
        return [["00:00", "24:00"]]
    spans, at = [], 0
    for match in _SPAN.finditer(text):
        if not _BETWEEN.fullmatch(text[at : match.start()]):
            break
        begin, end, at = _clock(match[1], match[2]), _clock(match[4], match[5]), match.end()
        spans.append([begin, end])
    if not spans or not _BETWEEN.fullmatch(text[at:]):
        name = dict(LINES)[day]
        raise BadInput(
            "hours_invalid",
            f"{name}写成 8:00-17:00 这样，几段之间空一格；不开门写“休息”。",
            field=f"hours.{day}",
            day=day,
        )
    return spans


def lines_of(hours: Mapping[str, Any]) -> dict[str, str]:
    """Return hours as lines to type; nothing for hours nobody knows."""
    if not hours:
        return {}
    lines = {day: _line(hours.get(day, ())) for day in DAYS}
    return lines | ({HOLIDAY: _line(hours[HOLIDAY])} if HOLIDAY in hours else {})


def _line(spans: Sequence[Sequence[str]]) -> str:
    if [list(span) for span in spans] == [["00:00", "24:00"]]:
        return "全天"
    return " ".join(f"{begin}-{end}" for begin, end in spans) or REST


def _clock(hour: str, minute: str) -> str:
    return f"{int(hour):02d}:{minute}"
