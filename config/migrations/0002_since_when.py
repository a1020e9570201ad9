"""Since when a task is known: what has never run is late from then on, not from the first minute of an installation."""

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("config", "0001_ticks")]

    operations = [
        migrations.AddField(
            "tick",
            "first_at",
            models.DateTimeField(default=django.utils.timezone.now, verbose_name="first done"),
            preserve_default=False,
        ),
    ]
