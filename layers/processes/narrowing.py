"""Which rows of a layer go into a process: all that may be seen, or those of a region, a box, a drawn shape, a condition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import shapely
from shapely.geometry.base import BaseGeometry

from geo.crs import System
from geo.crs.codes import CGCS2000
from geo.errors import BadInput
from geo.geometry import geometry_from_object, parse_bbox, polygons_of, require_valid
from geo.regions.queries import boundaries, region_by_code
from geo.scope import Scope
from layers.filtering import read_filter
from layers.processes.spec import Input
from layers.reading import Narrowing, within_box
from layers.spec import LayerSpec

CRS84: Final = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
BOX: Final = {
    "type": "object",
    "format": "ogc-bbox",
    "required": ["bbox"],
    "additionalProperties": False,
    "properties": {
        "bbox": {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4},
        "crs": {"type": "string", "format": "uri", "enum": [CRS84], "default": CRS84},
    },
}
GEOMETRY: Final = {
    "type": "object",
    "format": "geojson-geometry",
    "required": ["type"],
    "properties": {"type": {"type": "string"}, "coordinates": {"type": "array"}, "geometries": {"type": "array"}},
}
NARROWING_INPUTS: Final = {
    "region": Input(
        "区划", {"type": "string", "pattern": "^[0-9]{6,12}$"}, "写区划代码，例如 310101。", required=False
    ),
    "bbox": Input("范围", BOX, "西、南、东、北四个经纬度。", required=False),
    "filter": Input(
        "条件",
        {"type": "string", "minLength": 1, "maxLength": 8_000},
        "CQL2 写的条件，例如 kind = 'canteen'。",
        required=False,
    ),
    "shape": Input("圈出的图形", GEOMETRY, "GeoJSON 的面，WGS-84 经纬度。", required=False),
}
"""What a process that reads a layer is told about its rows; all that is said must hold."""
_SHAPE: Final = "ST_GeomFromWKB(%({name})s, {srid})"


def narrowing_of(inputs: Mapping[str, Any], layer: LayerSpec, *, scope: Scope) -> Narrowing:
    """Return the condition that inputs put on the rows of a layer.

    A row lies in the region its middle lies in, so that districts taken one by one have no row twice; it is in a box or a shape
    when it meets it. Raises ``BadInput`` and ``NotFound`` with what to do instead.
    """
    found = Narrowing()
    if code := inputs.get("region"):
        version = region_by_code(code, scope=scope)
        middle = "t.geom" if layer.geometry == "point" else "ST_PointOnSurface(t.geom)"
        found &= _meets(middle, "region_shape", boundaries([version.pk])[version.pk])
    if box := inputs.get("bbox"):
        told = parse_bbox(",".join(map(repr, box["bbox"])), System.WGS84)
        found &= within_box((told.west, told.south, told.east, told.north))
    if shape := inputs.get("shape"):
        found &= _meets("t.geom", "drawn_shape", _area(shape))
    if text := inputs.get("filter"):
        found &= read_filter(layer, text)
    return found


def _area(shape: Mapping[str, Any]) -> BaseGeometry:
    drawn = require_valid(geometry_from_object(shape, System.WGS84))
    if not polygons_of(drawn):
        raise BadInput("shape_without_area", "圈出的图形要有面积。请画一个面（Polygon）。", input="shape")
    return drawn


def _meets(shape: str, name: str, area: BaseGeometry) -> Narrowing:
    return Narrowing(f"ST_Intersects({shape}, {_SHAPE.format(name=name, srid=CGCS2000)})", {name: shapely.to_wkb(area)})


def said_of(inputs: Mapping[str, Any], *, scope: Scope) -> str:
    """Return in Chinese what rows were taken; empty for all."""
    said = []
    if code := inputs.get("region"):
        said.append(f"{region_by_code(code, scope=scope).name}内")
    if box := inputs.get("bbox"):
        said.append("范围 " + "，".join(f"{edge:g}" for edge in box["bbox"]))
    if inputs.get("shape"):
        said.append("圈出的图形内")
    if text := inputs.get("filter"):
        said.append(f"符合 {text}")
    return "；".join(said)
