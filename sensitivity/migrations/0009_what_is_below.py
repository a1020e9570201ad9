"""What is below an entry is found at once, in a tree of any size. Made while everybody works on."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("sensitivity", "0008_imports_kept")]

    operations = [
        AddIndexConcurrently(
            "listentry", models.Index(fields=["version", "parent", "code"], name="sensitivity_entry_below")
        ),
    ]
