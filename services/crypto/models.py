"""Sealed values of rows that live elsewhere: their owner by its client-made id, their field, and a blind index to find equals."""

from __future__ import annotations

from django.db import models


class Secret(models.Model):
    """One sealed value of one field of one owner. Nothing of it can be read without the keystore.

    ``owner`` is the UUIDv7 that the writer of the owning row made; ``key_id`` is the key that sealed it, for rotation. ``blind``
    is '' for a value nobody looks for, ``found_by`` the field under which equal values are looked for.
    """

    owner = models.UUIDField()
    field = models.CharField(max_length=120)
    ciphertext = models.TextField()
    blind = models.CharField(max_length=64, blank=True)
    found_by = models.CharField(max_length=120, blank=True)
    key_id = models.CharField(max_length=20)

    class Meta:
        verbose_name = "加密内容"
        constraints = [models.UniqueConstraint(fields=["owner", "field"], name="secret_once")]
        indexes = [
            models.Index(fields=["blind", "field"], condition=~models.Q(blind=""), name="secret_blind"),
            models.Index(fields=["key_id"], name="secret_key"),
        ]

    def __str__(self) -> str:
        return f"{self.field} of {self.owner}"
