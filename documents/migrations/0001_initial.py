"""Keys that sign clearances: one signs at a time, and its private half is there only while it does."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="SigningKey",
            fields=[
                ("key_id", models.CharField(max_length=16, primary_key=True, serialize=False, verbose_name="key")),
                ("public", models.BinaryField(max_length=32, verbose_name="public key")),
                ("sealed", models.BinaryField(null=True, verbose_name="private key, sealed")),
                ("made_at", models.DateTimeField(verbose_name="made at")),
                ("retired_at", models.DateTimeField(null=True, verbose_name="signed until")),
                ("withdrawn_at", models.DateTimeField(null=True, verbose_name="withdrawn at")),
                ("withdrawn_because", models.TextField(blank=True, verbose_name="why it was withdrawn")),
            ],
            options={
                "verbose_name": "signing key",
                "verbose_name_plural": "signing keys",
                "ordering": ["-made_at"],
                "constraints": [
                    models.UniqueConstraint(
                        models.Value(1), condition=Q(retired_at=None), name="documents_key_one_signs_at_a_time"
                    ),
                    models.CheckConstraint(
                        name="documents_key_private_half_only_while_it_signs",
                        condition=Q(retired_at=None, withdrawn_at=None, sealed__isnull=False)
                        | Q(retired_at__isnull=False, sealed=None),
                    ),
                    models.CheckConstraint(
                        name="documents_key_withdrawn_for_a_reason",
                        condition=Q(withdrawn_at=None) | (~Q(withdrawn_because="") & Q(retired_at__isnull=False)),
                    ),
                ],
            },
        ),
    ]
