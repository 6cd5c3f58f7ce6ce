"""Facilities of every kind, what each kind declares, their hours, capacity and status through time."""

from __future__ import annotations

from typing import Any

import pghistory
from django.contrib.gis.db import models
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.utils import timezone

from geo.addresses.models import Address, Located
from geo.imports.models import CURRENT, Sourced
from geo.regions.models import Region
from services.access.models import Organisation


class FacilityKind(models.Model):
    """A kind of facility, declared in ``services.facilities.kinds.declared`` or added by staff; read through ``kinds.lookup``.

    ``attributes`` describe what its rows may say. ``region`` is the district that keeps an added kind, none for the city's own.
    Staff changed what has ``changed_by``: a declaration does not take it back. ``moved_at`` is when places were last moved here.
    """

    key = models.SlugField(max_length=40, primary_key=True)
    group = models.SlugField(max_length=20, db_index=True)
    name = models.CharField(max_length=40)
    icon = models.CharField(max_length=40)
    attributes = models.JSONField(default=list)
    order = models.PositiveSmallIntegerField(default=0)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, null=True, related_name="+")
    retired_at = models.DateTimeField(null=True)
    moved_at = models.DateTimeField(null=True)
    revision = models.PositiveIntegerField(default=1)
    changed_by = models.CharField(max_length=150, blank=True)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "机构类别"
        ordering = ["order"]

    def __str__(self) -> str:
        return self.name


class FacilityStatus(models.TextChoices):
    OPEN = "open", "开放"
    PREPARING = "preparing", "筹备中"
    SUSPENDED = "suspended", "暂停服务"
    CLOSED = "closed", "已关闭"


@pghistory.track(
    # The row as it was before: with the current row this is the whole history, and loading a city writes none of it.
    pghistory.UpdateEvent(row=pghistory.Old),
    pghistory.DeleteEvent(),
    exclude=["grams", "cell"],
    model_name="FacilityEvent",
)
class Facility(Sourced, Located):
    """A point of service. Every changing figure says as of when, and from whom."""

    kind = models.ForeignKey(FacilityKind, on_delete=models.PROTECT, related_name="facilities")
    name = models.CharField(max_length=120)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, related_name="facilities")
    address = models.ForeignKey(Address, on_delete=models.SET_NULL, null=True, related_name="+")
    address_text = models.CharField(max_length=300, blank=True)
    phone = models.CharField(max_length=60, blank=True)
    status = models.CharField(max_length=10, choices=FacilityStatus, default=FacilityStatus.OPEN)
    attributes = models.JSONField(default=dict)
    hours = models.JSONField(default=dict)
    hours_as_of = models.DateField(null=True)
    places = models.PositiveIntegerField(null=True)
    vacancies = models.PositiveIntegerField(null=True)
    vacancies_as_of = models.DateTimeField(null=True)
    vacancies_source = models.CharField(max_length=12, blank=True)
    as_of = models.DateField(null=True)
    grams = ArrayField(models.CharField(max_length=24), default=list)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta(Sourced.Meta):
        verbose_name = "服务设施"
        indexes = [
            GinIndex(fields=["grams"], name="facility_grams", condition=CURRENT),
            models.Index(fields=["kind", "region"], name="facility_kind_region", condition=CURRENT),
            models.Index(fields=["name", "id"], name="facility_listed", condition=CURRENT),
        ]

    def __str__(self) -> str:
        return self.name


class StatusChange(models.Model):
    """A change of a facility's status: when it took effect, why, and who said so."""

    facility = models.ForeignKey(Facility, on_delete=models.CASCADE, related_name="status_changes")
    status = models.CharField(max_length=10, choices=FacilityStatus)
    effective_on = models.DateField()
    reason = models.CharField(max_length=200, blank=True)
    actor = models.CharField(max_length=150)
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-effective_on", "-id"]

    def __str__(self) -> str:
        return f"{self.facility_id} {self.status} {self.effective_on}"


class CapacityReport(models.Model):
    """Places and vacancies as reported at a moment; the newest is copied onto the facility."""

    facility = models.ForeignKey(Facility, on_delete=models.CASCADE, related_name="capacity_reports")
    places = models.PositiveIntegerField(null=True)
    vacancies = models.PositiveIntegerField(null=True)
    as_of = models.DateTimeField()
    reported_by = models.CharField(max_length=12)
    actor = models.CharField(max_length=150)

    class Meta:
        ordering = ["-as_of", "-id"]

    def __str__(self) -> str:
        return f"{self.facility_id} {self.vacancies} {self.as_of:%Y-%m-%d}"


@pghistory.track(pghistory.UpdateEvent(row=pghistory.Old), pghistory.DeleteEvent(), model_name="CitySettingsEvent")
class CitySettings(models.Model):
    """What the managers of a city have set for its services, one row for each city; who set it, and when."""

    city = models.SlugField(max_length=20, unique=True)
    events: Any  # a manager of the row as it was before each change, made by pghistory
    navigation_app = models.CharField(max_length=20)
    changed_by = models.CharField(max_length=150)
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name = "系统设置"

    def __str__(self) -> str:
        return f"{self.city} {self.navigation_app}"
