"""Where else services for elders are applied for: the entry of 养老服务一件事 for each kind of place."""

from __future__ import annotations

from typing import Any

import pghistory
from django.db import models


@pghistory.track(pghistory.UpdateEvent(row=pghistory.Old), pghistory.DeleteEvent(), model_name="OutsideEntryEvent")
class OutsideEntry(models.Model):
    """The address of 养老服务一件事 for one kind of place, '' for all kinds that have none of their own.

    ``url`` is https, '' where there is none (any more). ``revision`` is what a form has seen.
    """

    kind = models.CharField(max_length=40, unique=True, blank=True)
    url = models.CharField(max_length=500, blank=True)
    revision = models.PositiveIntegerField(default=1)
    changed_by = models.CharField(max_length=150)
    changed_at = models.DateTimeField()

    events: Any

    class Meta:
        verbose_name = "养老服务一件事入口"
        ordering = ["kind"]

    def __str__(self) -> str:
        return f"{self.kind} {self.url}"
