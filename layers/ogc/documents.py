"""The documents of ``/ogc`` about itself and its collections, as values to be written in JSON or shown as a page."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from geo.crs import City
from geo.imports.queries import attribution, shows_invented
from geo.scope import Scope
from layers.filtering import GEOMETRY
from layers.ogc.conformance import PARTS, declared
from layers.ogc.extents import Extent, extent_of
from layers.ogc.links import CONFORMANCE, DATA, collection_links, link
from layers.ogc.media import HTML, JSON, OPENAPI
from layers.ogc.systems import CRS84, STORAGE, systems_of
from layers.spec import Attribute, LayerSpec

TITLE: Final = "圈图图层服务"
SUMMARY: Final = "圈图的图层，按 OGC API 标准提供：要素、坐标系、筛选、瓦片。用 QGIS、GDAL 或任何懂这些标准的软件打开。"
_DRAFT: Final = "https://json-schema.org/draft/2019-09/schema"
_KINDS: Final[dict[str, dict[str, str]]] = {
    "text": {"type": "string"},
    "whole": {"type": "integer"},
    "number": {"type": "number"},
    "yes_no": {"type": "boolean"},
    "day": {"type": "string", "format": "date"},
    "moment": {"type": "string", "format": "date-time"},
}
_WHOLE: Final = {"type": "number", "multipleOf": 1}
_SHAPES: Final = {"point": "geometry-point-or-multipoint", "line": "geometry-linestring-or-multilinestring"}


def landing(root: str) -> dict[str, Any]:
    """Return the landing page without the links to itself."""
    return {
        "title": TITLE,
        "description": SUMMARY,
        "attribution": _attribution(),
        "links": [
            link("service-desc", f"{root}/api", OPENAPI, "接口说明（OpenAPI）"),
            link("service-doc", f"{root}/api?f=html", HTML, "接口说明"),
            link("conformance", f"{root}/conformance", JSON, "符合哪些标准"),
            link(CONFORMANCE, f"{root}/conformance", JSON, "符合哪些标准"),
            link(DATA, f"{root}/collections", JSON, "图层（要素集合）"),
            *(link(rel, f"{root}{path}", JSON, title) for part in PARTS for rel, path, title in part.links),
        ],
    }


def conformance() -> dict[str, Any]:
    """Return the declaration of conformance."""
    return {"conformsTo": declared()}


def collection(layer: LayerSpec, *, scope: Scope, city: City, root: str) -> dict[str, Any]:
    """Describe a layer as a collection."""
    base = f"{root}/collections/{layer.key}"
    return {
        "id": layer.key,
        "title": layer.title,
        "description": layer.summary,
        **({"attribution": layer.source} if layer.source else {}),
        "itemType": "feature",
        "extent": _extent(extent_of(layer, scope=scope)),
        "crs": [one.uri(root) for one in systems_of(city)],
        "storageCrs": STORAGE.uri(root),
        "links": collection_links(base, layer.title),
    }


def queryables(layer: LayerSpec, uri: str) -> dict[str, Any]:
    """Return what conditions may speak of, as JSON Schema: every attribute and the shape."""
    return {
        "$schema": _DRAFT,
        "$id": uri,
        "type": "object",
        "title": layer.title,
        "properties": {
            GEOMETRY: {"title": "图形", "x-ogc-role": "primary-geometry", "format": _shape(layer)},
            **{one.name: _property(one, layer) for one in layer.attributes},
        },
        "additionalProperties": False,
    }


def schema(layer: LayerSpec, uri: str) -> dict[str, Any]:
    """Return what a feature says, as JSON Schema; clients read the kinds of attributes from it."""
    made = queryables(layer, uri)
    identity = {"title": "要素编号", "type": "integer", "x-ogc-role": "id"}
    own = {} if layer.attribute("id") else {"id": identity}
    del made["additionalProperties"]
    return {**made, "properties": {**own, **made["properties"]}}


def feature_schema(layer: LayerSpec, uri: str) -> dict[str, Any]:
    """Return what a feature looks like in GeoJSON, as JSON Schema; GDAL takes the kinds of attributes from it.

    Whole numbers are numbers without a fraction here: of an ``integer`` GDAL keeps 32 bits only.
    """
    properties = {one.name: _property(one, layer) for one in layer.attributes}
    whole = {one.name: {**properties[one.name], **_WHOLE} for one in layer.attributes if one.kind == "whole"}
    return {
        "$schema": _DRAFT,
        "$id": uri,
        "type": "object",
        "title": layer.title,
        "required": ["type", "geometry", "properties"],
        "properties": {
            "type": {"title": "种类", "type": "string", "enum": ["Feature"]},
            "id": {"title": "要素编号", "type": "integer"},
            "geometry": {"title": "图形", "format": _shape(layer)},
            "properties": {"title": "属性", "type": "object", "properties": properties | whole},
        },
    }


def _property(attribute: Attribute, layer: LayerSpec) -> dict[str, Any]:
    role = {"x-ogc-role": "primary-instant"} if attribute.name == layer.moment else {}
    return {"title": attribute.title, **_KINDS[attribute.kind], **role}


def _shape(layer: LayerSpec) -> str:
    return _SHAPES.get(layer.geometry, "geometry-polygon-or-multipolygon")


def _extent(extent: Extent) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if extent.box is not None:
        made["spatial"] = {"bbox": [_rounded(extent)], "crs": CRS84.name}
    if extent.first is not None and extent.last is not None:
        made["temporal"] = {"interval": [[_moment(extent.first), _moment(extent.last)]]}
    return made


def _rounded(extent: Extent) -> list[float]:
    """Return the box widened to the decimals of answers, so that it still holds every feature as answered."""
    west, south, east, north = extent.box or (0.0, 0.0, 0.0, 0.0)
    step = 10.0**-CRS84.decimals
    return [round(west - step, 7), round(south - step, 7), round(east + step, 7), round(north + step, 7)]


def _moment(value: dt.date) -> str:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    return f"{value.isoformat()}T00:00:00Z"


def _attribution() -> str:
    return " · ".join(filter(None, [attribution() or "© 圈图", "演示数据" if shows_invented() else ""]))
