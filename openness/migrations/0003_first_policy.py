"""The policy that an installation begins with. Its reasons are in docs/retention.md."""

from datetime import UTC, datetime

from django.db import migrations

BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)
DAYS = {"cleared": 730, "refused": 1825, "given_up": 365, "draft": 90, "message": 365, "job": 90, "employee": 365}


def publish(apps, schema_editor):
    policies = apps.get_model("openness", "RetentionPolicy").objects.using(schema_editor.connection.alias)
    terms = apps.get_model("openness", "RetentionTerm").objects.using(schema_editor.connection.alias)
    policy = policies.create(version=1, drafted_at=BEGINNING)
    terms.bulk_create(terms.model(policy=policy, kind=kind, days=days) for kind, days in DAYS.items())
    policies.filter(pk=policy.pk).update(published_at=BEGINNING, effective_from=BEGINNING)


class Migration(migrations.Migration):
    dependencies = [("openness", "0002_erasing")]

    operations = [migrations.RunPython(publish, migrations.RunPython.noop)]
