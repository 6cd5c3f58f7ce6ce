"""Geometry from outside under limits, validity and repair, subdivision, measures in metres, and GeoJSON. No database.

Shapely geometries here are always CGCS2000 degrees (longitude, latitude) unless a name says ``plane``.
"""

from geo.geometry.faults import BadGeometry, GeometryTooLarge
from geo.geometry.measures import (
    area_m2,
    areas_m2,
    from_plane,
    from_stored,
    geodesic_area_m2,
    geodesic_distance_m,
    geodesic_length_m,
    length_m,
    lengths_m,
    polygons_of,
    to_plane,
    to_stored,
)
from geo.geometry.output import DECIMALS, feature, feature_collection, geojson, rounded
from geo.geometry.parsing import (
    LIMITS,
    Limits,
    geometry_from_object,
    json_depth,
    parse_bbox,
    parse_geojson,
    parse_wkb,
    parse_wkt,
)
from geo.geometry.validity import Repair, fault_of, repair, require_valid, subdivide

__all__ = [
    "DECIMALS",
    "LIMITS",
    "BadGeometry",
    "GeometryTooLarge",
    "Limits",
    "Repair",
    "area_m2",
    "areas_m2",
    "fault_of",
    "feature",
    "feature_collection",
    "from_plane",
    "from_stored",
    "geodesic_area_m2",
    "geodesic_distance_m",
    "geodesic_length_m",
    "geojson",
    "geometry_from_object",
    "json_depth",
    "length_m",
    "lengths_m",
    "parse_bbox",
    "parse_geojson",
    "parse_wkb",
    "parse_wkt",
    "polygons_of",
    "repair",
    "require_valid",
    "rounded",
    "subdivide",
    "to_plane",
    "to_stored",
]
