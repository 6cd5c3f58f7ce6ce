"""Teach PostGIS the planes of our cities that no public registry numbers: 上海2000 becomes a row of spatial_ref_sys."""

from django.db import migrations

from geo.regions.planes import FORGET_PLANE, WRITE_PLANE, own_planes, row_of


class Migration(migrations.Migration):
    dependencies = [("regions", "0001_initial")]
    operations = [
        migrations.RunSQL(sql=[(WRITE_PLANE, row_of(plane))], reverse_sql=[(FORGET_PLANE, [plane.srid])])
        for plane in own_planes()
    ]
