"""Texts with their versions, what regions chose, in-app messages, and the outbox of short messages with its history."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from geo.regions.models import Region
from geo.tracing import current_request
from services.crypto.identifiers import new_id

KEY = 150
EVENING = dt.time(21)
MORNING = dt.time(8)
DAILY_CAP = 10


class ChannelKey(models.TextChoices):
    IN_APP = "in_app", "站内"
    SMS = "sms", "短信"


class TemplateVersion(models.Model):
    """The text of an event in a channel, for a region and an entry ('' for all), in one version; the highest number counts.

    A version that is not ``active`` takes the region's own text back: the next region above decides again.
    """

    event = models.CharField(max_length=60)
    channel = models.CharField(max_length=10, choices=ChannelKey)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    entry = models.CharField(max_length=40, blank=True)
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=60, blank=True)
    body = models.TextField(blank=True)
    active = models.BooleanField(default=True)
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "消息模板"
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["event", "channel", "region", "entry", "number"], name="template_version_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.channel} {self.region_id} {self.entry} v{self.number}"


class EventChoice(models.Model):
    """What a region chose of an event: whether it is told at all, by which channels, and at which triggers."""

    event = models.CharField(max_length=60)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    channels = ArrayField(models.CharField(max_length=10), default=list)
    triggers = ArrayField(models.CharField(max_length=40), default=list)
    changed_by = models.CharField(max_length=150)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "消息触发设置"
        constraints = [models.UniqueConstraint(fields=["event", "region"], name="event_choice_once")]

    def __str__(self) -> str:
        return f"{self.event} {self.region_id}"


class SendingRule(models.Model):
    """A region's quiet hours, by the clock of the city, and how many short messages one number gets on one day."""

    region = models.OneToOneField(Region, on_delete=models.PROTECT, related_name="+")
    quiet_from = models.TimeField(default=EVENING)
    quiet_to = models.TimeField(default=MORNING)
    daily_cap = models.PositiveSmallIntegerField(default=DAILY_CAP)
    changed_by = models.CharField(max_length=150)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "发送时段"
        constraints = [models.CheckConstraint(condition=Q(daily_cap__gte=1), name="daily_cap_positive")]

    def __str__(self) -> str:
        return f"{self.region_id} {self.quiet_from}–{self.quiet_to}"


class Contact(models.Model):
    """The mobile number an account wants its short messages on, sealed."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="contact")
    phone = models.CharField(max_length=200)
    phone_blind = models.CharField(max_length=64, db_index=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "联系手机"

    def __str__(self) -> str:
        return f"{self.user_id}"


class Message(models.Model):
    """An in-app message to one account. ``visible_from`` lies in the future for one that is timed."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    key = models.CharField(max_length=KEY, unique=True)
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    event = models.CharField(max_length=60)
    title = models.CharField(max_length=200)
    body = models.TextField()
    link = models.CharField(max_length=200, blank=True)
    made_at = models.DateTimeField(auto_now_add=True)
    visible_from = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "站内消息"
        ordering = [F("read_at").asc(nulls_first=True), "-visible_from", "-id"]
        indexes = [
            models.Index(fields=["recipient", "-visible_from"], name="message_of_recipient"),
            models.Index(fields=["recipient"], condition=Q(read_at=None), name="message_unread"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.recipient_id}"


class DeliveryState(models.TextChoices):
    WAITING = "waiting", "待发送"
    SENDING = "sending", "发送中"
    SENT = "sent", "已发送"
    DELIVERED = "delivered", "已送达"
    FAILED = "failed", "未送达"
    GIVEN_UP = "given_up", "已放弃"
    CANCELLED = "cancelled", "已取消"


class Delivery(models.Model):
    """One short message to one number. Number and text are sealed; ``id`` is the message id the gateway knows it by.

    ``next_at`` is when it is tried next, or, while it is being sent, when a silent worker is taken for dead. ``key`` is what an
    act that is repeated comes with again: it makes no second delivery.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    key = models.CharField(max_length=KEY, unique=True)
    event = models.CharField(max_length=60)
    entry = models.CharField(max_length=40, blank=True)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    phone = models.CharField(max_length=200)
    phone_blind = models.CharField(max_length=64)
    text = models.TextField()
    segments = models.PositiveSmallIntegerField()
    urgent = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=DeliveryState, default=DeliveryState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    next_at = models.DateTimeField()
    provider_id = models.CharField(max_length=64, blank=True)
    code = models.CharField(max_length=40, blank=True)
    again_of = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="again")
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField(auto_now_add=True)
    request_id = models.CharField(max_length=32, blank=True, default=current_request)
    sent_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "短信"
        ordering = ["-made_at", "-id"]
        indexes = [
            models.Index(fields=["next_at"], condition=Q(state__in=["waiting", "sending"]), name="delivery_due"),
            models.Index(fields=["region", "-made_at"], name="delivery_of_region"),
            models.Index(fields=["-made_at", "-id"], name="delivery_newest"),
            models.Index(fields=["phone_blind", "sent_at"], name="delivery_of_phone"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.state} {self.pk}"


class DeliveryStep(models.Model):
    """One line of what happened to a delivery, in Chinese, without number or text."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="steps")
    at = models.DateTimeField(auto_now_add=True)
    what = models.CharField(max_length=200)
    actor = models.CharField(max_length=150, default="system")

    class Meta:
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.delivery_id} {self.what}"


class ReceiptCursor(models.Model):
    """How far the receipts of a gateway have been read; one row for each gateway."""

    gateway = models.SlugField(max_length=20, primary_key=True)
    cursor = models.CharField(max_length=64, blank=True)
    read_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.gateway} {self.cursor}"
