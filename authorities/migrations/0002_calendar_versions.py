"""The numbers of calendar versions: a sequence, because they must never be given twice."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("authorities", "0001_initial")]

    operations = [
        migrations.RunSQL(
            sql="CREATE SEQUENCE authorities_calendar_since AS integer",
            reverse_sql="DROP SEQUENCE authorities_calendar_since",
        )
    ]
