"""The bell leaves out what was replaced before it was seen. Made and dropped while everybody works on."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("notifications", "0002_preferences_and_feeds")]

    operations = [
        AddIndexConcurrently(
            "notification",
            models.Index(
                "recipient", F("id").desc(), condition=Q(channel="bell", left_out=""), name="notifications_in_bell"
            ),
        ),
        AddIndexConcurrently(
            "notification",
            models.Index(
                "recipient",
                condition=Q(channel="bell", left_out="", read_at__isnull=True),
                name="notifications_unread_in_bell",
            ),
        ),
        RemoveIndexConcurrently("notification", "notifications_bell"),
        RemoveIndexConcurrently("notification", "notifications_unread"),
    ]
