"""Reads of the base map that other packages compute with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely
from django.db import connection

from geo.basemap.models import BasemapKind
from geo.crs.codes import CGCS2000


@dataclass(frozen=True, slots=True, eq=False)
class Building:
    """A building of the base map, '' without a name; ``height_m`` above its ground where known, ``shape`` in CGCS2000 degrees."""

    name: str
    height_m: float | None
    source: str
    shape: shapely.Geometry


def water_surfaces(*, provenance: str, least_m2: float) -> npt.NDArray[np.object_]:
    """Return the current rivers, lakes and sea of published sources of a provenance, in CGCS2000 degrees.

    Multipolygons of at least ``least_m2`` square metres each, in an order that does not change from call to call.
    """
    with connection.chunked_cursor() as cursor:
        cursor.execute(_WATER, [provenance, [BasemapKind.WATER, BasemapKind.RIVER], least_m2])
        return np.array(shapely.from_wkb([bytes(row[0]) for row in cursor]), dtype=object)


def water_at(lon: float, lat: float) -> str | None:
    """Return the name of the river, lake or sea at a point in CGCS2000 degrees: '' for one without a name, ``None`` on land."""
    with connection.cursor() as cursor:
        cursor.execute(_WATER_AT, [[BasemapKind.WATER, BasemapKind.RIVER], lon, lat, CGCS2000])
        row = cursor.fetchone()
    return None if row is None else str(row[0])


def building_at(lon: float, lat: float, *, within_deg: float) -> Building | None:
    """Return the building that holds a point in CGCS2000 degrees, else the nearest within some degrees of it.

    Of several that hold it the highest.
    """
    with connection.cursor() as cursor:
        cursor.execute(_BUILDING_AT, [lon, lat, CGCS2000, BasemapKind.BUILDING, within_deg])
        row = cursor.fetchone()
    return None if row is None else Building(row[0], row[1], row[2], shapely.from_wkb(bytes(row[3])))


_BUILDING_AT: Final = """
    SELECT b.name, b.height_m, o.title, ST_AsBinary(b.geom)
    FROM (SELECT ST_SetSRID(ST_MakePoint(%s, %s), %s) AS geom) p, basemap_basemapfeature b
    JOIN imports_source o ON o.id = b.source_id AND o.published_at IS NOT NULL AND o.retired_at IS NULL
    WHERE b.retired_at IS NULL AND b.kind = %s AND ST_DWithin(b.geom, p.geom, %s)
    ORDER BY ST_Distance(b.geom, p.geom), b.height_m DESC NULLS LAST, b.id LIMIT 1"""
_WATER_AT: Final = """
    SELECT b.name FROM basemap_basemapfeature b
    JOIN imports_source o ON o.id = b.source_id AND o.published_at IS NOT NULL AND o.retired_at IS NULL
    WHERE b.retired_at IS NULL AND b.kind = ANY(%s) AND ST_Covers(b.geom, ST_SetSRID(ST_MakePoint(%s, %s), %s))
    ORDER BY b.name DESC LIMIT 1"""
_WATER: Final = """
    SELECT ST_AsBinary(b.geom) FROM basemap_basemapfeature b
    JOIN imports_source o ON o.id = b.source_id AND o.published_at IS NOT NULL AND o.retired_at IS NULL
    WHERE b.retired_at IS NULL AND o.provenance = %s AND b.kind = ANY(%s) AND b.area_m2 >= %s
    ORDER BY b.id"""
