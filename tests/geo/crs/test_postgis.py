"""The plane's row of spatial_ref_sys, as PostGIS understands it: same metres as ours, both ways."""

import numpy as np
import pytest
from django.db import connection

from geo.crs import SHANGHAI, Coordinates, System, convert
from geo.crs.codes import CGCS2000


@pytest.fixture
def plane_row(db):
    row = SHANGHAI.plane.spatial_reference()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM spatial_ref_sys WHERE srid = %s", [row.srid])
        cursor.execute(
            "INSERT INTO spatial_ref_sys (srid, auth_name, auth_srid, srtext, proj4text) VALUES (%s, %s, %s, %s, %s)",
            [row.srid, row.auth_name, row.auth_srid, row.srtext, row.proj4text],
        )
    return row


@pytest.mark.parametrize("kept", ["both", "srtext", "proj4text"])
def test_postgis_projects_as_we_do_from_either_text(plane_row, kept):
    box = SHANGHAI.bbox
    rng = np.random.default_rng(21)
    lon, lat = rng.uniform(box.west, box.east, 200), rng.uniform(box.south, box.north, 200)
    east, north = SHANGHAI.plane.forward(lon, lat)
    with connection.cursor() as cursor:
        if kept != "both":
            emptied = {"srtext": "proj4text", "proj4text": "srtext"}[kept]
            cursor.execute(f"UPDATE spatial_ref_sys SET {emptied} = '' WHERE srid = %s", [plane_row.srid])
        cursor.execute(
            "WITH given AS (SELECT * FROM unnest(%s::float8[], %s::float8[]) WITH ORDINALITY AS t(lon, lat, row)),"
            " there AS (SELECT row, ST_Transform(ST_SetSRID(ST_MakePoint(lon, lat), %s), %s) AS p FROM given)"
            " SELECT ST_X(p), ST_Y(p), ST_X(ST_Transform(p, %s)), ST_Y(ST_Transform(p, %s)) FROM there ORDER BY row",
            [lon.tolist(), lat.tolist(), CGCS2000, plane_row.srid, CGCS2000, CGCS2000],
        )
        got = np.array(cursor.fetchall())
    assert np.abs(got[:, 0] - east).max() < 1e-6
    assert np.abs(got[:, 1] - north).max() < 1e-6
    assert np.abs(got[:, 2] - lon).max() < 1e-11
    assert np.abs(got[:, 3] - lat).max() < 1e-11


@pytest.mark.parametrize("system", [System.GK3_CM120E, System.GK3_ZONE40, System.GK6_CM123E, System.WEB_MERCATOR])
def test_the_systems_postgis_knows_already_agree_with_ours(db, system):
    ours = convert(Coordinates(np.array([121.3]), np.array([31.1]), System.CGCS2000), system)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ST_X(p), ST_Y(p) FROM (SELECT ST_Transform(ST_SetSRID(ST_MakePoint(121.3, 31.1), %s), %s) AS p) t",
            [CGCS2000, system.srid],
        )
        assert cursor.fetchone() == pytest.approx((ours.x[0], ours.y[0]), abs=1e-6)
