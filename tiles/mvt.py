"""Vector tiles (MVT 2.1) out of PostGIS: one statement a tile, bounded in features, bytes and time."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from geo.crs.codes import CGCS2000
from geo.errors import Unavailable
from tiles.asking import ask
from tiles.clusters import cluster_tile
from tiles.encoding import EXTENT
from tiles.schemes import DEGREE_M, PIXELS, Tile
from tiles.source import Drawn, TileSource

log = logging.getLogger(__name__)

BUFFER: Final = 64
"""How far, in units of the tile, what lies beyond its edge is drawn too: one cell of the grid that crowds are thinned on."""
CELLS: Final = EXTENT // BUFFER
FEATURE_CAP: Final = 20_000
BYTE_CAP: Final = 500_000
SIMPLIFY_BELOW: Final = 15
DUST_PX: Final = 4
"""Areas smaller than this, both ways, are dust: of each square twice as wide only the largest is drawn."""
TRIES: Final = 12
BLOCK: Final = 2
"""Tiles are drawn by blocks of 2^BLOCK a side …"""
BLOCK_FROM: Final = 13
"""… from this zoom on."""


@dataclass(frozen=True, slots=True)
class _Terms:
    """How much may be drawn: so many features, thinned on so many cells a side, simplified so many times as coarsely."""

    cap: int
    cells: int = CELLS
    coarser: int = 1

    def tightened(self, drawn: int) -> _Terms:
        """Return terms under which a tile of ``drawn`` bytes should fit: bytes grow about as the features do."""
        if self.cap <= 1:
            return _Terms(1, self.cells, self.coarser * 4)
        aimed = int(self.cap * 0.9 * BYTE_CAP / drawn) if drawn else self.cap
        return _Terms(max(1, min(self.cap // 2, aimed)), self.cells, self.coarser)


def draw_tile(source: TileSource, tile: Tile) -> Drawn:
    """Draw one tile. Over a cap what stands closest or is least goes first; slow SQL is ``Unavailable``."""
    if source.clusters_at(tile.z):
        return Drawn(cluster_tile(source, tile))
    [(content, picked)] = ask(_all(source, tile), _parameters(source, tile, _Terms(FEATURE_CAP)))
    if picked <= FEATURE_CAP and len(content) <= BYTE_CAP:
        return Drawn(bytes(content))
    terms = _Terms(FEATURE_CAP) if picked > FEATURE_CAP else _Terms(picked).tightened(len(content))
    for _ in range(TRIES):
        [(content, kept, found)] = ask(_fewer(source, tile), _parameters(source, tile, terms))
        if len(content) <= BYTE_CAP and kept <= terms.cap:
            log.info("tile thinned", extra={"layer": source.layer, "z": tile.z, "found": found, "kept": kept})
            return Drawn(bytes(content), found - kept)
        if kept > terms.cap and terms.cells > 1:
            terms = _Terms(terms.cap, terms.cells // 2, terms.coarser)  # one for each cell is still too many
        else:
            terms = _Terms(min(terms.cap, kept), terms.cells, terms.coarser).tightened(len(content))
    raise Unavailable("tile_heavy", "这块地图的内容太多，画不下。请放大一级再看。", retry_after=60)


def draw_block(source: TileSource, tile: Tile) -> dict[Tile, Drawn]:
    """Draw a tile together with those around it, in one statement: who asks for one soon asks for the others.

    Far out, where a tile holds much, it is drawn alone; so it is when the block takes too long or the tile is over a cap.
    """
    if tile.z < BLOCK_FROM:
        return {tile: draw_tile(source, tile)}
    corner = tile.above(BLOCK)
    side = 1 << BLOCK
    block = [
        Tile(tile.z, corner.x * side + x, corner.y * side + y, tile.scheme) for y in range(side) for x in range(side)
    ]
    try:
        found = ask(
            _together(source, block), {**source.parameters, "tile_layer": source.layer, "tile_cap": FEATURE_CAP}
        )
    except Unavailable:
        return {tile: draw_tile(source, tile)}
    drawn = {
        block[place]: Drawn(bytes(content))
        for place, content, picked in found
        if picked <= FEATURE_CAP and len(content) <= BYTE_CAP
    }
    return drawn if tile in drawn else drawn | {tile: draw_tile(source, tile)}


def _together(source: TileSource, block: Sequence[Tile]) -> str:
    """Return the statement of a tile asked of several: what differs between them are columns of ``b`` instead of parameters."""
    terms = [_place(tile, _Terms(FEATURE_CAP)) for tile in block]
    rows = ", ".join(
        f"({number}, {', '.join(repr(value) for value in each.values())})" for number, each in enumerate(terms)
    )
    one = _all(source, block[0])
    for name in terms[0]:
        one = one.replace(f"%({name})s", f"b.{name}")
    return f"""SELECT b.place, one.* FROM (VALUES {rows}) b(place, {", ".join(terms[0])})
CROSS JOIN LATERAL ({one}) one(content, picked)"""


def _parameters(source: TileSource, tile: Tile, terms: _Terms) -> dict[str, Any]:
    return {**source.parameters, "tile_layer": source.layer, "tile_cap": terms.cap, **_place(tile, terms)}


def _place(tile: Tile, terms: _Terms) -> dict[str, float]:
    """Return where a tile lies and how large a pixel is there, in degrees wherever the geometry is not yet in the scheme."""
    west, south, east, north = tile.with_margin(BUFFER / EXTENT)
    left, bottom, right, top = tile.extent
    if tile.scheme.srid == CGCS2000:
        wide = high = tile.pixel
    else:
        wide = tile.pixel / DEGREE_M
        high = wide * math.cos(math.radians((south + north) / 2))
    # A pixel is lower than wide, in degrees: measured by its height nothing is simplified by more than half of one.
    tolerance = high / 2 * terms.coarser if tile.z < SIMPLIFY_BELOW or terms.coarser > 1 else 0.0
    return {
        "tile_west": west, "tile_south": south, "tile_east": east, "tile_north": north,
        "tile_left": left, "tile_bottom": bottom, "tile_right": right, "tile_top": top,
        "tile_tolerance": tolerance, "tile_dust_x": DUST_PX * wide, "tile_dust_y": DUST_PX * high,
        "tile_cell_x": PIXELS * wide / terms.cells, "tile_cell_y": PIXELS * high / terms.cells,
    }  # fmt: skip


# The tile's box is moved to the column's system, never the column to the tile's: the spatial index stays in use.
_INSIDE: Final = f"t.geom && ST_MakeEnvelope(%(tile_west)s, %(tile_south)s, %(tile_east)s, %(tile_north)s, {CGCS2000})"


def _all(source: TileSource, tile: Tile) -> str:
    """Return the statement of a tile that is not crowded: its bytes, and how many features it was to hold."""
    return f"""WITH picked AS (
  SELECT t.* FROM {_here(source, tile)} t ORDER BY {_order(source)} LIMIT %(tile_cap)s + 1
), {_drawn(source, tile, "picked")}
SELECT {_bytes()}, count(*) FROM drawn"""


def _fewer(source: TileSource, tile: Tile) -> str:
    """Return the statement of a tile that is too full: its bytes, how many features it keeps, how many there are.

    Points: of each cell of the world's grid so many may stay as lets the whole fit, the same number in every cell, so that where
    they stand alone they all stay. Lines and areas: the least go first.
    """
    if source.geometry == "point":
        keep = f"""ranked AS (
  SELECT t.*, row_number() OVER (
    PARTITION BY floor(ST_X(t.geom) / %(tile_cell_x)s), floor(ST_Y(t.geom) / %(tile_cell_y)s) ORDER BY {_order(source)}
  ) AS tile_rank FROM found t
), room AS (
  SELECT max(tile_rank) AS most FROM (
    SELECT tile_rank, sum(count(*)) OVER (ORDER BY tile_rank) AS filled FROM ranked GROUP BY tile_rank
  ) s WHERE filled <= %(tile_cap)s
), picked AS (
  SELECT t.* FROM ranked t WHERE tile_rank <= coalesce((SELECT most FROM room), 1)
)"""
    else:
        keep = f"picked AS (SELECT t.* FROM found t ORDER BY {_order(source)} LIMIT %(tile_cap)s)"
    return f"""WITH found AS MATERIALIZED (
  SELECT t.* FROM {source.table} t WHERE {_INSIDE} AND ({source.where})
), {keep}, {_drawn(source, tile, "picked")}
SELECT {_bytes()}, count(*), (SELECT count(*) FROM found) FROM drawn"""


def _here(source: TileSource, tile: Tile) -> str:
    """Return the rows of a tile; of areas that are dust at its zoom, only those that are seen."""
    inside = f"SELECT t.* FROM {source.table} t WHERE {_INSIDE} AND ({source.where})"
    if source.geometry != "polygon" or tile.z >= SIMPLIFY_BELOW:
        return f"({inside})"
    boxed = (
        f"(SELECT t.*, Box3D(t.geom) AS tile_box FROM {source.table} t WHERE {_INSIDE} AND ({source.where}) OFFSET 0)"
    )
    wide, high = (f"(ST_{side}Max(t.tile_box) - ST_{side}Min(t.tile_box))" for side in "XY")
    dust = f"{wide} < %(tile_dust_x)s AND {high} < %(tile_dust_y)s"
    squares = "floor(ST_XMin(t.tile_box) / (2 * %(tile_dust_x)s)), floor(ST_YMin(t.tile_box) / (2 * %(tile_dust_y)s))"
    return f"""(
  SELECT t.* FROM {boxed} t WHERE NOT ({dust}) OR t.id IN (
    SELECT (max(ARRAY[{wide} * {high}, t.id]))[2]::bigint FROM {boxed} t WHERE {dust} GROUP BY {squares}
  )
)"""


def _drawn(source: TileSource, tile: Tile, rows: str) -> str:
    shape = "t.geom" if source.geometry == "point" else "ST_Simplify(t.geom, %(tile_tolerance)s, true)"
    if tile.scheme.srid != CGCS2000:
        shape = f"ST_Transform({shape}, {tile.scheme.srid})"
    envelope = f"ST_MakeEnvelope(%(tile_left)s, %(tile_bottom)s, %(tile_right)s, %(tile_top)s, {tile.scheme.srid})"
    columns = "".join(f'{column.sql} AS "{column.name}", ' for column in source.columns)
    return f"""drawn AS (
  SELECT {columns}ST_AsMVTGeom({shape}, {envelope}, {EXTENT}, {BUFFER}, true) AS geom FROM {rows} t
  OFFSET 0  -- a shape is made once, not again for every time it is named
)"""


def _bytes() -> str:
    return f"coalesce(ST_AsMVT(drawn, %(tile_layer)s, {EXTENT}, 'geom') FILTER (WHERE drawn.geom IS NOT NULL), '')"


def _order(source: TileSource) -> str:
    least = {"point": "", "line": "ST_Length(t.geom) DESC, ", "polygon": "ST_Area(t.geom) DESC, "}[source.geometry]
    return (f"{source.order}, " if source.order else least) + "t.id"
