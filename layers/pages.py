"""Tiles and their TileJSON over HTTP."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse
from django.views.decorators.http import require_safe

from geo.crs.cities import CITIES
from geo.imports.queries import attribution, shows_invented
from layers.registry import layer, layers
from layers.tiling import layer_edition, layer_tile, read_choices
from tiles.cache import etag
from tiles.schemes import Tile

CACHE_CONTROL = "public, max-age=60, stale-while-revalidate=600"
MVT = "application/vnd.mapbox-vector-tile"


@require_safe
def tile(request: HttpRequest, key: str, z: int, x: int, y: int) -> HttpResponse:
    """Return one tile; an empty one is 204, an unchanged one 304."""
    declared = layer(key)
    chosen = read_choices(declared, request.GET.dict())
    content = layer_tile(layer=declared, tile=Tile(z, x, y), chosen=chosen)
    tag = etag(content)
    if request.headers.get("If-None-Match") == tag:
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = HttpResponse(content, content_type=MVT, status=200 if content else 204)
    response["ETag"] = tag
    response["Cache-Control"] = CACHE_CONTROL
    return response


@require_safe
def tilejson(request: HttpRequest, key: str) -> JsonResponse:
    """Describe a layer as TileJSON 3.0.0; its tile URL carries the edition, so a new edition is fetched at once."""
    declared = layer(key)
    root = f"{request.scheme}://{request.get_host()}"
    box = CITIES[settings.CITY].bbox
    fields = {attribute.name: attribute.title for attribute in declared.attributes if attribute.tiled}
    return JsonResponse(
        {
            "tilejson": "3.0.0",
            "name": declared.title,
            "tiles": [f"{root}/tiles/{declared.key}/{{z}}/{{x}}/{{y}}.mvt"],
            "version": "1.0.0",
            "edition": layer_edition(declared),
            "scheme": "xyz",
            "minzoom": declared.min_zoom,
            "maxzoom": declared.max_zoom,
            "bounds": [box.west, box.south, box.east, box.north],
            "attribution": " · ".join(
                filter(None, [attribution() or "© 圈图", "演示数据" if shows_invented() else ""])
            ),
            "vector_layers": [
                {"id": declared.key, "fields": fields, "minzoom": declared.min_zoom, "maxzoom": declared.max_zoom}
            ],
        },
        json_dumps_params={"ensure_ascii": False},
    )


@require_safe
def catalogue(request: HttpRequest) -> JsonResponse:
    """List the layers with their TileJSON."""
    root = f"{request.scheme}://{request.get_host()}"
    listed = [
        {"key": one.key, "title": one.title, "geometry": one.geometry, "tilejson": f"{root}/tiles/{one.key}.json"}
        for one in layers().values()
    ]
    return JsonResponse({"layers": listed}, json_dumps_params={"ensure_ascii": False})
