"""Vacancies as people should read them: the figure, as of when, from whom, and whether it can still be trusted. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

STALE_AFTER: Final = dt.timedelta(days=30)
"""A figure nobody has confirmed for so long is shown as unconfirmed."""
REPORTED_BY: Final = {"institution": "机构填报", "system": "系统同步", "import": "数据导入"}


@dataclass(frozen=True, slots=True)
class Vacancies:
    """``count`` places free ``as_of`` a moment; ``fresh`` says whether that was within the last thirty days."""

    count: int | None
    as_of: dt.datetime | None
    source: str
    fresh: bool

    @property
    def text(self) -> str:
        """Return the short words for a tag: 余位 3, 已满, 余位待确认, or nothing when nothing was ever reported."""
        if self.count is None:
            return ""
        if not self.fresh:
            return "余位待确认"
        return f"余位 {self.count}" if self.count else "已满"

    @property
    def said(self) -> str:
        """Return when and by whom, such as 11月18日 机构填报."""
        if self.count is None or self.as_of is None:
            return ""
        day = f"{self.as_of.month}月{self.as_of.day}日"
        return f"{day} {REPORTED_BY.get(self.source, '来源未注明')}" if self.fresh else f"上次更新 {day}"


def vacancies_at(count: int | None, as_of: dt.datetime | None, source: str, now: dt.datetime) -> Vacancies:
    """Return the vacancies as they should be read ``now`` (aware; dates are said in its zone)."""
    if as_of is not None:
        as_of = as_of.astimezone(now.tzinfo)
    return Vacancies(count, as_of, source, as_of is not None and now - as_of <= STALE_AFTER)
