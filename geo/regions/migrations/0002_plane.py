"""Teach PostGIS the planes of our cities that no public registry numbers: 上海2000 becomes a row of spatial_ref_sys."""

from django.db import migrations

from geo.crs import CITIES, System

OWN_PLANES = [city.plane.spatial_reference() for city in CITIES.values() if city.plane.system is System.SH2000]

operations_of = [
    migrations.RunSQL(
        sql=[
            (
                "INSERT INTO spatial_ref_sys (srid, auth_name, auth_srid, srtext, proj4text) VALUES (%s, %s, %s, %s, %s) "
                "ON CONFLICT (srid) DO UPDATE SET auth_name = EXCLUDED.auth_name, auth_srid = EXCLUDED.auth_srid, "
                "srtext = EXCLUDED.srtext, proj4text = EXCLUDED.proj4text",
                [row.srid, row.auth_name, row.auth_srid, row.srtext, row.proj4text],
            )
        ],
        reverse_sql=[("DELETE FROM spatial_ref_sys WHERE srid = %s", [row.srid])],
    )
    for row in OWN_PLANES
]


class Migration(migrations.Migration):
    dependencies = [("regions", "0001_initial")]
    operations = operations_of
