"""Versions of how the list of institutions is arranged, for each group or kind of institution and entry."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from services.crypto.identifiers import new_id


class ArrangementVersion(models.Model):
    """How the list of some kinds is arranged for an entry, in one version.

    ``kinds`` is a group of kinds or one kind (keys); what is arranged for a kind goes before its group.
    ``entry`` is a key of ``sheets.ENTRIES``, empty for all of them. A draft changes under ``revision``; what is published never
    does. Of the published ones the newest holds; one that is not ``active`` gives the list back to what is declared.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    city = models.SlugField(max_length=20)
    kinds = models.SlugField(max_length=40)
    entry = models.SlugField(max_length=20, blank=True)
    number = models.PositiveIntegerField()
    active = models.BooleanField(default=True)
    sheet = models.JSONField(default=dict)
    revision = models.PositiveIntegerField(default=1)
    note = models.CharField(max_length=200, blank=True)
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField(auto_now_add=True)
    changed_by = models.CharField(max_length=150)
    changed_at = models.DateTimeField(auto_now=True)
    published_by = models.CharField(max_length=150, blank=True)
    published_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "查找设置"
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["city", "kinds", "entry", "number"], name="arrangement_number_once"),
            models.UniqueConstraint(
                fields=["city", "kinds", "entry"], condition=Q(published_at=None), name="arrangement_draft_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kinds} {self.entry} v{self.number}"
