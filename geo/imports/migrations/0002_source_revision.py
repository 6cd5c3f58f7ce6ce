from django.db import migrations, models


class Migration(migrations.Migration):
    """A count of what people did to the rows of a source, by which kept names are known to be stale."""

    dependencies = [("imports", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="source",
            name="revision",
            field=models.PositiveIntegerField(
                db_default=0, default=0, help_text="counts the acts of people on its rows that make kept names stale"
            ),
        ),
    ]
