"""What platforms follow, the subjects they report, what these did at fences, and the outbox of their receivers."""

from __future__ import annotations

from typing import ClassVar

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from geo.fences.evaluate.tracking import EventKind
from geo.fences.purposes import PURPOSES
from geo.regions.models import Region
from services.access.clients.models import ApiClient
from services.crypto.identifiers import new_id

PURPOSE_CHOICES = [(purpose.key, purpose.name) for purpose in PURPOSES]
KIND_CHOICES = [(kind.value, kind.label) for kind in EventKind]


@pghistory.track(pghistory.UpdateEvent(row=pghistory.Old), pghistory.DeleteEvent(), model_name="FollowingEvent")
class Following(models.Model):
    """Which events a platform wants at the fences of one purpose in one district; ``fences`` narrows them, empty: all."""

    client = models.ForeignKey(ApiClient, on_delete=models.CASCADE, related_name="followings")
    district = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=12, choices=PURPOSE_CHOICES)
    fences = ArrayField(models.UUIDField(), default=list, blank=True)
    enter = models.BooleanField(default=True)
    exit = models.BooleanField(default=True)
    cross = models.BooleanField(default=False)
    dwell_s = models.PositiveIntegerField(null=True)
    approach_m = models.PositiveIntegerField(null=True)
    revision = models.PositiveIntegerField(default=1)
    changed_by = models.CharField(max_length=150)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "跟踪约定"
        ordering: ClassVar = ["client", "district", "purpose"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["client", "district", "purpose"], name="following_once"),
            models.CheckConstraint(
                condition=Q(enter=True) | Q(exit=True) | Q(cross=True) | Q(dwell_s__isnull=False) | Q(approach_m__isnull=False),
                name="following_wants_something",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.client_id} {self.district_id} {self.purpose}"


class Feed(models.Model):
    """The line of a platform's events: ``last`` is the number of the newest. Locked last and until the end of a transaction,
    so that numbers are committed in their order, without gaps.
    """

    client = models.OneToOneField(ApiClient, on_delete=models.CASCADE, primary_key=True, related_name="fence_feed")
    last = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = "围栏事件序列"

    def __str__(self) -> str:
        return f"{self.client_id} {self.last}"


class Reader(models.Model):
    """How far one of a platform's own programmes has done with its events: all up to ``number``. The line is its queue."""

    client = models.ForeignKey(ApiClient, on_delete=models.CASCADE, related_name="fence_readers")
    name = models.CharField(max_length=40)
    number = models.BigIntegerField(default=0)
    done_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "围栏事件读者"
        constraints: ClassVar = [models.UniqueConstraint(fields=["client", "name"], name="fence_reader_once")]

    def __str__(self) -> str:
        return f"{self.name} {self.number}"


class Subject(models.Model):
    """Something a platform follows, by an id that says nothing outside of that platform.

    ``track`` is the sealed ``Track``: it holds the last positions until the subject was unheard for a day (``at_rest``).
    ``left_out`` counts the positions that were not taken, by ``Refusal``. ``waits``: positions wait for later ones.
    """

    uid = models.UUIDField(primary_key=True, default=new_id, editable=False)
    client = models.ForeignKey(ApiClient, on_delete=models.CASCADE, related_name="fence_subjects")
    ref = models.CharField(max_length=64)
    track = models.TextField(blank=True)
    heard_at = models.DateTimeField()
    waits = models.BooleanField(default=False)
    at_rest = models.BooleanField(default=False)
    left_out = models.JSONField(default=dict)

    class Meta:
        verbose_name = "移动对象"
        ordering: ClassVar = ["client", "ref"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["client", "ref"], name="subject_once")]
        indexes: ClassVar = [
            models.Index(fields=["heard_at"], condition=Q(waits=True), name="subject_waits"),
            models.Index(fields=["heard_at"], condition=Q(at_rest=False), name="subject_awake"),
            models.Index(fields=["heard_at"], name="subject_heard"),
        ]

    def __str__(self) -> str:
        return self.ref


class FenceEvent(models.Model):
    """Something a subject did at a fence. It holds no position.

    ``id`` follows from platform, subject, fence and ``sequence``: the same event has the same id whenever it is found.
    ``number`` is its place in the platform's line, one after the other.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    client = models.ForeignKey(ApiClient, on_delete=models.CASCADE, related_name="fence_events")
    number = models.BigIntegerField()
    subject = models.ForeignKey(Subject, on_delete=models.CASCADE, related_name="events")
    fence = models.UUIDField()
    fence_name = models.CharField(max_length=80)
    purpose = models.CharField(max_length=12, choices=PURPOSE_CHOICES)
    district = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    edition = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=KIND_CHOICES)
    at = models.DateTimeField()
    after = models.DateTimeField(null=True)
    inferred = models.BooleanField()
    sequence = models.BigIntegerField()
    told_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "围栏事件"
        ordering: ClassVar = ["client", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["subject", "fence", "sequence"], name="fence_event_once"),
            models.UniqueConstraint(fields=["client", "number"], name="fence_event_in_line"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["district", "-told_at"], name="fence_events_lately"),
            models.Index(fields=["told_at"], name="fence_events_told"),
        ]

    def __str__(self) -> str:
        return f"{self.fence_name} {self.kind} {self.at:%F %T}"


@pghistory.track(
    pghistory.UpdateEvent(row=pghistory.Old), pghistory.DeleteEvent(), model_name="ReceiverEvent", exclude=["secret"]
)
class Receiver(models.Model):
    """Where a platform wants to be told at once: an address of its own, and the secret (sealed) that we sign with."""

    uid = models.UUIDField(primary_key=True, default=new_id, editable=False)
    client = models.OneToOneField(ApiClient, on_delete=models.CASCADE, related_name="fence_receiver")
    url = models.CharField(max_length=300)
    secret = models.TextField()
    changed_by = models.CharField(max_length=150)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "回调地址"

    def __str__(self) -> str:
        return self.url


class DeliveryState(models.TextChoices):
    WAITING = "waiting", "待送"
    SENT = "sent", "已送达"
    DEAD = "dead", "未送达"


class FenceDelivery(models.Model):
    """One event on its way to a receiver, written in the transaction of the event; ``code`` says why it did not arrive."""

    receiver = models.ForeignKey(Receiver, on_delete=models.CASCADE, related_name="deliveries")
    event = models.ForeignKey(FenceEvent, on_delete=models.CASCADE, related_name="deliveries")
    subject = models.ForeignKey(Subject, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=8, choices=DeliveryState, default=DeliveryState.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField()
    until = models.DateTimeField()
    code = models.CharField(max_length=40, blank=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "围栏事件送达"
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["receiver", "event"], name="fence_delivery_once")]
        indexes: ClassVar = [
            models.Index(fields=["receiver", "next_at"], condition=Q(state="waiting"), name="fence_deliveries_due"),
            models.Index(fields=["receiver", "subject", "id"], condition=Q(state="waiting"), name="fence_deliveries_before"),
            models.Index(fields=["receiver", "id"], condition=Q(state="dead"), name="fence_deliveries_dead"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.event_id} {self.state}"
