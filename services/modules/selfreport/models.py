"""Confirmations of institutions, and when they were reminded."""

from __future__ import annotations

from django.db import models

from geo.regions.models import Region
from services.access.models import Organisation
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
