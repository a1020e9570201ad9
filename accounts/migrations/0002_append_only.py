from django.db import migrations

from audit.operations import AppendOnlyTable


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial"), ("audit", "0002_append_only")]

    operations = [AppendOnlyTable("accounts_accessentry")]
