"""A layer drawn whole into one file of tiles (PMTiles 3), which needs no server but one that answers ranges of bytes."""

from __future__ import annotations

import gzip
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

from geo.crs.codes import CGCS2000
from geo.errors import BadInput
from geo.imports.queries import attribution
from geo.scope import Scope
from layers.reading import seen_by
from layers.spec import LayerSpec
from layers.tiling import Chosen, layer_edition, tile_source
from tiles.asking import ask
from tiles.encoding import EXTENT
from tiles.mvt import BUFFER, draw_tile
from tiles.schemes import Tile

MOST_TILES: Final = 150_000
LOOKED_AT: Final = 12
"""Zooms up to this one are looked at tile by tile for whether anything lies there; what lies under an empty tile is empty."""
E7: Final = 10_000_000


class _Writer(Writer):
    """The writer of the format, which also lets go of its own draft when the work is given up."""

    def close(self) -> None:
        """Let go of the tiles written so far."""
        self.tile_f.close()


Step = Callable[[float, str], object]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Archive:
    """What was written: of which edition, how many tiles that hold something, bytes of the file, features left out of tiles."""

    edition: str
    tiles: int
    size: int
    dropped: int


def write_pmtiles(
    layer: LayerSpec,
    path: Path,
    *,
    scope: Scope,
    from_zoom: int,
    to_zoom: int,
    step: Step = lambda share, said: None,
    chosen: Chosen | None = None,
) -> Archive:
    """Write what a scope sees of a layer to ``path``, whole or not at all: the same tiles that are answered one by one.

    ``step`` is told the share done (0 to 1) and a sentence; what it raises ends the work and leaves nothing. Raises ``BadInput``
    when there is nothing to draw or too much, ``Unavailable`` when a tile is too slow.
    """
    chosen = chosen or {}
    edition = layer_edition(layer)
    wanted = occupied_tiles(layer, scope=scope, from_zoom=from_zoom, to_zoom=to_zoom, chosen=chosen)
    handle, name = tempfile.mkstemp(prefix=path.name, suffix=".part", dir=path.parent)
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as file, closing(_Writer(file)) as writer:  # type: ignore[no-untyped-call]
            dropped = _write_tiles(writer, layer, wanted, scope, chosen, edition, step)
            writer.finalize(_header(wanted), _metadata(layer, edition, dropped))  # type: ignore[no-untyped-call]
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    return Archive(edition, writer.addressed_tiles, path.stat().st_size, dropped)


def occupied_tiles(
    layer: LayerSpec, *, scope: Scope, from_zoom: int, to_zoom: int, chosen: Chosen | None = None
) -> list[Tile]:
    """Return the tiles of some zooms where the layer has rows, in the order of a file of tiles. Raises ``BadInput``."""
    first, last = max(from_zoom, layer.min_zoom), min(to_zoom, layer.max_zoom)
    if first > last:
        raise BadInput(
            "archive_zooms",
            f"图层“{layer.title}”只在 {layer.min_zoom} 到 {layer.max_zoom} 级有瓦片，请改级别。",
            field="to_zoom",
        )
    condition, parameters = _rows(layer, scope, chosen or {})
    found = _under(Tile(0, 0, 0), first, last, condition, parameters)
    tiles: list[Tile] = []
    for tile in found:
        tiles.append(tile)
        if len(tiles) > MOST_TILES:
            raise BadInput(
                "archive_size", f"这样要画 {MOST_TILES:,} 块以上。请把最大级别调小，或缩小范围。", field="to_zoom"
            )
    if not tiles:
        raise BadInput("archive_empty", "这个图层里没有可以画的内容。")
    return sorted(tiles, key=_place)


def _under(tile: Tile, first: int, last: int, condition: str, parameters: Mapping[str, Any]) -> Iterator[Tile]:
    """Yield a tile and what lies below it, where rows are; the margin counts too: what lies there is drawn at the edge."""
    if tile.z <= LOOKED_AT:
        box = dict(
            zip(("tile_west", "tile_south", "tile_east", "tile_north"), tile.with_margin(BUFFER / EXTENT), strict=True)
        )
        [(there,)] = ask(f"SELECT EXISTS (SELECT 1 {condition})", {**parameters, **box})
        if not there:
            return
    if tile.z >= first:
        yield tile
    if tile.z < last:
        for y in (0, 1):
            for x in (0, 1):
                below = Tile(tile.z + 1, 2 * tile.x + x, 2 * tile.y + y)
                yield from _under(below, first, last, condition, parameters)


def _rows(layer: LayerSpec, scope: Scope, chosen: Chosen) -> tuple[str, dict[str, Any]]:
    seen = seen_by(layer, scope)
    narrowed = [choice.condition for choice in layer.choices if choice.name in chosen]
    where = " AND ".join(f"({each})" for each in (seen.where, *narrowed))
    box = f"ST_MakeEnvelope(%(tile_west)s, %(tile_south)s, %(tile_east)s, %(tile_north)s, {CGCS2000})"
    words = {name: list(values) for name, values in chosen.items()}
    return f"FROM {layer.table} t WHERE t.geom && {box} AND {where}", {**layer.parameters, **seen.parameters, **words}


def _write_tiles(
    writer: _Writer, layer: LayerSpec, wanted: Sequence[Tile], scope: Scope, chosen: Chosen, edition: str, step: Step
) -> int:
    dropped = 0
    for number, tile in enumerate(wanted, 1):
        source = tile_source(layer, tile.z, chosen=chosen, scope=scope, edition=edition)
        if source is not None:
            drawn = draw_tile(source, tile)
            dropped += drawn.dropped
            if drawn.content:
                writer.write_tile(_place(tile), gzip.compress(drawn.content, mtime=0))  # type: ignore[no-untyped-call]
        step(0.98 * number / len(wanted), f"已画 {number:,} 块，共 {len(wanted):,} 块")
    if not writer.addressed_tiles:
        raise BadInput("archive_empty", "这个图层里没有可以画的内容。")
    return dropped


def _place(tile: Tile) -> int:
    place: int = zxy_to_tileid(tile.z, tile.x, tile.y)
    return place


def _header(wanted: Sequence[Tile]) -> dict[str, Any]:
    deepest = max(tile.z for tile in wanted)
    boxes = [tile.bounds for tile in wanted if tile.z == deepest]
    west, south = (min(box[side] for box in boxes) for side in (0, 1))
    east, north = (max(box[side] for box in boxes) for side in (2, 3))
    return {
        "tile_type": TileType.MVT,
        "tile_compression": Compression.GZIP,
        "min_lon_e7": round(west * E7),
        "min_lat_e7": round(south * E7),
        "max_lon_e7": round(east * E7),
        "max_lat_e7": round(north * E7),
        "center_zoom": min(10, deepest),
        "center_lon_e7": round((west + east) / 2 * E7),
        "center_lat_e7": round((south + north) / 2 * E7),
    }


def _metadata(layer: LayerSpec, edition: str, dropped: int) -> dict[str, Any]:
    fields = {attribute.name: attribute.title for attribute in layer.attributes if attribute.tiled}
    described = {"id": layer.key, "fields": fields, "minzoom": layer.min_zoom, "maxzoom": layer.max_zoom}
    return {
        "name": layer.title,
        "description": layer.summary,
        "attribution": attribution(),
        "type": "overlay",
        "edition": edition,
        "dropped": dropped,
        "vector_layers": [described],
    }
