"""What recommending keeps: the city's switch, what an account states, what those who agreed did, how often places were shown."""

from __future__ import annotations

from typing import Any

import pghistory
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from services.crypto.identifiers import new_id
from services.facilities.models import Facility


@pghistory.track(
    pghistory.UpdateEvent(row=pghistory.Old), pghistory.DeleteEvent(), model_name="RecommendingSwitchEvent"
)
class RecommendingSwitch(models.Model):
    """Whether a city recommends at all: off until somebody turns it on."""

    city = models.SlugField(max_length=20, unique=True)
    on = models.BooleanField(default=False)
    changed_by = models.CharField(max_length=150)
    changed_at = models.DateTimeField()
    events: Any  # a manager of the row as it was before each change, made by pghistory

    class Meta:
        verbose_name = "机构推荐开关"

    def __str__(self) -> str:
        return f"{self.city} {self.on}"


class Taste(models.Model):
    """What an account states for recommendations, sealed under ``uid``; ``revision`` grows with every change."""

    uid = models.UUIDField(default=new_id, unique=True, editable=False)
    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    revision = models.PositiveIntegerField(default=0)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "推荐偏好"

    def __str__(self) -> str:
        return f"{self.user_id}"


class TraceAct(models.TextChoices):
    LIST = "list", "看到列表"
    START = "start", "看到搜索页面"
    FILTERS = "filters", "看到查询条件"
    DETAIL = "detail", "看到详情"
    CLICK = "click", "点开"
    FAVOURITE = "favourite", "收藏"
    UNFAVOURITE = "unfavourite", "取消收藏"
    CALL = "call", "打电话"
    NAVIGATE = "navigate", "导航"
    NARROW = "narrow", "设置筛选条件"
    DISMISS = "dismiss", "不感兴趣"


class Trace(models.Model):
    """A page that was shown to somebody who agreed, or what he did: by the hour, without a position.

    ``who`` is a keyed digest of a consent or a device: without the keys nobody can say whose it is. ``shown`` are the places a
    list showed, ``recommended`` those of them that were recommended; ``filters`` are keys, with the value where it says nothing
    of a person (``meals=1``).
    """

    who = models.CharField(max_length=64)
    hour = models.DateTimeField()
    act = models.CharField(max_length=12, choices=TraceAct)
    place = models.ForeignKey(Facility, on_delete=models.CASCADE, null=True, related_name="+")
    shown = ArrayField(models.BigIntegerField(), default=list)
    recommended = ArrayField(models.BigIntegerField(), default=list)
    filters = ArrayField(models.CharField(max_length=60), default=list)

    class Meta:
        verbose_name = "推荐用的浏览记录"
        indexes = [models.Index(fields=["who", "hour"], name="trace_of_somebody")]

    def __str__(self) -> str:
        return f"{self.act} {self.place_id or ''}"


class ShownCount(models.Model):
    """How often a place was recommended on a day, to anybody: of nobody in particular."""

    place = models.ForeignKey(Facility, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = "推荐次数"
        constraints = [models.UniqueConstraint(fields=["place", "day"], name="shown_counted_once")]

    def __str__(self) -> str:
        return f"{self.place_id} {self.day} {self.count}"
