"""Whether committees tile their street and communities keep to their place: gaps, overlaps and overhangs in square metres.

No database here; every shape is on the city's plane, in metres.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geo.addresses.models import FindingKind
from geo.addresses.upkeep.audit.findings import Finding, Tolerances, faults_in, spot_in
from geo.crs import City


@dataclass(frozen=True, slots=True, eq=False)
class Area:
    """A region or a community: its name, its shape on the plane, and the region its faults are filed under."""

    key: str
    name: str
    shape: BaseGeometry
    region_id: int | None


def check_committees(street: Area, committees: Sequence[Area], city: City, tolerances: Tolerances) -> Iterator[Finding]:
    """Yield the gaps between the committees of a street, what two of them both claim, and what lies outside the street."""
    if not committees:
        return
    shapes = np.array([committee.shape for committee in committees], dtype=object)
    gap = shapely.difference(street.shape, shapely.union_all(shapes))
    for piece in faults_in(gap, tolerances):
        message = f"{street.name}有 {piece.area:,.0f} 平方米不属于任何居委。"
        yield _finding(FindingKind.COMMITTEE_GAP, message, piece, street, (street,), city)
    yield from overlaps(committees, FindingKind.COMMITTEE_OVERLAP, city, tolerances)
    for committee, beyond in zip(committees, shapely.difference(shapes, street.shape), strict=True):
        for piece in faults_in(beyond, tolerances):
            message = f"{committee.name}有 {piece.area:,.0f} 平方米在{street.name}之外。"
            yield _finding(FindingKind.COMMITTEE_BEYOND, message, piece, committee, (committee, street), city)


def overlaps(areas: Sequence[Area], kind: FindingKind, city: City, tolerances: Tolerances) -> Iterator[Finding]:
    """Yield what two areas both claim, piece by piece."""
    shapes = np.array([area.shape for area in areas], dtype=object)
    ones, others = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    once = ones < others
    ones, others = ones[once], others[once]
    for one, other, common in zip(ones, others, shapely.intersection(shapes[ones], shapes[others]), strict=True):
        for piece in faults_in(common, tolerances):
            first, second = areas[one], areas[other]
            message = f"{first.name}与{second.name}重叠 {piece.area:,.0f} 平方米。"
            yield _finding(kind, message, piece, first, (first, second), city)


def beyond(areas: Sequence[Area], around: Sequence[Area], city: City, tolerances: Tolerances) -> Iterator[Finding]:
    """Yield what of each community lies outside the region it is filed in: ``around`` holds one region for each of ``areas``."""
    shapes = np.array([area.shape for area in areas], dtype=object)
    regions = np.array([area.shape for area in around], dtype=object)
    for at in np.flatnonzero(~shapely.covers(regions, shapes)).tolist():
        area, region = areas[at], around[at]
        for piece in faults_in(shapely.difference(area.shape, region.shape), tolerances):
            share = piece.area / area.shape.area
            message = f"{area.name}有 {piece.area:,.0f} 平方米（{share:.0%}）在{region.name}之外。"
            yield _finding(FindingKind.COMMUNITY_BEYOND, message, piece, area, (area, region), city)


def _finding(
    kind: FindingKind, message: str, piece: BaseGeometry, filed: Area, about: Sequence[Area], city: City
) -> Finding:
    lon, lat = spot_in(piece, city)
    subjects = {"areas": [{"key": area.key, "name": area.name} for area in about]}
    return Finding(kind, message, round(float(piece.area), 1), "平方米", lon, lat, filed.region_id, subjects)
