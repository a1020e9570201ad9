"""Appeals with hearings and documents, conflicts of interest as declared, another reviewer asked for; and four eyes in
the database: who proposed does not confirm, who extended does not decide, who took part hears no appeal, the applicant
and whoever acted for the company decide nothing, and a clearance is taken back only when the applicant was heard."""

import django.db.models.deletion
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q

import approvals.models.appeal
import approvals.models.itinerary
from audit.operations import AppendOnlyTable

CREATE = """
    -- Between two people of one row.
    ALTER TABLE approvals_decision ADD CONSTRAINT approvals_decision_by_two_people
        CHECK (confirmed_by_id IS NULL OR by_id IS DISTINCT FROM confirmed_by_id);

    CREATE FUNCTION approvals_refuse(name text, sentence text, tab text) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '%: %', name, sentence
            USING ERRCODE = 'check_violation', CONSTRAINT = 'approvals_' || name, TABLE = tab;
    END
    $$;

    -- Nobody decides on their own trip, on one that they reviewed for the company, or in spite of a conflict of
    -- interest. The arguments are the columns that name people who decide.
    CREATE FUNCTION approvals_nobody_in_two_roles() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        place text;
        person bigint;
    BEGIN
        FOREACH place IN ARRAY TG_ARGV LOOP
            person := (to_jsonb(NEW) ->> place)::bigint;
            CONTINUE WHEN person IS NULL;
            PERFORM 1 FROM approvals_travelrequest r JOIN employees_employee e ON e.id = r.applicant_id
                WHERE r.id = NEW.request_id AND e.user_id = person;
            IF FOUND THEN
                PERFORM approvals_refuse('not_the_applicant', 'nobody decides on their own request', TG_TABLE_NAME);
            END IF;
            PERFORM 1 FROM approvals_companyreview WHERE request_id = NEW.request_id AND by_id = person;
            IF FOUND THEN
                PERFORM approvals_refuse(
                    'not_of_the_company', 'who reviewed for the company does not act for the authority', TG_TABLE_NAME
                );
            END IF;
            PERFORM 1 FROM approvals_recusal WHERE request_id = NEW.request_id AND by_id = person;
            IF FOUND THEN
                PERFORM approvals_refuse(
                    'not_with_a_conflict', 'who declared a conflict of interest does nothing more', TG_TABLE_NAME
                );
            END IF;
        END LOOP;
        RETURN NEW;
    END
    $$;

    CREATE FUNCTION approvals_extended_by_another() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM 1 FROM approvals_travelrequest
            WHERE id = NEW.request_id
                AND NEW.by_id IN (assigned_reviewer_id, proposed_by_id, decided_by_id, confirmed_by_id);
        IF FOUND OR NEW.by_id IS NULL THEN
            PERFORM approvals_refuse('extended_by_another', 'who decides does not extend', TG_TABLE_NAME);
        END IF;
        RETURN NEW;
    END
    $$;
    CREATE TRIGGER extended_by_another BEFORE INSERT ON approvals_extension
        FOR EACH ROW EXECUTE FUNCTION approvals_extended_by_another();
    ALTER TABLE approvals_extension ENABLE ALWAYS TRIGGER extended_by_another;

    CREATE FUNCTION approvals_extender_does_not_decide() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM 1 FROM approvals_extension WHERE request_id = NEW.request_id AND by_id = NEW.by_id;
        IF FOUND THEN
            PERFORM approvals_refuse('extender_does_not_decide', 'who extended does not decide', TG_TABLE_NAME);
        END IF;
        RETURN NEW;
    END
    $$;
    CREATE TRIGGER extender_does_not_decide BEFORE INSERT ON approvals_decision
        FOR EACH ROW EXECUTE FUNCTION approvals_extender_does_not_decide();
    ALTER TABLE approvals_decision ENABLE ALWAYS TRIGGER extender_does_not_decide;
    CREATE TRIGGER extender_does_not_decide BEFORE INSERT ON approvals_proposal
        FOR EACH ROW WHEN (NEW.outcome <> 'revoked') EXECUTE FUNCTION approvals_extender_does_not_decide();
    ALTER TABLE approvals_proposal ENABLE ALWAYS TRIGGER extender_does_not_decide;

    CREATE FUNCTION approvals_rejected_by_another() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM 1 FROM approvals_proposal WHERE id = NEW.proposal_id AND by_id = NEW.by_id;
        IF FOUND THEN
            PERFORM approvals_refuse('rejected_by_another', 'who proposed does not give it back', TG_TABLE_NAME);
        END IF;
        RETURN NEW;
    END
    $$;
    CREATE TRIGGER rejected_by_another BEFORE INSERT ON approvals_proposalrejection
        FOR EACH ROW EXECUTE FUNCTION approvals_rejected_by_another();
    ALTER TABLE approvals_proposalrejection ENABLE ALWAYS TRIGGER rejected_by_another;

    -- Another office, and nobody who had anything to do with the case for the authority.
    CREATE FUNCTION approvals_heard_by_others() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM 1 FROM approvals_travelrequest WHERE id = NEW.request_id AND office_id = NEW.office_id;
        IF FOUND THEN
            PERFORM approvals_refuse('heard_by_another_office', 'another office hears an appeal', TG_TABLE_NAME);
        END IF;
        PERFORM 1 WHERE
            EXISTS (SELECT 1 FROM approvals_proposal WHERE request_id = NEW.request_id AND by_id = NEW.heard_by_id)
            OR EXISTS (SELECT 1 FROM approvals_decision
                WHERE request_id = NEW.request_id AND NEW.heard_by_id IN (by_id, confirmed_by_id))
            OR EXISTS (SELECT 1 FROM approvals_assignment
                WHERE request_id = NEW.request_id AND NEW.heard_by_id IN (by_id, reviewer_id))
            OR EXISTS (SELECT 1 FROM approvals_extension x
                WHERE x.request_id = NEW.request_id AND x.by_id = NEW.heard_by_id)
            OR EXISTS (SELECT 1 FROM approvals_consultation c
                WHERE c.request_id = NEW.request_id AND c.by_id = NEW.heard_by_id)
            OR EXISTS (SELECT 1 FROM approvals_opinion o
                WHERE o.request_id = NEW.request_id AND o.by_id = NEW.heard_by_id)
            OR EXISTS (SELECT 1 FROM audit_entry
                WHERE chain = NEW.request_id AND actor_id = NEW.heard_by_id
                    AND actor_role IN ('reviewer', 'senior', 'head'));
        IF FOUND THEN
            PERFORM approvals_refuse('heard_by_others', 'who took part does not hear the appeal', TG_TABLE_NAME);
        END IF;
        RETURN NEW;
    END
    $$;
    CREATE TRIGGER heard_by_others BEFORE INSERT OR UPDATE OF office_id, heard_by_id ON approvals_appeal
        FOR EACH ROW EXECUTE FUNCTION approvals_heard_by_others();
    ALTER TABLE approvals_appeal ENABLE ALWAYS TRIGGER heard_by_others;
    CREATE TRIGGER nobody_in_two_roles BEFORE INSERT OR UPDATE OF heard_by_id ON approvals_appeal
        FOR EACH ROW EXECUTE FUNCTION approvals_nobody_in_two_roles('heard_by_id');
    ALTER TABLE approvals_appeal ENABLE ALWAYS TRIGGER nobody_in_two_roles;

    -- A clearance is taken back on a proposal of the same person, after the reply or the time for it.
    CREATE FUNCTION approvals_heard_before_revoked() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM 1 FROM approvals_proposal p
            WHERE p.request_id = NEW.request_id AND p.outcome = 'revoked' AND p.by_id = NEW.by_id
                AND (NEW.at >= p.reply_until OR EXISTS (SELECT 1 FROM approvals_reply y WHERE y.proposal_id = p.id));
        IF NOT FOUND THEN
            PERFORM approvals_refuse('heard_before_revoked', 'the applicant was not heard', TG_TABLE_NAME);
        END IF;
        RETURN NEW;
    END
    $$;
    CREATE TRIGGER heard_before_revoked BEFORE INSERT ON approvals_decision
        FOR EACH ROW WHEN (NEW.outcome = 'revoked') EXECUTE FUNCTION approvals_heard_before_revoked();
    ALTER TABLE approvals_decision ENABLE ALWAYS TRIGGER heard_before_revoked;
"""
DROP = """
    DROP TRIGGER heard_before_revoked ON approvals_decision;
    DROP FUNCTION approvals_heard_before_revoked();
    DROP TRIGGER nobody_in_two_roles ON approvals_appeal;
    DROP TRIGGER heard_by_others ON approvals_appeal;
    DROP FUNCTION approvals_heard_by_others();
    DROP TRIGGER rejected_by_another ON approvals_proposalrejection;
    DROP FUNCTION approvals_rejected_by_another();
    DROP TRIGGER extender_does_not_decide ON approvals_proposal;
    DROP TRIGGER extender_does_not_decide ON approvals_decision;
    DROP FUNCTION approvals_extender_does_not_decide();
    DROP TRIGGER extended_by_another ON approvals_extension;
    DROP FUNCTION approvals_extended_by_another();
    DROP FUNCTION approvals_nobody_in_two_roles();
    DROP FUNCTION approvals_refuse(text, text, text);
    ALTER TABLE approvals_decision DROP CONSTRAINT approvals_decision_by_two_people;
"""

# Rows that decide something, and the columns that name who does.
DECIDING = {
    "assignment": ["reviewer_id"],
    "proposal": ["by_id"],
    "proposalrejection": ["by_id"],
    "decision": ["by_id", "confirmed_by_id"],
    "extension": ["by_id"],
    "consultation": ["by_id"],
    "opinion": ["by_id"],
    "otherrevieweranswer": ["by_id"],
    "hearingnote": ["by_id"],
}


def _two_roles(table, columns):
    arguments = ", ".join(f"'{column}'" for column in columns)
    return migrations.RunSQL(
        f"""
        CREATE TRIGGER nobody_in_two_roles BEFORE INSERT ON approvals_{table}
            FOR EACH ROW EXECUTE FUNCTION approvals_nobody_in_two_roles({arguments});
        ALTER TABLE approvals_{table} ENABLE ALWAYS TRIGGER nobody_in_two_roles;
        """,
        f"DROP TRIGGER nobody_in_two_roles ON approvals_{table};",
    )


def _step():
    """What every row of a request's history has."""
    return [
        (
            "id",
            models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False),
        ),
        ("at", models.DateTimeField(verbose_name="at")),
        ("by", _person("by", null=True)),
        ("request", _to("approvals.travelrequest", "%(class)ss")),
    ]


def _to(model, related_name, kind=models.ForeignKey, **values):
    return kind(on_delete=django.db.models.deletion.PROTECT, related_name=related_name, to=model, **values)


def _person(words, **values):
    return _to(settings.AUTH_USER_MODEL, "+", verbose_name=words, **values)


def _options(one, many, *constraints):
    return {
        "verbose_name": one,
        "verbose_name_plural": many,
        "ordering": ["at", "id"],
        "abstract": False,
        "constraints": list(constraints),
    }


class Migration(migrations.Migration):
    dependencies = [
        ("approvals", "0015_conditions"),
        ("audit", "0002_append_only"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="travelrequest",
            name="refused_in_part",
            field=models.BooleanField(default=False, verbose_name="a part of the trip is not cleared"),
        ),
        migrations.AddField(
            model_name="travelrequest",
            name="other_reviewer_asked_at",
            field=models.DateTimeField(null=True, verbose_name="another reviewer asked for at"),
        ),
        migrations.AddField(
            model_name="travelrequest",
            name="other_reviewer_answered_at",
            field=models.DateTimeField(null=True, verbose_name="answered at"),
        ),
        migrations.CreateModel(
            name="HearingOffice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "office",
                    _to("authorities.office", "+", models.OneToOneField, verbose_name="office that decides"),
                ),
                (
                    "heard_by",
                    _to("authorities.office", "+", verbose_name="office that hears appeals against it"),
                ),
            ],
            options={
                "verbose_name": "hearing office",
                "verbose_name_plural": "hearing offices",
                "ordering": ["office__code"],
                "constraints": [
                    models.CheckConstraint(
                        name="approvals_hearing_office_is_another",
                        condition=~Q(office=F("heard_by")),
                        violation_error_message="An office does not hear appeals against its own decisions.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="HearingNote",
            fields=[
                *_step(),
                ("appeal", _to("approvals.appeal", "notes")),
                ("held_on", models.DateField(verbose_name="day of the hearing")),
                ("heard", models.CharField(max_length=300, verbose_name="who was heard")),
                ("text", models.TextField(verbose_name="what was said")),
            ],
            options=_options(
                "hearing note",
                "hearing notes",
                models.CheckConstraint(
                    name="approvals_hearing_note_says_something",
                    condition=Q(by__isnull=False) & ~Q(heard="") & ~Q(text=""),
                ),
            ),
        ),
        migrations.CreateModel(
            name="AppealStatement",
            fields=[
                *_step(),
                ("appeal", _to("approvals.appeal", "statements")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("question", "Question of the appeal reviewer"),
                            ("answer", "Answer of the applicant"),
                            ("comment", "Comment of the applicant"),
                        ],
                        max_length=8,
                        verbose_name="kind",
                    ),
                ),
                ("text", models.TextField(verbose_name="text")),
                ("answer_until", models.DateTimeField(null=True, verbose_name="answer until")),
                ("question", _to("approvals.appealstatement", "answer", models.OneToOneField, null=True)),
            ],
            options=_options(
                "statement in an appeal",
                "statements in appeals",
                models.CheckConstraint(
                    name="approvals_appeal_statement_by_somebody", condition=Q(by__isnull=False) & ~Q(text="")
                ),
                models.CheckConstraint(
                    name="approvals_appeal_statement_of_its_kind",
                    condition=Q(kind="question", answer_until__isnull=False, question=None)
                    | Q(kind="answer", answer_until=None, question__isnull=False)
                    | Q(kind="comment", answer_until=None, question=None),
                ),
            ),
        ),
        migrations.CreateModel(
            name="AppealDocument",
            fields=[
                *_step(),
                ("appeal", _to("approvals.appeal", "documents")),
                ("name", models.CharField(max_length=200, verbose_name="file name")),
                ("content_type", models.CharField(max_length=100, verbose_name="type")),
                ("size", models.PositiveIntegerField(verbose_name="size in bytes")),
                ("sha256", models.CharField(max_length=64, verbose_name="SHA-256")),
                (
                    "file",
                    models.FileField(
                        storage=approvals.models.itinerary.attachment_storage,
                        upload_to=approvals.models.appeal.appeal_document_path,
                        verbose_name="file",
                    ),
                ),
            ],
            options=_options(
                "document of an appeal",
                "documents of appeals",
                models.CheckConstraint(name="approvals_appeal_document_by_somebody", condition=Q(by__isnull=False)),
            ),
        ),
        migrations.CreateModel(
            name="ConflictDeclaration",
            fields=[
                *_step(),
                ("occasion", models.CharField(max_length=30, verbose_name="before what")),
                (
                    "conflict",
                    models.CharField(
                        choices=[
                            ("none", "None of these"),
                            ("relation", "I am related to the applicant, or know them privately"),
                            ("company", "I have a stake in the company, or in one that competes with it"),
                            ("host", "I have a stake in the host organisation or the event"),
                            (
                                "former_officer",
                                "I acted for the company as a compliance officer, or was employed there",
                            ),
                            ("other", "Another reason for which I could be thought partial"),
                        ],
                        max_length=16,
                        verbose_name="conflict of interest",
                    ),
                ),
                ("detail", models.TextField(blank=True, verbose_name="in general words")),
            ],
            options=_options(
                "declaration of conflicts of interest",
                "declarations of conflicts of interest",
                models.CheckConstraint(name="approvals_declaration_by_somebody", condition=Q(by__isnull=False)),
            ),
        ),
        migrations.CreateModel(
            name="OtherReviewerRequest",
            fields=[
                *_step(),
                ("reviewer", _person("the reviewer who had the case")),
                ("reason", models.TextField(verbose_name="reason")),
            ],
            options=_options(
                "request for another reviewer",
                "requests for another reviewer",
                models.UniqueConstraint(fields=["request"], name="approvals_other_reviewer_asked_once"),
                models.CheckConstraint(
                    name="approvals_other_reviewer_says_why", condition=Q(by__isnull=False) & ~Q(reason="")
                ),
            ),
        ),
        migrations.CreateModel(
            name="OtherReviewerAnswer",
            fields=[
                *_step(),
                ("asked", _to("approvals.otherreviewerrequest", "answer", models.OneToOneField)),
                ("granted", models.BooleanField(verbose_name="another reviewer has the case")),
                ("reason", models.TextField(blank=True, verbose_name="reasons")),
            ],
            options=_options(
                "answer to a request for another reviewer",
                "answers to requests for another reviewer",
                models.CheckConstraint(
                    name="approvals_other_reviewer_refused_why", condition=Q(granted=True) | ~Q(reason="")
                ),
            ),
        ),
        AppendOnlyTable("approvals_hearingnote"),
        AppendOnlyTable("approvals_appealstatement"),
        AppendOnlyTable("approvals_appealdocument"),
        AppendOnlyTable("approvals_conflictdeclaration"),
        AppendOnlyTable("approvals_otherreviewerrequest"),
        AppendOnlyTable("approvals_otherrevieweranswer"),
        migrations.RunSQL(CREATE, DROP),
        *(_two_roles(table, columns) for table, columns in DECIDING.items()),
    ]
