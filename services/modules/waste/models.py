"""Appointments for waste of renovation, and what the back end of 一张图 is told of them and of fences."""

from __future__ import annotations

from typing import Any

import pghistory
from django.conf import settings
from django.contrib.gis.db import models
from django.db.models import Q

from geo.addresses.models import Located
from geo.fences.models import FenceEdition
from geo.regions.models import Region
from services.access.models import Organisation
from services.crypto.identifiers import new_id


class Area(models.TextChoices):
    HOME = "home", "居民区"
    SITE = "site", "非居民区"


class Unit(models.TextChoices):
    BAGS = "bags", "袋"
    TONS = "tons", "吨"


class Placed(models.TextChoices):
    PICKED = "picked", "在地图上选"
    ADDRESS = "address", "按地址找到"
    ONE_MAP = "onemap", "按“一张图”找到"
    STAFF = "staff", "工作人员核定"


class AppointmentState(models.TextChoices):
    SUBMITTED = "submitted", "已提交"
    CANCELLED = "cancelled", "已取消"


@pghistory.track(
    # Who it is of, and where exactly they live, goes with the appointment.
    pghistory.UpdateEvent(row=pghistory.Old),
    pghistory.DeleteEvent(),
    exclude=["user", "address_text", "contact_name", "contact_phone"],
    model_name="AppointmentEvent",
)
class Appointment(Located):
    """An appointment to have waste taken away. Contact name and phone are sealed under ``uid``; here stands what is shown.

    ``uid`` is of the form it came by: sent twice, it is one. ``version`` counts the writes. The fence is the one that held the
    position when it was last written, a fact of that day: ``fence`` its identity from edition to edition, ``fence_number`` the
    number of the edition, ``None`` outside every fence; ``organisation`` is who answers for it, where that is one of ours.
    """

    uid = models.UUIDField(unique=True, default=new_id, editable=False)
    number = models.CharField(max_length=24, unique=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    area = models.CharField(max_length=8, choices=Area)
    site_name = models.CharField(max_length=60)
    address_text = models.CharField(max_length=120)
    placed = models.CharField(max_length=8, choices=Placed)
    amount = models.DecimalField(max_digits=6, decimal_places=1)
    unit = models.CharField(max_length=8, choices=Unit)
    wanted_on = models.DateField()
    contact_name = models.CharField(max_length=60, help_text="shown in part: 张**")
    contact_phone = models.CharField(max_length=20, help_text="shown in part: 138****5678")
    fence = models.UUIDField(null=True)
    fence_name = models.CharField(max_length=120, blank=True)
    fence_owner = models.CharField(max_length=80, blank=True)
    fence_number = models.PositiveIntegerField(null=True)
    organisation = models.ForeignKey(Organisation, on_delete=models.SET_NULL, null=True, related_name="+")
    state = models.CharField(max_length=10, choices=AppointmentState, default=AppointmentState.SUBMITTED)
    version = models.PositiveIntegerField(default=1)
    moved_because = models.CharField(max_length=200, blank=True, help_text="why staff corrected the position")
    cancelled_because = models.CharField(
        max_length=200, blank=True, help_text="why staff called it off; blank from its owner"
    )
    changed_by = models.CharField(max_length=150)
    made_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    events: Any

    class Meta:
        verbose_name = "装修垃圾预约"
        ordering = ["-made_at", "-id"]
        indexes = [
            models.Index(fields=["user", "-made_at"], name="waste_of_account"),
            models.Index(fields=["region", "-made_at"], name="waste_of_region"),
        ]

    def __str__(self) -> str:
        return self.number


class PushState(models.TextChoices):
    WAITING = "waiting", "待发送"
    SENT = "sent", "已发送"
    REPLACED = "replaced", "已有更新的"
    GIVEN_UP = "given_up", "没有发成"


class OneMapPush(models.Model):
    """What 一张图 is told: of one appointment as it was at a version, or of one whole edition of fences.

    ``uid`` is the key under which they take it once; ``what`` what is told of an appointment, in metres of 上海2000.
    ``next_at`` is when it is tried (again), ``code`` why it did not go through.
    """

    uid = models.UUIDField(unique=True, default=new_id, editable=False)
    appointment = models.ForeignKey(Appointment, on_delete=models.CASCADE, null=True, related_name="pushes")
    edition = models.OneToOneField(FenceEdition, on_delete=models.CASCADE, null=True, related_name="+")
    region = models.ForeignKey(Region, on_delete=models.PROTECT, null=True, related_name="+")
    what = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=PushState, default=PushState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    code = models.CharField(max_length=40, blank=True)
    made_at = models.DateTimeField(auto_now_add=True)
    next_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "“一张图”发送"
        ordering = ["-id"]
        indexes = [models.Index(fields=["next_at", "id"], condition=Q(state="waiting"), name="onemap_due")]
        constraints = [
            models.CheckConstraint(
                condition=Q(appointment=None, edition__isnull=False) | Q(appointment__isnull=False, edition=None),
                name="onemap_of_one_thing",
            )
        ]

    def __str__(self) -> str:
        return f"{self.appointment_id or self.edition_id} {self.state}"
