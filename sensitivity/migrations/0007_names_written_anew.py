"""The names of entries that were there before names could resemble each other."""

from typing import Any

from django.db import migrations

from sensitivity import names

BATCH = 2_000


def write_anew(apps: Any, schema_editor: Any) -> None:
    entries, kept = apps.get_model("sensitivity", "ListEntry"), apps.get_model("sensitivity", "EntryName")
    using = schema_editor.connection.alias
    last = 0
    of = entries.objects.using(using).filter(version__list__kind__in=("organisation", "event")).order_by("pk")
    while some := list(of.filter(pk__gt=last)[:BATCH]):
        kept.objects.using(using).filter(entry__in=some).delete()
        kept.objects.using(using).bulk_create(
            kept(entry_id=one.pk, version_id=one.version_id, **values)
            for one in some
            for values in names.values(label_zh=one.label_zh, label_en=one.label_en, aliases=one.aliases)
        )
        last = some[-1].pk


class Migration(migrations.Migration):
    dependencies = [("sensitivity", "0006_names_that_resemble")]

    operations = [migrations.RunPython(write_anew, migrations.RunPython.noop)]
