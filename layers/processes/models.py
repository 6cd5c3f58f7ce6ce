"""Runs of processes: who asked for what, the job that does it, and the file that came out; kept some days only."""

from __future__ import annotations

import uuid

from django.db import models

from geo.jobs.models import Job


class ProcessRun(models.Model):
    """One run. ``layer`` and ``others`` are the layers whose rows went in, ``paths`` where rows of a closed one may lie: who may
    not see all that any more does not get the file either.

    ``file`` names the kept file, empty until the run is done; ``about`` is what is said of it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    process = models.CharField(max_length=64)
    title = models.CharField(max_length=200)
    inputs = models.JSONField(default=dict)
    reply = models.JSONField(
        default=dict, help_text="how the asker wants the result: raw or document, value or reference"
    )
    actor = models.CharField(max_length=150, db_index=True)
    layer = models.CharField(max_length=100, blank=True)
    others = models.JSONField(default=list)
    paths = models.JSONField(
        default=list, help_text="paths of the scope the rows were read with; none for a public layer"
    )
    at_once = models.BooleanField(default=False, help_text="asked and answered in one request")
    job = models.ForeignKey(Job, on_delete=models.SET_NULL, null=True, related_name="+")
    file = models.CharField(max_length=80, blank=True)
    name = models.CharField(max_length=200, blank=True)
    media_type = models.CharField(max_length=100, blank=True)
    size = models.BigIntegerField(default=0, help_text="bytes")
    sha256 = models.CharField(max_length=64, blank=True)
    rows = models.BigIntegerField(default=0)
    about = models.JSONField(default=dict)
    made_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = "图层处理"
        ordering = ["-made_at", "id"]

    def __str__(self) -> str:
        return self.title

    @property
    def layers(self) -> list[str]:
        """Return the keys of all layers whose rows went in."""
        return [key for key in (self.layer, *self.others) if key]
