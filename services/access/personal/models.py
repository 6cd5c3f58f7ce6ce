"""Consents by purpose and version of the text, and requests to be erased."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

USER = settings.AUTH_USER_MODEL


class Consent(models.Model):
    """Somebody agreed to a text of a purpose, until he took it back."""

    user = models.ForeignKey(USER, on_delete=models.CASCADE, related_name="consents")
    purpose = models.CharField(max_length=40)
    version = models.PositiveSmallIntegerField()
    given_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "同意记录"
        ordering: ClassVar = ["-given_at", "-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "purpose"], condition=Q(withdrawn_at=None), name="consent_once_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.purpose} {self.version}"


class Erasure(models.Model):
    """A request to be erased: it is carried out when it is due, unless it was cancelled before. ``report`` says what went."""

    user = models.ForeignKey(USER, on_delete=models.CASCADE, related_name="erasures")
    asked_at = models.DateTimeField(auto_now_add=True)
    due_at = models.DateTimeField(db_index=True)
    cancelled_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    report = models.JSONField(default=dict)

    class Meta:
        verbose_name = "注销申请"
        ordering: ClassVar = ["-asked_at", "-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(cancelled_at=None, done_at=None), name="erasure_once_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.due_at:%F}"
