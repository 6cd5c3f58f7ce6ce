"""What a choropleth tells: figures of regions by one measure, each told, hidden or not there. Pure."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from geo.errors import BadInput


class Measure(StrEnum):
    """What is told of a region: the figure, per 1,000 residents, its share of all, or how it changed."""

    VALUE = "value"
    RATE = "rate"
    SHARE = "share"
    CHANGE = "change"


class Standing(StrEnum):
    """Whether a figure is told, kept back so that nobody is given away, or not there."""

    TOLD = "told"
    HIDDEN = "hidden"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of one measure; a value only where it is told."""

    standing: Standing
    value: float | None = None

    @classmethod
    def of(cls, value: float | None, *, hidden: bool = False) -> Figure:
        """Return a figure of a value, ``None`` for one that is not there."""
        if hidden:
            return HIDDEN
        return NONE if value is None else cls(Standing.TOLD, value)

    @property
    def told(self) -> bool:
        """Say whether there is a value."""
        return self.value is not None


HIDDEN: Final = Figure(Standing.HIDDEN)
NONE: Final = Figure(Standing.NONE)


@dataclass(frozen=True, slots=True)
class Place:
    """A region of the published edition, with the short name that stands on the map."""

    code: str
    path: str
    level: str
    name: str

    @property
    def short(self) -> str:
        """Return the name without what every region of the level is called: 崇明, 老西门, 望舒."""
        return short_name(self.name)


@dataclass(frozen=True, slots=True)
class Area:
    """A region of a choropleth: its figure, its class (from 0), its rank (ties share one), and the change of the figure."""

    place: Place
    figure: Figure
    change: Figure
    at: int | None = None
    rank: int | None = None


@dataclass(frozen=True, slots=True)
class Month:
    """A figure of a month, named by its first day."""

    first: dt.date
    figure: Figure

    @property
    def words(self) -> str:
        """Return what the month is called."""
        return f"{self.first.year}年{self.first.month}月"


_ENDINGS: Final = re.compile(r"(?<=..)(新区|区|街道|社区居民委员会|居民委员会|居委会|村民委员会|村委会)$")


def short_name(name: str) -> str:
    """Return the name of a region without what every region of its level is called."""
    return _ENDINGS.sub("", name)


def month_of(text: str) -> dt.date:
    """Return the first day of a month written as 2026-11. Raises ``BadInput``."""
    found = re.fullmatch(r"(2[01]\d\d)-(0[1-9]|1[0-2])", text, re.ASCII)
    if found is None:
        raise BadInput("month_invalid", "月份要写成 2026-11 的样子。", parameter="month")
    return dt.date(int(found[1]), int(found[2]), 1)


def last_day(first: dt.date) -> dt.date:
    """Return the last day of a month."""
    return first.replace(day=calendar.monthrange(first.year, first.month)[1])


def month_before(first: dt.date, count: int = 1) -> dt.date:
    """Return the first day of the month so many before."""
    at = first.year * 12 + first.month - 1 - count
    return dt.date(at // 12, at % 12 + 1, 1)
