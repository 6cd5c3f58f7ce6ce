"""The days that differ from the week: off although a weekday, or worked although a weekend."""

from __future__ import annotations

import pghistory
from django.db import models


@pghistory.track(pghistory.UpdateEvent(row=pghistory.Old), pghistory.DeleteEvent(row=pghistory.Old))
class CalendarDay(models.Model):
    """One day of a calendar. A day without a row is worked from Monday to Friday."""

    calendar = models.SlugField("日历", max_length=20)
    day = models.DateField("日期")
    off = models.BooleanField("放假")
    name = models.CharField("名称", max_length=40)
    kept_by = models.CharField("登记人", max_length=150, blank=True)
    kept_at = models.DateTimeField("登记时间", auto_now=True)

    class Meta:
        verbose_name = "放假和调休"
        ordering = ["day"]
        constraints = [models.UniqueConstraint(fields=["calendar", "day"], name="calendar_day_once")]

    def __str__(self) -> str:
        return f"{self.day:%F} {self.name} {'放假' if self.off else '上班'}"
