"""When each task of the beat schedule was last done."""

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Tick",
            fields=[
                ("task", models.CharField(max_length=100, primary_key=True, serialize=False, verbose_name="task")),
                ("at", models.DateTimeField(verbose_name="last done")),
                ("took", models.DurationField(verbose_name="took")),
            ],
            options={"verbose_name": "tick", "verbose_name_plural": "ticks"},
        ),
    ]
