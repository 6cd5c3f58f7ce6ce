from django.db import migrations


class Migration(migrations.Migration):
    """Indexes that order addresses and communities by metres."""

    dependencies = [("addresses", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "CREATE INDEX address_nearest ON addresses_address USING gist ((geom::geography)) WHERE retired_at IS NULL",
            "DROP INDEX address_nearest",
        ),
        migrations.RunSQL(
            "CREATE INDEX community_nearest ON addresses_community USING gist ((geom::geography)) WHERE retired_at IS NULL",
            "DROP INDEX community_nearest",
        ),
    ]
