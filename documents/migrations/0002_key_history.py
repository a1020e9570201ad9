"""What is done to the keys of clearances leaves audit entries, in a chain of their own."""

import uuid_utils.compat
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("documents", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="KeyHistory",
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
            ],
            options={
                "verbose_name": "history of the signing keys",
                "verbose_name_plural": "histories of the signing keys",
            },
        ),
    ]
