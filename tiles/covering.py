"""Which tiles an area needs. Pure; degrees."""

from __future__ import annotations

from collections.abc import Iterator

import shapely
from shapely.geometry.base import BaseGeometry

from tiles.schemes import Tile, tile_at


def covering(area: BaseGeometry, from_zoom: int, to_zoom: int) -> Iterator[Tile]:
    """Yield the tiles of some zooms that touch an area in degrees, coarse before fine, each once; none for an empty area.

    From the second zoom on only what lies under a tile that touched is looked at.
    """
    if area.is_empty or to_zoom < from_zoom:
        return
    shapely.prepare(area)
    touched = [tile for tile in _over_box(area.bounds, from_zoom) if _touches(area, tile)]
    yield from touched
    for _ in range(from_zoom, to_zoom):
        touched = [below for tile in touched for below in _under(tile) if _touches(area, below)]
        yield from touched


def _over_box(box: tuple[float, float, float, float], zoom: int) -> Iterator[Tile]:
    west, south, east, north = box
    first, last = tile_at(west, north, zoom), tile_at(east, south, zoom)
    for y in range(first.y, last.y + 1):
        for x in range(first.x, last.x + 1):
            yield Tile(zoom, x, y)


def _under(tile: Tile) -> Iterator[Tile]:
    for y in (0, 1):
        for x in (0, 1):
            yield Tile(tile.z + 1, 2 * tile.x + x, 2 * tile.y + y)


def _touches(area: BaseGeometry, tile: Tile) -> bool:
    return bool(area.intersects(shapely.box(*tile.bounds)))
