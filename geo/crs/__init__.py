"""Coordinate systems: typed coordinates, exact conversion, city planes, and detectors of wrong axes and datums. Pure."""

from geo.crs.axes import AxisFinding, AxisVerdict, detect_axes, suggest_plane
from geo.crs.cities import CITIES, SHANGHAI, SHENGZHOU, City
from geo.crs.codes import SpatialReference, System
from geo.crs.control_points import read_control_points
from geo.crs.coordinates import Bbox, Coordinate, Coordinates
from geo.crs.faults import (
    BadGrid,
    BadPoint,
    NotFinite,
    OutOfRange,
    RowsFault,
    ShapeFault,
    UnknownSystem,
    UnsupportedDatum,
)
from geo.crs.navigation import navigation_links
from geo.crs.parsing import AxisOrder, ParsedPoints, RowFault, looks_like_point, parse_point, parse_points
from geo.crs.planes import PLANES, LocalGrid, shanghai_grid
from geo.crs.transform import convert, inside, notes, warm_up
from geo.crs.verification import ControlPoint, Residual, ResidualFit, Verification
from geo.crs.wrong_datum import DatumFinding, DatumVerdict, Reading, detect_datum, detect_datum_by_network

__all__ = [
    "CITIES",
    "PLANES",
    "SHANGHAI",
    "SHENGZHOU",
    "AxisFinding",
    "AxisOrder",
    "AxisVerdict",
    "BadGrid",
    "BadPoint",
    "Bbox",
    "City",
    "ControlPoint",
    "Coordinate",
    "Coordinates",
    "DatumFinding",
    "DatumVerdict",
    "LocalGrid",
    "NotFinite",
    "OutOfRange",
    "ParsedPoints",
    "Reading",
    "Residual",
    "ResidualFit",
    "RowFault",
    "RowsFault",
    "ShapeFault",
    "SpatialReference",
    "System",
    "UnknownSystem",
    "UnsupportedDatum",
    "Verification",
    "convert",
    "detect_axes",
    "detect_datum",
    "detect_datum_by_network",
    "inside",
    "looks_like_point",
    "navigation_links",
    "notes",
    "parse_point",
    "parse_points",
    "read_control_points",
    "shanghai_grid",
    "suggest_plane",
    "warm_up",
]
