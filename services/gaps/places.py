"""The places that count: those of a kind that are open and on the map, and a text that changes whenever they do."""

from __future__ import annotations

from typing import Final

import numpy as np
from django.contrib.gis.db.models.functions import AsWKB
from django.db import connection
from shapely import from_wkb, get_x, get_y

from geo.addresses.gazetteer import Published
from geo.imports.models import Family
from geo.regions.queries import current_city
from geo.scope import Scope
from services.facilities.models import Facility
from services.facilities.queries import OPEN, visible
from services.gaps.ground import Floats

# What ``visible`` means for those that are open, which everybody may see.
_STAMPS: Final = """
    SELECT kind_id, md5(string_agg(id || ' ' || md5(ST_AsBinary(geom)), ',' ORDER BY id)) FROM facilities_facility
    WHERE retired_at IS NULL AND status = %s AND source_id = ANY(%s) AND (%s = '' OR kind_id = %s) GROUP BY 1"""
NO_PLACES: Final = ""
"""The stamp of a kind without an open place."""


def stamps(published: Published, kind: str = "") -> dict[str, str]:
    """Return by kind, of all or of one, a text that changes when a place of it opens, closes, moves or is put to another kind."""
    with connection.cursor() as cursor:
        cursor.execute(_STAMPS, [*OPEN, list(published.ids(Family.FACILITIES)), kind, kind])
        return dict(cursor.fetchall())


def places_of(kind: str, published: Published) -> tuple[Floats, Floats]:
    """Return where the open places of a kind are, east and north in metres of the city's plane."""
    rows = Facility.objects.filter(visible(Scope.public(), published), kind=kind).order_by("pk")
    points = from_wkb([bytes(wkb) for wkb in rows.values_list(AsWKB("geom"), flat=True)])
    east, north = current_city().plane.forward(
        np.asarray(get_x(points), dtype=np.float64), np.asarray(get_y(points), dtype=np.float64)
    )
    return np.asarray(east), np.asarray(north)
