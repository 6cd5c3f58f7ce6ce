"""Three-dimensional models for maps: which there are in a box, and every file of theirs."""

from __future__ import annotations

import math
from typing import Any, Final

import shapely
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from geo.crs import System
from geo.errors import BadInput, NotFound
from geo.etags import holds_already
from geo.geometry import geojson
from geo.scope import Scope
from layers.scenes.holding import open_piece, whole_of
from layers.scenes.models import Audience, Described, Scene, SceneVersion
from layers.scenes.placing import Placed
from layers.scenes.queries import (
    Box,
    check_edit,
    edition_of,
    entry_of,
    file_shown,
    footprint_of,
    placed_of,
    positioned,
    scene_seen,
    scenes_in,
)
from services.access.queries import scope_for
from tiles.cache import etag
from web.doors.common.sending import send_piece
from web.doors.common.typed import typed

FOR_EVER: Final = "public, max-age=31536000, immutable"
FOR_ONE: Final = "private, no-cache"
DECIMALS: Final = 8


@require_safe
def scenes_json(request: HttpRequest) -> HttpResponse:
    """Return the scenes a caller may see in a box, all without one; ``draft=KEY`` adds how a scene stands that he is setting."""
    scope = scope_for(request)
    shown = scenes_in(box_asked(request), scope=scope)
    listed = [told(one) for one in shown]
    draft = typed(request, "draft")
    if draft:
        mine = drafted(draft, scope=scope)
        listed = [one for one in listed if one["key"] != draft] + ([mine] if mine else [])
    body = JsonResponse({"scenes": listed, "edition": edition_of(shown)}, json_dumps_params={"ensure_ascii": False})
    tag = etag(body.content)
    response: HttpResponse = HttpResponseNotModified() if holds_already(request, tag) else body
    response["ETag"] = tag
    personal = bool(draft) or any(one.audience != Audience.EVERYONE for one in shown) or bool(scope.paths)
    response["Cache-Control"] = FOR_ONE if personal else "public, no-cache"
    return response


@require_safe
def scene_file(request: HttpRequest, key: str, digest: str, path: str) -> HttpResponseBase:
    """Return a file of a scene. Its address holds the digest of the package, so it never changes."""
    file, for_all = file_shown(key, digest, path, scope=scope_for(request))
    whole = whole_of(file.package)
    return send_piece(
        request,
        lambda: open_piece(whole, file.offset, file.bytes),
        media_type=file.media,
        tag=f"{file.package.short}-{file.offset}",
        keep=FOR_EVER if for_all else FOR_ONE,
    )


def told(version: SceneVersion) -> dict[str, Any]:
    """Return what maps are told of a published scene."""
    box = (version.west, version.south, version.east, version.north)
    footprint = shapely.from_wkb(bytes((version.footprint or version.outline).wkb))
    place = Placed(box, (version.lowest_m, version.highest_m), footprint)
    return _told(version.scene, version, place)


def drafted(key: str, *, scope: Scope) -> dict[str, Any] | None:
    """Return what maps are told of a scene as it is being set, none while it cannot be drawn.

    Raises ``NotFound``, ``Forbidden``.
    """
    scene = scene_seen(key, scope=scope)
    check_edit(scene, scope=scope)
    place = placed_of(scene)
    if place is None:
        return None
    return _told(scene, scene, Placed(place.box, place.heights, footprint_of(scene, place))) | {"draft": True}


def _told(scene: Scene, said: Described, place: Placed) -> dict[str, Any]:
    west, south, east, north = place.box
    own = positioned(said)
    package = said.package
    if package is None:
        raise NotFound("scene_files", "这个三维模型还没有文件。")
    return {
        "key": scene.key, "title": said.title, "kind": scene.kind,
        "url": f"/scenes/{scene.key}/{package.short}/{entry_of(scene.kind)}", "positioned": own,
        "lon": round((west + east) / 2 if own or said.lon is None else said.lon, DECIMALS),
        "lat": round((south + north) / 2 if own or said.lat is None else said.lat, DECIMALS),
        "height_m": said.height_m, "heading_deg": 0.0 if own else said.heading_deg, "scale": 1.0 if own else said.scale,
        "box": [round(each, DECIMALS) for each in place.box], "heights": [round(each, 2) for each in place.heights],
        "min_zoom": said.min_zoom, "twin": f"/twin/{scene.key}" if said.twin else None,
        "footprint": geojson(place.outline, System.CGCS2000), "source": said.source,
        "as_of": said.as_of.isoformat() if said.as_of else None, "bytes": package.bytes,
    }  # fmt: skip


def box_asked(request: HttpRequest) -> Box | None:
    """Return the box of an address (west, south, east, north), none for none. Raises ``BadInput``."""
    names = ("west", "south", "east", "north")
    texts = [typed(request, name).strip()[:24] for name in names]
    return box_of(texts) if any(texts) else None


def box_of(texts: list[str]) -> Box:
    """Return the box that four texts say. Raises ``BadInput``."""
    try:
        west, south, east, north = (float(each) for each in texts)
    except ValueError:
        raise BadInput("bbox_invalid", "范围要写西、南、东、北四个经纬度。") from None
    if not all(map(math.isfinite, (west, south, east, north))) or west > east or south > north:
        raise BadInput("bbox_invalid", "范围不对：西不能大于东，南不能大于北。")
    return west, south, east, north
