"""Confirmations of institutions, reminders, and self-reports by link."""

from __future__ import annotations

import datetime as dt

import pghistory
from django.db import models
from django.db.models import Q

from geo.regions.models import Region
from services.access.models import Organisation
from services.crypto.identifiers import new_id
from services.facilities.models import CapacityReport, Facility


class Confirmation(models.Model):
    """An institution said that a place stands as it is, or corrected its figures. ``mark`` is of the form it came by.

    ``before`` and ``after`` hold the figures with their moments; taken back within a minute it has ``undone_at`` and no report.
    """

    mark = models.UUIDField(unique=True)
    facility = models.ForeignKey(Facility, on_delete=models.CASCADE, related_name="confirmations")
    region = models.ForeignKey(Region, on_delete=models.PROTECT, null=True, related_name="+")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, related_name="+")
    report = models.OneToOneField(CapacityReport, on_delete=models.SET_NULL, null=True, related_name="+")
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    actor = models.CharField(max_length=150)
    confirmed_at = models.DateTimeField(auto_now_add=True)
    undone_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "机构确认"
        ordering = ["-confirmed_at", "-id"]
        indexes = [models.Index(fields=["facility", "-confirmed_at"], name="confirmation_place")]

    def __str__(self) -> str:
        return f"{self.facility_id} {self.confirmed_at:%Y-%m-%d}"


class Reminder(models.Model):
    """When the institution of a place was last told by the weekly list, and last urged by staff, and by whom."""

    facility = models.OneToOneField(Facility, on_delete=models.CASCADE, related_name="reminder")
    told_on = models.DateField(null=True)
    urged_at = models.DateTimeField(null=True)
    urged_by = models.CharField(max_length=150, blank=True)

    class Meta:
        verbose_name = "催报"

    def __str__(self) -> str:
        return f"{self.facility_id}"


class ReportState(models.TextChoices):
    SENT = "sent", "已发链接"
    FILLING = "filling", "填写中"
    SUBMITTED = "submitted", "待审核"
    RETURNED = "returned", "已退回"
    APPROVED = "approved", "已通过"
    REVOKED = "revoked", "已撤销"


WITH_INSTITUTION = (ReportState.SENT, ReportState.FILLING, ReportState.RETURNED)
"""The states in which the institution fills in."""
OPEN = Q(state__in=[*WITH_INSTITUTION, ReportState.SUBMITTED])


@pghistory.track(pghistory.UpdateEvent(row=pghistory.Old), pghistory.DeleteEvent(), model_name="SelfReportEvent")
class SelfReport(models.Model):
    """A link sent to one telephone for one place, what is filled in on it, and what staff decided.

    ``facility`` is empty for a place that is new until it is approved. The whole number is sealed under ``uid``; ``phone`` shows
    part of it. ``issue`` counts the links sent: only the newest opens. ``answers`` hold the items that were changed, ``base``
    what the place said of all items by then, so that a change in between is noticed. ``version`` counts the writes of the form.
    """

    uid = models.UUIDField(default=new_id, unique=True, editable=False)
    facility = models.ForeignKey(Facility, on_delete=models.CASCADE, null=True, related_name="self_reports")
    kind = models.CharField(max_length=40)
    name = models.CharField(max_length=120)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, null=True, related_name="+")
    phone = models.CharField(max_length=20, blank=True, help_text="shown in part: 138****5678")
    state = models.CharField(max_length=10, choices=ReportState, default=ReportState.SENT)
    issue = models.PositiveSmallIntegerField(default=1)
    days = models.PositiveSmallIntegerField(default=14)
    sent_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    tries_left = models.PositiveSmallIntegerField(default=0)
    opened_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)
    answers = models.JSONField(default=dict)
    base = models.JSONField(default=dict)
    submitted_at = models.DateTimeField(null=True)
    words = models.CharField(max_length=300, blank=True)
    made_by = models.CharField(max_length=150)
    reviewed_by = models.CharField(max_length=150, blank=True)
    reviewed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "自主填报"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["facility"], condition=OPEN, name="self_report_open_once"),
        ]
        indexes = [models.Index(fields=["state", "expires_at"], name="self_report_waiting")]

    def __str__(self) -> str:
        return self.name

    def is_over(self, now: dt.datetime) -> bool:
        """Say whether the time of the link is over, which counts only while the institution fills in."""
        return self.state in WITH_INSTITUTION and now >= self.expires_at
