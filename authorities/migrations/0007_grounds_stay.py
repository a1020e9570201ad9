"""What is in force stays as it is, is brought into force by two people, and rests on an instrument: by the database."""

import django.db.models.deletion
from django.db import migrations, models

# For both tables; the arguments are the names of the first and of the last day. `+ 14 hours`, read as UTC, is the
# latest day that it is anywhere on earth: what takes effect after it changes no day that any office has begun.
STAYS = """
    CREATE FUNCTION authorities_enacted_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        activation constant text[] := ARRAY['activated_at', 'activated_by_id'];
        ending constant text[] := ARRAY['end_on', 'end_drafted_by_id', 'ended_at', 'ended_by_id', TG_ARGV[1]];
        was jsonb;
        becomes jsonb;
        says text;
    BEGIN
        IF TG_OP = 'INSERT' THEN
            IF NEW.activated_at IS NULL AND NEW.activated_by_id IS NULL AND NEW.drafted_by_id IS NOT NULL
                AND NEW.end_on IS NULL AND NEW.ended_by_id IS NULL AND NEW.ended_at IS NULL
            THEN
                RETURN NEW;
            END IF;
            says := 'begins as a draft of somebody';
        ELSIF TG_OP = 'DELETE' THEN
            IF OLD.activated_at IS NULL THEN
                RETURN OLD;
            END IF;
            says := 'has been in force and is kept';
        ELSE
            was := to_jsonb(OLD);
            becomes := to_jsonb(NEW);
            IF OLD.activated_at IS NULL AND NEW.activated_at IS NULL THEN
                IF NEW.id <> OLD.id OR NEW.history_id <> OLD.history_id OR NEW.version <> OLD.version
                    OR NEW.drafted_by_id IS NULL OR NEW.drafted_by_id <> OLD.drafted_by_id
                    OR NEW.activated_by_id IS NOT NULL OR NEW.end_on IS NOT NULL OR NEW.ended_at IS NOT NULL
                THEN
                    says := 'stays the draft of who began it';
                END IF;
            ELSIF OLD.activated_at IS NULL THEN
                IF becomes - activation <> was - activation THEN
                    says := 'comes into force as it was drafted';
                ELSIF NEW.activated_by_id IS NULL OR NEW.drafted_by_id IS NULL
                    OR NEW.activated_by_id = NEW.drafted_by_id
                THEN
                    says := 'comes into force by another person than who drafted it';
                ELSIF NEW.version > 1 AND (becomes ->> TG_ARGV[0])::date
                    <= ((NEW.activated_at + interval '14 hours') AT TIME ZONE 'UTC')::date
                THEN
                    says := 'replaces no words of days that have begun';
                END IF;
            ELSIF becomes - ending <> was - ending THEN
                says := 'is in force and stays as it is';
            ELSIF becomes -> TG_ARGV[1] = was -> TG_ARGV[1] THEN
                IF NEW.ended_at IS DISTINCT FROM OLD.ended_at OR NEW.ended_by_id IS DISTINCT FROM OLD.ended_by_id THEN
                    says := 'was ended by whom and when it says';
                END IF;
            ELSIF NEW.ended_by_id IS NULL OR NEW.end_drafted_by_id IS NULL OR NEW.ended_by_id = NEW.end_drafted_by_id
            THEN
                says := 'ends by another person than who proposed the end';
            ELSIF becomes ->> TG_ARGV[1] IS NULL OR becomes -> TG_ARGV[1] <> becomes -> 'end_on' THEN
                says := 'ends on the day that was proposed';
            ELSIF (becomes ->> TG_ARGV[1])::date >= (was ->> TG_ARGV[1])::date THEN
                says := 'can only end earlier';
            ELSIF NEW.ended_at IS NULL OR (becomes ->> TG_ARGV[1])::date
                < ((NEW.ended_at + interval '14 hours') AT TIME ZONE 'UTC')::date
            THEN
                says := 'does not end on a day that is over';
            END IF;
            IF says IS NULL THEN
                RETURN NEW;
            END IF;
        END IF;
        RAISE EXCEPTION 'enacted_stays: % %', TG_TABLE_NAME, says
            USING ERRCODE = 'check_violation', CONSTRAINT = 'authorities_enacted_stays', TABLE = TG_TABLE_NAME;
    END
    $$;
    CREATE TRIGGER enacted_stays BEFORE INSERT OR UPDATE OR DELETE ON authorities_legalinstrument
        FOR EACH ROW EXECUTE FUNCTION authorities_enacted_stays('effective_from', 'effective_until');
    CREATE TRIGGER enacted_stays BEFORE INSERT OR UPDATE OR DELETE ON authorities_reasoncode
        FOR EACH ROW EXECUTE FUNCTION authorities_enacted_stays('active_from', 'active_until');
    ALTER TABLE authorities_legalinstrument ENABLE ALWAYS TRIGGER enacted_stays;
    ALTER TABLE authorities_reasoncode ENABLE ALWAYS TRIGGER enacted_stays;
"""
NO_STAYS = """
    DROP TRIGGER enacted_stays ON authorities_reasoncode;
    DROP TRIGGER enacted_stays ON authorities_legalinstrument;
    DROP FUNCTION authorities_enacted_stays();
"""

RESTS = """
    CREATE FUNCTION authorities_code_rests() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM 1 FROM authorities_legalinstrument
            WHERE id = NEW.instrument_id AND activated_at IS NOT NULL
                AND published_on <= NEW.active_from AND effective_from <= NEW.active_from
                AND (effective_until IS NULL OR effective_until >= NEW.active_from)
                AND (office_id IS NULL OR NEW.office_id IS NULL OR office_id = NEW.office_id);
        IF NOT FOUND THEN
            RAISE EXCEPTION 'code_rests: no instrument in force carries % from % on', NEW.code, NEW.active_from
                USING ERRCODE = 'check_violation', CONSTRAINT = 'authorities_code_rests', TABLE = TG_TABLE_NAME;
        END IF;
        RETURN NULL;
    END
    $$;
    CREATE TRIGGER code_rests AFTER UPDATE OF activated_at ON authorities_reasoncode
        FOR EACH ROW WHEN (NEW.activated_at IS NOT NULL) EXECUTE FUNCTION authorities_code_rests();
    ALTER TABLE authorities_reasoncode ENABLE ALWAYS TRIGGER code_rests;
"""
NO_RESTS = """
    DROP TRIGGER code_rests ON authorities_reasoncode;
    DROP FUNCTION authorities_code_rests();
"""

# The same as ReasonCodeQuerySet.in_force, for the triggers of other tables.
IN_FORCE = """
    CREATE FUNCTION authorities_code_in_force(wanted text, office bigint, day date) RETURNS boolean
    LANGUAGE sql STABLE AS $$
        SELECT EXISTS (
            SELECT FROM authorities_reasoncode c JOIN authorities_legalinstrument i ON i.id = c.instrument_id
            WHERE c.code = wanted AND c.activated_at IS NOT NULL AND i.activated_at IS NOT NULL
                AND c.active_from <= day AND (c.active_until IS NULL OR c.active_until >= day)
                AND i.published_on <= day
                AND i.effective_from <= day AND (i.effective_until IS NULL OR i.effective_until >= day)
                AND (c.office_id IS NULL OR c.office_id = office) AND (i.office_id IS NULL OR i.office_id = office)
        )
    $$;
"""
NOT_IN_FORCE = "DROP FUNCTION authorities_code_in_force(text, bigint, date);"


def _history() -> models.ForeignKey:
    return models.ForeignKey(
        editable=False,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="%(class)s_versions",
        to="authorities.groundhistory",
    )


class Migration(migrations.Migration):
    dependencies = [("authorities", "0006_grounds_carried_over")]

    operations = [
        migrations.AlterField("legalinstrument", "history", _history()),
        migrations.AlterField("reasoncode", "history", _history()),
        migrations.RunSQL(STAYS, NO_STAYS),
        migrations.RunSQL(RESTS, NO_RESTS),
        migrations.RunSQL(IN_FORCE, NOT_IN_FORCE),
    ]
