"""Shapes that are not drawn corner by corner: circles, corridors, whole regions. CGCS2000 degrees in and out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import shapely
from shapely.geometry.base import BaseGeometry

from geo.errors import BadInput
from geo.fences.purposes import ShapeKind
from geo.geometry import from_plane, to_plane
from geo.imports.models import CURRENT, Family
from geo.imports.queries import published_sources
from geo.regions.models import EditionState, RegionVersion
from geo.regions.queries import current_city
from geo.roads.models import RoadSegment

LEAST_RADIUS_M: Final = 5.0
MOST_RADIUS_M: Final = 20_000.0
LEAST_WIDTH_M: Final = 2.0
MOST_WIDTH_M: Final = 2_000.0
MOST_CORNERS: Final = 2_000
SAG_M: Final = 0.05
"""How far the straight edges of a circle may be from it."""
_MOST_EDGES: Final = 720


def shape_of_definition(kind: str, definition: Mapping[str, Any], *, district_id: int) -> BaseGeometry:
    """Return the shape that a definition makes. Raises ``BadInput`` that says what to give instead.

    A circle is ``{"lon", "lat", "radius_m"}``; a corridor ``{"width_m"}`` with ``"line"``, positions, or ``"road"``, a name of
    the district's; regions are ``{"regions": [codes]}`` of the district.
    """
    match kind:
        case ShapeKind.CIRCLE:
            lon, lat = position_of((definition.get("lon"), definition.get("lat")))
            return circle(lon, lat, _metres(definition, "radius_m", "半径", LEAST_RADIUS_M, MOST_RADIUS_M))
        case ShapeKind.CORRIDOR:
            width = _metres(definition, "width_m", "宽度", LEAST_WIDTH_M, MOST_WIDTH_M)
            road = str(definition.get("road") or "").strip()
            line = road_within(road, district_id) if road else _line(definition.get("line"))
            return corridor(line, width)
        case ShapeKind.REGIONS:
            return regions_within(_codes(definition.get("regions")), district_id)
    raise BadInput("fence_kind_unknown", "没有这种画法，请选圆、沿路走廊或整个行政区。")


def circle(lon: float, lat: float, radius_m: float) -> BaseGeometry:
    """Return a circle on the city's plane, its edges nowhere farther than ``SAG_M`` from it (0.2 m for the largest)."""
    (centre,) = shapely.get_coordinates(to_plane(shapely.Point(lon, lat), current_city()))
    edges = min(_MOST_EDGES, max(24, math.ceil(math.pi / math.acos(1 - SAG_M / radius_m))))
    turns = [2 * math.pi * at / edges for at in range(edges)]
    reach = radius_m / math.cos(math.pi / edges) ** 0.5  # half of the sag outside, half inside
    corners = [(centre[0] + reach * math.cos(turn), centre[1] + reach * math.sin(turn)) for turn in turns]
    return from_plane(shapely.Polygon(corners), current_city())


def corridor(line: BaseGeometry, width_m: float) -> BaseGeometry:
    """Return the ground within half a width of a line, which ends squarely where the line ends."""
    plane = to_plane(line, current_city())
    return from_plane(shapely.buffer(plane, width_m / 2, cap_style="flat", join_style="round"), current_city())


def road_within(name: str, district_id: int) -> BaseGeometry:
    """Return the lines of a road by its name within a district. Raises ``BadInput`` where the district has none of that name."""
    boundary = _boundaries([district_id])
    sources = list(published_sources(Family.ROADS).values_list("pk", flat=True))
    rows = RoadSegment.objects.filter(CURRENT, name=name, source__in=sources).values_list("geom", flat=True)
    lines = [shapely.from_wkb(bytes(geom.wkb)) for geom in rows]
    inside = shapely.intersection(shapely.union_all(lines), boundary) if lines else shapely.LineString()
    kept = [part for part in shapely.get_parts(inside) if part.geom_type == "LineString" and not part.is_empty]
    if not kept:
        raise BadInput("road_unknown", f"本区没有叫“{name}”的路，请核对路名，或在地图上沿路画线。")
    return shapely.line_merge(shapely.MultiLineString(kept))


def regions_within(codes: Sequence[str], district_id: int) -> BaseGeometry:
    """Return regions of a district as one shape. Raises ``BadInput`` for one that is not of the district."""
    district = RegionVersion.objects.filter(region=district_id, edition__state=EditionState.PUBLISHED).first()
    rows = RegionVersion.objects.filter(edition__state=EditionState.PUBLISHED, code__in=codes)
    found = {row.code: row.region_id for row in rows if district and row.path.startswith(district.path)}
    if missing := [code for code in codes if code not in found]:
        raise BadInput("region_elsewhere", f"行政区 {missing[0]} 不在本区，或已经撤销。请重新选。")
    return _boundaries(list(found.values()))


def _boundaries(regions: Sequence[int]) -> BaseGeometry:
    rows = RegionVersion.objects.filter(region__in=regions, edition__state=EditionState.PUBLISHED)
    return shapely.union_all([shapely.from_wkb(bytes(geom.wkb)) for geom in rows.values_list("geom", flat=True)])


def _metres(definition: Mapping[str, Any], name: str, said: str, least: float, most: float) -> float:
    try:
        value = float(definition.get(name) or "")
    except (TypeError, ValueError):
        value = math.nan
    if not least <= value <= most:
        raise BadInput("fence_metres", f"{said}请填 {least:g} 到 {most:g} 米。", fields={name: "请填米数。"})
    return value


def position_of(given: Any) -> tuple[float, float]:
    """Return longitude and latitude (CGCS2000) of a pair. Raises ``BadInput`` for what is no position of the city."""
    try:
        lon, lat = (float(each) for each in given[:2])
    except (TypeError, ValueError, KeyError):
        lon = lat = math.nan
    box = current_city().bbox
    if not (box.west <= lon <= box.east and box.south <= lat <= box.north):
        raise BadInput("fence_place", "请在地图上点一个位置：它要在本市范围内。")
    return lon, lat


def _line(given: Any) -> BaseGeometry:
    points = [position_of(each) for each in given[:MOST_CORNERS]] if isinstance(given, list) else []
    if len(points) < 2 or len(set(points)) < 2:
        raise BadInput("fence_line", "请画一条线，至少两个点；或者写一个路名。")
    return shapely.LineString(points)


def _codes(given: Any) -> list[str]:
    codes = [str(each) for each in given] if isinstance(given, list) else []
    if not codes:
        raise BadInput("fence_regions", "请至少选一个街镇或居委。")
    return codes
