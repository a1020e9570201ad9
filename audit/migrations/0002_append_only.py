from django.db import migrations

from audit.operations import CREATE_FUNCTION, DROP_FUNCTION, AppendOnlyTable


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [
        migrations.RunSQL(CREATE_FUNCTION, DROP_FUNCTION),
        AppendOnlyTable("audit_entry"),
        AppendOnlyTable("audit_checkpoint"),
        AppendOnlyTable("audit_checkpointhead"),
    ]
