"""Clocks that could not be acted on are counted by an index: they are few among very many."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("approvals", "0008_clocks_behind")]

    operations = [
        AddIndexConcurrently(
            "clock",
            models.Index(
                fields=["retry_at"],
                condition=Q(ended_at=None, failures__gt=0, next_action_at__isnull=False),
                name="approvals_clock_failing",
            ),
        ),
    ]
