"""Road segments between two nodes, as published, and their closures."""

from __future__ import annotations

from django.contrib.gis.db import models
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db.models import Q

from geo.crs.codes import CGCS2000
from geo.imports.models import Source, Sourced


class RoadSegment(Sourced):
    """A stretch of road between two nodes of one source; segments of a source meet only at nodes."""

    from_node = models.BigIntegerField()
    to_node = models.BigIntegerField()
    name = models.CharField(max_length=120, blank=True)
    highway = models.CharField(max_length=20, help_text="class in the words of OpenStreetMap, plus ferry")
    oneway = models.SmallIntegerField(default=0, help_text="1 along, −1 against, 0 both; for vehicles")
    foot = models.BooleanField(default=True)
    bicycle = models.BooleanField(default=True)
    car = models.BooleanField(default=True)
    bridge = models.BooleanField(default=False)
    tunnel = models.BooleanField(default=False)
    steps = models.BooleanField(default=False)
    ferry = models.BooleanField(default=False)
    kerb = models.BooleanField(default=False)
    length_m = models.FloatField()
    duration_s = models.FloatField(null=True, help_text="timetable of a ferry, in seconds; null when unknown")
    geom = models.LineStringField(srid=CGCS2000)

    class Meta(Sourced.Meta):
        constraints = [
            *Sourced.Meta.constraints,
            models.CheckConstraint(condition=Q(length_m__gte=0), name="roadsegment_length"),
            models.CheckConstraint(condition=Q(oneway__in=(-1, 0, 1)), name="roadsegment_oneway"),
        ]
        indexes = [models.Index(fields=["name"], name="roadsegment_name", condition=~Q(name=""))]

    def __str__(self) -> str:
        return f"{self.name or self.highway} {self.ext_id}"


class RoadName(models.Model):
    """A named road as people know it: one row per name and district, for search and labels."""

    name = models.CharField(max_length=120)
    region = models.ForeignKey("regions.Region", on_delete=models.PROTECT, null=True, related_name="+")
    provenance = models.CharField(max_length=10)
    grams = ArrayField(models.CharField(max_length=24), default=list)
    length_m = models.FloatField(default=0)
    geom = models.PointField(srid=CGCS2000, help_text="a point on the road, near its middle")
    mapped = models.BooleanField(default=True, help_text="has segments; else known only by the addresses on it")

    class Meta:
        indexes = [GinIndex(fields=["grams"], name="roadname_grams")]

    def __str__(self) -> str:
        return self.name


class RoadPoint(models.Model):
    """A point at which a named road is known to run, told by something that stands there and bears its name, such as a stop."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="+", db_constraint=False)
    name = models.CharField(max_length=120)
    geom = models.PointField(srid=CGCS2000, spatial_index=False)

    class Meta:
        indexes = [models.Index(fields=["name"], name="roadpoint_name")]

    def __str__(self) -> str:
        return self.name


class Closure(models.Model):
    """A segment that cannot be used from one moment to another."""

    segment = models.ForeignKey(RoadSegment, on_delete=models.CASCADE, related_name="closures")
    from_time = models.DateTimeField()
    to_time = models.DateTimeField(null=True)
    reason = models.CharField(max_length=200)
    actor = models.CharField(max_length=150)

    def __str__(self) -> str:
        return f"{self.segment_id} {self.reason}"
