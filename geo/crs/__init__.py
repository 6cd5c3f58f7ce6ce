"""Coordinate systems: typed coordinates, exact conversion, city planes, and detectors of wrong axes and datums. Pure."""

from geo.crs.cities import CITIES, SHANGHAI, SHENGZHOU, City
from geo.crs.codes import SpatialReference, System
from geo.crs.coordinates import Bbox, Coordinate, Coordinates
from geo.crs.faults import (
    BadGrid,
    BadPoint,
    NotFinite,
    OutOfRange,
    ShapeFault,
    UnknownSystem,
    UnsupportedDatum,
)
from geo.crs.planes import PLANES, LocalGrid, shanghai_grid
from geo.crs.transform import convert, inside, notes, warm_up
from geo.crs.verification import Verification

__all__ = [
    "CITIES",
    "PLANES",
    "SHANGHAI",
    "SHENGZHOU",
    "BadGrid",
    "BadPoint",
    "Bbox",
    "City",
    "Coordinate",
    "Coordinates",
    "LocalGrid",
    "NotFinite",
    "OutOfRange",
    "ShapeFault",
    "SpatialReference",
    "System",
    "UnknownSystem",
    "UnsupportedDatum",
    "Verification",
    "convert",
    "inside",
    "notes",
    "shanghai_grid",
    "warm_up",
]
