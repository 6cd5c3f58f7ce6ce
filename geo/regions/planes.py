"""The planes of our cities inside PostGIS: rows of ``spatial_ref_sys`` for those that no public registry numbers."""

from __future__ import annotations

from typing import Any, Final

from django.db import connections

from geo.crs import CITIES, SpatialReference, System

WRITE_PLANE: Final = """
    INSERT INTO spatial_ref_sys (srid, auth_name, auth_srid, srtext, proj4text) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (srid) DO UPDATE SET auth_name = excluded.auth_name, auth_srid = excluded.auth_srid,
        srtext = excluded.srtext, proj4text = excluded.proj4text
    WHERE (spatial_ref_sys.srtext, spatial_ref_sys.proj4text) IS DISTINCT FROM (excluded.srtext, excluded.proj4text)"""
FORGET_PLANE: Final = "DELETE FROM spatial_ref_sys WHERE srid = %s"


def own_planes() -> list[SpatialReference]:
    """Return the planes that PostGIS must be taught."""
    return [city.plane.spatial_reference() for city in CITIES.values() if city.plane.system is System.SH2000]


def row_of(plane: SpatialReference) -> tuple[int | str, ...]:
    """Return the parameters of ``WRITE_PLANE``."""
    return (plane.srid, plane.auth_name, plane.auth_srid, plane.srtext, plane.proj4text)


def teach_planes(*, using: str, **told: Any) -> None:
    """Bring ``spatial_ref_sys`` up to the parameters of this installation; called after every migration."""
    with connections[using].cursor() as cursor:
        for plane in own_planes():
            cursor.execute(WRITE_PLANE, row_of(plane))
