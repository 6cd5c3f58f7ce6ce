"""The templates of matters (事项模板) with all their wordings, and the catalogue (事项目录清单) of what is offered where."""

from __future__ import annotations

from typing import Any

import pghistory
from django.db import models

from geo.regions.models import Region


class MatterKind(models.TextChoices):
    SERVICE = "service", "公共服务"
    CONFIRM = "confirm", "行政确认"
    PAY = "pay", "行政给付"
    LICENCE = "licence", "行政许可"
    REWARD = "reward", "行政奖励"
    OTHER = "other", "其他行政权力"


class Audience(models.TextChoices):
    PERSON = "person", "自然人"
    BODY = "body", "法人或其他组织"
    BOTH = "both", "自然人、法人"


@pghistory.track(pghistory.UpdateEvent(row=pghistory.Old), model_name="MatterTemplateEvent")
class MatterTemplate(models.Model):
    """What is written down of a matter by the standard of government services (事项要素), for the whole city.

    ``matter`` is the declared matter that handles it, '' where none does yet. ``version`` counts its wordings; each earlier one
    is kept.
    """

    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=60)
    matter = models.CharField(max_length=60, blank=True)
    kind = models.CharField(max_length=10, choices=MatterKind, default=MatterKind.SERVICE)
    authority = models.CharField(max_length=60)
    basis = models.CharField(max_length=300, blank=True)
    audience = models.CharField(max_length=8, choices=Audience, default=Audience.BOTH)
    conditions = models.CharField(max_length=500, blank=True)
    legal_days = models.PositiveSmallIntegerField(null=True)
    promise_days = models.PositiveSmallIntegerField(null=True)
    fee = models.CharField(max_length=100, default="不收费")
    phone = models.CharField(max_length=60, blank=True)
    active = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1)
    note = models.CharField(max_length=200, blank=True)
    changed_by = models.CharField(max_length=150)
    changed_at = models.DateTimeField(auto_now=True)

    events: Any

    class Meta:
        verbose_name = "事项模板"
        ordering = ["code"]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


@pghistory.track(pghistory.UpdateEvent(row=pghistory.Old), model_name="CatalogueEntryEvent")
class CatalogueEntry(models.Model):
    """One line of a region's catalogue: a template, its heading and its place there, and whether it is offered."""

    template = models.ForeignKey(MatterTemplate, on_delete=models.PROTECT, related_name="entries")
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    heading = models.CharField(max_length=40)
    position = models.PositiveSmallIntegerField(default=0)
    offered = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1)
    changed_by = models.CharField(max_length=150)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "事项目录"
        ordering = ["heading", "position", "id"]
        constraints = [models.UniqueConstraint(fields=["template", "region"], name="catalogue_entry_once")]

    def __str__(self) -> str:
        return f"{self.template_id} {self.region_id}"
