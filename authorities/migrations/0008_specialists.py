"""Offices that others ask for their opinion, and the clock of it."""

from django.db import migrations, models

from authorities.terms import ClockKind


class Migration(migrations.Migration):
    dependencies = [("authorities", "0007_grounds_stay")]

    operations = [
        migrations.AddField(
            model_name="office",
            name="is_specialist",
            field=models.BooleanField(
                default=False,
                help_text=(
                    "Other offices ask for its opinion on restricted cases. Its reviewers then see those cases only."
                ),
                verbose_name="specialist office",
            ),
        ),
        migrations.AddField(
            model_name="office",
            name="expertise_zh",
            field=models.CharField(blank=True, max_length=200, verbose_name="field in Chinese"),
        ),
        migrations.AddField(
            model_name="office",
            name="expertise_en",
            field=models.CharField(blank=True, max_length=200, verbose_name="field in English"),
        ),
        migrations.AlterField(
            model_name="clockpolicyline",
            name="kind",
            field=models.CharField(choices=ClockKind.choices, max_length=20, verbose_name="clock"),
        ),
    ]
