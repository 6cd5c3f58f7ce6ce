"""Public facts of institutions as the platform of supervision told them, and each asking of it."""

from __future__ import annotations

from typing import Any

import pghistory
from django.db import models

from services.access.models import Organisation


class Finding(models.TextChoices):
    GOOD = "good", "检查合格"
    MEND = "mend", "要求整改"
    BAD = "bad", "检查不合格"


@pghistory.track(
    pghistory.UpdateEvent(row=pghistory.Old),
    pghistory.DeleteEvent(),
    exclude=["fetched_at"],
    model_name="SupervisionFactsEvent",
)
class SupervisionFacts(models.Model):
    """What the public may know of an institution: its last inspection, 等级 and credit, as of a day of theirs.

    ``listed`` says that the platform still keeps something of it; ``fetched_at`` is when it was last asked with success.
    """

    organisation = models.OneToOneField(Organisation, on_delete=models.CASCADE, related_name="+")
    listed = models.BooleanField(default=True)
    as_of = models.DateField(null=True)
    inspected_on = models.DateField(null=True)
    finding = models.CharField(max_length=8, choices=Finding, blank=True)
    grade = models.CharField(max_length=20, blank=True)
    credit = models.CharField(max_length=20, blank=True)
    fetched_at = models.DateTimeField()

    events: Any

    class Meta:
        verbose_name = "监管公示"

    def __str__(self) -> str:
        return f"{self.organisation_id} {self.as_of}"


class SupervisionPull(models.Model):
    """One asking of the platform: how many institutions were asked for and how many it knew, or why it gave nothing."""

    state = models.CharField(
        max_length=8, choices=[("taken", "已更新"), ("partly", "部分更新"), ("failed", "没有取到")]
    )
    asked = models.PositiveIntegerField()
    known = models.PositiveIntegerField(default=0)
    fault = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "监管信息取数"
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.at:%F} {self.state}"
