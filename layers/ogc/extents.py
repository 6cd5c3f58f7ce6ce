"""Where and when the rows of a layer lie, kept until its edition changes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import shapely
from django.core.cache import cache

from geo.scope import Scope
from layers.reading import Box, read_page, read_rows, seen_by
from layers.spec import LayerSpec
from layers.tiling import layer_edition

KEPT_S: Final = 86_400
WHOLE_CITY_ZOOM: Final = 9
"""The nearest zoom at which a map still shows the whole city."""


@dataclass(frozen=True, slots=True)
class Extent:
    """The box around all rows in degrees, and the first and last moment; none where there are no rows or no moments."""

    box: Box | None
    first: dt.date | None = None
    last: dt.date | None = None


def extent_of(layer: LayerSpec, *, scope: Scope) -> Extent:
    """Return where and when the rows that a scope sees lie."""
    seen = seen_by(layer, scope)
    key = f"extent|{layer.key}|{layer_edition(layer)}|{sorted(seen.parameters.get('scope_paths', ()))}"
    kept: Extent | None = cache.get(key)
    if kept is None:
        kept = _measured(layer, scope)
        cache.set(key, kept, KEPT_S)
    return kept


def opening_box(layer: LayerSpec, *, scope: Scope) -> Box | None:
    """Return the box a preview opens on, in degrees: around all rows, or the first one where only few can be seen at once."""
    if layer.min_zoom <= WHOLE_CITY_ZOOM:
        return extent_of(layer, scope=scope).box
    rows = read_page(layer, scope=scope, limit=1, attributes=()).rows
    if not rows or rows[0].geometry is None:
        return None
    west, south, east, north = shapely.from_wkb(rows[0].geometry).bounds
    return west, south, east, north


def _measured(layer: LayerSpec, scope: Scope) -> Extent:
    seen = seen_by(layer, scope)
    moment = layer.attribute(layer.moment) if layer.moment else None
    moments = f"min({moment.sql}), max({moment.sql})" if moment else "NULL, NULL"
    [(west, south, east, north, first, last)] = read_rows(
        f"SELECT ST_XMin(e), ST_YMin(e), ST_XMax(e), ST_YMax(e), first, last FROM "
        f"(SELECT ST_Extent(t.geom) AS e, {moments} FROM {layer.table} t WHERE {seen.where}) AS r(e, first, last)",
        {**layer.parameters, **seen.parameters},
    )
    return Extent(None if west is None else (west, south, east, north), first, last)
