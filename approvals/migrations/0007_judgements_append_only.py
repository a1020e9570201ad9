"""What a person said about a possible match is never changed."""

from django.db import migrations

from audit.operations import AppendOnlyTable


class Migration(migrations.Migration):
    dependencies = [("approvals", "0006_assessments"), ("audit", "0002_append_only")]

    operations = [AppendOnlyTable("approvals_matchjudgement")]
