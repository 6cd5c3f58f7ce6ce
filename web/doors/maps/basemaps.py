"""Base maps for the maps of all pages: which there are, and their tiles, asked for through us."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse
from django.views.decorators.http import require_safe

from geo.etags import holds_already
from services.access.queries import holds_citywide, scope_for
from services.basemaps.models import View
from services.basemaps.queries import DUTY, Part, base_map, base_maps
from services.basemaps.serving import tile_of
from tiles.cache import etag
from tiles.schemes import Tile
from web.api.limits import CallerLimit

TILES: Final = CallerLimit("basemaps", anonymous=2400, keyed=6000)
TILE_S: Final = 86_400
OWN: Final = "电子地图"


@require_safe
def choices(request: HttpRequest) -> JsonResponse:
    """List what a map may stand on, our own first, and say what of satellite and oblique nobody has connected."""
    scope = scope_for(request)
    rows = base_maps(scope=scope)
    listed = [{"key": "", "title": OWN, "view": View.MAP.value}] + [
        {
            "key": row.key,
            "title": row.title,
            "view": row.view,
            "attribution": row.attribution,
            "approval": row.approval or settings.MAP_APPROVAL,
        }
        for row in rows
    ]
    missing = [str(view.label) for view in (View.SATELLITE, View.OBLIQUE) if view not in {row.view for row in rows}]
    said = ""
    if missing:
        whom = "可以在“底图”里接入。" if holds_citywide(scope, DUTY) else "需要的话请联系市级管理员。"
        said = f"{'和'.join(missing)}还没有接入，{whom}"
    response = JsonResponse({"basemaps": listed, "missing": said}, json_dumps_params={"ensure_ascii": False})
    response["Cache-Control"] = "private, max-age=60"
    return response


@require_safe
def ground(request: HttpRequest, key: str, z: int, x: int, y: int) -> HttpResponse:
    """Return a tile of a base map."""
    return _tile(request, key, "ground", z, x, y)


@require_safe
def names(request: HttpRequest, key: str, z: int, x: int, y: int) -> HttpResponse:
    """Return a tile of the names that are drawn above a base map."""
    return _tile(request, key, "names", z, x, y)


def _tile(request: HttpRequest, key: str, part: Part, z: int, x: int, y: int) -> HttpResponse:
    TILES.allow_request(request)
    row = base_map(key, scope=scope_for(request))
    kept = tile_of(row, part, Tile(z, x, y))
    tag = etag(kept.content)
    if not kept.content:
        response = HttpResponse(status=404)
    elif holds_already(request, tag):
        response = HttpResponseNotModified()
    else:
        response = HttpResponse(kept.content, content_type=kept.kind)
    response["ETag"] = tag
    audience = "private" if row.staff_only else "public"
    response["Cache-Control"] = f"{audience}, max-age={60 if kept.stale else TILE_S}"
    return response
