"""The one way in which the file of a request is deleted, and what keeps the policy as it was published.

`openness_standing(at)` says of every ended request of what kind it is, when it ended, when its time is over, whether the
applicant was told, and what holds it back. `openness_erase(request)` looks at it by the clock of the database itself,
and then deletes the whole file: every row that belongs to the request by a foreign key, found in the catalogue, so that
a table that comes later is not forgotten. In its place stays the end of its audit chain.
"""

from django.db import migrations

# Without a search path of its own it is planned as a part of the query that asks: one request is one row, not all of them.
STANDING = """
    CREATE FUNCTION {schema}.openness_kind(state text, submitted_at timestamptz) RETURNS text
    LANGUAGE sql IMMUTABLE AS $$
        SELECT CASE
            WHEN state = 'closed' THEN 'cleared'
            WHEN state IN ('denied', 'revoked') THEN 'refused'
            WHEN state IN ('withdrawn', 'lapsed', 'company_declined') THEN
                CASE WHEN submitted_at IS NULL THEN 'draft' ELSE 'given_up' END
        END
    $$;

    CREATE FUNCTION {schema}.openness_standing(at timestamptz) RETURNS TABLE (
        request_id uuid, kind text, ended_at timestamptz, erase_at timestamptz, told_at timestamptz, held_by text
    ) LANGUAGE sql STABLE AS $$
        SELECT ended.id, ended.kind, ended.ended_at, ended.ended_at + make_interval(days => term.days), notice.at,
            CASE
                WHEN EXISTS (SELECT FROM approvals_appeal WHERE request_id = ended.id AND ended_at IS NULL) THEN 'appeal'
                WHEN EXISTS (SELECT FROM openness_correction WHERE request_id = ended.id AND outcome = '')
                    THEN 'correction'
                WHEN EXISTS (SELECT FROM approvals_clock
                    WHERE request_id = ended.id AND ended_at IS NULL AND due_at > at) THEN 'window'
                ELSE ''
            END
        FROM (
            SELECT request.id, openness_kind(request.state, request.submitted_at) AS kind, greatest(
                request.state_since,
                (SELECT max(appeal.ended_at) FROM approvals_appeal appeal WHERE appeal.request_id = request.id),
                (SELECT max(answered_at) FROM openness_correction said WHERE said.request_id = request.id)
            ) AS ended_at
            FROM approvals_travelrequest request
            WHERE request.state IN ('closed', 'denied', 'revoked', 'withdrawn', 'lapsed', 'company_declined')
        ) ended
        JOIN (
            SELECT DISTINCT ON (line.kind) line.kind, line.days
            FROM openness_retentionterm line JOIN openness_retentionpolicy policy ON policy.id = line.policy_id
            WHERE policy.published_at <= at AND policy.effective_from <= at
            ORDER BY line.kind, policy.version DESC
        ) term ON term.kind = ended.kind
        LEFT JOIN openness_deletionnotice notice ON notice.request_id = ended.id
    $$;
"""
ERASE = """
    CREATE FUNCTION {schema}.openness_erase(request uuid) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
    DECLARE
        root CONSTANT oid := '{schema}.approvals_travelrequest'::regclass;
        standing record;
        part record;
        gone integer;
        total integer := 0;
    BEGIN
        PERFORM FROM approvals_travelrequest WHERE id = request FOR UPDATE;
        SELECT * INTO standing FROM openness_standing(clock_timestamp()) WHERE request_id = request;
        IF standing.request_id IS NULL THEN
            RAISE EXCEPTION 'retention: % is not a request that has ended', request
                USING ERRCODE = 'check_violation', CONSTRAINT = 'openness_erase_ended';
        ELSIF standing.held_by <> '' THEN
            RAISE EXCEPTION 'retention: % is held back (%)', request, standing.held_by
                USING ERRCODE = 'check_violation', CONSTRAINT = 'openness_erase_held';
        ELSIF standing.erase_at > clock_timestamp() THEN
            RAISE EXCEPTION 'retention: % is kept until %', request, standing.erase_at
                USING ERRCODE = 'check_violation', CONSTRAINT = 'openness_erase_due';
        ELSIF standing.told_at IS NULL OR standing.told_at + interval '14 days' > clock_timestamp() THEN
            RAISE EXCEPTION 'retention: the applicant of % was not told 14 days before', request
                USING ERRCODE = 'check_violation', CONSTRAINT = 'openness_erase_told';
        END IF;
        PERFORM FROM approvals_travelrequest trip JOIN audit_entry entry
            ON entry.chain = trip.id AND entry.sequence = trip.chain_length AND entry.hash = trip.chain_head
            WHERE trip.id = request AND entry.verb = 'erase';
        IF NOT FOUND THEN
            RAISE EXCEPTION 'retention: the audit log does not say that % is deleted', request
                USING ERRCODE = 'check_violation', CONSTRAINT = 'openness_erase_recorded';
        END IF;

        FOR part IN
            WITH RECURSIVE own AS (
                SELECT fk.conrelid, fk.confrelid, source.attname::text COLLATE "default" AS source,
                    target.attname::text COLLATE "default" AS target
                FROM pg_constraint fk
                JOIN pg_attribute source ON source.attrelid = fk.conrelid AND source.attnum = fk.conkey[1]
                JOIN pg_attribute target ON target.attrelid = fk.confrelid AND target.attnum = fk.confkey[1]
                WHERE fk.contype = 'f' AND cardinality(fk.conkey) = 1 AND fk.conrelid <> root
            ), belonging(relation, condition, path) AS (
                SELECT root, format('id = %L', request), ARRAY[root]
                UNION ALL
                SELECT own.conrelid,
                    format('%I IN (SELECT %I FROM %s WHERE %s)', own.source, own.target, own.confrelid::regclass,
                        belonging.condition),
                    belonging.path || own.conrelid
                FROM belonging JOIN own ON own.confrelid = belonging.relation
                WHERE own.conrelid <> ALL (belonging.path) AND (belonging.relation = root OR NOT EXISTS (
                    SELECT FROM own direct WHERE direct.conrelid = own.conrelid AND direct.confrelid = root))
            )
            -- What belongs to something that belongs to the request goes before that does.
            SELECT relation, condition FROM belonging ORDER BY cardinality(path) DESC, relation
        LOOP
            INSERT INTO audit_permit VALUES (pg_current_xact_id(), part.relation) ON CONFLICT DO NOTHING;
            IF part.relation = root THEN
                INSERT INTO openness_erasedrequest (id, chain_length, chain_head, kind, rows, erased_at)
                    SELECT id, chain_length, chain_head, standing.kind, total + 1, clock_timestamp()
                    FROM approvals_travelrequest WHERE id = request;
            END IF;
            EXECUTE format('DELETE FROM %s WHERE %s', part.relation::regclass, part.condition);
            GET DIAGNOSTICS gone = ROW_COUNT;
            total := total + gone;
        END LOOP;
        DELETE FROM audit_permit WHERE transaction = pg_current_xact_id();
        RETURN total;
    END
    $$;
"""
POLICY = """
    CREATE FUNCTION {schema}.openness_policy_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        published boolean;
    BEGIN
        IF TG_TABLE_NAME = 'openness_retentionpolicy' THEN
            published := OLD.published_at IS NOT NULL;
        ELSIF TG_OP = 'INSERT' THEN
            SELECT published_at IS NOT NULL INTO published FROM openness_retentionpolicy WHERE id = NEW.policy_id;
        ELSE
            SELECT published_at IS NOT NULL INTO published FROM openness_retentionpolicy WHERE id = OLD.policy_id;
        END IF;
        IF published THEN
            RAISE EXCEPTION 'policy_stays: what is published does not change'
                USING ERRCODE = 'restrict_violation', CONSTRAINT = 'openness_policy_stays', TABLE = TG_TABLE_NAME;
        END IF;
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    END
    $$;
    CREATE TRIGGER policy_stays BEFORE UPDATE OR DELETE ON openness_retentionpolicy
        FOR EACH ROW EXECUTE FUNCTION {schema}.openness_policy_stays();
    CREATE TRIGGER policy_stays BEFORE INSERT OR UPDATE OR DELETE ON openness_retentionterm
        FOR EACH ROW EXECUTE FUNCTION {schema}.openness_policy_stays();
    ALTER TABLE openness_retentionpolicy ENABLE ALWAYS TRIGGER policy_stays;
    ALTER TABLE openness_retentionterm ENABLE ALWAYS TRIGGER policy_stays;
"""
DROP = """
    DROP TRIGGER policy_stays ON openness_retentionterm;
    DROP TRIGGER policy_stays ON openness_retentionpolicy;
    DROP FUNCTION {schema}.openness_policy_stays();
    DROP FUNCTION {schema}.openness_erase(uuid);
    DROP FUNCTION {schema}.openness_standing(timestamptz);
    DROP FUNCTION {schema}.openness_kind(text, timestamptz);
"""


def _execute(*statements):
    def run(apps, schema_editor):
        with schema_editor.connection.cursor() as cursor:
            cursor.execute("SELECT quote_ident(current_schema())")
            (schema,) = cursor.fetchone()
        for statement in statements:
            schema_editor.execute(statement.replace("{schema}", schema), params=None)

    return run


class Migration(migrations.Migration):
    dependencies = [("openness", "0001_initial"), ("approvals", "0012_retention")]

    operations = [migrations.RunPython(_execute(STANDING, ERASE, POLICY), _execute(DROP))]
