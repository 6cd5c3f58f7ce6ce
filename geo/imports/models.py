"""Sources, drafts and refusals: where every row on the map comes from.

A source is ``invented`` or ``real`` and belongs to one family of rows and one area. Publishing a real source retires the
invented rows of its family in its area in the same act; the two are never searched, routed or counted together.
"""

from __future__ import annotations

import uuid

from django.contrib.gis.db import models
from django.db.models import Q

from geo.crs.codes import CGCS2000


class Family(models.TextChoices):
    """What kind of rows a source brings; publishing and retiring happen per family."""

    REGIONS = "regions", "行政区划"
    ROADS = "roads", "道路"
    BASEMAP = "basemap", "底图"
    COMMUNITIES = "communities", "小区"
    ADDRESSES = "addresses", "门牌地址"
    FACILITIES = "facilities", "服务设施"
    POPULATION = "population", "人口"
    LEDGER = "ledger", "台账"
    """Spreadsheets that people bring into a ledger; its rows belong to sources of their own family, never to these."""


class Provenance(models.TextChoices):
    INVENTED = "invented", "演示"
    REAL = "real", "真实"


class Source(models.Model):
    """A declared origin of rows. ``key`` is stable; importing the same source again updates its rows and adds none."""

    key = models.SlugField(max_length=80, unique=True)
    title = models.CharField(max_length=200)
    family = models.CharField(max_length=16, choices=Family)
    provenance = models.CharField(max_length=10, choices=Provenance)
    datum = models.CharField(max_length=16, default="wgs84")
    licence = models.CharField(max_length=200, blank=True)
    attribution = models.CharField(max_length=200, blank=True)
    area_code = models.CharField(max_length=12, blank=True, help_text="region code it covers; empty is the whole city")
    as_of = models.DateField(null=True)
    published_at = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)
    revision = models.PositiveIntegerField(
        default=0, db_default=0, help_text="counts the acts of people on its rows that make kept names stale"
    )

    class Meta:
        ordering = ["family", "key"]

    def __str__(self) -> str:
        return f"{self.title}（{self.get_provenance_display()}）"


class RunState(models.TextChoices):
    READING = "reading", "读取中"
    REPORTED = "reported", "已出报告"
    PUBLISHED = "published", "已发布"
    REFUSED = "refused", "已拒绝"
    FAILED = "failed", "失败"


class ImportRun(models.Model):
    """One reading of one file: its report, and whether it was published."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="runs")
    file_name = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=RunState, default=RunState.READING)
    rows_read = models.PositiveIntegerField(default=0)
    rows_accepted = models.PositiveIntegerField(default=0)
    rows_refused = models.PositiveIntegerField(default=0)
    report = models.JSONField(default=dict, help_text="added, changed, unchanged, removed, warnings, counts by reason")
    actor = models.CharField(max_length=150, default="system")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.file_name} {self.state}"


class DraftRow(models.Model):
    """One accepted row of a run, normalised, waiting to be published."""

    # hundreds of thousands of rows copied in one go: the unique constraint is index enough, and checking each reference
    # would cost more than writing the row
    run = models.ForeignKey(
        ImportRun, on_delete=models.CASCADE, related_name="drafts", db_index=False, db_constraint=False
    )
    part = models.CharField(max_length=255, blank=True, help_text="the file of the source the row stands in")
    row = models.PositiveIntegerField(help_text="row number in the file, from 1")
    ext_id = models.CharField(max_length=120)
    payload = models.JSONField()
    geom = models.GeometryField(srid=CGCS2000, null=True, spatial_index=False)
    cell = models.BigIntegerField(null=True, help_text="H3 cell of the point")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "ext_id"], name="draft_row_once")]

    def __str__(self) -> str:
        return f"{self.run_id} {self.row}"


class Refusal(models.Model):
    """One row that was not accepted: where it stands, why, and what it said."""

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="refusals")
    part = models.CharField(max_length=255, blank=True)
    row = models.PositiveIntegerField()
    column = models.CharField(max_length=80, blank=True)
    code = models.CharField(max_length=40)
    message = models.CharField(max_length=400)
    raw = models.JSONField(default=dict)
    late = models.BooleanField(default=False, help_text="refused only while publishing")

    class Meta:
        ordering = ["run", "id"]
        indexes = [models.Index(fields=["run", "code"])]

    def __str__(self) -> str:
        return f"{self.row} {self.code}"


class Correction(models.Model):
    """What people set right in one row, replayed at every import of its source until somebody clears it.

    ``field`` is a field of the family, one entry of an object such as ``attributes.beds``, or ``position``; or it names an act on
    the whole row: ``added`` brings a row the source does not have, one of the family's ``leaving`` takes it out, one of its
    ``beside`` hangs something on it.
    """

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="corrections")
    ext_id = models.CharField(max_length=120)
    field = models.CharField(max_length=60)
    old_value = models.JSONField(null=True)
    new_value = models.JSONField(null=True)
    reason = models.CharField(max_length=300)
    actor = models.CharField(max_length=150)
    created_at = models.DateTimeField(auto_now_add=True)
    cleared_at = models.DateTimeField(null=True)
    cleared_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["source", "ext_id"], name="correction_row")]

    def __str__(self) -> str:
        return f"{self.ext_id}.{self.field}"


class Sourced(models.Model):
    """What every imported row carries: its source, its id there, and whether it is still current."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+")
    ext_id = models.CharField(max_length=120)
    retired_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True
        constraints = [models.UniqueConstraint(fields=["source", "ext_id"], name="%(class)s_once_per_source")]


CURRENT = Q(retired_at__isnull=True)
