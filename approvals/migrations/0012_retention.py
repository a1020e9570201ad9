"""History can be deleted by one way alone: with a permit of the owner, for one table in one transaction.

Who gives permits is the function of the app above that erases the file of a request when its time is over.
"""

from django.db import migrations

from audit.operations import CREATE_PERMITS, DROP_PERMITS


class Migration(migrations.Migration):
    dependencies = [("approvals", "0011_papers"), ("audit", "0002_append_only")]

    operations = [migrations.RunSQL(CREATE_PERMITS, DROP_PERMITS)]
