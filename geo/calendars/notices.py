"""Reads the yearly notice of holidays as it is announced, so that nobody copies thirty dates by hand. Pure."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from geo.calendars.working import SATURDAY
from geo.errors import BadInput

MOST_CHARACTERS: Final = 20_000
LONGEST_HOLIDAY: Final = 15
_HEAD: Final = re.compile(r"(?:^|[。\n])\s*(?:[一二三四五六七八九十]+|\d+)\s*[、.．]\s*([^：:。\n]{2,20})[：:]")
_DATE: Final = r"(?:(\d{4})年)?(?:(\d{1,2})月)?(\d{1,2})日"
_ASIDE: Final = re.compile(r"[（(][^（()）]*[)）]")
_SPAN: Final = re.compile(_DATE + r"(?:\s*(?:至|到|—|－|-|~|～)\s*" + _DATE + r")?")


@dataclass(frozen=True, slots=True)
class NoticedDay:
    """A day that the calendar of a year says something of: off, or worked although it is a weekend."""

    day: dt.date
    off: bool
    name: str


def read_notice(text: str, year: int) -> list[NoticedDay]:
    """Return the days of a notice in their order; ``year`` counts where a date names none.

    Each numbered paragraph names a holiday; a sentence with 放假 names days off, one with 上班 weekend days that are worked.
    Raises ``BadInput`` that names the words which could not be understood, so that nothing is left out silently.
    """
    if len(text) > MOST_CHARACTERS:
        raise BadInput("notice_too_long", "通知太长，请只粘贴放假安排的部分。")
    found: dict[dt.date, NoticedDay] = {}
    for name, body in _paragraphs(text):
        for sentence in re.split(r"[。；;\n]", _ASIDE.sub("", body)):
            for noticed in _days_of(sentence, name, year):
                known = found.get(noticed.day)
                if known is not None and known.off != noticed.off:
                    raise BadInput("notice_contradicts", f"{noticed.day:%-m月%-d日}既写了放假又写了上班，请核对。")
                found.setdefault(noticed.day, noticed)
    if not found:
        raise BadInput(
            "notice_unread",
            "没有读到放假安排。请粘贴通知里“一、元旦：1月1日至3日放假”这样编了号的段落，或在下面逐日填写。",
        )
    return sorted(found.values(), key=lambda noticed: noticed.day)


def _paragraphs(text: str) -> Iterator[tuple[str, str]]:
    heads = list(_HEAD.finditer(text))
    ends = [head.start() + 1 for head in heads[1:]] + [len(text)]
    for head, end in zip(heads, ends, strict=False):
        yield head[1].strip(), text[head.end() : end]


def _days_of(sentence: str, name: str, year: int) -> Iterator[NoticedDay]:
    off, worked = "放假" in sentence, "上班" in sentence
    if not off and not worked:
        return
    if off and worked:
        raise BadInput("notice_unread", f"“{sentence.strip()[:40]}”里同时有放假和上班，请分成两句。")
    month = 0
    for span in _SPAN.finditer(sentence):
        first, month = _date(span.groups()[:3], year, month, sentence)
        last = first
        if span[6]:
            last, month = _date(span.groups()[3:], first.year, month, sentence)
        length = (last - first).days + 1
        if not 1 <= length <= LONGEST_HOLIDAY:
            raise BadInput("notice_unread", f"“{span[0]}”的起止日期不对，请核对。")
        for shift in range(length):
            day = first + dt.timedelta(days=shift)
            if worked and day.weekday() < SATURDAY:
                raise BadInput("notice_unread", f"{day:%-m月%-d日}不是周末，却写了上班，请核对年份和日期。")
            yield NoticedDay(day, off, name)


def _date(parts: tuple[str | None, ...], year: int, month: int, sentence: str) -> tuple[dt.date, int]:
    said_year, said_month, day = parts
    month = int(said_month) if said_month else month
    try:
        return dt.date(int(said_year) if said_year else year, month, int(day or 0)), month
    except ValueError:
        raise BadInput("notice_unread", f"“{sentence.strip()[:40]}”里的日期读不懂，请核对。") from None
