"""Vector tiles (MVT 2.1) out of PostGIS: one statement a tile, bounded in features, bytes and time."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

from geo.crs.codes import CGCS2000, WEB_MERCATOR
from geo.errors import Unavailable
from tiles.schemes import Tile

log = logging.getLogger(__name__)

EXTENT: Final = 4096
BUFFER: Final = 80
FEATURE_CAP: Final = 20_000
BYTE_CAP: Final = 500_000
TIMEOUT_MS: Final = 4_000
SIMPLIFY_BELOW: Final = 15


@dataclass(frozen=True, slots=True)
class TileSource:
    """What one tile layer is drawn from: constant SQL written by the layer's owner, values only as parameters.

    ``columns`` are SQL expressions with ``AS``; ``order`` puts first what must survive when a cap bites; ``cluster_px``
    merges points closer than that many pixels into one with a ``count``.
    """

    layer: str
    table: str
    columns: Sequence[str]
    where: str = "TRUE"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    order: str = ""
    cluster_px: int = 0


def tile_bytes(source: TileSource, tile: Tile) -> bytes:
    """Draw one tile. Over the byte cap the least important features are left out until it fits; slow SQL is ``Unavailable``."""
    cap = FEATURE_CAP
    statement = _clusters(source) if source.cluster_px else _features(source)
    while True:
        drawn = _run(statement, _parameters(source, tile, cap))
        if len(drawn) <= BYTE_CAP or cap <= 100:
            return drawn
        # Bytes grow about as the features do, so the next cap is aimed a little below the limit.
        cap = max(100, min(cap // 2, int(cap * 0.9 * BYTE_CAP / len(drawn))))
        log.info("tile over the byte cap", extra={"layer": source.layer, "z": tile.z, "bytes": len(drawn), "cap": cap})


def _parameters(source: TileSource, tile: Tile, cap: int) -> dict[str, Any]:
    # Half a pixel cannot be seen, and leaving it out halves what is sent.
    tolerance = tile.pixel / 2 if tile.z < SIMPLIFY_BELOW else 0.0
    return {
        **source.parameters,
        "z": tile.z,
        "x": tile.x,
        "y": tile.y,
        "cap": cap,
        "layer": source.layer,
        "tolerance": tolerance,
        "grid": tile.pixel * source.cluster_px,
    }


# The tile's box is moved to the column's system, never the column to the tile's: the spatial index stays in use.
_BOX = f"""
WITH tile AS (
  SELECT ST_TileEnvelope(%(z)s, %(x)s, %(y)s) AS envelope,
         ST_Transform(ST_TileEnvelope(%(z)s, %(x)s, %(y)s, margin => {BUFFER / EXTENT}), {CGCS2000}) AS box
)"""


def _features(source: TileSource) -> str:
    drawn = f"ST_Transform(t.geom, {WEB_MERCATOR})"
    shape = f"ST_Simplify({drawn}, %(tolerance)s, true)"
    return f"""{_BOX},
picked AS (
  SELECT t.* FROM {source.table} t, tile
  WHERE t.geom && tile.box AND ({source.where})
  {f"ORDER BY {source.order}" if source.order else ""} LIMIT %(cap)s
),
drawn AS (
  SELECT {", ".join(source.columns)},
         ST_AsMVTGeom({shape}, tile.envelope, {EXTENT}, {BUFFER}, true) AS geom
  FROM picked t, tile
)
SELECT ST_AsMVT(drawn, %(layer)s, {EXTENT}, 'geom') FROM drawn WHERE geom IS NOT NULL"""


def _clusters(source: TileSource) -> str:
    # Cells hang on the world's grid, not on the tile's, so a cluster is the same in the two tiles it stands between.
    return f"""{_BOX},
points AS (
  SELECT ST_Transform(t.geom, {WEB_MERCATOR}) AS at, t.* FROM {source.table} t, tile
  WHERE t.geom && tile.box AND ({source.where})
),
cells AS (
  SELECT floor(ST_X(at) / %(grid)s) AS cx, floor(ST_Y(at) / %(grid)s) AS cy, count(*) AS count,
         ST_Centroid(ST_Collect(at)) AS centre, min(id) AS first
  FROM points GROUP BY 1, 2 ORDER BY count(*) DESC LIMIT %(cap)s
),
drawn AS (
  SELECT cells.count, {", ".join(f"CASE WHEN cells.count = 1 THEN {_value(c)} END AS {_name(c)}" for c in source.columns)},
         ST_AsMVTGeom(cells.centre, tile.envelope, {EXTENT}, {BUFFER}, true) AS geom
  FROM cells JOIN {source.table} t ON t.id = cells.first, tile
)
SELECT ST_AsMVT(drawn, %(layer)s, {EXTENT}, 'geom') FROM drawn WHERE geom IS NOT NULL"""


def attribute_name(column: str) -> str:
    """Return the name under which a column expression appears in a tile."""
    return column.rpartition(" AS ")[2].rpartition(".")[2].strip('"')


def _value(column: str) -> str:
    return column.rpartition(" AS ")[0] or column


def _name(column: str) -> str:
    return attribute_name(column) if '"' not in column else f'"{attribute_name(column)}"'


def _run(statement: str, parameters: Mapping[str, Any]) -> bytes:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {TIMEOUT_MS}")
            cursor.execute(statement, parameters)
            row = cursor.fetchone()
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise Unavailable("tile_slow", "这块地图画得太慢，已经停下。请放大一级再看。", retry_after=5) from error
        raise
    return bytes(row[0]) if row and row[0] else b""
