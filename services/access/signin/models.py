"""Bound identities, the second step with its recovery codes, and the sessions an account has open."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from services.crypto.identifiers import new_id

USER = settings.AUTH_USER_MODEL


class ExternalIdentity(models.Model):
    """An account at a provider that stands for an account here: by provider and subject, never by a name."""

    user = models.ForeignKey(USER, on_delete=models.CASCADE, related_name="identities")
    provider = models.CharField(max_length=40)
    subject = models.CharField(max_length=200)
    bound_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "统一认证绑定"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["provider", "subject"], name="identity_bound_once"),
            models.UniqueConstraint(fields=["user", "provider"], name="identity_one_of_a_provider"),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.user_id}"


class SecondStep(models.Model):
    """The secret an authenticator app shares with us, sealed; it counts once ``confirmed_at`` is set.

    ``last_step`` is the half minute of the last code that was taken: no code opens twice.
    """

    uid = models.UUIDField(primary_key=True, default=new_id)
    user = models.OneToOneField(USER, on_delete=models.CASCADE, related_name="second_step")
    secret = models.TextField()
    made_at = models.DateTimeField(auto_now_add=True)
    confirmed_at = models.DateTimeField(null=True)
    last_step = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = "两步验证"

    def __str__(self) -> str:
        return f"{self.user_id}"


class RecoveryCode(models.Model):
    """A code that stands in for the authenticator app once. Only its digest is kept, sealed for its owner's ``uid``."""

    user = models.ForeignKey(USER, on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=200)
    used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "恢复码"

    def __str__(self) -> str:
        return f"{self.user_id}"


class DeviceCertificate(models.Model):
    """A certificate on a device that stands for an account, by its fingerprint; signed like a right (services.access.signed).

    It counts until ``ended_at``. While it counts it is of one account only.
    """

    uid = models.UUIDField(primary_key=True, default=new_id)
    user = models.ForeignKey(USER, on_delete=models.CASCADE, related_name="certificates")
    name = models.CharField("设备", max_length=40)
    fingerprint = models.CharField(max_length=64)
    serial = models.CharField(max_length=64)
    subject = models.CharField(max_length=300)
    issuer = models.CharField(max_length=300)
    not_before = models.DateTimeField()
    not_after = models.DateTimeField()
    bound_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=150, blank=True)

    class Meta:
        verbose_name = "设备证书"
        ordering: ClassVar = ["-bound_at", "-uid"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["fingerprint"], condition=models.Q(ended_at=None), name="certificate_of_one_account"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.fingerprint[:16]}"


class OpenSession(models.Model):
    """A session that an account has open: since when, from where, by what, and what it came from.

    That is a session at the provider, the fingerprint of a certificate, or neither.
    """

    uid = models.UUIDField(primary_key=True, default=new_id)
    user = models.ForeignKey(USER, on_delete=models.CASCADE, related_name="open_sessions")
    session_key = models.CharField(max_length=40, unique=True)
    began_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    address = models.GenericIPAddressField(null=True)
    agent = models.CharField(max_length=60, blank=True)
    how = models.CharField(max_length=40)
    provider_session = models.CharField(max_length=200, blank=True)
    certificate = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = "会话"
        ordering: ClassVar = ["-began_at", "-uid"]

    def __str__(self) -> str:
        return f"{self.user_id} {self.began_at:%F %T}"
