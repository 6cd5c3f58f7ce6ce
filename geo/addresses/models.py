"""Standard addresses and communities, each with the origin and the uncertainty of its point."""

from __future__ import annotations

from django.contrib.gis.db import models
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex

from geo.crs.codes import CGCS2000
from geo.imports.models import CURRENT, Sourced
from geo.regions.models import Region


class PointSource(models.TextChoices):
    """How a point was found; the order is from best to worst."""

    SURVEY = "survey", "测绘"
    SOURCE = "source", "来源给出"
    ADDRESS = "address", "由门牌得出"
    COMMUNITY = "community", "由小区得出"
    ROAD = "road", "由道路得出"
    REGION = "region", "由区划得出"


class Located(models.Model):
    """A point with its origin, its uncertainty, its region and its H3 cell, all written in one place."""

    geom = models.PointField(srid=CGCS2000)
    point_source = models.CharField(max_length=10, choices=PointSource, default=PointSource.SOURCE)
    uncertainty_m = models.FloatField(default=20.0, help_text="radius that holds the true point nine times in ten")
    region = models.ForeignKey(Region, on_delete=models.PROTECT, null=True, related_name="+")
    cell = models.BigIntegerField(db_index=True, help_text="H3 cell at resolution 10")

    class Meta:
        abstract = True


class Community(Sourced, Located):
    """A residential community (小区) or a non-residential site."""

    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=16, choices=[("residential", "小区"), ("nonresidential", "非居住")])
    aliases = ArrayField(models.CharField(max_length=120), default=list, blank=True)
    address_text = models.CharField(max_length=300, blank=True)
    boundary = models.MultiPolygonField(srid=CGCS2000, null=True)
    households = models.PositiveIntegerField(null=True)
    built_year = models.PositiveSmallIntegerField(null=True)
    grams = ArrayField(models.CharField(max_length=24), default=list)

    class Meta(Sourced.Meta):
        verbose_name = "小区"
        indexes = [
            GinIndex(fields=["grams"], name="community_grams", condition=CURRENT),
            models.Index(fields=["name"]),
        ]

    def __str__(self) -> str:
        return self.name


class Address(Sourced, Located):
    """One standard address. ``text`` is what its source wrote, ``normal`` the form that equal addresses share."""

    community = models.ForeignKey(Community, on_delete=models.SET_NULL, null=True, related_name="addresses")
    road = models.CharField(max_length=80, blank=True)
    lane = models.CharField(max_length=20, blank=True)
    sub_lane = models.CharField(max_length=20, blank=True)
    number = models.CharField(max_length=20, blank=True)
    suffix = models.CharField(max_length=20, blank=True)
    building = models.CharField(max_length=20, blank=True)
    unit = models.CharField(max_length=20, blank=True)
    floor = models.CharField(max_length=20, blank=True)
    room = models.CharField(max_length=20, blank=True)
    text = models.CharField(max_length=300)
    normal = models.CharField(max_length=200)

    class Meta(Sourced.Meta):
        verbose_name = "门牌地址"
        indexes = [
            models.Index(fields=["normal"], opclasses=["text_pattern_ops"], name="address_normal"),
            models.Index(fields=["road", "lane", "number"]),
        ]

    def __str__(self) -> str:
        return self.text
