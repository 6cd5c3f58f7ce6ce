"""What is preloaded (预加载), and what each run did."""

from __future__ import annotations

from typing import Any

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.db import models

from geo.regions.models import Region


@pghistory.track(pghistory.UpdateEvent(row=pghistory.Old), pghistory.DeleteEvent(), model_name="PreloadEvent")
class Preload(models.Model):
    """Tiles that are drawn before anybody asks: some layers over a region (none: the whole city), from one zoom to another.

    ``kinds`` are words of ``kinds=`` for the layer of places, each drawn by itself as a page asks for it; empty for all in one.
    """

    city = models.SlugField(max_length=20)
    title = models.CharField(max_length=40)
    layers = ArrayField(models.SlugField(max_length=40))
    kinds = ArrayField(models.SlugField(max_length=40), default=list)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, null=True, related_name="+")
    from_zoom = models.PositiveSmallIntegerField()
    to_zoom = models.PositiveSmallIntegerField()
    active = models.BooleanField(default=True)
    revision = models.PositiveIntegerField(default=1)
    changed_by = models.CharField(max_length=150)
    changed_at = models.DateTimeField()

    events: Any

    class Meta:
        verbose_name = "数据预加载"
        ordering = ["title", "pk"]
        constraints = [models.UniqueConstraint(fields=["city", "title"], name="preload_named_once")]

    def __str__(self) -> str:
        return self.title


class PreloadRun(models.Model):
    """One run: of which edition, by which job, and what came of it. ``draw_ms`` is the time all drawing took."""

    preload = models.ForeignKey(Preload, on_delete=models.CASCADE, related_name="runs")
    job = models.UUIDField()
    revision = models.PositiveIntegerField()
    edition = models.CharField(max_length=64)
    started_at = models.DateTimeField(auto_now_add=True)
    done_at = models.DateTimeField(null=True)
    drawn = models.PositiveIntegerField(default=0)
    kept = models.PositiveIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0)
    draw_ms = models.FloatField(default=0.0)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.preload_id} {self.edition} {self.drawn}+{self.kept}"

    @property
    def mean_ms(self) -> float | None:
        """Return how long drawing one tile took on average; ``None`` when none was drawn."""
        return self.draw_ms / self.drawn if self.drawn else None
