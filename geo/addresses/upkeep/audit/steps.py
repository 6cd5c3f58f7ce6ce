"""The steps of a check over the published city, each reading what it needs once and yielding findings with the share done."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any, Final

import numpy as np
import shapely
from django.db import connection
from shapely.geometry.base import BaseGeometry

from geo.addresses.gazetteer import published_now
from geo.addresses.models import FindingKind
from geo.addresses.upkeep.audit.boundaries import Area, beyond, check_committees, overlaps
from geo.addresses.upkeep.audit.findings import Finding, Tolerances
from geo.addresses.upkeep.audit.numbering import Door, Judged, can_tell, check_gaps, check_order, rows_of
from geo.geometry import to_plane
from geo.imports.models import Family
from geo.regions.models import EditionState, Level, RegionVersion
from geo.regions.queries import assign_regions, current_city

Told = Callable[[float, str], object]
Counted = dict[str, int]
Step = Callable[[str, Tolerances, Told, Counted], Iterator[Finding]]
ROAD: Final = re.compile(r"[路街道]$")
"""What the numbers along a line belong to; those of a village or an estate run through like those of a lane."""


def committees(path: str, tolerances: Tolerances, told: Told, looked_at: Counted) -> Iterator[Finding]:
    """Check the committees of every street under a path against each other and their street."""
    city = current_city()
    streets = list(_versions(path).filter(level=Level.STREET).order_by("code"))
    for at, street in enumerate(streets):
        told(at / len(streets), f"正在检查{street.name}的居委边界")
        own = list(_versions(street.path).filter(level=Level.COMMITTEE).order_by("code"))
        areas = _areas_of([street, *own])
        looked_at["streets"] = looked_at.get("streets", 0) + bool(own)
        looked_at["committees"] = looked_at.get("committees", 0) + len(own)
        yield from check_committees(areas[0], areas[1:], city, tolerances)


def communities(path: str, tolerances: Tolerances, told: Told, looked_at: Counted) -> Iterator[Finding]:
    """Check the boundaries of communities under a path against each other and the region each is filed in."""
    city = current_city()
    told(0.0, "正在检查小区边界")
    with connection.cursor() as cursor:
        cursor.execute(_COMMUNITIES, [list(published_now().ids(Family.COMMUNITIES)), f"{path}%"])
        rows = cursor.fetchall()
    if not rows:
        return
    looked_at["communities"] = len(rows)
    planes = _on_plane([bytes(row[2]) for row in rows])
    areas = [Area(str(pk), name, plane, region) for (pk, name, _, region), plane in zip(rows, planes, strict=True)]
    yield from overlaps(areas, FindingKind.COMMUNITY_OVERLAP, city, tolerances)
    told(0.5, "正在检查小区是否超出居委")
    regions = {version.region_id: version for version in _versions(path).filter(region__in={row[3] for row in rows})}
    shapes = dict(zip(regions, _areas_of(list(regions.values())), strict=True))
    filed = [area for area in areas if area.region_id in shapes]
    yield from beyond(filed, [shapes[area.region_id] for area in filed if area.region_id], city, tolerances)


def places(path: str, tolerances: Tolerances, told: Told, looked_at: Counted) -> Iterator[Finding]:
    """Check that every address under a path lies in the region it is filed in and in the community it names."""
    told(0.0, "正在检查门牌的位置")
    with connection.cursor() as cursor:
        cursor.execute(_PLACES, [list(published_now().ids(Family.ADDRESSES)), f"{path}%"])
        rows = cursor.fetchall()
    looked_at["addresses"] = len(rows)
    if not rows:
        return
    yield from _outside_regions(rows)
    told(0.5, "正在检查门牌是否在所属小区内")
    yield from _outside_communities(rows, tolerances, looked_at)


def numbers(path: str, tolerances: Tolerances, told: Told, looked_at: Counted) -> Iterator[Finding]:
    """Check the door numbers of every road and lane under a path, district by district."""
    judged = Judged()
    districts = list(_versions(path).filter(level=Level.DISTRICT).order_by("code")) or list(_above(path))
    for at, district in enumerate(districts):
        told(at / len(districts), f"正在检查{district.name}的门牌号")
        under = path if path.startswith(district.path) else district.path
        yield from _numbers_under(under, tolerances, judged)
    looked_at |= {"rows": judged.rows, "sparse": judged.sparse, "unordered": judged.unordered}


STEPS: Final[dict[str, Step]] = {
    "committees": committees,
    "communities": communities,
    "places": places,
    "numbers": numbers,
}
"""By name, in the order they are taken."""


def _versions(path: str) -> Any:
    return RegionVersion.objects.filter(edition__state=EditionState.PUBLISHED, path__startswith=path)


def _above(path: str) -> Any:
    codes = path.rstrip(".").split(".")
    return _versions("").filter(level=Level.DISTRICT, code__in=codes)


def _areas_of(versions: Sequence[RegionVersion]) -> list[Area]:
    if not versions:
        return []
    planes = _on_plane([bytes(version.geom.wkb) for version in versions])
    return [
        Area(version.code, version.name, plane, version.region_id)
        for version, plane in zip(versions, planes, strict=True)
    ]


def _on_plane(shapes: Sequence[bytes]) -> Any:
    """Return areas on the plane; what is valid in degrees may just touch itself in metres, and is made valid again."""
    planes = to_plane(np.array(shapely.from_wkb(shapes), dtype=object), current_city())
    broken = ~shapely.is_valid(planes)
    planes[broken] = shapely.make_valid(planes[broken])
    return planes


_Place = tuple[Any, ...]


def _outside_regions(rows: Sequence[_Place]) -> Iterator[Finding]:
    lon, lat = (np.array([row[at] for row in rows]) for at in (2, 3))
    filed = np.array([row[4] or 0 for row in rows])
    actual = assign_regions(lon, lat)
    wrong = np.flatnonzero(filed != actual)
    known = {int(each) for each in filed[wrong]} | {int(each) for each in actual[wrong]}
    versions = {version.region_id: version for version in _versions("").filter(region__in=known)}
    shapes = dict(zip(versions, _areas_of(list(versions.values())), strict=True))
    points = to_plane(shapely.points(lon[wrong], lat[wrong]), current_city())
    for at, point in zip(wrong.tolist(), points, strict=True):
        row, area = rows[at], shapes.get(int(filed[at]))
        metres = float(shapely.distance(area.shape, point)) if area else 0.0
        there = versions.get(int(actual[at]))
        said = f"登记在{area.name if area else '任何区划之外'}，位置在{there.name if there else '各区划之外'}"
        message = f"{row[1]}{said}{f'，相距 {metres:,.0f} 米' if metres >= 1 else ''}。"
        subjects = {"addresses": [row[0]], "filed": int(filed[at]) or None, "actual": int(actual[at]) or None}
        yield Finding(FindingKind.OUTSIDE_REGION, message, round(metres, 1), "米", row[2], row[3], row[4], subjects)


def _outside_communities(rows: Sequence[_Place], tolerances: Tolerances, looked_at: Counted) -> Iterator[Finding]:
    """Compare points with boundaries, in degrees whether inside, in metres how far outside."""
    named = [row for row in rows if row[6] is not None]
    wanted = {row[6] for row in named}
    with connection.cursor() as cursor:
        cursor.execute(_BOUNDARIES, [list(wanted)])
        found = {pk: (name, shapely.from_wkb(bytes(wkb))) for pk, name, wkb in cursor.fetchall()}
    bounded = [row for row in named if row[6] in found]
    looked_at["in_communities"] = len(bounded)
    if not bounded:
        return
    shapes = {pk: shape for pk, (_, shape) in found.items()}
    for shape in shapes.values():
        shapely.prepare(shape)
    boundary = np.array([shapes[row[6]] for row in bounded], dtype=object)
    inside = shapely.intersects_xy(boundary, [row[2] for row in bounded], [row[3] for row in bounded])
    out = [row for row, within in zip(bounded, inside, strict=True) if not within]
    if not out:
        return
    city = current_city()
    points = to_plane(shapely.points([row[2] for row in out], [row[3] for row in out]), city)
    planes = {pk: to_plane(shapes[pk], city) for pk in {row[6] for row in out}}
    metres = shapely.distance(np.array([planes[row[6]] for row in out], dtype=object), points)
    for row, away in zip(out, metres.tolist(), strict=True):
        if away > max(tolerances.outside_m, row[5]):
            message = f"{row[1]}在所属小区“{found[row[6]][0]}”之外 {away:,.0f} 米。"
            subjects = {"addresses": [row[0]], "community": row[6]}
            yield Finding(
                FindingKind.OUTSIDE_COMMUNITY, message, round(away, 1), "米", row[2], row[3], row[4], subjects
            )


def _numbers_under(path: str, tolerances: Tolerances, judged: Judged) -> Iterator[Finding]:
    with connection.cursor() as cursor:
        cursor.execute(_NUMBERS, [list(published_now().ids(Family.ADDRESSES)), f"{path}%"])
        rows = cursor.fetchall()
    if not rows:
        return
    points = to_plane(shapely.points([row[5] for row in rows], [row[6] for row in rows]), current_city())
    east, north = shapely.get_x(points), shapely.get_y(points)
    numbered = [(row, float(x), float(y)) for row, x, y in zip(rows, east, north, strict=True)]
    lines = _lines({row[0] for row in rows}, path)
    for (road, lane), group in groupby(numbered, key=lambda each: (each[0][0], each[0][1])):
        doors = [_door(*each) for each in group]
        name = f"{road}{lane}弄" if lane else road
        inside = bool(lane) or not ROAD.search(road)
        for row in rows_of(name, doors, lane=inside):
            judged.rows += 1
            if not can_tell(row, tolerances):
                judged.sparse += 1
                continue
            yield from check_gaps(row)
            if inside:
                continue  # lanes branch, and estates have none: their doors stand in no one order
            disorder = check_order(row, lines.get(road), tolerances)
            judged.unordered += disorder is None
            yield from disorder or ()


def _door(row: tuple[Any, ...], east: float, north: float) -> Door:
    _, _, number, pk, label, lon, lat, radius, region_id = row
    return Door(number, pk, label, lon, lat, east, north, radius, region_id)


def _lines(roads: set[str], path: str) -> dict[str, BaseGeometry]:
    """Return the drawn roads of these names near a path's regions, on the plane."""
    if not roads:
        return {}
    with connection.cursor() as cursor:
        sources = list(published_now().ids(Family.ROADS))
        cursor.execute(_ROADS, {"path": path, "names": list(roads), "sources": sources})
        pieces = defaultdict(list)
        for name, wkb in cursor.fetchall():
            pieces[name].append(shapely.from_wkb(bytes(wkb)))
    city = current_city()
    return {name: to_plane(shapely.multilinestrings(parts), city) for name, parts in pieces.items()}


_COMMUNITIES: Final = """
    SELECT c.id, c.name, ST_AsBinary(c.boundary), c.region_id FROM addresses_community c
    JOIN regions_regionversion v ON v.region_id = c.region_id
    JOIN regions_edition e ON e.id = v.edition_id AND e.state = 'published'
    WHERE c.retired_at IS NULL AND c.boundary IS NOT NULL AND c.source_id = ANY(%s) AND v.path LIKE %s ORDER BY c.id"""
_PLACES: Final = """
    SELECT a.id, a.normal, ST_X(a.geom), ST_Y(a.geom), a.region_id, a.uncertainty_m, a.community_id
    FROM addresses_address a
    LEFT JOIN regions_edition e ON e.state = 'published'
    LEFT JOIN regions_regionversion v ON v.edition_id = e.id AND v.region_id = a.region_id
    WHERE a.retired_at IS NULL AND a.source_id = ANY(%s) AND coalesce(v.path, '') LIKE %s ORDER BY a.id"""
_BOUNDARIES: Final = """
    SELECT c.id, c.name, ST_AsBinary(c.boundary) FROM addresses_community c
    WHERE c.id = ANY(%s) AND c.boundary IS NOT NULL AND c.retired_at IS NULL"""
_NUMBERS: Final = """
    WITH here AS (
        SELECT a.id, a.road, a.lane, a.sub_lane, a.number, a.normal, a.geom, a.uncertainty_m, a.region_id
        FROM addresses_address a
        JOIN regions_edition e ON e.state = 'published'
        JOIN regions_regionversion v ON v.edition_id = e.id AND v.region_id = a.region_id
        WHERE a.retired_at IS NULL AND a.source_id = ANY(%s) AND v.path LIKE %s AND a.road <> ''
    ), numbered AS (
        SELECT road, '' AS within, CASE WHEN lane <> '' THEN lane ELSE number END AS figure, * FROM here
        UNION ALL
        SELECT road, lane, number, * FROM here WHERE lane <> '' AND sub_lane = '' AND number <> ''
    )
    SELECT n.within_road, n.within, n.figure::int, min(n.id), min(n.normal), avg(ST_X(n.geom)), avg(ST_Y(n.geom)),
           greatest(max(n.uncertainty_m), 0.5 * ST_Length(ST_BoundingDiagonal(ST_Extent(n.geom)::geometry)::geography)),
           min(n.region_id)
    FROM numbered AS n (within_road, within, figure, id, road, lane, sub_lane, number, normal, geom, uncertainty_m, region_id)
    WHERE n.figure ~ '^[0-9]{1,5}$'
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""
_ROADS: Final = """
    SELECT r.name, ST_AsBinary(r.geom) FROM roads_roadsegment r
    WHERE r.retired_at IS NULL AND r.name = ANY(%(names)s) AND r.source_id = ANY(%(sources)s)
      AND r.geom && (SELECT ST_Envelope(v.geom) FROM regions_regionversion v
                     JOIN regions_edition e ON e.id = v.edition_id AND e.state = 'published' WHERE v.path = %(path)s)"""
