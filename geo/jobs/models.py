"""The job table: what long work is asked for, how far it is, and what came of it."""

from __future__ import annotations

import uuid

from django.db import models

from geo.tracing import current_request


class JobState(models.TextChoices):
    QUEUED = "queued", "排队中"
    RUNNING = "running", "进行中"
    DONE = "done", "已完成"
    FAILED = "failed", "失败"
    CANCELLED = "cancelled", "已取消"


class Job(models.Model):
    """One piece of long work. ``cursor`` is what a restarted worker resumes from; the heartbeat tells live from dead."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=64, db_index=True)
    state = models.CharField(max_length=12, choices=JobState, default=JobState.QUEUED, db_index=True)
    progress = models.FloatField(default=0.0, help_text="share done, 0 to 1")
    message = models.CharField(max_length=300, blank=True)
    params = models.JSONField(default=dict)
    cursor = models.JSONField(default=dict)
    result = models.JSONField(default=dict)
    error = models.JSONField(default=dict)
    actor = models.CharField(max_length=150, default="system")
    attempts = models.PositiveSmallIntegerField(default=0)
    cancel_requested = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    request_id = models.CharField(max_length=32, blank=True, default=current_request)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.kind} {self.state} {self.progress:.0%}"
