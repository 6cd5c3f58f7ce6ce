"""Reads of the base map that other packages compute with."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import shapely
from django.db import connection

from geo.basemap.models import BasemapKind


def water_surfaces(*, provenance: str, least_m2: float) -> npt.NDArray[np.object_]:
    """Return the current rivers, lakes and sea of published sources of a provenance, in CGCS2000 degrees.

    Multipolygons of at least ``least_m2`` square metres each, in an order that does not change from call to call.
    """
    with connection.chunked_cursor() as cursor:
        cursor.execute(_WATER, [provenance, [BasemapKind.WATER, BasemapKind.RIVER], least_m2])
        return np.array(shapely.from_wkb([bytes(row[0]) for row in cursor]), dtype=object)


_WATER: Final = """
    SELECT ST_AsBinary(b.geom) FROM basemap_basemapfeature b
    JOIN imports_source o ON o.id = b.source_id AND o.published_at IS NOT NULL AND o.retired_at IS NULL
    WHERE b.retired_at IS NULL AND o.provenance = %s AND b.kind = ANY(%s) AND b.area_m2 >= %s
    ORDER BY b.id"""
