"""What every set of drawn areas is made of, drafted or published: abstract rows for whoever keeps such sets."""

from __future__ import annotations

from django.contrib.gis.db import models

from geo.crs.codes import CGCS2000


class EditionState(models.TextChoices):
    """From the first to the last; what is published never changes."""

    DRAFT = "draft", "草稿"
    CHECKED = "checked", "已检查"
    APPROVED = "approved", "已批准"
    PUBLISHED = "published", "已发布"


class DraftedEdition(models.Model):
    """A set of drawn areas in one version. A draft changes under ``revision`` and falls back to draft by it; what is published
    never changes.
    """

    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=EditionState, default=EditionState.DRAFT)
    revision = models.PositiveIntegerField(default=1)
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField(auto_now_add=True)
    changed_by = models.CharField(max_length=150)
    changed_at = models.DateTimeField(auto_now=True)
    checked_by = models.CharField(max_length=150, blank=True)
    approved_by = models.CharField(max_length=150, blank=True)
    published_by = models.CharField(max_length=150, blank=True)
    published_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True


class DrawnArea(models.Model):
    """An area of an edition. ``same``, which its own class declares, follows it from edition to edition."""

    name = models.CharField(max_length=80)
    geom = models.MultiPolygonField(srid=CGCS2000)
    revision = models.PositiveIntegerField(default=1)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name


class DraftChange(models.Model):
    """One act on a draft: what its rows said before and after, by ``same`` (``null``: not there).

    ``key`` is of the form it came by: sent twice, it is done once.
    """

    key = models.UUIDField(unique=True)
    revision = models.PositiveIntegerField()
    act = models.CharField(max_length=12)
    said = models.CharField(max_length=200)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    undoes = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="undone_by")
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True
