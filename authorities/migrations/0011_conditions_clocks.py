"""A policy says something of every clock: those of before conditions had clocks get the rule book's terms."""

from django.db import migrations

ADD = """
    INSERT INTO authorities_clockpolicyline
        (policy_id, kind, tier, days, remind_at_percent, remind_before, head_after, last_after, extension, deem_approved)
    SELECT id, 'condition', '', 3, '{}'::smallint[], '{5,2}'::smallint[], 2, 5, 0, FALSE FROM authorities_clockpolicy
    UNION ALL
    SELECT id, 'condition_answer', '', 3, '{50}'::smallint[], '{}'::smallint[], 2, 5, 0, FALSE FROM authorities_clockpolicy
    ON CONFLICT DO NOTHING
"""
REMOVE = "DELETE FROM authorities_clockpolicyline WHERE kind IN ('condition', 'condition_answer')"


class Migration(migrations.Migration):
    dependencies = [("authorities", "0010_time_for_changes")]

    operations = [migrations.RunSQL(ADD, REMOVE)]
