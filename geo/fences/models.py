"""Fences: areas with a purpose, in editions by district."""

from __future__ import annotations

import uuid

from django.contrib.gis.db import models
from django.db.models import F, Q

from geo.fences.drafts import DraftChange, DraftedEdition, DrawnArea
from geo.fences.purposes import PURPOSES, ShapeKind
from geo.regions.models import Region


class FenceEdition(DraftedEdition):
    """The fences of one purpose in one district. Of the published versions that have begun, the one that began last counts."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    purpose = models.CharField(max_length=12, choices=[(purpose.key, purpose.name) for purpose in PURPOSES])
    district = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    note = models.CharField(max_length=200, blank=True)
    begun_from = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    from_moment = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "围栏版本"
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["purpose", "district", "number"], name="fence_edition_once"),
            models.UniqueConstraint(
                fields=["purpose", "district"], condition=~Q(state="published"), name="fence_draft_once"
            ),
            models.CheckConstraint(
                condition=~Q(state="published") | Q(from_moment__isnull=False), name="fence_published_from_a_moment"
            ),
        ]
        indexes = [
            models.Index(
                fields=["purpose", "district", "-from_moment", "-number"],
                condition=Q(state="published"),
                name="fence_in_force",
            )
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.district_id} v{self.number}"


class Fence(DrawnArea):
    """A fence of an edition: what it was made from, whose it is, and when it holds.

    ``definition`` is what ``kind`` is made from (``geo.fences.shapes``); ``geom`` is its shape, and alone decides what is
    inside. ``from_day`` to ``to_day``, both included, and ``hours`` by day of the week say when it holds; empty: always.
    """

    edition = models.ForeignKey(FenceEdition, on_delete=models.CASCADE, related_name="areas")
    same = models.UUIDField(default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=10, choices=[(kind.value, kind.label) for kind in ShapeKind])
    definition = models.JSONField(default=dict)
    owner = models.CharField(max_length=80, blank=True)
    from_day = models.DateField(null=True)
    to_day = models.DateField(null=True)
    hours = models.JSONField(default=dict)

    class Meta:
        verbose_name = "围栏"
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["edition", "same"], name="fence_once"),
            models.UniqueConstraint(fields=["edition", "name"], name="fence_named_once"),
            models.CheckConstraint(condition=Q(geom__isvalid=True), name="fence_valid"),
            models.CheckConstraint(
                condition=Q(from_day__isnull=True) | Q(to_day__isnull=True) | Q(from_day__lte=F("to_day")),
                name="fence_holds_forward",
            ),
        ]


class FenceChange(DraftChange):
    """One act on a draft of fences."""

    edition = models.ForeignKey(FenceEdition, on_delete=models.CASCADE, related_name="changes")

    class Meta:
        verbose_name = "围栏改动"
        ordering = ["-revision"]
        constraints = [
            models.UniqueConstraint(fields=["edition", "revision"], name="fence_change_once"),
            models.CheckConstraint(condition=~Q(undoes=F("id")), name="fence_change_not_itself"),
        ]

    def __str__(self) -> str:
        return f"{self.edition_id} r{self.revision} {self.act}"
