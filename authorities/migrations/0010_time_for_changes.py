"""The clock of a change to a cleared trip: policies that could not know of it get the rule book's terms."""

from django.db import migrations

ADD = """
    INSERT INTO authorities_clockpolicyline
        (policy_id, kind, tier, days, remind_at_percent, remind_before, head_after, last_after, extension, deem_approved)
    SELECT id, 'amendment', '', 5, '{50,80}', '{}', 2, 5, 0, FALSE FROM authorities_clockpolicy
    ON CONFLICT DO NOTHING
"""
REMOVE = "DELETE FROM authorities_clockpolicyline WHERE kind = 'amendment'"


class Migration(migrations.Migration):
    dependencies = [("authorities", "0009_time_for_opinions")]

    operations = [migrations.RunSQL(ADD, REMOVE)]
