"""Areas out of a file that lie off as a whole, because the file is in another datum than it was read in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from django.contrib.gis.geos import Polygon
from shapely.geometry.base import BaseGeometry

from geo.crs import Coordinates, DatumVerdict, System, convert, detect_datum, detect_datum_by_network, inside
from geo.crs.codes import CGCS2000
from geo.crs.wrong_datum import DatumFinding, metres_between
from geo.geometry import from_plane, to_plane
from geo.imports.models import CURRENT, Family
from geo.imports.queries import published_sources
from geo.regions.models import EditionState, RegionVersion
from geo.regions.queries import current_city
from geo.roads.models import RoadSegment

STEP_M: Final = 25.0
MOST_PLACES: Final = 4_000
"""Places along borders that are held against the network: enough to be sure, few enough to be quick."""


@dataclass(frozen=True, slots=True)
class Displaced:
    """Areas that lie off: a sentence, and the datum they are likely to be in, ``None`` where no single one explains it."""

    said: str
    likely: System | None


def displaced(
    shapes: Sequence[BaseGeometry],
    names: Sequence[str],
    system: System,
    *,
    known: Mapping[str, BaseGeometry],
    district_id: int,
) -> Displaced | None:
    """Return whether areas (degrees) read in a system lie off as a whole, ``None`` where they do not or nothing can be told.

    They are held against ``known`` areas and the regions of the district by name, else against its roads and borders.
    """
    regions = _regions(district_id)
    by_name = {**regions, **known}
    pairs = [(shape, by_name[name]) for shape, name in zip(shapes, names, strict=True) if name in by_name]
    if pairs:
        here, there = (_middles([pair[side] for pair in pairs]) for side in (0, 1))
        finding = detect_datum(convert(here, system), there)
        if finding.verdict is not DatumVerdict.UNDECIDED:
            return _told(finding, convert(here, system))
    borders = _along(list(shapes))
    if len(borders) > MOST_PLACES:
        chosen = np.linspace(0, len(borders) - 1, MOST_PLACES).astype(int)
        borders = Coordinates(borders.x[chosen], borders.y[chosen], borders.system)
    network = _along([*regions.values(), *known.values(), *_roads(shapely.union_all(list(regions.values())))])
    points = convert(borders, system)
    return _told(detect_datum_by_network(points, network), points)


def _told(finding: DatumFinding, points: Coordinates) -> Displaced | None:
    if finding.verdict in (DatumVerdict.AS_DECLARED, DatumVerdict.UNDECIDED):
        return None
    declared = finding.as_declared
    if finding.likely is None:
        off = f"约 {declared.offset_m:.0f} 米" if declared else ""
        return Displaced(f"这些面整体偏了{off}，不像哪一种坐标系，请向提供文件的人核对。", None)
    # the same numbers, read in the other datum
    taken = Coordinates(points.x, points.y, finding.likely)
    held = inside(taken) & inside(points)
    here, there = (Coordinates(points.x[held], points.y[held], each.system) for each in (points, taken))
    east, north = metres_between(here, there)
    off_m = float(np.median(np.hypot(east, north)))
    return Displaced(f"这些面整体偏了约 {round(off_m, -1):.0f} 米，像是 {finding.likely.label}。", finding.likely)


def _middles(shapes: Sequence[BaseGeometry]) -> Coordinates:
    places = shapely.get_coordinates(shapely.centroid(np.array(shapes, dtype=object)))
    return Coordinates(places[:, 0], places[:, 1], System.CGCS2000)


def _along(shapes: Sequence[BaseGeometry]) -> Coordinates:
    """Return places along borders or lines (degrees), at most ``STEP_M`` apart."""
    lines = [shapely.boundary(each) if shapely.get_dimensions(each) == 2 else each for each in shapes]
    planes = to_plane(shapely.GeometryCollection(lines), current_city())
    dense = from_plane(shapely.segmentize(planes, STEP_M), current_city())
    places = shapely.get_coordinates(dense)
    return Coordinates(places[:, 0], places[:, 1], System.CGCS2000)


def _regions(district_id: int) -> dict[str, BaseGeometry]:
    """Return the district, its streets and its committees by name."""
    district = RegionVersion.objects.filter(region=district_id, edition__state=EditionState.PUBLISHED).first()
    if district is None:
        return {}
    rows = RegionVersion.objects.filter(edition__state=EditionState.PUBLISHED, path__startswith=district.path)
    return {name: shapely.from_wkb(bytes(geom.wkb)) for name, geom in rows.values_list("name", "geom")}


def _roads(ground: BaseGeometry) -> list[BaseGeometry]:
    if ground.is_empty:
        return []
    around = Polygon.from_bbox(ground.bounds)
    around.srid = CGCS2000
    rows = RoadSegment.objects.filter(CURRENT, geom__bboverlaps=around, source__in=published_sources(Family.ROADS))
    return [shapely.from_wkb(bytes(geom.wkb)) for geom in rows.values_list("geom", flat=True).iterator()]
