"""Advisers for elders and their work, alerts of points that are short of them, and the city's figures of elders by region.

The points where they advise are facilities of the kind ``adviser_site``: place, name, hours and history are kept there.
"""

from __future__ import annotations

from typing import Any

import pghistory
from django.db import models
from django.db.models import Q

from geo.regions.models import Region
from services.crypto.identifiers import new_id
from services.facilities.models import Facility
from services.modules.advisers.words import AGE_BANDS, ENGAGED, RESULTS, TOPICS, WAYS

SITE_KIND = "adviser_site"


class Post(models.TextChoices):
    COMING = "coming", "待上岗"
    IN_POST = "in_post", "在岗"
    AWAY = "away", "暂离"
    LEFT = "left", "离任"


@pghistory.track(pghistory.UpdateEvent(row=pghistory.Old), pghistory.DeleteEvent(), model_name="AdviserEvent")
class Adviser(models.Model):
    """Somebody who advises at a point. Phone and identity number are sealed under ``uid``; here stands what is shown of them."""

    uid = models.UUIDField(default=new_id, unique=True, editable=False)
    site = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="advisers")
    name = models.CharField(max_length=60)
    phone = models.CharField(max_length=20, blank=True, help_text="shown in part: 138****5678")
    identity = models.CharField(max_length=24, blank=True, help_text="shown in part")
    engaged = models.CharField(max_length=10, choices=ENGAGED)
    certificate = models.CharField(max_length=40, unique=True)
    certified_on = models.DateField()
    post = models.CharField(max_length=8, choices=Post, default=Post.IN_POST)
    from_day = models.DateField()
    to_day = models.DateField(null=True)
    case_number = models.CharField(max_length=40, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    events: Any

    class Meta:
        verbose_name = "养老顾问员"
        indexes = [models.Index(fields=["site", "post"], name="adviser_at_site")]
        constraints = [
            models.CheckConstraint(
                name="adviser_leaves_after_coming", condition=Q(to_day=None) | Q(to_day__gte=models.F("from_day"))
            )
        ]

    def __str__(self) -> str:
        return self.name


class RecordState(models.TextChoices):
    VALID = "valid", "有效"
    CORRECTED = "corrected", "已更正"
    CANCELLED = "cancelled", "已作废"


class WorkRecord(models.Model):
    """One piece of advice that was given; it names no elder. A wrong one is replaced or cancelled, never changed."""

    number = models.CharField(max_length=24, unique=True, help_text="of the form it was handed in with")
    adviser = models.ForeignKey(Adviser, on_delete=models.PROTECT, related_name="records")
    site = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="+")
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    on = models.DateField()
    way = models.CharField(max_length=10, choices=WAYS)
    topic = models.CharField(max_length=12, choices=TOPICS)
    age_band = models.CharField(max_length=8, choices=AGE_BANDS)
    minutes = models.PositiveIntegerField()
    summary = models.CharField(max_length=500)
    result = models.CharField(max_length=12, choices=RESULTS)
    state = models.CharField(max_length=10, choices=RecordState, default=RecordState.VALID)
    instead_of = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="instead")
    why = models.CharField(max_length=300, blank=True, help_text="why it was corrected or cancelled, by whom")
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "顾问工作记录"
        indexes = [
            models.Index(fields=["-on", "-id"], name="work_record_newest"),
            models.Index(fields=["site", "on"], name="work_record_of_site", condition=Q(state="valid")),
            models.Index(fields=["region", "-on"], name="work_record_of_region"),
        ]

    def __str__(self) -> str:
        return self.number


class StaffingAlert(models.Model):
    """A point that had fewer advisers than the rules of its region ask for, and until when. A point has one open at most."""

    site = models.ForeignKey(Facility, on_delete=models.CASCADE, related_name="staffing_alerts")
    state = models.CharField(max_length=8, choices=[("open", "预警中"), ("cleared", "已解除")], default="open")
    least = models.PositiveSmallIntegerField()
    present = models.PositiveSmallIntegerField()
    opened_at = models.DateTimeField()
    cleared_at = models.DateTimeField(null=True)
    cleared_because = models.CharField(max_length=100, blank=True)

    class Meta:
        verbose_name = "人员不足预警"
        constraints = [
            models.UniqueConstraint(fields=["site"], condition=Q(state="open"), name="staffing_alert_once"),
            models.CheckConstraint(
                name="staffing_alert_cleared",
                condition=Q(state="open", cleared_at=None) | Q(state="cleared", cleared_at__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["-opened_at", "-id"], name="staffing_alert_newest")]

    def __str__(self) -> str:
        return f"{self.site_id} {self.state}"


class LibraryPull(models.Model):
    """One asking of the city's library of elders: what came, or why nothing was taken over. The last good figures stay."""

    state = models.CharField(max_length=8, choices=[("taken", "已更新"), ("refused", "未采用")])
    as_of = models.DateField(null=True)
    regions = models.PositiveIntegerField(default=0)
    strange = models.PositiveIntegerField(default=0, help_text="figures of codes that no published region has")
    fault = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "养老专题库取数"
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.at:%F} {self.state}"


class ElderFigures(models.Model):
    """How many elders live in a region, as the city's library said for a day."""

    region = models.OneToOneField(Region, on_delete=models.CASCADE, primary_key=True, related_name="+")
    as_of = models.DateField()
    over_60 = models.PositiveIntegerField()
    over_80 = models.PositiveIntegerField()
    alone = models.PositiveIntegerField()

    class Meta:
        verbose_name = "老年人口"

    def __str__(self) -> str:
        return f"{self.region_id} {self.as_of}"


class SitePicture(models.Model):
    """What there is to ask of a point beside its own facts: advisers, work, elders around it. A view, always as of now.

    ``elders_*`` are of its street, ``nearby_60`` of its committee; ``each_serves`` is its elders for each adviser in it.
    """

    site = models.OneToOneField(Facility, on_delete=models.DO_NOTHING, primary_key=True, related_name="+")
    advisers = models.IntegerField()
    full_time = models.IntegerField()
    short = models.BooleanField()
    records_year = models.IntegerField()
    records_month = models.IntegerField()
    minutes_year = models.IntegerField()
    last_on = models.DateField(null=True)
    elders_60 = models.IntegerField(null=True)
    elders_80 = models.IntegerField(null=True)
    elders_alone = models.IntegerField(null=True)
    nearby_60 = models.IntegerField(null=True)
    each_serves = models.IntegerField(null=True)
    as_of = models.DateField(null=True)

    class Meta:
        managed = False
        db_table = "advisers_sitepicture"
        verbose_name = "养老顾问主题"

    def __str__(self) -> str:
        return str(self.site_id)
