"""What was joined with the other chains is not kept twice."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("authorities", "0015_office_histories_join")]

    operations = [migrations.DeleteModel("OfficeHistory")]
