"""Pages of knowledge with their file and the words they are found by."""

from __future__ import annotations

from typing import Any

import pghistory
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q

from geo.regions.models import Region
from services.crypto.identifiers import new_id


class Category(models.TextChoices):
    POLICY = "policy", "政策法规"
    PROCESS = "process", "办事流程"
    QUESTION = "question", "常见问题"
    MANUAL = "manual", "操作手册"
    OTHER = "other", "其他"


@pghistory.track(pghistory.UpdateEvent(row=pghistory.Old), exclude=["words"], model_name="KnowledgeEvent")
class KnowledgePage(models.Model):
    """One page of knowledge of a region. ``deleted_at`` hides it until it is brought back; ``version`` counts its changes."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    events: Any  # a manager of the page as it was before each change, made by pghistory
    title = models.CharField(max_length=80)
    category = models.CharField(max_length=10, choices=Category)
    body = models.TextField(blank=True)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    file = models.CharField(max_length=200, blank=True, help_text="name in the storage, of our own making")
    file_name = models.CharField(max_length=120, blank=True, help_text="as it was called by the one who gave it")
    file_size = models.PositiveIntegerField(default=0)
    words = SearchVectorField(null=True)
    version = models.PositiveIntegerField(default=1)
    made_by = models.CharField(max_length=150)
    changed_by = models.CharField(max_length=150)
    made_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "知识"
        ordering = ["-changed_at", "-id"]
        indexes = [
            GinIndex(fields=["words"], name="knowledge_words"),
            models.Index(fields=["-changed_at"], condition=Q(deleted_at=None), name="knowledge_newest"),
        ]

    def __str__(self) -> str:
        return self.title
