"""A policy says something of every clock: those that could not know of this one get the rule book's terms."""

from django.db import migrations

ADD = """
    INSERT INTO authorities_clockpolicyline
        (policy_id, kind, tier, days, remind_at_percent, remind_before, head_after, last_after, extension, deem_approved)
    SELECT id, 'consultation', '', 5, '{}', '{2}', 2, 5, 0, FALSE FROM authorities_clockpolicy
    ON CONFLICT DO NOTHING
"""
REMOVE = "DELETE FROM authorities_clockpolicyline WHERE kind = 'consultation'"


class Migration(migrations.Migration):
    dependencies = [("authorities", "0008_specialists")]

    operations = [migrations.RunSQL(ADD, REMOVE)]
