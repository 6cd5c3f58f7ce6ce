"""Tiles of base maps: kept on disk, asked for once however many wait, the last good one while the server is away."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.core.cache import cache, caches

from geo.crs.cities import CITIES
from geo.errors import NotFound, Unavailable
from services.basemaps.models import BaseMap
from services.basemaps.queries import Part, imagery_of
from services.integrations.basemaps.client import fetch_tile
from tiles.schemes import Tile

STORE: Final = "basemaps"
ASK_S: Final = 10
POLL_S: Final = 0.05
REST_S: Final = 20
"""How long a tile that did not come is not asked for again."""
WIDE_ZOOM: Final = 7
"""Up to here a tile shows the whole region; beyond it only those that touch the city are given out."""
MARGIN_DEG: Final = 0.6


@dataclass(frozen=True, slots=True)
class Kept:
    """A tile: its bytes (none where the server has none), their media type, when they came (Unix time), whether long ago."""

    content: bytes
    kind: str
    at: float
    stale: bool = False


def tile_of(row: BaseMap, part: Part, tile: Tile) -> Kept:
    """Return a tile of a base map. Raises ``NotFound`` outside the city and its zooms, ``Unavailable`` when none can be had."""
    if not row.min_zoom <= tile.z <= row.max_zoom or not _near_city(tile):
        raise NotFound("tile_outside", "底图只有上海的范围。")
    name = f"{row.uid}:{row.revision}:{part}:{tile.z}:{tile.x}:{tile.y}"
    held = _held(name)
    if held is not None and not held.stale:
        return held
    if cache.get(f"basemap-rest:{name}"):
        return _last_good(held)
    if not cache.add(f"basemap-lock:{name}", 1, timeout=ASK_S):
        return held or _awaited(name)
    try:
        return _fetched(row, part, tile, name)
    except Unavailable:
        cache.set(f"basemap-rest:{name}", 1, timeout=REST_S)
        if held is None:
            raise
        return held
    finally:
        cache.delete(f"basemap-lock:{name}")


def _fetched(row: BaseMap, part: Part, tile: Tile, name: str) -> Kept:
    picture = fetch_tile(imagery_of(row, part), tile.z, tile.x, tile.y)
    kept = Kept(picture.content, picture.kind, time.time())
    caches[STORE].set(name, (kept.content, kept.kind, kept.at))
    return kept


def _held(name: str) -> Kept | None:
    found = caches[STORE].get(name)
    if found is None:
        return None
    content, kind, at = found
    return Kept(content, kind, at, stale=time.time() - at > settings.BASE_MAP_FRESH_S)


def _last_good(held: Kept | None) -> Kept:
    if held is None:
        raise Unavailable("base_map_away", "这个底图暂时打不开，请先用电子地图。", retry_after=REST_S)
    return held


def _awaited(name: str) -> Kept:
    """Wait for whoever is asking for this very tile."""
    until = time.monotonic() + ASK_S
    while time.monotonic() < until:
        time.sleep(POLL_S)
        held = _held(name)
        if held is not None:
            return held
        if not cache.get(f"basemap-lock:{name}"):
            break
    return _last_good(_held(name))


def _near_city(tile: Tile) -> bool:
    city, box = CITIES[settings.CITY].bbox, tile.bounds
    west, south, east, north = box
    return tile.z <= WIDE_ZOOM or (
        west < city.east + MARGIN_DEG and east > city.west - MARGIN_DEG
        and south < city.north + MARGIN_DEG and north > city.south - MARGIN_DEG
    )  # fmt: skip
