"""How a layer of the island map is set: shown or not, its place among the others, its words, its pin."""

from __future__ import annotations

from typing import Any

import pghistory
from django.db import models


@pghistory.track(pghistory.UpdateEvent(row=pghistory.Old), pghistory.DeleteEvent(), model_name="LayerSettingEvent")
class LayerSetting(models.Model):
    """What staff set of a declared layer; without a row it is as it was declared. ``revision`` is what a form has seen."""

    layer = models.SlugField(max_length=20, unique=True)
    shown = models.BooleanField(default=True)
    order = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=12)
    icon = models.CharField(max_length=40)
    shape = models.CharField(max_length=10)
    tone = models.PositiveSmallIntegerField()
    revision = models.PositiveIntegerField(default=1)
    changed_by = models.CharField(max_length=150)
    changed_at = models.DateTimeField()

    events: Any  # a manager of the row as it was before each change, made by pghistory

    class Meta:
        verbose_name = "尚岛一张图图层"
        ordering = ["order", "layer"]

    def __str__(self) -> str:
        return f"{self.layer} {self.title}"
