"""Repairs of drawn areas: what each area becomes, shown before it is kept. Pure; shapes in metres of the city's plane.

A repair never leaves a point in two areas that was in one, and loses no land beyond what its words say.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geo.errors import BadInput
from geo.fences.shaping import thinned
from geo.fences.topology import GRAIN_M2, Drawn, Flaw, RepairKind, Table, sliver_parts
from geo.geometry import polygons_of, repair

Shapes = dict[str, BaseGeometry]
DENSE_M: Final = 0.5
MOST_SAMPLES: Final = 4_000
STRAIGHT_M: Final = 0.15
"""The middle between two edges is found from points this dense, and its line straightened by as much."""
ON_EDGE_M: Final = 1e-6
SHAKEN_M: Final = 1e-5
THIN_M: Final = 0.5
PINHOLE_M2: Final = 0.01


def repaired(flaw: Flaw, kind: RepairKind, area: Drawn, table: Table) -> Shapes:
    """Return the shapes that a repair gives: of the area, and of the neighbours it changes, by key.

    Raises ``BadInput`` for a repair the flaw does not offer, and where nothing of an area would be left.
    """
    if kind not in flaw.repairs:
        raise BadInput("repair_unknown", "这个问题不能这样修，请刷新检查结果后再试。", repair=kind)
    if kind == "tidy":
        shapes = {area.key: repair(area.shape).geometry}
    elif kind == "clip":
        shapes = {area.key: shapely.intersection(area.shape, table.ground.district)}
    elif kind == "fill":
        shapes = {area.key: without_specks(shapely.union(area.shape, flaw.shape))}
    elif kind == "drop":
        shapes = {area.key: without_slivers(area.shape)}
    elif kind == "thin":
        shapes = thinned(area, table.neighbours(area, within_m=1.0), THIN_M)
    else:
        shapes = settled(kind, area, table.areas[flaw.other])
    whole = {key: areal(shape) for key, shape in shapes.items()}
    for key, shape in whole.items():
        if shape.area < GRAIN_M2:
            name = area.name if key == area.key else table.areas[key].name
            raise BadInput("repair_leaves_nothing", f"这样修，“{name}”就没有面积了。请换一种修法，或先调整边界。")
    return whole


def settled(kind: RepairKind, area: Drawn, other: Drawn) -> Shapes:
    """Return two overlapping areas without the overlap: given to the neighbour, kept, or halved along its middle."""
    if kind == "give":
        return {area.key: shapely.difference(area.shape, other.shape)}
    if kind == "keep":
        return {other.key: shapely.difference(other.shape, area.shape)}
    mine = half_of(area.shape, other.shape)
    common = shapely.intersection(area.shape, other.shape)
    theirs = shapely.difference(common, mine)
    return {
        area.key: shapely.difference(area.shape, theirs),
        other.key: shapely.difference(other.shape, mine),
    }


def half_of(shape: BaseGeometry, other: BaseGeometry) -> BaseGeometry:
    """Return the part of the overlap of two shapes that lies nearer to the rest of the first than to the rest of the second.

    The overlap meets the rest of the first along the other's edge. Its edge is sampled, each sample draws its cell.
    """
    halves = [_half(piece, shape.boundary, other.boundary) for piece in polygons_of(shapely.intersection(shape, other))]
    return shapely.union_all(halves)


def _half(common: BaseGeometry, own_edge: BaseGeometry, other_edge: BaseGeometry) -> BaseGeometry:
    step = max(DENSE_M, common.boundary.length / MOST_SAMPLES)
    points = shapely.points(np.unique(shapely.get_coordinates(shapely.segmentize(common.boundary, step)), axis=0))
    on_own = shapely.distance(points, own_edge) < ON_EDGE_M
    on_other = shapely.distance(points, other_edge) < ON_EDGE_M
    points, mine = points[on_own ^ on_other], on_other[on_own ^ on_other]
    if not mine.any() or mine.all():
        return common if mine.any() else shapely.Polygon()
    # of samples on one line or circle GEOS draws cells that overlap; moved by less than anybody measures they are on none
    shaken = np.random.default_rng(len(points)).uniform(-SHAKEN_M, SHAKEN_M, (len(points), 2))
    sites = shapely.multipoints(shapely.get_coordinates(points) + shaken)
    cells = shapely.voronoi_polygons(sites, extend_to=common, ordered=True)
    nearer = shapely.union_all(shapely.get_parts(cells)[mine])
    return _straightened(areal(shapely.intersection(common, nearer)), common)


def _straightened(mine: BaseGeometry, common: BaseGeometry) -> BaseGeometry:
    """Return one half with the line between both straightened, the edge of the whole untouched."""
    theirs = areal(shapely.difference(common, mine))
    if mine.is_empty or theirs.is_empty:
        return mine
    straight = shapely.coverage_simplify([mine, theirs], STRAIGHT_M, simplify_boundary=False)[0]
    return straight if straight.is_valid else mine


def without_slivers(shape: BaseGeometry) -> BaseGeometry:
    """Return an area without its sliver parts, its sliver holes filled."""
    slivers = sliver_parts(shape)
    kept = [part for part in polygons_of(shape) if not any(part.equals(sliver) for sliver in slivers)]
    return shapely.union_all([shapely.MultiPolygon([_without_holes(part, slivers) for part in kept])])


def without_specks(shape: BaseGeometry) -> BaseGeometry:
    """Return an area without the pinholes that adding up leaves."""
    specks = [
        hole
        for part in polygons_of(shape)
        for hole in (shapely.Polygon(ring) for ring in part.interiors)
        if hole.area < PINHOLE_M2
    ]
    return shapely.MultiPolygon([_without_holes(part, specks) for part in polygons_of(shape)])


def _without_holes(part: BaseGeometry, holes: list[BaseGeometry]) -> BaseGeometry:
    kept = [ring for ring in part.interiors if not any(shapely.Polygon(ring).equals(hole) for hole in holes)]
    return shapely.Polygon(part.exterior, kept)


def areal(shape: BaseGeometry) -> BaseGeometry:
    """Return what has an area of a shape, as a multipolygon."""
    return shapely.MultiPolygon(polygons_of(shape))
