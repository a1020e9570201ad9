"""The chains of offices go on as they are, beside those of everything else that is set up."""

from typing import Any

from django.db import migrations


def join(apps: Any, schema_editor: Any) -> None:
    using = schema_editor.connection.alias
    joined = apps.get_model("audit", "SetupHistory").objects.using(using)
    for was in apps.get_model("authorities", "OfficeHistory").objects.using(using).all():
        joined.create(
            id=was.id,
            subject=f"authorities.office:{was.office_id}",
            chain_length=was.chain_length,
            chain_head=was.chain_head,
        )


def part(apps: Any, schema_editor: Any) -> None:
    using = schema_editor.connection.alias
    parted = apps.get_model("authorities", "OfficeHistory").objects.using(using)
    joined = apps.get_model("audit", "SetupHistory").objects.using(using)
    for row in joined.filter(subject__startswith="authorities.office:"):
        office_id = int(row.subject.partition(":")[2])
        parted.create(id=row.id, office_id=office_id, chain_length=row.chain_length, chain_head=row.chain_head)
        row.delete()


class Migration(migrations.Migration):
    dependencies = [("authorities", "0014_articles_split"), ("audit", "0003_setup_history")]

    operations = [migrations.RunPython(join, part)]
