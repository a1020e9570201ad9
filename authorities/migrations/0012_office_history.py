"""What is set up about an office leaves audit entries, in a chain of the office."""

import django.db.models.deletion
import uuid_utils.compat
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("authorities", "0011_conditions_clocks")]

    operations = [
        migrations.CreateModel(
            name="OfficeHistory",
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
                (
                    "office",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="history",
                        to="authorities.office",
                        verbose_name="office",
                    ),
                ),
            ],
            options={
                "verbose_name": "history of an office",
                "verbose_name_plural": "histories of offices",
            },
        ),
    ]
