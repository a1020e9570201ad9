from django.db import migrations

from audit.operations import AppendOnlyTable


class Migration(migrations.Migration):
    """What was published is not changed: a correction is a row of its own."""

    dependencies = [("figures", "0001_initial"), ("audit", "0002_append_only")]

    operations = [AppendOnlyTable("figures_quarterfigures")]
