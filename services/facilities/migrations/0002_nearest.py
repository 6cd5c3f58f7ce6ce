from django.contrib.postgres.operations import BtreeGistExtension
from django.db import migrations


class Migration(migrations.Migration):
    """Indexes that order facilities by metres: over all of them, and within each kind."""

    dependencies = [("facilities", "0001_initial")]

    operations = [
        BtreeGistExtension(),
        migrations.RunSQL(
            "CREATE INDEX facility_nearest ON facilities_facility USING gist ((geom::geography)) WHERE retired_at IS NULL",
            "DROP INDEX facility_nearest",
        ),
        migrations.RunSQL(
            "CREATE INDEX facility_nearest_of_kind ON facilities_facility USING gist (kind_id, (geom::geography))"
            " WHERE retired_at IS NULL",
            "DROP INDEX facility_nearest_of_kind",
        ),
    ]
