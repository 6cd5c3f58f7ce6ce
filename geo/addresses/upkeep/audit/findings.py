"""What a check finds, as a value, and the tolerances below which it says nothing. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from geo.crs import City
from geo.geometry import from_plane, polygons_of


@dataclass(frozen=True, slots=True)
class Tolerances:
    """Below these the grain of drawing and of measuring speaks, not a fault."""

    area_m2: float = 100.0
    """Gaps and overlaps smaller than this are not reported."""
    width_m: float = 1.0
    """Nor are those of which no part is as wide as this: slivers along a border drawn twice."""
    outside_m: float = 10.0
    """An address is outside when it is further out than this, and than the radius it states."""
    order_m: float = 15.0
    """A door is out of order when it is astray along its road by more than this, and than the radii of it and its neighbours."""
    least_doors: int = 5
    """Sides of roads with fewer known numbers are not judged."""
    least_known: float = 0.5
    """Nor are those of which a smaller share of the numbers between the first and the last is known."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault: a sentence, a measure in ``unit``, a point (CGCS2000 degrees), the region it is filed under."""

    kind: str
    message: str
    measure: float
    unit: str
    lon: float
    lat: float
    region_id: int | None
    subjects: dict[str, Any] = field(default_factory=dict)


def faults_in(shape: BaseGeometry, tolerances: Tolerances) -> list[BaseGeometry]:
    """Return the pieces of an area on the plane that are large and wide enough to be faults, the largest first."""
    pieces = [piece for piece in polygons_of(shape) if piece.area >= tolerances.area_m2]
    wide = [piece for piece in pieces if not shapely.buffer(piece, -tolerances.width_m / 2).is_empty]
    return sorted(wide, key=lambda piece: -float(piece.area))


def spot_in(piece: BaseGeometry, city: City) -> tuple[float, float]:
    """Return (longitude, latitude) of a point inside an area on the plane."""
    point = from_plane(shapely.point_on_surface(piece), city)
    return round(float(point.x), 7), round(float(point.y), 7)
