"""Notices, and each as it was before every change."""

from __future__ import annotations

from typing import Any

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from geo.regions.models import Region
from services.crypto.identifiers import new_id


class NoticeState(models.TextChoices):
    DRAFT = "draft", "草稿"
    PUBLISHED = "published", "已发布"
    WITHDRAWN = "withdrawn", "已撤回"


@pghistory.track(pghistory.UpdateEvent(row=pghistory.Old), model_name="NoticeEvent")
class Notice(models.Model):
    """A notice of a region. While published it shows from ``shows_from`` to ``shows_until``; ``version`` counts its changes."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    events: Any  # a manager of the notice as it was before each change, made by pghistory
    title = models.CharField(max_length=80)
    body = models.TextField()
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    roles = ArrayField(models.CharField(max_length=40), default=list, help_text="empty: every role")
    public = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=NoticeState, default=NoticeState.DRAFT)
    shows_from = models.DateTimeField(null=True)
    shows_until = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)
    made_by = models.CharField(max_length=150)
    changed_by = models.CharField(max_length=150)
    made_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "通知公告"
        ordering = [F("shows_from").desc(nulls_first=True), "-made_at"]
        indexes = [models.Index(fields=["-shows_from"], condition=Q(state="published"), name="notice_published")]

    def __str__(self) -> str:
        return self.title
