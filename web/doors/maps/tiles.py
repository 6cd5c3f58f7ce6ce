"""Tiles and their TileJSON over HTTP, of one layer or several in one, for everyone and for those who may see more."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from geo.crs.cities import CITIES
from geo.errors import BadInput
from geo.etags import holds_already
from geo.imports.queries import attribution, shows_invented
from layers.registry import layer, visible_layers
from layers.spec import LayerSpec
from layers.tiling import (
    MOST_LAYERS,
    Chosen,
    edition_named,
    edition_of_all,
    layer_edition,
    layers_tile,
    read_attributes,
    read_choices,
)
from services.access.queries import scope_for
from services.facilities.preloading.archives import archive_file
from services.facilities.preloading.hits import note_tile
from tiles.cache import etag
from tiles.schemes import WEB_MERCATOR_QUAD, Tile, scheme
from web.api.limits import CallerLimit
from web.doors.common.sending import send_public

MVT: Final = "application/vnd.mapbox-vector-tile"
PMTILES: Final = "application/vnd.pmtiles"
FOR_ALL: Final = "public, max-age=60, stale-while-revalidate=600"
FOR_ONE: Final = "private, no-cache"
FOR_EVER: Final = "public, max-age=604800, immutable"
OUTDATED: Final = "no-store"
FOR_A_MINUTE: Final = "public, max-age=60"
"""Of a layer that staff may withdraw: nothing between us and the reader shows it for longer than it is there."""
DRAWINGS: Final = CallerLimit("tiles", anonymous=6_000, keyed=30_000)
"""Only tiles that have to be drawn count; a screen of a map with everything on it is about a hundred."""


@dataclass(frozen=True, slots=True)
class Known:
    """Public layers as an address names them with their edition: so long as nothing has to be read, it need not be asked for."""

    layers: tuple[LayerSpec, ...]
    editions: dict[str, str]
    until: float


class EditionPassed(Exception):
    """Rows have to be read, and they are no longer those of the edition that was asked for."""


_KNOWN: Final[dict[tuple[str, str], Known]] = {}
KNOW_S: Final = 60.0
KNOW_MOST: Final = 500


@csrf_exempt
@require_safe
def tile(
    request: HttpRequest, keys: str, z: int, x: int, y: int, scheme_id: str = WEB_MERCATOR_QUAD.id
) -> HttpResponse:
    """Return one tile; an empty one is 204, an unchanged one 304. What had to be left out is counted in ``X-Tile-Dropped``.

    With the ``edition`` that holds now the answer may be kept for long; asked for an older one that is not kept, it is today's.
    """
    wanted = scheme(scheme_id).tile(z, x, y)
    query = request.GET.dict()
    edition = query.pop("edition", None)
    known = _known(keys, edition)
    declared = list(known.layers) if known else _layers(request, keys)
    attributes = read_attributes(declared, query.pop("properties", None))
    chosen = read_choices(declared, query)
    if known:
        try:
            return answer_tile(request, declared, wanted, chosen, attributes, editions=known.editions, keep=FOR_EVER)
        except EditionPassed:
            _KNOWN.pop((keys, edition or ""), None)
    editions = {one.key: layer_edition(one) for one in declared}
    holds = edition == edition_named(editions)
    if holds and edition is not None and not any(one.withdrawable or not one.public for one in declared):
        _know(keys, edition, Known(tuple(declared), editions, time.monotonic() + KNOW_S))
    keep = FOR_ALL if edition is None else FOR_EVER if holds else OUTDATED
    return answer_tile(request, declared, wanted, chosen, attributes, keep=keep)


def answer_tile(
    request: HttpRequest,
    declared: Sequence[LayerSpec],
    wanted: Tile,
    chosen: Chosen,
    attributes: Sequence[str] | None = None,
    *,
    editions: Mapping[str, str] | None = None,
    keep: str = FOR_ALL,
) -> HttpResponse:
    """Answer a request for a tile of layers that its caller may see; also for doors that speak another standard's addresses.

    ``editions`` may have passed: raises ``EditionPassed`` when rows have to be read and they have. ``keep`` is what is said to
    caches, unless a layer is not for everyone.
    """

    began, drawing = time.perf_counter(), False

    def before_drawing() -> None:
        nonlocal drawing
        drawing = True
        DRAWINGS.allow_request(request)
        if editions is not None and any(layer_edition(one) != editions[one.key] for one in declared):
            raise EditionPassed

    drawn = layers_tile(
        layers=declared,
        tile=wanted,
        chosen=chosen,
        scope=scope_for(request),
        attributes=attributes,
        editions=editions,
        before_drawing=before_drawing,
    )
    note_tile([one.key for one in declared], chosen, wanted.z, drawn=drawing, seconds=time.perf_counter() - began)
    tag = etag(drawn.content)
    if holds_already(request, tag):
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = HttpResponse(drawn.content, content_type=MVT, status=200 if drawn.content else 204)
    response["ETag"] = tag
    response["Cache-Control"] = _kept(declared, keep)
    if drawn.dropped:
        response["X-Tile-Dropped"] = str(drawn.dropped)
    return response


def _kept(declared: Sequence[LayerSpec], keep: str) -> str:
    """Return what is said to caches of a tile of layers."""
    if not all(one.public for one in declared):
        return FOR_ONE
    brief = keep != OUTDATED and any(one.withdrawable for one in declared)
    return FOR_A_MINUTE if brief else keep


def _known(keys: str, edition: str | None) -> Known | None:
    known = _KNOWN.get((keys, edition or ""))
    return known if known and known.until > time.monotonic() else None


def _know(keys: str, edition: str, known: Known) -> None:
    if len(_KNOWN) >= KNOW_MOST:
        _KNOWN.clear()
    _KNOWN[keys, edition] = known


@csrf_exempt
@require_safe
def tilejson(request: HttpRequest, keys: str) -> JsonResponse:
    """Describe layers as TileJSON 3.0.0; the tile URL carries the edition, so what changed is fetched at once, the rest never."""
    declared = _layers(request, keys)
    edition = edition_of_all(declared)
    box = CITIES[settings.CITY].bbox
    told = {
        "tilejson": "3.0.0",
        "name": "、".join(one.title for one in declared),
        "tiles": [f"{_root(request)}/tiles/{keys}/{{z}}/{{x}}/{{y}}.mvt?edition={edition}"],
        "version": "1.0.0",
        "edition": edition,
        "scheme": "xyz",
        "minzoom": min(one.min_zoom for one in declared),
        "maxzoom": max(one.max_zoom for one in declared),
        "bounds": [box.west, box.south, box.east, box.north],
        "attribution": " · ".join(filter(None, [attribution() or "© 圈图", "演示数据" if shows_invented() else ""])),
        "vector_layers": [_vector_layer(one) for one in declared],
    }
    response = JsonResponse(told, json_dumps_params={"ensure_ascii": False})
    response["Cache-Control"] = "no-cache" if all(one.public for one in declared) else FOR_ONE
    return response


@csrf_exempt
@require_safe
def archive(request: HttpRequest, key: str) -> HttpResponseBase:
    """Answer pieces of the file of a whole public layer; in front of us nginx does it."""
    path, tag = archive_file(key)
    return send_public(request, path, media_type=PMTILES, tag=tag)


@csrf_exempt
@require_safe
def catalogue(request: HttpRequest) -> JsonResponse:
    """List the layers the caller may see with their TileJSON."""
    listed = [
        {
            "key": one.key,
            "title": one.title,
            "geometry": one.geometry,
            "tilejson": f"{_root(request)}/tiles/{one.key}.json",
        }
        for one in visible_layers(scope=scope_for(request))
    ]
    return JsonResponse({"layers": listed}, json_dumps_params={"ensure_ascii": False})


def _layers(request: HttpRequest, keys: str) -> list[LayerSpec]:
    names = list(dict.fromkeys(keys.split(",")))
    if len(names) > MOST_LAYERS:
        raise BadInput("layers_too_many", f"一块瓦片最多放 {MOST_LAYERS} 个图层，请分几次取。")
    return [layer(name, scope=scope_for(request)) for name in names]


def _vector_layer(declared: LayerSpec) -> dict[str, Any]:
    fields = {attribute.name: attribute.title for attribute in declared.attributes if attribute.tiled}
    if declared.cluster_px:
        fields |= {"count": "几处合在一起", "expansion_zoom": "放大到这一级就分开"}
        fields |= {
            f"{name}:{part}": f"{fields.get(name, name)}（{said}）"
            for name in declared.figures
            for part, said in (("sum", "合计"), ("min", "最小"), ("max", "最大"))
        }
    described = {"id": declared.key, "fields": fields, "minzoom": declared.min_zoom, "maxzoom": declared.max_zoom}
    if declared.cluster_px and declared.counted:
        described["description"] = f"合在一起的点另有“{declared.counted}:值”，说明其中每一种各有几处。"
    return described


def _root(request: HttpRequest) -> str:
    return f"{request.scheme}://{request.get_host()}"
