"""Platforms that call us, their keys (sealed), and a line for every call."""

from __future__ import annotations

from typing import ClassVar

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from geo.regions.models import Region
from geo.tracing import current_request
from services.access.models import Organisation
from services.crypto.identifiers import new_id


@pghistory.track(pghistory.UpdateEvent(row=pghistory.Old), pghistory.DeleteEvent(), model_name="ApiClientEvent")
class ApiClient(models.Model):
    """A platform, such as a district's own, and its white lists: addresses, operations, regions and organisations."""

    app = models.CharField("平台编号", max_length=20, unique=True)
    name = models.CharField("平台名称", max_length=80)
    keeper = models.CharField("责任单位和联系人", max_length=120)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    networks = ArrayField(models.CharField(max_length=50))
    operations = ArrayField(models.CharField(max_length=60))
    regions: models.ManyToManyField[Region, models.Model] = models.ManyToManyField(Region, related_name="+")
    organisations: models.ManyToManyField[Organisation, models.Model] = models.ManyToManyField(
        Organisation, related_name="+"
    )
    per_minute = models.PositiveIntegerField()
    per_day = models.PositiveIntegerField()
    from_day = models.DateField()
    to_day = models.DateField(null=True, blank=True)
    active = models.BooleanField("在用", default=True)
    changed_by = models.CharField(max_length=150)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "接入平台"
        ordering: ClassVar = ["name", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="client_ends_after_it_begins", condition=Q(to_day=None) | Q(to_day__gte=F("from_day"))
            ),
            models.CheckConstraint(
                name="client_quota", condition=Q(per_minute__gte=1) & Q(per_day__gte=F("per_minute"))
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ClientKey(models.Model):
    """A secret both sides sign with, sealed; at most two of a client live at a time, so that one can follow the other."""

    uid = models.UUIDField(primary_key=True, default=new_id)
    client = models.ForeignKey(ApiClient, on_delete=models.CASCADE, related_name="keys")
    secret = models.TextField()
    made_at = models.DateTimeField(auto_now_add=True)
    made_by = models.CharField(max_length=150)
    last_used_on = models.DateField(null=True)
    stopped_at = models.DateTimeField(null=True)
    stopped_by = models.CharField(max_length=150, blank=True)

    class Meta:
        verbose_name = "平台密钥"
        ordering: ClassVar = ["made_at", "uid"]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """Return what people tell the keys of a client apart by; it says nothing of the secret."""
        return self.uid.hex[-6:]


class Outcome(models.TextChoices):
    ANSWERED = "answered", "已答复"
    FAULTY = "faulty", "请求有误"
    REFUSED = "refused", "已拒绝"


class ClientCall(models.Model):
    """One call of a platform, answered or refused. Holds the parameters of the white list and no others, and no body."""

    at = models.DateTimeField(auto_now_add=True, db_index=True)
    client = models.ForeignKey(ApiClient, on_delete=models.SET_NULL, null=True, related_name="calls")
    app = models.CharField(max_length=40, blank=True)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, null=True, related_name="+")
    key = models.CharField(max_length=6, blank=True)
    address = models.GenericIPAddressField(null=True)
    method = models.CharField(max_length=8)
    path = models.CharField(max_length=200)
    operation = models.CharField(max_length=60, blank=True)
    asked_region = models.CharField(max_length=40, blank=True)
    asked_organisation = models.CharField(max_length=40, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome)
    status = models.PositiveSmallIntegerField()
    reason = models.CharField(max_length=40, blank=True)
    ms = models.PositiveIntegerField()
    request_id = models.CharField(max_length=32, blank=True, default=current_request)

    class Meta:
        verbose_name = "接口调用记录"
        ordering: ClassVar = ["-at", "-id"]
        indexes: ClassVar = [models.Index(fields=["client", "-at"], name="client_calls")]

    def __str__(self) -> str:
        return f"{self.at:%F %T} {self.app} {self.operation} {self.status}"
