from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("approvals", "0009_clocks_failing")]

    operations = []
