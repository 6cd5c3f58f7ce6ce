"""Attachments in their versions, and templates of documents in theirs; contents lie in ``store`` under their digests."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from geo.regions.models import Region

LIVE = Q(current=True, removed_at__isnull=True)


class ScanState(models.TextChoices):
    WAITING = "waiting", "待查毒"
    UNSCANNED = "unscanned", "未查毒"
    CLEAN = "clean", "已查毒"
    REFUSED = "refused", "有病毒，已隔离"


class Attachment(models.Model):
    """One version of one file of one owner. The versions of a file share ``series``; the newest is ``current``.

    ``upload_sha256`` is of what was sent, ``sha256`` of what is kept: images are written anew. Of a file that was made from a
    template, ``made`` says which: template, region, number and digest of its text, digest of the data.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner_kind = models.SlugField(max_length=40)
    owner_id = models.CharField(max_length=64)
    purpose = models.SlugField(max_length=40)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, null=True, related_name="+")
    name = models.CharField(max_length=120)
    type = models.CharField(max_length=8)
    size = models.PositiveBigIntegerField(help_text="bytes of what is kept")
    sha256 = models.CharField(max_length=64, db_index=True)
    upload_sha256 = models.CharField(max_length=64)
    facts = models.JSONField(default=dict, help_text="pages, or width and height in pixels")
    series = models.UUIDField(default=uuid.uuid4)
    version = models.PositiveIntegerField(default=1)
    replaces = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="replaced_by")
    current = models.BooleanField(default=True)
    made = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=ScanState, default=ScanState.UNSCANNED)
    scanned_at = models.DateTimeField(null=True)
    scan_tried_at = models.DateTimeField(null=True)
    found = models.CharField(max_length=120, blank=True, help_text="what the scanner called it")
    uploaded_by = models.CharField(max_length=150)
    uploaded_at = models.DateTimeField(auto_now_add=True)
    removed_by = models.CharField(max_length=150, blank=True)
    removed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "附件"
        ordering = ["purpose", "-uploaded_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["series", "version"], name="attachment_version_once"),
            models.UniqueConstraint(fields=["series"], condition=Q(current=True), name="attachment_one_current"),
            models.UniqueConstraint(
                fields=["owner_kind", "owner_id", "purpose", "upload_sha256"],
                condition=LIVE & Q(made={}),
                name="attachment_content_once",
            ),
        ]
        indexes = [
            models.Index(fields=["owner_kind", "owner_id", "purpose"], name="attachment_owner"),
            models.Index(
                fields=["scan_tried_at"], name="attachment_to_scan", condition=Q(state__in=["waiting", "unscanned"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"


class DocumentTemplate(models.Model):
    """The text of a declared template in one region; without one, the nearest region above counts, then what was declared."""

    key = models.SlugField(max_length=60)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    published = models.OneToOneField("TemplateVersion", on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = "文书模板"
        constraints = [models.UniqueConstraint(fields=["key", "region"], name="template_region_once")]

    def __str__(self) -> str:
        return f"{self.key} {self.region_id}"


class TemplateVersion(models.Model):
    """One uploaded text of a template, never changed afterwards; ``fields`` are those its text uses."""

    template = models.ForeignKey(DocumentTemplate, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=120)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    fields = models.JSONField(default=list)
    note = models.CharField(max_length=200, blank=True)
    uploaded_by = models.CharField(max_length=150)
    uploaded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "模板版本"
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["template", "number"], name="template_number_once")]

    def __str__(self) -> str:
        return f"{self.template_id} v{self.number}"


class TemplateAct(models.Model):
    """Who made which version of a template count, or took the region's own text back, and when."""

    template = models.ForeignKey(DocumentTemplate, on_delete=models.CASCADE, related_name="acts")
    version = models.ForeignKey(TemplateVersion, on_delete=models.PROTECT, null=True, related_name="+")
    actor = models.CharField(max_length=150)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "模板发布记录"
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.template_id} {self.actor}"
