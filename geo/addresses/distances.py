"""Distances in metres from a point, as expressions for the database: on the ellipsoid exactly, and in the order of the index."""

from __future__ import annotations

from typing import Any

from django.contrib.gis.db.models import PointField
from django.contrib.gis.geos import Point
from django.db.models import F, FloatField, Func, Value

from geo.crs.codes import CGCS2000

SPHERE_SLACK = 1.01
"""The index orders by the sphere, which differs from the ellipsoid by less than a hundredth."""


def ellipsoid_metres(lon: float, lat: float) -> Func:
    """Return the metres on the ellipsoid between ``geom`` and a point in CGCS2000 degrees."""
    return _between(lon, lat, template="ST_Distance(%(expressions)s::geography)", arg_joiner="::geography, ")


def sphere_metres(lon: float, lat: float) -> Func:
    """Return the metres on the sphere, by which a GiST index over ``geom::geography`` can hand out rows in order."""
    return _between(lon, lat, template="(%(expressions)s::geography)", arg_joiner="::geography <-> ")


def _between(lon: float, lat: float, **form: Any) -> Func:
    point = Value(Point(lon, lat, srid=CGCS2000), output_field=PointField(srid=CGCS2000))
    return Func(F("geom"), point, output_field=FloatField(), **form)
