"""Visits to people's homes, their check-ins as they were made, what came later of each, and what of them is sealed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pghistory
import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from geo.regions.models import Region
from services.access.models import Organisation
from services.crypto.identifiers import new_id
from services.fencing.checkins.hints import HINTS
from services.fencing.checkins.registry import visit_kind
from services.fencing.checkins.spec import VisitKind

USER = settings.AUTH_USER_MODEL


class VisitState(models.TextChoices):
    PLANNED = "planned", "待上门"
    PRESENT = "present", "服务中"
    DONE = "done", "已完成"
    CANCELLED = "cancelled", "已取消"


class Act(models.TextChoices):
    IN = "in", "签到"
    OUT = "out", "签退"


class Said(models.TextChoices):
    """Verdicts as people read them."""

    PRESENT = "present", "到位"
    LIKELY = "likely", "可能到位"
    SUSPECT = "suspect", "疑似模拟定位"
    UNLOCATED = "unlocated", "没有定位"
    VAGUE = "vague", "定位不准"
    UNTIMELY = "untimely", "时间不对"
    OUTSIDE = "outside", "不在范围"


class Face(models.TextChoices):
    NOT_NEEDED = "not_needed", "不需要"
    MATCHED = "matched", "本人"
    PENDING = "pending", "待核验"
    MISSING = "missing", "没有核验"
    DIFFERENT = "different", "不是本人"
    NOT_LIVE = "not_live", "不是真人"
    UNCLEAR = "unclear", "看不清脸"
    NOT_ENROLLED = "not_enrolled", "没有底照"


@pghistory.track(
    pghistory.UpdateEvent(row=pghistory.Old), pghistory.DeleteEvent(), exclude=["details"], model_name="VisitEvent"
)
class Visit(models.Model):
    """Somebody is to serve at a home, from one moment to another.

    ``details`` is sealed: whose home, where, and how to reach it. With a ``fence`` (its identity from edition to edition) the
    place is that area, whenever it holds. ``external`` is its number at the platform that arranged it.
    """

    uid = models.UUIDField(default=new_id, unique=True, editable=False)
    number = models.CharField(max_length=20, unique=True)
    key = models.UUIDField(unique=True)
    kind = models.CharField(max_length=40)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    region = models.ForeignKey(Region, on_delete=models.PROTECT, null=True, related_name="+")
    worker = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="visits")
    from_at = models.DateTimeField()
    to_at = models.DateTimeField()
    details = models.TextField()
    tolerance_m = models.PositiveIntegerField()
    fence = models.UUIDField(null=True)
    external = models.CharField(max_length=60, blank=True)
    state = models.CharField(max_length=10, choices=VisitState, default=VisitState.PLANNED)
    cancelled_why = models.CharField(max_length=200, blank=True)
    revision = models.PositiveIntegerField(default=1)
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField(auto_now_add=True)
    changed_by = models.CharField(max_length=150)

    class Meta:
        verbose_name = "上门任务"
        ordering = ["-from_at", "-id"]
        indexes = [
            models.Index(fields=["worker", "from_at"], name="visit_of_worker"),
            models.Index(fields=["organisation", "-from_at"], name="visit_of_organisation"),
        ]
        constraints = [
            models.CheckConstraint(name="visit_ends_after_it_begins", condition=Q(to_at__gt=models.F("from_at"))),
            models.UniqueConstraint(
                fields=["organisation", "external"], condition=~Q(external=""), name="visit_external_once"
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def spec(self) -> VisitKind:
        """Return how its check-ins are judged."""
        return visit_kind(self.kind)

    @property
    def open(self) -> bool:
        """Say whether there is still something to confirm."""
        return self.state in (VisitState.PLANNED, VisitState.PRESENT)


class CheckIn(models.Model):
    """One attempt to confirm a visit, as it was judged then; never changed. What came later stands in rows beside it.

    ``counts`` says that it confirmed the beginning or the end, once each; ``manual`` that it did so by words, for somebody to
    review. ``distance_m`` is rounded. ``position_digest`` is the SM3 of what ``CheckInFacts`` seals, with a salt of its own.
    ``hint`` is the heaviest of ``hints`` (keys).
    """

    uid = models.UUIDField(default=new_id, unique=True, editable=False)
    key = models.UUIDField(unique=True)
    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="checkins")
    act = models.CharField(max_length=3, choices=Act)
    at = models.DateTimeField()
    device_at = models.DateTimeField(null=True)
    counts = models.BooleanField()
    manual = models.BooleanField()
    verdict = models.CharField(max_length=12, choices=Said)
    certainty = models.CharField(max_length=6, blank=True)
    said = models.CharField(max_length=200)
    distance_m = models.PositiveIntegerField(null=True)
    accuracy_m = models.PositiveIntegerField(null=True)
    hint = models.CharField(max_length=20, blank=True, choices=[(key, kind.title) for key, kind in HINTS.items()])
    hints = models.JSONField(default=list)
    face = models.CharField(max_length=12, choices=Face)
    face_score = models.FloatField(null=True)
    face_number = models.CharField(max_length=64, blank=True)
    device = models.CharField(max_length=64, blank=True)
    via = models.CharField(max_length=40)
    worker = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    region = models.ForeignKey(Region, on_delete=models.PROTECT, null=True, related_name="+")
    position_digest = models.CharField(max_length=64)

    class Meta:
        verbose_name = "打卡记录"
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["worker", "-at"], name="checkin_of_worker"),
            models.Index(fields=["organisation", "-at"], name="checkin_of_organisation"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["visit", "act"], condition=Q(counts=True), name="checkin_counts_once"),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"{self.visit_id} {self.act} {self.verdict}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            raise ValueError("a check-in is never changed")
        super().save(*args, **kwargs)

    @property
    def faced(self) -> str:
        """Return what is known of the face by now: the later check where there was one."""
        return str(self.later.verdict) if hasattr(self, "later") else self.face

    @property
    def faced_said(self) -> str:
        """Return the same in words."""
        return str(Face(self.faced).label)

    @property
    def hints_said(self) -> list[str]:
        """Return the hints in words."""
        return [HINTS[key].title for key in self.hints if key in HINTS]


class CheckInFacts(models.Model):
    """The position and the words of a check-in, sealed; they go before the record does."""

    checkin = models.OneToOneField(CheckIn, on_delete=models.CASCADE, related_name="facts")
    owner = models.UUIDField()
    at = models.DateTimeField()
    sealed = models.TextField()

    class Meta:
        verbose_name = "打卡位置"

    def __str__(self) -> str:
        return str(self.checkin_id)


class CheckInPhoto(models.Model):
    """The face that was shown, kept sealed while it waits for its check, or as evidence where the kind of visit says so."""

    checkin = models.OneToOneField(CheckIn, on_delete=models.CASCADE, related_name="photo")
    at = models.DateTimeField()
    file = models.UUIDField(default=new_id)
    evidence = models.BooleanField()

    class Meta:
        verbose_name = "打卡照片"

    def __str__(self) -> str:
        return str(self.checkin_id)


class CheckInFace(models.Model):
    """What a face came to that could not be checked at once."""

    checkin = models.OneToOneField(CheckIn, on_delete=models.CASCADE, related_name="later")
    at = models.DateTimeField()
    verdict = models.CharField(max_length=12, choices=Face)
    score = models.FloatField(null=True)
    number = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = "补做的人脸核验"

    def __str__(self) -> str:
        return f"{self.checkin_id} {self.verdict}"


class CheckInReview(models.Model):
    """What a supervisor decided of a check-in, once."""

    checkin = models.OneToOneField(CheckIn, on_delete=models.CASCADE, related_name="review")
    accepted = models.BooleanField()
    words = models.CharField(max_length=200)
    by = models.CharField(max_length=150)
    at = models.DateTimeField()

    class Meta:
        verbose_name = "打卡审核"

    def __str__(self) -> str:
        return f"{self.checkin_id} {self.accepted}"


def day_of(moment: dt.datetime) -> str:
    """Return how a day begins the number of a visit."""
    return f"SM{moment:%y%m%d}"
