"""Proposals fact by fact, clearances of a part, replies with documents, opinions of specialist offices."""

import django.db.models.deletion
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

from approvals.clocks import Step
from approvals.models.itinerary import Attachment
from audit.operations import AppendOnlyTable
from authorities.terms import ClockKind

# A refusal confirms a proposal of the same request, outcome and person, after the applicant replied or could have;
# a clearance of a part refuses the rest, so it takes what a refusal takes. Only on appeal one person clears a part.
CREATE = """
    CREATE FUNCTION approvals_applicant_was_heard() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM 1 FROM approvals_proposal p
            WHERE p.id = NEW.proposal_id AND p.request_id = NEW.request_id AND p.outcome = NEW.outcome
                AND p.by_id = NEW.by_id AND p.cleared = NEW.cleared
                AND (NEW.at >= p.reply_until OR (p.reply_until IS NULL AND p.outcome = 'revoked')
                    OR EXISTS (SELECT FROM approvals_reply y WHERE y.proposal_id = p.id));
        IF NOT FOUND THEN
            RAISE EXCEPTION 'applicant_was_heard: no proposal of % was heard on that says this', NEW.request_id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'approvals_applicant_was_heard', TABLE = TG_TABLE_NAME;
        END IF;
        RETURN NEW;
    END
    $$;
    CREATE FUNCTION approvals_part_is_cleared_on_appeal() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM 1 FROM approvals_appeal
            WHERE request_id = NEW.request_id AND state = 'overturned' AND heard_by_id = NEW.by_id;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'part_is_cleared_by_two: the rest of % would be refused by one person', NEW.request_id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'approvals_part_is_cleared_by_two',
                    TABLE = TG_TABLE_NAME;
        END IF;
        RETURN NEW;
    END
    $$;
    CREATE TRIGGER applicant_was_heard BEFORE INSERT ON approvals_decision FOR EACH ROW
        WHEN (NEW.outcome IS DISTINCT FROM 'approved' OR (NEW.cleared <> '[]' AND NEW.confirmed_by_id IS NOT NULL))
        EXECUTE FUNCTION approvals_applicant_was_heard();
    CREATE TRIGGER part_is_founded BEFORE INSERT ON approvals_decision FOR EACH ROW
        WHEN (NEW.outcome = 'approved' AND NEW.cleared <> '[]' AND NEW.confirmed_by_id IS NOT NULL)
        EXECUTE FUNCTION approvals_refusal_is_founded();
    CREATE TRIGGER part_is_founded BEFORE INSERT ON approvals_proposal FOR EACH ROW
        WHEN (NEW.outcome = 'approved' AND NEW.cleared <> '[]')
        EXECUTE FUNCTION approvals_refusal_is_founded();
    CREATE TRIGGER part_is_cleared_by_two BEFORE INSERT ON approvals_decision FOR EACH ROW
        WHEN (NEW.outcome = 'approved' AND NEW.cleared <> '[]' AND NEW.confirmed_by_id IS NULL)
        EXECUTE FUNCTION approvals_part_is_cleared_on_appeal();
    ALTER TABLE approvals_decision ENABLE ALWAYS TRIGGER applicant_was_heard;
    ALTER TABLE approvals_decision ENABLE ALWAYS TRIGGER part_is_founded;
    ALTER TABLE approvals_decision ENABLE ALWAYS TRIGGER part_is_cleared_by_two;
    ALTER TABLE approvals_proposal ENABLE ALWAYS TRIGGER part_is_founded;
"""
DROP = """
    DROP TRIGGER part_is_founded ON approvals_proposal;
    DROP TRIGGER part_is_cleared_by_two ON approvals_decision;
    DROP TRIGGER part_is_founded ON approvals_decision;
    DROP TRIGGER applicant_was_heard ON approvals_decision;
    DROP FUNCTION approvals_part_is_cleared_on_appeal();
    DROP FUNCTION approvals_applicant_was_heard();
"""


def _key() -> tuple[str, models.Field]:
    return "id", models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)


def _step() -> list[tuple[str, models.Field]]:
    return [
        _key(),
        ("at", models.DateTimeField(verbose_name="at")),
        (
            "by",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="by",
            ),
        ),
        (
            "request",
            models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="%(class)ss", to="approvals.travelrequest"
            ),
        ),
    ]


def _grounds(model: str) -> list[migrations.AddField]:
    fields = {
        "relied_on": models.JSONField(
            blank=True, default=list, help_text="`part` of the revision and `fact`.", verbose_name="facts, one by one"
        ),
        "measures": models.JSONField(
            blank=True,
            default=list,
            help_text="`measure` and `why` it does not do.",
            verbose_name="milder measures, one by one",
        ),
        "cleared": models.JSONField(
            blank=True,
            default=list,
            help_text=(
                "Of a partial approval: the legs that are cleared, in the shape of the revision. Empty: all of it."
            ),
            verbose_name="what is cleared",
        ),
    }
    return [migrations.AddField(model_name=model, name=name, field=field) for name, field in fields.items()]


class Migration(migrations.Migration):
    dependencies = [
        ("approvals", "0013_information"),
        ("authorities", "0009_time_for_opinions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Consultation",
            fields=[
                *_step(),
                ("question", models.TextField(verbose_name="question")),
                (
                    "office",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="consultations",
                        to="authorities.office",
                        verbose_name="asked office",
                    ),
                ),
            ],
            options={
                "verbose_name": "consultation",
                "verbose_name_plural": "consultations",
                "ordering": ["at", "id"],
                "abstract": False,
                "constraints": [
                    models.CheckConstraint(name="approvals_consultation_asks", condition=~Q(question="")),
                ],
            },
        ),
        migrations.CreateModel(
            name="Opinion",
            fields=[
                *_step(),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("favourable", "Favourable"),
                            ("with_conditions", "Favourable with conditions"),
                            ("unfavourable", "Unfavourable"),
                        ],
                        max_length=16,
                        verbose_name="opinion",
                    ),
                ),
                ("reasons", models.TextField(verbose_name="reasons")),
                ("confidential", models.TextField(blank=True, verbose_name="confidential part")),
                ("is_late", models.BooleanField(default=False, verbose_name="came after its time was over")),
                (
                    "consultation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="opinion",
                        to="approvals.consultation",
                    ),
                ),
            ],
            options={
                "verbose_name": "opinion of a specialist office",
                "verbose_name_plural": "opinions of specialist offices",
                "ordering": ["at", "id"],
                "abstract": False,
                "constraints": [
                    models.CheckConstraint(
                        name="approvals_opinion_by_somebody_with_reasons",
                        condition=Q(by__isnull=False) & ~Q(reasons=""),
                    )
                ],
            },
        ),
        *_grounds("decision"),
        *_grounds("proposal"),
        migrations.AddField(
            model_name="decision",
            name="proposal",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="decisions",
                to="approvals.proposal",
                verbose_name="the proposal it confirms",
            ),
        ),
        migrations.AddField(
            model_name="decision",
            name="clock_versions",
            field=models.JSONField(
                blank=True,
                default=dict,
                help_text="`policy` (id) and `calendar` (version) of the decision clock.",
                verbose_name="versions that it was counted with",
            ),
        ),
        migrations.AddField(
            model_name="reply",
            name="attachments",
            field=models.JSONField(
                blank=True,
                default=list,
                help_text="`id`, `name`, `kind` and `sha256` of each.",
                verbose_name="documents",
            ),
        ),
        migrations.AddField(
            model_name="reply",
            name="helper_name",
            field=models.CharField(blank=True, max_length=100, verbose_name="who helped"),
        ),
        migrations.AddField(
            model_name="reply",
            name="helper_relation",
            field=models.CharField(blank=True, max_length=100, verbose_name="relation to the applicant"),
        ),
        migrations.AddField(
            model_name="travelrequest",
            name="consulted_at",
            field=models.DateTimeField(null=True, verbose_name="specialist office asked at"),
        ),
        migrations.AddField(
            model_name="travelrequest",
            name="opinion_at",
            field=models.DateTimeField(null=True, verbose_name="opinion received at"),
        ),
        migrations.AlterField(
            model_name="attachment",
            name="kind",
            field=models.CharField(
                choices=Attachment.Kind.choices, default="other", max_length=12, verbose_name="kind"
            ),
        ),
        migrations.AlterField(
            model_name="clock",
            name="kind",
            field=models.CharField(choices=ClockKind.choices, max_length=20, verbose_name="clock"),
        ),
        migrations.AlterField(
            model_name="clock",
            name="next_step",
            field=models.CharField(blank=True, choices=Step.choices, max_length=20, verbose_name="next step"),
        ),
        migrations.AlterField(
            model_name="clockaction",
            name="step",
            field=models.CharField(choices=Step.choices, max_length=20, verbose_name="step"),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.CheckConstraint(
                condition=Q(cleared=[]) | Q(outcome="approved"),
                name="approvals_decision_only_a_clearance_is_partial",
            ),
        ),
        migrations.AddConstraint(
            model_name="proposal",
            constraint=models.CheckConstraint(
                condition=Q(cleared=[]) | Q(outcome="approved"),
                name="approvals_proposal_only_a_clearance_is_partial",
            ),
        ),
        migrations.RemoveConstraint(model_name="decision", name="approvals_decision_refusal_has_remedy"),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.CheckConstraint(
                condition=Q(outcome="approved", cleared=[])
                | Q(outcome="approved", confirmed_by=None)
                | Q(appeal_until__isnull=False),
                name="approvals_decision_refusal_has_remedy",
            ),
        ),
        migrations.AddConstraint(
            model_name="reply",
            constraint=models.CheckConstraint(
                condition=Q(helper_name="", helper_relation="") | (~Q(helper_name="") & ~Q(helper_relation="")),
                name="approvals_reply_helper_is_named_whole",
            ),
        ),
        AppendOnlyTable("approvals_consultation"),
        AppendOnlyTable("approvals_opinion"),
        migrations.RunSQL(CREATE, DROP),
    ]
