"""Places that an account marked, and reports of what is wrong with a place."""

from __future__ import annotations

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import Q

from geo.regions.models import Region
from services.crypto.identifiers import new_id
from services.facilities.models import Facility
from services.modules.finder.words import MOST_WORDS, WRONG


class Favourite(models.Model):
    """A place that an account marked; a note on it is sealed under ``uid``. The lowest ``rank`` comes first."""

    uid = models.UUIDField(default=new_id, unique=True, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="favourites")
    facility = models.ForeignKey(Facility, on_delete=models.CASCADE, related_name="+")
    rank = models.IntegerField()
    noted = models.BooleanField(default=False)
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "收藏"
        ordering = ["rank", "-id"]
        constraints = [models.UniqueConstraint(fields=["user", "facility"], name="favourite_once")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.facility_id}"


class ReportState(models.TextChoices):
    NEW = "new", "待核对"
    SEEN = "seen", "核对中"
    CORRECTED = "corrected", "已改正"
    UNCONFIRMED = "unconfirmed", "核对后没有改"
    DUPLICATE = "duplicate", "和别的报告重复"


WAITING = Q(state__in=[ReportState.NEW, ReportState.SEEN])


@pghistory.track(pghistory.UpdateEvent(row=pghistory.Old), pghistory.DeleteEvent(), model_name="PlaceReportEvent")
class PlaceReport(models.Model):
    """What somebody says is wrong with a place. A number for the answer is sealed under ``uid``; ``phone`` shows part of it.

    ``mark`` is of the form it came by: sent twice, it is one report. ``due_on`` is the last day for an answer.
    """

    uid = models.UUIDField(default=new_id, unique=True, editable=False)
    mark = models.UUIDField(unique=True)
    facility = models.ForeignKey(Facility, on_delete=models.CASCADE, related_name="+")
    region = models.ForeignKey(Region, on_delete=models.PROTECT, null=True, related_name="+")
    what = models.CharField(max_length=12, choices=WRONG)
    text = models.CharField(max_length=MOST_WORDS, blank=True)
    phone = models.CharField(max_length=20, blank=True, help_text="shown in part: 138****5678")
    reporter = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    state = models.CharField(max_length=12, choices=ReportState, default=ReportState.NEW)
    due_on = models.DateField()
    answer = models.CharField(max_length=MOST_WORDS, blank=True)
    handled_by = models.CharField(max_length=150, blank=True)
    handled_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "纠错报告"
        ordering = ["due_on", "id"]
        indexes = [models.Index(fields=["facility", "state"], name="report_place")]

    def __str__(self) -> str:
        return f"{self.facility_id} {self.what}"


class Act(models.TextChoices):
    START = "start", "看到搜索页面"
    FILTERS = "filters", "看到查询条件"
    SEARCH = "search", "查询"
    CLICK = "click", "点开"
    DETAIL = "detail", "看详情"
    FAVOURITE = "favourite", "收藏"
    CALL = "call", "打电话"
    NAVIGATE = "navigate", "导航"
    VISIT = "visit", "经渠道打开"


class UseCount(models.Model):
    """How often something was done in the finder within an hour: of nobody in particular, and at no position.

    ``region`` is the street (else the district) of the place, or the one asked about in a search; none where nothing says it.
    ``filter`` is empty for the act itself, else the key of a filter that narrowed a search, or the channel of a visit; a search
    counts once for each.
    """

    hour = models.DateTimeField()
    act = models.CharField(max_length=10, choices=Act)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, null=True, related_name="+")
    filter = models.CharField(max_length=40, blank=True)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = "随心查使用次数"
        constraints = [
            models.UniqueConstraint(
                fields=["hour", "act", "region", "filter"], nulls_distinct=False, name="use_counted_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H} {self.act} {self.count}"


class UseBatch(models.Model):
    """A batch of counts that was written: found again after a worker was killed, it is not written twice."""

    name = models.CharField(max_length=60, primary_key=True)
    written_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name
