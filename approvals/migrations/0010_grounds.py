"""Nobody is refused without grounds: the database asks for every code in force, for words, and for two people."""

from django.db import migrations

# \u3000 and \u00a0 are blank to people and to Python, but not to every locale of the server.
CREATE = r"""
    CREATE FUNCTION approvals_refusal_is_founded() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        office bigint;
        day date;
        missing text;
    BEGIN
        SELECT o.id, (NEW.at AT TIME ZONE o.time_zone)::date INTO office, day
            FROM approvals_travelrequest r JOIN authorities_office o ON o.id = r.office_id
            WHERE r.id = NEW.request_id;
        IF office IS NULL THEN
            missing := 'a request that is with an office';
        ELSIF coalesce(cardinality(NEW.reason_codes), 0) = 0 THEN
            missing := 'a reason code';
        ELSIF EXISTS (
            SELECT FROM unnest(NEW.reason_codes) AS one WHERE one IS NULL
                OR NOT authorities_code_in_force(one, office, day)
        ) THEN
            missing := 'codes that are in force for the office on its day';
        ELSIF NEW.text !~ '[^\s\u00a0\u3000]' THEN
            missing := 'reasons for this case';
        ELSIF NEW.facts !~ '[^\s\u00a0\u3000]' THEN
            missing := 'the facts relied on';
        ELSIF NEW.milder_measures !~ '[^\s\u00a0\u3000]' THEN
            missing := 'the milder measures considered';
        ELSIF NOT EXISTS (SELECT FROM accounts_user WHERE id = NEW.by_id) THEN
            missing := 'a person who decides';
        ELSIF TG_TABLE_NAME = 'approvals_decision' THEN
            -- Only a decision has a second person: the record of a proposal has no such field.
            IF NOT EXISTS (
                SELECT FROM accounts_user WHERE id = NEW.confirmed_by_id AND id <> NEW.by_id AND is_active
            ) THEN
                missing := 'another person who confirms';
            END IF;
        END IF;
        IF missing IS NOT NULL THEN
            RAISE EXCEPTION 'refusal_is_founded: % of % lacks %', NEW.outcome, NEW.request_id, missing
                USING ERRCODE = 'check_violation', CONSTRAINT = 'approvals_refusal_is_founded', TABLE = TG_TABLE_NAME;
        END IF;
        RETURN NEW;
    END
    $$;
    CREATE TRIGGER refusal_is_founded BEFORE INSERT ON approvals_decision
        FOR EACH ROW WHEN (NEW.outcome IN ('denied', 'revoked')) EXECUTE FUNCTION approvals_refusal_is_founded();
    CREATE TRIGGER refusal_is_founded BEFORE INSERT ON approvals_proposal
        FOR EACH ROW WHEN (NEW.outcome IN ('denied', 'revoked')) EXECUTE FUNCTION approvals_refusal_is_founded();
    ALTER TABLE approvals_decision ENABLE ALWAYS TRIGGER refusal_is_founded;
    ALTER TABLE approvals_proposal ENABLE ALWAYS TRIGGER refusal_is_founded;
"""
DROP = """
    DROP TRIGGER refusal_is_founded ON approvals_proposal;
    DROP TRIGGER refusal_is_founded ON approvals_decision;
    DROP FUNCTION approvals_refusal_is_founded();
"""


class Migration(migrations.Migration):
    dependencies = [("approvals", "0009_clocks_failing"), ("authorities", "0007_grounds_stay")]

    operations = [migrations.RunSQL(CREATE, DROP)]
