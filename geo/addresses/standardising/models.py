"""Uploaded lists that are standardised as a job, and their rows; both live a few days only."""

from __future__ import annotations

import uuid

from django.db import models

from geo.jobs.models import Job


class Batch(models.Model):
    """One uploaded list. Its own cells lie in a file of ``uploads.read_spooled``; what was made of each row is a ``BatchRow``.

    ``head`` holds the first rows, to show and to choose columns by, until the work begins; ``columns`` is a ``tables.Columns``
    as JSON. ``report`` is written as the work goes and completed at its end.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    actor = models.CharField(max_length=150, db_index=True)
    name = models.CharField(max_length=120)
    rows = models.PositiveIntegerField(help_text="rows of the list, a header not counted")
    width = models.PositiveSmallIntegerField()
    head = models.JSONField(default=list)
    columns = models.JSONField(default=dict)
    job = models.ForeignKey(Job, on_delete=models.SET_NULL, null=True, related_name="+")
    report = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = "批量规范"
        ordering = ["-created_at", "id"]

    def __str__(self) -> str:
        return f"{self.name} {self.rows}"


class BatchRow(models.Model):
    """What was made of one row: ``answer`` is a packed ``Standardised``, see ``packing``."""

    pk = models.CompositePrimaryKey("batch_id", "number")
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="answers", db_index=False)
    number = models.PositiveIntegerField()
    status = models.CharField(max_length=12)
    answer = models.TextField()

    class Meta:
        verbose_name = "规范结果"
        indexes = [models.Index(fields=["batch", "status", "number"], name="batch_rows_by_status")]

    def __str__(self) -> str:
        return f"{self.batch_id} {self.number}"
