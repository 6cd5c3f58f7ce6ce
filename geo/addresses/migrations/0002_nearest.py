from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations


class Migration(migrations.Migration):
    """Indexes that order addresses and communities by metres, and find communities by a lane in their written address."""

    dependencies = [("addresses", "0001_initial")]

    operations = [
        TrigramExtension(),
        migrations.RunSQL(
            "CREATE INDEX address_nearest ON addresses_address USING gist ((geom::geography)) WHERE retired_at IS NULL",
            "DROP INDEX address_nearest",
        ),
        migrations.RunSQL(
            "CREATE INDEX community_nearest ON addresses_community USING gist ((geom::geography)) WHERE retired_at IS NULL",
            "DROP INDEX community_nearest",
        ),
        migrations.RunSQL(
            "CREATE INDEX community_address_text ON addresses_community USING gin (address_text gin_trgm_ops)"
            " WHERE retired_at IS NULL",
            "DROP INDEX community_address_text",
        ),
    ]
