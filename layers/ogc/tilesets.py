"""OGC API - Tiles (20-057) over the tiles there are: tile matrix sets, the tilesets of a collection, and their paths."""

from __future__ import annotations

from typing import Any, Final

from geo.scope import Scope
from layers.ogc.conformance import Part, offers
from layers.ogc.extents import extent_of
from layers.ogc.links import SCHEME, SCHEMES, link
from layers.ogc.media import JSON, MVT
from layers.ogc.openapi import answers, operation
from layers.ogc.systems import CRS84
from layers.spec import LayerSpec
from tiles.schemes import SCHEMES as MATRIX_SETS
from tiles.schemes import Scheme

TILES: Final = "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/"
_DIMENSIONS: Final = {"point": 0, "line": 1, "polygon": 2}


def matrix_sets(root: str) -> list[dict[str, Any]]:
    """Return the tile matrix sets as they are listed."""
    return [
        {
            "id": one.id,
            "title": one.title,
            **({"uri": one.known_as["uri"]} if "uri" in one.known_as else {}),
            "crs": one.crs,
            "links": [link(SCHEME, f"{root}/tileMatrixSets/{one.id}", JSON, one.title)],
        }
        for one in MATRIX_SETS.values()
    ]


def tilesets(layer: LayerSpec, root: str) -> list[dict[str, Any]]:
    """Return the tilesets of a layer as they are listed."""
    base = f"{root}/collections/{layer.key}/tiles"
    return [
        {**_named(layer, one), "links": [link("self", f"{base}/{one.id}", JSON), _scheme(one, root)]}
        for one in MATRIX_SETS.values()
    ]


def tileset(layer: LayerSpec, scheme: Scheme, *, scope: Scope, root: str) -> dict[str, Any]:
    """Describe a tileset of a layer, without the links of the document to itself."""
    template = f"{root}/collections/{layer.key}/tiles/{scheme.id}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}"
    box = extent_of(layer, scope=scope).box
    corners = {"lowerLeft": [box[0], box[1]], "upperRight": [box[2], box[3]], "crs": CRS84.name} if box else None
    return {
        **_named(layer, scheme),
        "tileMatrixSetURI": scheme.known_as.get("uri", f"{root}/tileMatrixSets/{scheme.id}"),
        "links": [_scheme(scheme, root), {**link("item", template, MVT, layer.title), "templated": True}],
        "layers": [
            {
                "id": layer.key,
                "title": layer.title,
                "dataType": "vector",
                "geometryDimension": _DIMENSIONS[layer.geometry],
                "minTileMatrix": str(max(layer.min_zoom, scheme.min_zoom)),
                "maxTileMatrix": str(layer.max_zoom),
                "propertiesSchema": {
                    "type": "object",
                    "properties": {one.name: {"title": one.title} for one in layer.attributes if one.tiled},
                },
            }
        ],
        **({"boundingBox": corners} if corners else {}),
    }


def _named(layer: LayerSpec, scheme: Scheme) -> dict[str, Any]:
    return {"title": f"{layer.title}，{scheme.title}", "dataType": "vector", "crs": scheme.crs}


def _scheme(scheme: Scheme, root: str) -> dict[str, str]:
    return link(SCHEME, f"{root}/tileMatrixSets/{scheme.id}", JSON, scheme.title)


def _paths() -> dict[str, Any]:
    base = "/collections/{collectionId}/tiles"
    tile = operation(
        "瓦片",
        "features.collection.vector.getTile",
        "一块瓦片（MVT）",
        (),
        answers(MVT, "Bytes", "瓦片", html=False, problems=("404", "503")),
    )
    parameters = [
        _path(name, kind)
        for name, kind in (
            ("collectionId", "string"),
            ("tileMatrixSetId", "string"),
            ("tileMatrix", "string"),
            ("tileRow", "integer"),
            ("tileCol", "integer"),
        )
    ]
    tile["get"]["parameters"] = parameters
    tile["get"]["responses"]["204"] = {"description": "这块瓦片上没有东西"}
    described = operation(
        "瓦片",
        "features.collection.vector.getTileSet",
        "一组瓦片",
        (),
        answers(JSON, "Anything", "一组瓦片", problems=("404",)),
    )
    described["get"]["parameters"] += parameters[:2]
    matrix = operation(
        "瓦片", "getTileMatrixSet", "一个瓦片矩阵集", (), answers(JSON, "Anything", "定义", problems=("404",))
    )
    matrix["get"]["parameters"] += parameters[1:2]
    return {
        "/tileMatrixSets": operation(
            "瓦片", "getTileMatrixSetsList", "瓦片矩阵集", (), answers(JSON, "Anything", "列表")
        ),
        "/tileMatrixSets/{tileMatrixSetId}": matrix,
        base: operation(
            "瓦片",
            "features.collection.vector.getTileSetsList",
            "图层的瓦片",
            ("collectionId",),
            answers(JSON, "Anything", "列表", problems=("404",)),
        ),
        f"{base}/{{tileMatrixSetId}}": described,
        f"{base}/{{tileMatrixSetId}}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}": tile,
    }


def _path(name: str, kind: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": kind}}


PART: Final = Part(
    classes=(
        *(TILES + name for name in ("core", "tileset", "tilesets-list", "geodata-tilesets", "mvt", "oas30")),
        "http://www.opengis.net/spec/tms/2.0/conf/json-tilematrixset",
    ),
    links=((SCHEMES, "/tileMatrixSets", "瓦片矩阵集"),),
    paths=_paths,
)
offers(PART)
