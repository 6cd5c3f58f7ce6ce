"""Features as GeoJSON, in any system of ``/ogc``: whole pages at once, because a page may hold ten thousand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import shapely

from layers.ogc.systems import OgcCrs
from layers.reading import Row

FloatArray = npt.NDArray[np.float64]


def features(rows: Sequence[Row], crs: OgcCrs) -> list[dict[str, Any]]:
    """Return rows read in the system's own number as GeoJSON features, positions in its declared order and rounded."""
    return [
        {"type": "Feature", "id": row.id, "geometry": shape, "properties": _properties(row.properties)}
        for row, shape in zip(rows, _shapes(rows, crs), strict=True)
    ]


def _shapes(rows: Sequence[Row], crs: OgcCrs) -> list[Any]:
    found = shapely.from_wkb(np.array([row.geometry for row in rows], dtype=object))

    def told(points: FloatArray) -> FloatArray:
        rounded: FloatArray = np.round(points[:, ::-1] if crs.swapped else points, crs.decimals)
        return rounded

    written = shapely.to_geojson(shapely.transform(found, told))
    return [None if text is None else orjson.Fragment(text) for text in written]


def _properties(given: dict[str, Any]) -> dict[str, Any]:
    return {name: _told(value) if isinstance(value, dt.datetime) else value for name, value in given.items()}


def _told(moment: dt.datetime) -> str:
    """Return a moment as RFC 3339 in UTC."""
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
