"""Regions keep their identity while names, parents and boundaries change by edition."""

from __future__ import annotations

from django.contrib.gis.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from geo.crs.codes import CGCS2000
from geo.imports.models import Source


class Level(models.TextChoices):
    """From the coarsest to the finest, in this order."""

    CITY = "city", "市"
    DISTRICT = "district", "区"
    STREET = "street", "街镇"
    COMMITTEE = "committee", "居委"


class Region(models.Model):
    """A unit that keeps its identity from its first day to its last, whatever it is called in between."""

    level = models.CharField(max_length=10, choices=Level)
    first_day = models.DateField(null=True)
    last_day = models.DateField(null=True)

    def __str__(self) -> str:
        return f"{self.level} {self.pk}"


class RegionCode(models.Model):
    """A code of a region in some system of codes, with the days it held."""

    region = models.ForeignKey(Region, on_delete=models.CASCADE, related_name="codes")
    system = models.CharField(
        max_length=20, default="stats", help_text="stats: statistical codes of 6, 9 and 12 digits"
    )
    code = models.CharField(max_length=20)
    first_day = models.DateField(null=True)
    last_day = models.DateField(null=True)

    class Meta:
        indexes = [models.Index(fields=["system", "code"])]
        constraints = [models.UniqueConstraint(fields=["system", "code", "region"], name="region_code_once")]

    def __str__(self) -> str:
        return self.code


class EditionState(models.TextChoices):
    DRAFT = "draft", "草稿"
    PUBLISHED = "published", "已发布"
    SUPERSEDED = "superseded", "已被替代"


class Edition(models.Model):
    """A set of boundaries published in one act. Exactly one is published; old ones stay answerable."""

    name = models.CharField(max_length=100)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="editions")
    state = models.CharField(max_length=10, choices=EditionState, default=EditionState.DRAFT)
    effective_on = models.DateField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["state"], condition=Q(state="published"), name="one_published_edition")
        ]

    def __str__(self) -> str:
        return self.name


class RegionVersion(models.Model):
    """A region as it is in one edition. ``path`` joins the codes from the city down, each ended by a dot."""

    region = models.ForeignKey(Region, on_delete=models.CASCADE, related_name="versions")
    edition = models.ForeignKey(Edition, on_delete=models.CASCADE, related_name="versions")
    parent = models.ForeignKey(Region, on_delete=models.PROTECT, null=True, related_name="+")
    level = models.CharField(max_length=10, choices=Level)
    code = models.CharField(max_length=20)
    name = models.CharField(max_length=100)
    path = models.CharField(max_length=80)
    geom = models.MultiPolygonField(srid=CGCS2000)
    label = models.PointField(srid=CGCS2000)
    area_m2 = models.FloatField()

    class Meta:
        indexes = [models.Index(fields=["path"], opclasses=["text_pattern_ops"], name="regionversion_path")]
        constraints = [
            models.UniqueConstraint(fields=["edition", "region"], name="region_once_per_edition"),
            models.UniqueConstraint(fields=["edition", "code"], name="code_once_per_edition"),
            models.CheckConstraint(condition=Q(geom__isvalid=True), name="regionversion_geom_valid"),
        ]

    def __str__(self) -> str:
        return f"{self.name}（{self.code}）"


class RegionPart(models.Model):
    """A small piece of a version's boundary: points are looked up here, where the index is sharp."""

    version = models.ForeignKey(RegionVersion, on_delete=models.CASCADE, related_name="parts")
    geom = models.PolygonField(srid=CGCS2000)

    def __str__(self) -> str:
        return f"{self.version_id}"


class Succession(models.TextChoices):
    SPLIT = "split", "拆分"
    MERGE = "merge", "合并"
    RENAME = "rename", "更名"


class RegionSuccession(models.Model):
    """What a region became: the share of ``origin`` that went to ``successor`` on a day."""

    origin = models.ForeignKey(Region, on_delete=models.CASCADE, related_name="successions")
    successor = models.ForeignKey(Region, on_delete=models.CASCADE, related_name="origins")
    kind = models.CharField(max_length=8, choices=Succession)
    on = models.DateField()
    share = models.FloatField(default=1.0)
    edition = models.ForeignKey(Edition, on_delete=models.CASCADE, related_name="successions")
    declared = models.BooleanField(default=False, help_text="told by a person; else found by comparing boundaries")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["edition", "origin", "successor"], name="succession_once"),
            models.CheckConstraint(condition=Q(share__gt=0, share__lte=1), name="succession_share"),
            models.CheckConstraint(condition=~Q(origin=F("successor")), name="succession_moves"),
        ]

    def __str__(self) -> str:
        return f"{self.origin_id} → {self.successor_id}"


class PendingAssignment(models.Model):
    """A row whose point changes region when a draft edition is published; applied and emptied in that act."""

    edition = models.ForeignKey(Edition, on_delete=models.CASCADE, related_name="pending")
    table = models.CharField(max_length=63)
    row_id = models.BigIntegerField()
    region = models.ForeignKey(Region, on_delete=models.CASCADE, null=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["edition", "table", "row_id"], name="pending_row_once")]

    def __str__(self) -> str:
        return f"{self.table} {self.row_id} → {self.region_id}"


class Population(models.Model):
    """Residents of a region in a year by age and sex; ages in whole years, both ends included."""

    region = models.ForeignKey(Region, on_delete=models.CASCADE, related_name="population")
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+")
    year = models.PositiveSmallIntegerField()
    age_from = models.PositiveSmallIntegerField()
    age_to = models.PositiveSmallIntegerField()
    sex = models.CharField(max_length=1, choices=[("f", "女"), ("m", "男"), ("a", "合计")])
    persons = models.PositiveIntegerField()
    retired_at = models.DateTimeField(null=True, editable=False)
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["region", "source", "year", "age_from", "age_to", "sex"], name="population_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.region_id} {self.year} {self.age_from}–{self.age_to}: {self.persons}"
