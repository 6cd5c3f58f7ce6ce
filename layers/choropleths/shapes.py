"""The shapes of regions on the city's plane, thinned so that neighbours still meet: made once for each edition."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
import shapely
from django.db import connection

from geo.answering import once
from geo.geometry.measures import to_plane
from geo.regions.models import RegionVersion
from geo.regions.queries import current_city, published_edition
from layers.choropleths.drawing import Shape

FINEST: Final = 1 / 2400
"""How far an edge may move, as a part of the longer side: less than a pixel on a wall."""


def shapes_below(path: str, level: str) -> tuple[Shape, ...]:
    """Return the shapes of the regions of a level under a path in the published edition, by code."""
    edition = once("published edition", published_edition)
    if edition is None:
        return ()
    return _shapes(str(connection.settings_dict["NAME"]), edition.pk, str(edition.published_at), path, level)


@lru_cache(maxsize=256)
def _shapes(database: str, edition: int, published: str, path: str, level: str) -> tuple[Shape, ...]:
    versions = RegionVersion.objects.filter(edition=edition, path__startswith=path, level=level).order_by("code")
    rows = list(versions.values_list("path", "geom", "label"))
    if not rows:
        return ()
    city = current_city()
    polygons = to_plane(np.array([shapely.from_wkb(bytes(geom.wkb)) for _, geom, _ in rows], dtype=object), city)
    west, south, east, north = shapely.total_bounds(polygons)
    thinned = shapely.coverage_simplify(polygons, max(east - west, north - south) * FINEST)
    labels = to_plane(np.array([shapely.Point(label.x, label.y) for _, _, label in rows], dtype=object), city)
    return tuple(
        Shape(row[0], polygon, (label.x, label.y)) for row, polygon, label in zip(rows, thinned, labels, strict=True)
    )
