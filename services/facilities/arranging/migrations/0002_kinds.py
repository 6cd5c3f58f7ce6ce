from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('facilities_arranging', '0001_initial'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='arrangementversion',
            name='arrangement_number_once',
        ),
        migrations.RemoveConstraint(
            model_name='arrangementversion',
            name='arrangement_draft_once',
        ),
        migrations.RenameField(
            model_name='arrangementversion',
            old_name='group',
            new_name='kinds',
        ),
        migrations.AlterField(
            model_name='arrangementversion',
            name='kinds',
            field=models.SlugField(max_length=40),
        ),
        migrations.AddConstraint(
            model_name='arrangementversion',
            constraint=models.UniqueConstraint(fields=('city', 'kinds', 'entry', 'number'), name='arrangement_number_once'),
        ),
        migrations.AddConstraint(
            model_name='arrangementversion',
            constraint=models.UniqueConstraint(condition=models.Q(('published_at', None)), fields=('city', 'kinds', 'entry'), name='arrangement_draft_once'),
        ),
    ]
