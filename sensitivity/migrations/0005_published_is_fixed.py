"""A published version and its entries cannot be changed, by whomever: triggers, for each statement, not each row."""

from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations

from audit.operations import AppendOnlyTable

# A published version moves on in two ways only: its last day, and that it is superseded.
_VERSION = """
    CREATE FUNCTION sensitivity_version_is_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF OLD.state IN ('published', 'superseded') AND (
            TG_OP = 'DELETE'
            OR NEW.state NOT IN ('published', 'superseded')
            OR (OLD.state = 'superseded' AND NEW.state = 'published')
            OR to_jsonb(NEW) - '{state,published_until}'::text[] <> to_jsonb(OLD) - '{state,published_until}'::text[]
        ) THEN
            RAISE EXCEPTION 'published_is_fixed: % refused on %', TG_OP, TG_TABLE_NAME
                USING ERRCODE = 'restrict_violation', CONSTRAINT = 'published_is_fixed', TABLE = TG_TABLE_NAME;
        END IF;
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END
    $$;
    CREATE TRIGGER published_is_fixed BEFORE UPDATE OR DELETE ON sensitivity_listversion
        FOR EACH ROW EXECUTE FUNCTION sensitivity_version_is_fixed();
    ALTER TABLE sensitivity_listversion ENABLE ALWAYS TRIGGER published_is_fixed;
"""
# Entries change in drafts only; also while they are reviewed they stand still.
_ENTRY = """
    CREATE FUNCTION sensitivity_entry_is_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (
            SELECT FROM (SELECT DISTINCT version_id FROM touched) t JOIN sensitivity_listversion v ON v.id = t.version_id
            WHERE v.state <> 'draft'
        ) THEN
            RAISE EXCEPTION 'published_is_fixed: % refused on %', TG_OP, TG_TABLE_NAME
                USING ERRCODE = 'restrict_violation', CONSTRAINT = 'published_is_fixed', TABLE = TG_TABLE_NAME;
        END IF;
        RETURN NULL;
    END
    $$;
    CREATE FUNCTION sensitivity_no_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'published_is_fixed: % refused on %', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'published_is_fixed', TABLE = TG_TABLE_NAME;
    END
    $$;
"""
_TABLES = ("sensitivity_listentry", "sensitivity_edit")


def _guard(table: str) -> str:
    made = [
        f"CREATE TRIGGER fixed_{verb.lower()}_{age.lower()} AFTER {verb} ON {table} "
        f"REFERENCING {age} TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION sensitivity_entry_is_fixed();"
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER fixed_{verb.lower()}_{age.lower()};"
        for verb, age in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("UPDATE", "OLD"), ("DELETE", "OLD"))
    ]
    made.append(
        f"CREATE TRIGGER fixed_truncate BEFORE TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION sensitivity_no_truncate();"
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER fixed_truncate;"
    )
    return "\n".join(made)


def _unguard(table: str) -> str:
    names = ("insert_new", "update_new", "update_old", "delete_old", "truncate")
    return "\n".join(f"DROP TRIGGER fixed_{name} ON {table};" for name in names)


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_append_only"), ("sensitivity", "0004_lists_complete")]

    operations = [
        TrigramExtension(),
        migrations.RunSQL(
            _VERSION,
            "DROP TRIGGER published_is_fixed ON sensitivity_listversion; DROP FUNCTION sensitivity_version_is_fixed();",
        ),
        migrations.RunSQL(_ENTRY, "DROP FUNCTION sensitivity_entry_is_fixed(); DROP FUNCTION sensitivity_no_truncate();"),
        *(migrations.RunSQL(_guard(table), _unguard(table)) for table in _TABLES),
        AppendOnlyTable("sensitivity_renewal"),
        AppendOnlyTable("sensitivity_renewalreminder"),
    ]
