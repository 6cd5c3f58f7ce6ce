"""OGC API - Tiles below ``/ogc``: the same tiles as ``/tiles``, found and named as the standard has it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from geo.errors import NotFound
from layers.ogc import tilesets as documents
from layers.ogc.asking import check_parameters
from layers.registry import layer
from tiles.schemes import Tile, TileOutOfRange, definition
from tiles.schemes import scheme as scheme_named
from web.doors.maps.tiles import answer_tile
from web.doors.ogc.pages import METHODS, OGC, Asking, Told, asked_of, tells


@tells
def matrix_sets(asking: Asking) -> Told:
    """List the tile matrix sets."""
    check_parameters(asking.query, ["f"])
    return Told({"links": asking.links(), "tileMatrixSets": documents.matrix_sets(asking.root)}, "matrix_sets")


@tells
def matrix_set(asking: Asking, scheme: str) -> Told:
    """Define a tile matrix set."""
    check_parameters(asking.query, ["f"])
    made = definition(scheme_named(scheme))
    return Told({**made, "links": asking.links()}, "matrix_set")


@tells
def tilesets(asking: Asking, key: str) -> Told:
    """List the tilesets of a layer."""
    check_parameters(asking.query, ["f"])
    found = layer(key, scope=asking.scope)
    made = {"links": asking.links(), "tilesets": documents.tilesets(found, asking.root)}
    return Told(made, "tilesets", shown={"layer": found})


@tells
def tileset(asking: Asking, key: str, scheme: str) -> Told:
    """Describe a tileset of a layer."""
    check_parameters(asking.query, ["f"])
    found, cut = layer(key, scope=asking.scope), scheme_named(scheme)
    made = documents.tileset(found, cut, scope=asking.scope, root=asking.root)
    return Told({**made, "links": [*asking.links(), *made["links"]]}, "tileset", shown={"layer": found})


@csrf_exempt
def tile(request: HttpRequest, key: str, scheme: str, z: str, y: str, x: str) -> HttpResponse:
    """Answer with a tile of a layer; a tile that does not exist is 404, one with nothing on it 204."""
    if request.method not in METHODS or request.method == "OPTIONS":
        return HttpResponse(status=204 if request.method == "OPTIONS" else 405, headers={"Allow": ", ".join(METHODS)})
    OGC.allow_request(request)
    asking = asked_of(request)
    check_parameters(asking.query, [])
    found = layer(key, scope=asking.scope)
    return answer_tile(request, [found], _tile(scheme, z, y, x), {})


def _tile(scheme: str, z: str, y: str, x: str) -> Tile:
    cut = scheme_named(scheme)
    if not all(part.isascii() and part.isdigit() and len(part) <= 9 for part in (z, y, x)):
        raise NotFound("tile_unknown", "没有这块瓦片：级别、行、列都是不小于 0 的整数。")
    try:
        return cut.tile(int(z), int(x), int(y))
    except TileOutOfRange as error:
        raise NotFound("tile_unknown", error.message) from None
