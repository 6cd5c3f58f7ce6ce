"""How each channel is set: on or off, which page it opens, whether in 长辈版."""

from __future__ import annotations

from typing import Any

import pghistory
from django.db import models


@pghistory.track(pghistory.UpdateEvent(row=pghistory.Old), pghistory.DeleteEvent(), model_name="ChannelSettingEvent")
class ChannelSetting(models.Model):
    """What the city's managers set of a declared channel; without a row it is as it was declared.

    ``revision`` is what a form has seen.
    """

    channel = models.SlugField(max_length=20, unique=True)
    on = models.BooleanField(default=True)
    elder = models.BooleanField()
    entry = models.SlugField(max_length=20)
    revision = models.PositiveIntegerField(default=1)
    changed_by = models.CharField(max_length=150)
    changed_at = models.DateTimeField()

    events: Any

    class Meta:
        verbose_name = "渠道"
        ordering = ["channel"]

    def __str__(self) -> str:
        return f"{self.channel} {self.on}"
