"""Writes of the calendar."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Final

from django.db import transaction

from geo.calendars.models import CalendarDay
from geo.calendars.notices import NoticedDay
from geo.calendars.queries import calendar_key
from geo.calendars.working import SATURDAY
from geo.errors import BadInput, Forbidden
from geo.scope import Scope

EDIT: Final = "calendar.edit"
FIRST_YEAR, LAST_YEAR = 2000, 2100


@transaction.atomic
def keep_days(*, days: Iterable[NoticedDay], by: str, scope: Scope) -> list[CalendarDay]:
    """Keep days as off or worked, in place of what was kept of them; return their rows.

    Raises ``BadInput`` for a day without a name or outside 2000–2100, ``Forbidden`` without ``calendar.edit``.
    """
    _check(scope)
    rows = []
    for noticed in days:
        if not noticed.name.strip():
            raise BadInput("calendar_name_missing", f"请写明{noticed.day:%-m月%-d日}是什么节日或为什么调休。")
        if not FIRST_YEAR <= noticed.day.year <= LAST_YEAR:
            raise BadInput("calendar_year_invalid", f"年份要在 {FIRST_YEAR} 到 {LAST_YEAR} 之间。")
        if not noticed.off and noticed.day.weekday() < SATURDAY:
            raise BadInput("calendar_day_worked", f"{noticed.day:%-m月%-d日}是周一到周五，本来就上班，不用登记。")
        row, _ = CalendarDay.objects.update_or_create(
            calendar=calendar_key(),
            day=noticed.day,
            defaults={"off": noticed.off, "name": noticed.name.strip()[:40], "kept_by": by},
        )
        rows.append(row)
    return rows


@transaction.atomic
def forget_day(*, day: dt.date, scope: Scope) -> bool:
    """Let a day be as the week has it; return whether something was kept of it. Raises ``Forbidden``."""
    _check(scope)
    deleted, _ = CalendarDay.objects.filter(calendar=calendar_key(), day=day).delete()
    return bool(deleted)


def _check(scope: Scope) -> None:
    if not scope.holds(EDIT):
        raise Forbidden("duty_missing", "您没有维护工作日历的权限，请联系市级管理员。", duty=EDIT)
