"""What there was before grounds had versions is the first version of its own, in force where it was published."""

from typing import Any

from django.db import migrations
from django.utils import timezone
from uuid_utils.compat import uuid7


def carry_over(apps: Any, schema_editor: Any) -> None:
    using, now = schema_editor.connection.alias, timezone.now()
    histories = apps.get_model("authorities", "GroundHistory").objects.using(using)
    for name, published in (("LegalInstrument", "published_on"), ("ReasonCode", "instrument__published_on")):
        rows = apps.get_model("authorities", name).objects.using(using)
        for row in rows.filter(history=None):
            row.history = histories.create(id=uuid7())
            row.save(using=using, update_fields=["history"])
        # Nobody is named: who entered them was not written down then.
        rows.filter(**{f"{published}__isnull": False}).update(activated_at=now)


class Migration(migrations.Migration):
    dependencies = [("authorities", "0005_ground_versions")]

    operations = [migrations.RunPython(carry_over, migrations.RunPython.noop)]
