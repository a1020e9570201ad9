"""What there was before lists had instruments, histories, lineages and ends: each gets its own."""

from datetime import date, timedelta
from typing import Any

from django.db import migrations
from uuid_utils.compat import uuid7

YEAR = timedelta(days=365)


def carry_over(apps: Any, schema_editor: Any) -> None:
    models = {name: apps.get_model("sensitivity", name) for name in ("SensitivityList", "ListVersion", "ListEntry")}
    history, names = apps.get_model("sensitivity", "ListHistory"), apps.get_model("sensitivity", "EntryName")
    instruments = apps.get_model("authorities", "LegalInstrument")
    using, today = schema_editor.connection.alias, date.today()
    for row in models["SensitivityList"].objects.using(using).all():
        drafts = models["ListVersion"].objects.using(using).filter(list=row, state__in=["draft", "in_review"]).count()
        if drafts > 1:
            raise RuntimeError(f"The list {row.name_en} has {drafts} drafts. Publish or delete all but one, then migrate.")
        words, _comma, address = row.legal_basis_text.rpartition("https://")
        row.legal_basis = instruments.objects.using(using).create(
            title_zh=words[:200] or row.name_zh,
            title_en=words[:200] or row.name_en,
            article="",
            url=f"https://{address.split()[0]}"[:500] if words and address else "",
            published_on=date(2020, 1, 1),
            effective_from=date(2020, 1, 1),
        )
        row.history = history.objects.using(using).create(id=uuid7())
        row.save(using=using)
        lineages: dict[str, Any] = {}
        for version in models["ListVersion"].objects.using(using).filter(list=row).order_by("number"):
            if version.state in ("published", "superseded") and version.published_until is None:
                version.published_until = max(today, version.published_from) + YEAR
                version.save(using=using)
            for entry in models["ListEntry"].objects.using(using).filter(version=version):
                entry.lineage = lineages.setdefault(entry.code, uuid7())
                entry.path = [entry.code]
                entry.save(using=using)
                if row.kind in ("organisation", "event"):
                    names.objects.using(using).create(entry=entry, version=version, key=entry.code)


def back(apps: Any, schema_editor: Any) -> None:
    for row in apps.get_model("sensitivity", "SensitivityList").objects.using(schema_editor.connection.alias).all():
        basis = row.legal_basis
        row.legal_basis_text = f"{basis.title_zh} {basis.url}" if basis else "-"
        row.save()


class Migration(migrations.Migration):
    dependencies = [("sensitivity", "0002_lists")]

    operations = [migrations.RunPython(carry_over, back)]
