"""Points counted together: which lie in one cell of the world's grid, how many of what, and at which zoom they come apart.

Cells are a whole number to a tile and each lies in one of the zoom above, so a cluster stands in one tile only, its parts add up,
and no two tiles tell of it differently. The points of a source are held (``tiles.held``); of too many to hold the database counts
the cells of each tile.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping

from geo.crs.codes import CGCS2000
from tiles.asking import ask
from tiles.encoding import EXTENT, Value, encode_points
from tiles.held import ACROSS, alone, down_of, held_points, held_tile
from tiles.schemes import Tile
from tiles.source import TileSource


def cluster_tile(source: TileSource, tile: Tile) -> bytes:
    """Return a tile of counted points; slow SQL is ``Unavailable``."""
    held = held_points(source, tile.scheme) if source.name else None
    return encode_points(source.layer, _asked(source, tile)) if held is None else held_tile(source, held, tile)


def _asked(source: TileSource, tile: Tile) -> Iterator[tuple[int, int, Mapping[str, Value]]]:
    """Yield the cells of a tile as the database counts them: the same as of points that are held."""
    deepest, bits = source.deepest, source.cell_bits
    west, south, east, north = tile.with_margin(1e-6)
    world, size, cells = 1 << tile.z, len(source.columns), 1 << bits
    counted = next((column.sql for column in source.columns if column.name == source.counted), "NULL")
    named = {column.name: column.sql for column in source.columns}
    picked = "".join(f', ({named[name]})::float8 AS "figure {number}"' for number, name in enumerate(source.figures))
    told = "".join(
        f', sum("figure {number}"), min("figure {number}"), max("figure {number}")'
        for number in range(len(source.figures))
    )
    statement = f"""WITH points AS (
  SELECT t.id, {ACROSS} AS across, {down_of(tile.scheme)} AS down, ({counted})::text AS word{picked}
  FROM {source.table} t
  WHERE t.geom && ST_MakeEnvelope(%(tile_west)s, %(tile_south)s, %(tile_east)s, %(tile_north)s, {CGCS2000}) AND ({source.where})
), inside AS (
  SELECT *, floor((across * {world} - {tile.x}) * {cells})::int AS cx, floor((down * {world} - {tile.y}) * {cells})::int AS cy
  FROM points
), cells AS (
  SELECT cx, cy, count(*) AS many, avg(across) AS across, avg(down) AS down, min(id) AS first,
         floor(min(across) * {1 << deepest})::bigint # floor(max(across) * {1 << deepest})::bigint AS apart_x,
         floor(min(down) * {1 << deepest})::bigint # floor(max(down) * {1 << deepest})::bigint AS apart_y,
         CASE WHEN count(*) > 1 THEN array_agg(word) END AS words{told}
  FROM inside WHERE cx BETWEEN 0 AND {cells - 1} AND cy BETWEEN 0 AND {cells - 1} GROUP BY cx, cy
)
SELECT cells.*{"".join(f", {column.sql}" for column in source.columns)}
FROM cells LEFT JOIN {source.table} t ON t.id = cells.first ORDER BY cells.first"""
    box = {"tile_west": west, "tile_south": south, "tile_east": east, "tile_north": north}
    for row in ask(statement, {**source.parameters, **box}):
        _, _, many, across, down, _, apart_x, apart_y, words, *rest = row
        x, y = (math.floor((share * world - origin) * EXTENT) for share, origin in ((across, tile.x), (down, tile.y)))
        if many == 1:
            yield x, y, alone(source, tuple(rest[-size:] if size else ()))
            continue
        parts = max(apart_x, apart_y)
        kinds = Counter(f"{source.counted}:{word}" for word in sorted(filter(None, words)))
        zoom = deepest - (parts.bit_length() - 1) - bits if parts else source.cluster_below
        said: dict[str, Value] = {"count": many, "expansion_zoom": zoom, **kinds}
        for number, name in enumerate(source.figures):
            figures = rest[3 * number : 3 * number + 3]
            if figures[0] is not None:
                said |= {
                    f"{name}:{part}": float(value) for part, value in zip(("sum", "min", "max"), figures, strict=True)
                }
        yield x, y, said
