"""Areas drawn below the data: water, green, land, buildings."""

from __future__ import annotations

from django.contrib.gis.db import models
from django.db.models import Q

from geo.crs.codes import CGCS2000
from geo.imports.models import Sourced


class BasemapKind(models.TextChoices):
    LAND = "land", "陆地"
    WATER = "water", "水面"
    RIVER = "river", "河道"
    GREEN = "green", "绿地"
    CAMPUS = "campus", "校园"
    HOSPITAL = "hospital", "医院"
    BUILDING = "building", "建筑"


class BasemapFeature(Sourced):
    """One drawn area; ``height_m`` is known for some buildings."""

    kind = models.CharField(max_length=10, choices=BasemapKind)
    name = models.CharField(max_length=120, blank=True)
    height_m = models.FloatField(null=True)
    area_m2 = models.FloatField(default=0)
    geom = models.MultiPolygonField(srid=CGCS2000)

    class Meta(Sourced.Meta):
        constraints = [
            *Sourced.Meta.constraints,
            models.CheckConstraint(condition=Q(geom__isvalid=True), name="basemapfeature_geom_valid"),
        ]
        indexes = [models.Index(fields=["kind"])]

    def __str__(self) -> str:
        return self.name or self.get_kind_display()
