"""Reads of addresses: what is at a point."""

from __future__ import annotations

import math
from typing import Any, Final

from django.contrib.gis.geos import Point, Polygon
from django.db.models import Q

from geo.addresses.completion import door_label
from geo.addresses.distances import SPHERE_SLACK, ellipsoid_metres, sphere_metres
from geo.addresses.gazetteer import Names, Published, names_of, published_now
from geo.addresses.geocode import Candidate
from geo.addresses.models import Address, Community
from geo.crs.codes import CGCS2000
from geo.imports.models import CURRENT, Family
from geo.regions.models import Level
from geo.regions.queries import regions_at
from geo.roads.models import RoadSegment
from geo.scope import Scope

DOOR_WITHIN_M: Final = 150.0
COMMUNITY_WITHIN_M: Final = 500.0
ROAD_WITHIN_M: Final = 300.0
DOOR: Final = ("road", "lane", "sub_lane", "number", "suffix")


def reverse(lon: float, lat: float, *, scope: Scope) -> list[Candidate]:
    """Return what is at a point (CGCS2000 degrees), nearest sort first: a door, a community, a road, the region.

    Each candidate says in ``metres`` how far it is from the point. Empty where nothing is known, as at sea.
    """
    published = published_now()
    names = names_of(published)
    found = [
        *_nearest_door(lon, lat, published, names),
        *_community_at(lon, lat, published, names),
        *_road_at(lon, lat, published, names),
    ]
    versions = regions_at(lon, lat, scope=scope)
    region = names.region(versions[-1].region_id) if versions else None
    if region is not None and versions:
        last = versions[-1]
        source = last.edition.source_id
        radius = round(0.95 * math.sqrt(last.area_m2 / math.pi))
        label = published.sources.get(source, "")
        found.append(
            Candidate(region.full_name, region.level, last.label.x, last.label.y, radius, region, label, metres=0.0)
        )
    return found


def doors_near(lon: float, lat: float, *, scope: Scope, limit: int = 6) -> list[Candidate]:
    """Return the doors within ``DOOR_WITHIN_M`` of a point (CGCS2000 degrees), the nearest first.

    A door is there once however many flats are behind it; each says in ``metres`` how far it is. Every scope gets the same.
    """
    published = published_now()
    names = names_of(published)
    rows = Address.objects.filter(CURRENT, source__in=published.ids(Family.ADDRESSES)).exclude(number="")
    rows = rows.filter(geom__bboverlaps=_box_around(lon, lat, DOOR_WITHIN_M)).annotate(
        metres=ellipsoid_metres(lon, lat)
    )
    once = rows.filter(metres__lte=DOOR_WITHIN_M).order_by(*DOOR, "metres", "id").distinct(*DOOR)
    columns = ("id", *DOOR, "geom", "uncertainty_m", "region_id", "source_id", "metres")
    found = sorted(once.values(*columns), key=lambda row: (row["metres"], row["id"]))[:limit]
    return [_found("door", door_label(*(row[part] for part in DOOR)), row, published, names) for row in found]


def _nearest_door(lon: float, lat: float, published: Published, names: Names) -> list[Candidate]:
    rows = Address.objects.filter(CURRENT, source__in=published.ids(Family.ADDRESSES))
    row = _nearest(rows, lon, lat, ("id", *DOOR))
    if row is None or row["metres"] > DOOR_WITHIN_M:
        return []
    return [_found("door", door_label(*(row[part] for part in DOOR)), row, published, names)]


def _community_at(lon: float, lat: float, published: Published, names: Names) -> list[Candidate]:
    """Return the community whose boundary holds the point, else the nearest one."""
    rows = Community.objects.filter(CURRENT, source__in=published.ids(Family.COMMUNITIES))
    point = Point(lon, lat, srid=CGCS2000)
    row = _nearest(rows.filter(boundary__covers=point), lon, lat, ("id", "name"))
    if row is not None:
        return [_found("community", row["name"], row | {"metres": 0.0}, published, names)]
    row = _nearest(rows, lon, lat, ("id", "name"))
    if row is None or row["metres"] > COMMUNITY_WITHIN_M:
        return []
    return [_found("community", row["name"], row, published, names)]


def _road_at(lon: float, lat: float, published: Published, names: Names) -> list[Candidate]:
    box, sources = _box_around(lon, lat, ROAD_WITHIN_M), published.ids(Family.ROADS)
    rows = RoadSegment.objects.filter(CURRENT, ~Q(name=""), geom__bboverlaps=box, source__in=sources)
    rows = rows.annotate(metres=ellipsoid_metres(lon, lat)).order_by("metres", "id")
    row = rows.values("name", "metres", "source_id").first()
    if row is None or row["metres"] > ROAD_WITHIN_M:
        return []
    title = published.sources.get(row["source_id"], "")
    metres = round(row["metres"], 1)
    # The nearest point of the road is within its distance of the point asked about, which stands for it.
    return [Candidate(row["name"], "road", lon, lat, max(30.0, metres), None, title, metres=metres)]


def _box_around(lon: float, lat: float, metres: float) -> Polygon:
    """Return a box in degrees that holds everything within some metres of a point."""
    reach = metres / 111_000 / math.cos(math.radians(lat)) * SPHERE_SLACK
    box = Polygon.from_bbox((lon - reach, lat - reach, lon + reach, lat + reach))
    box.srid = CGCS2000
    return box


def _nearest(rows: Any, lon: float, lat: float, columns: tuple[str, ...]) -> dict[str, Any] | None:
    """Return the row nearest by metres. The index orders by the sphere, so the first few are measured exactly."""
    rows = rows.annotate(sphere=sphere_metres(lon, lat), metres=ellipsoid_metres(lon, lat)).order_by("sphere")
    few = list(rows.values(*columns, "geom", "uncertainty_m", "region_id", "source_id", "metres")[:8])
    return min(few, key=lambda row: (row["metres"], row["id"]), default=None)


def _found(level: str, label: str, row: dict[str, Any], published: Published, names: Names) -> Candidate:
    region = names.region(row["region_id"])
    district = names.above(region, Level.DISTRICT) if region else None
    full = f"{district.name}{label}" if district else label
    geom = row["geom"]
    source = published.sources.get(row["source_id"], "")
    return Candidate(full, level, geom.x, geom.y, row["uncertainty_m"], region, source, metres=round(row["metres"], 1))
