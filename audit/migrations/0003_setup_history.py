"""A chain of audit entries for whatever is set up: what an office had alone, accounts, calendars and companies have too."""

import uuid_utils.compat
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_append_only")]

    operations = [
        migrations.CreateModel(
            name="SetupHistory",
            fields=[
                (
                    "chain_length",
                    models.PositiveIntegerField(default=0, editable=False, verbose_name="length of the audit chain"),
                ),
                (
                    "chain_head",
                    models.BinaryField(
                        default=bytes, editable=False, max_length=32, verbose_name="head of the audit chain"
                    ),
                ),
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("subject", models.CharField(editable=False, max_length=100, unique=True, verbose_name="about")),
            ],
            options={
                "verbose_name": "history of a setting",
                "verbose_name_plural": "histories of settings",
            },
        ),
    ]
