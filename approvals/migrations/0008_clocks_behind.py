"""Running clocks that have not looked at the newest calendar are found by an index. Made while everybody works on."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("approvals", "0007_judgements_append_only")]

    operations = [
        AddIndexConcurrently(
            "clock",
            models.Index(fields=["calendar_checked", "id"], condition=Q(ended_at=None), name="approvals_clock_behind"),
        ),
    ]
