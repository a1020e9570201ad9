"""A request is denied or revoked only on a decision that says so of this request, by the same two people."""

from django.db import migrations

CREATE = """
    CREATE FUNCTION approvals_refusal_rests_on_decision() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM 1 FROM approvals_decision
            WHERE id = NEW.decision_id AND request_id = NEW.id AND outcome = NEW.state
                AND by_id = NEW.decided_by_id AND confirmed_by_id = NEW.confirmed_by_id;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'refusal_rests_on_decision: no decision says that % is %', NEW.reference, NEW.state
                USING ERRCODE = 'check_violation', CONSTRAINT = 'approvals_refusal_rests_on_decision',
                    TABLE = TG_TABLE_NAME;
        END IF;
        RETURN NULL;
    END
    $$;
    -- After: the decision and the request are written by one statement.
    CREATE TRIGGER refusal_rests_on_decision
        AFTER INSERT OR UPDATE OF state, decision_id, decided_by_id, confirmed_by_id ON approvals_travelrequest
        FOR EACH ROW WHEN (NEW.state IN ('denied', 'revoked'))
        EXECUTE FUNCTION approvals_refusal_rests_on_decision();
    ALTER TABLE approvals_travelrequest ENABLE ALWAYS TRIGGER refusal_rests_on_decision;
"""
DROP = """
    DROP TRIGGER refusal_rests_on_decision ON approvals_travelrequest;
    DROP FUNCTION approvals_refusal_rests_on_decision();
"""


class Migration(migrations.Migration):
    dependencies = [("approvals", "0003_append_only")]

    operations = [migrations.RunSQL(CREATE, DROP)]
