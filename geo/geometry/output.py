"""GeoJSON as the API writes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import orjson
import shapely
from shapely.geometry.base import BaseGeometry

from geo.crs import System
from geo.geometry.measures import from_stored

DECIMALS: Final = 7
"""Decimals of degrees in every answer: about a centimetre."""


def rounded(geometry: BaseGeometry) -> BaseGeometry:
    """Return the geometry with degrees rounded to seven decimals."""
    return shapely.transform(geometry, lambda points: np.round(points, DECIMALS))


def geojson(geometry: BaseGeometry, system: System = System.WGS84) -> dict[str, Any]:
    """Return a stored geometry as a GeoJSON dict in ``system``: degrees rounded to 7 decimals, metres to 3."""
    moved = from_stored(geometry, system)
    decimals = DECIMALS if system.is_geographic else 3
    answer: dict[str, Any] = orjson.loads(
        shapely.to_geojson(shapely.transform(moved, lambda points: np.round(points, decimals)))
    )
    return answer


def feature(
    geometry: BaseGeometry, properties: dict[str, Any], system: System = System.WGS84, key: str | int | None = None
) -> dict[str, Any]:
    """Return a GeoJSON Feature of a stored geometry in ``system``."""
    made = {"type": "Feature", "geometry": geojson(geometry, system), "properties": properties}
    return made if key is None else {**made, "id": key}


def feature_collection(features: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return a GeoJSON FeatureCollection."""
    return {"type": "FeatureCollection", "features": list(features)}
