"""Days of the calendar kept in the database."""

from __future__ import annotations

import datetime as dt

import pytest

from geo.calendars.actions import forget_day, keep_days
from geo.calendars.announced import announced_days, bring_announced
from geo.calendars.models import CalendarDay
from geo.calendars.notices import NoticedDay
from geo.calendars.queries import days_kept, working_days, year_missing, years_kept
from geo.errors import BadInput, Forbidden
from geo.scope import Scope

pytestmark = pytest.mark.django_db
NEW_YEAR = dt.date(2027, 1, 1)


def scope(*duties: str) -> Scope:
    return Scope(paths=("310000",), duties=frozenset(duties))


def test_the_announced_years_are_known_from_the_first_hour_and_come_back_to_nobody_who_changed_them() -> None:
    assert {(row.day, row.off) for row in days_kept()} == {(day, off) for day, off, _ in announced_days()}
    CalendarDay.objects.filter(day__year=2026).exclude(day="2026-10-01").delete()
    bring_announced()
    assert days_kept(year=2026).count() == 1


def test_a_day_is_kept_changed_and_forgotten_with_its_history() -> None:
    day = NoticedDay(NEW_YEAR, True, "元旦")
    keep_days(days=[day], by="shi", scope=scope("calendar.edit"))
    assert working_days().is_holiday(NEW_YEAR)
    assert working_days(until=NEW_YEAR - dt.timedelta(days=1)).is_working(NEW_YEAR)
    keep_days(days=[NoticedDay(NEW_YEAR, True, "新年")], by="shi2", scope=scope("calendar.edit"))
    assert working_days().names[NEW_YEAR] == "新年"
    assert forget_day(day=NEW_YEAR, scope=scope("calendar.edit"))
    assert not forget_day(day=NEW_YEAR, scope=scope("calendar.edit"))
    events = CalendarDay._meta.apps.get_model("calendars.CalendarDayEvent")
    assert list(events.objects.order_by("pgh_id").values_list("name", "pgh_label")) == [
        ("元旦", "update"),
        ("新年", "delete"),
    ]


@pytest.mark.parametrize(
    "noticed",
    [
        NoticedDay(NEW_YEAR, True, " "),
        NoticedDay(dt.date(1999, 1, 1), True, "元旦"),
        NoticedDay(dt.date(2027, 1, 4), False, "元旦"),  # a Monday is worked anyway
    ],
)
def test_what_cannot_be_meant_is_refused_and_nothing_is_kept(noticed: NoticedDay) -> None:
    with pytest.raises(BadInput):
        keep_days(days=[NoticedDay(NEW_YEAR, True, "元旦"), noticed], by="shi", scope=scope("calendar.edit"))
    assert not days_kept(year=2027).exists()


def test_only_those_with_the_duty_keep_days() -> None:
    with pytest.raises(Forbidden):
        keep_days(days=[NoticedDay(NEW_YEAR, True, "元旦")], by="qu", scope=scope("facilities.edit"))
    with pytest.raises(Forbidden):
        forget_day(day=NEW_YEAR, scope=scope())


@pytest.mark.parametrize(
    ("today", "missing"), [("2026-11-14", None), ("2026-11-15", 2027), ("2027-01-01", 2027), ("2025-06-01", None)]
)
def test_a_year_that_is_due_and_not_kept_is_named(today: str, missing: int | None) -> None:
    assert years_kept() == [2025, 2026]
    assert year_missing(dt.date.fromisoformat(today)) == missing
