"""Changes to a trip that was submitted or cleared. What has ended stays as it ended."""

import django.contrib.postgres.fields
import django.db.models.deletion
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q

USER = settings.AUTH_USER_MODEL

FIX = """
    CREATE FUNCTION approvals_amendment_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'amendment_stays: amendment % has ended as %', OLD.id, OLD.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'approvals_amendment_stays', TABLE = TG_TABLE_NAME;
    END
    $$;
    CREATE TRIGGER amendment_stays BEFORE UPDATE ON approvals_amendment FOR EACH ROW
        WHEN (OLD.state IN ('taken_over', 'accepted', 'returned', 'withdrawn', 'noted'))
        EXECUTE FUNCTION approvals_amendment_stays();
    ALTER TABLE approvals_amendment ENABLE ALWAYS TRIGGER amendment_stays;
"""
UNFIX = """
    DROP TRIGGER amendment_stays ON approvals_amendment;
    DROP FUNCTION approvals_amendment_stays();
"""


def key(to, name=None, **options):
    return models.ForeignKey(
        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=to, verbose_name=name, **options
    )


def one(to, related_name):
    return models.OneToOneField(
        null=True, on_delete=django.db.models.deletion.PROTECT, related_name=related_name, to=to
    )


class Migration(migrations.Migration):
    dependencies = [("approvals", "0016_appeals"), ("authorities", "0010_time_for_changes")]

    operations = [
        migrations.CreateModel(
            name="Amendment",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("change", "Change"), ("report", "Reported afterwards")],
                        default="change",
                        max_length=6,
                        verbose_name="kind",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Being written"),
                            ("filed", "With the office"),
                            ("recommended", "Waits for a second person"),
                            ("taken_over", "Part of the request"),
                            ("accepted", "Accepted"),
                            ("returned", "Not accepted as a change"),
                            ("withdrawn", "Withdrawn"),
                            ("noted", "Noted by the office"),
                        ],
                        default="draft",
                        max_length=12,
                        verbose_name="state",
                    ),
                ),
                ("base", models.JSONField(verbose_name="as it was")),
                ("content", models.JSONField(verbose_name="as it would be")),
                ("typed", models.JSONField(blank=True, default=dict, verbose_name="as typed")),
                ("reason", models.TextField(blank=True, verbose_name="reason")),
                (
                    "touches",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("dates", "Dates"),
                                ("places", "Places"),
                                ("hosts", "Host organisations"),
                                ("event", "Event"),
                                ("subjects", "Subjects"),
                                ("projects", "Projects"),
                                ("materials", "Materials and devices"),
                                ("words", "What you will do there"),
                            ],
                            max_length=10,
                        ),
                        blank=True,
                        default=list,
                        verbose_name="touches",
                    ),
                ),
                (
                    "tier",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("fast", "Fast"),
                            ("standard", "Standard"),
                            ("heightened", "Heightened"),
                            ("restricted", "Restricted"),
                        ],
                        max_length=12,
                        verbose_name="tier of what changes",
                    ),
                ),
                (
                    "hits",
                    models.JSONField(blank=True, default=list, verbose_name="hits that the change brings"),
                ),
                ("begun_at", models.DateTimeField(verbose_name="begun at")),
                ("saved_at", models.DateTimeField(verbose_name="saved at")),
                ("filed_at", models.DateTimeField(null=True, verbose_name="filed at")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="ended at")),
                ("answer", models.TextField(blank=True, verbose_name="answer")),
                ("recommended_by", key(USER, "recommended by")),
                ("ended_by", key(USER, "ended by")),
                ("revision", one("approvals.revision", "amendment")),
                ("assessment", one("approvals.assessment", "+")),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="amendments",
                        to="approvals.travelrequest",
                    ),
                ),
            ],
            options={"verbose_name": "amendment", "verbose_name_plural": "amendments", "ordering": ["begun_at"]},
        ),
        migrations.AddField(model_name="travelrequest", name="open_amendment", field=key("approvals.amendment")),
        migrations.AddField(
            model_name="travelrequest",
            name="report_is_open",
            field=models.BooleanField(default=False, verbose_name="something reported waits to be read"),
        ),
        migrations.AlterField(
            model_name="assessment",
            name="cause",
            field=models.CharField(
                choices=[
                    ("submitted", "Submitted"),
                    ("match_judged", "A possible match was answered"),
                    ("tier_changed", "A person changed the tier"),
                    ("reassessed", "Assessed anew with the lists of a later day"),
                    ("amended", "The trip changed"),
                ],
                default="submitted",
                max_length=12,
                verbose_name="cause",
            ),
        ),
        migrations.AddConstraint(
            model_name="amendment",
            constraint=models.UniqueConstraint(
                condition=Q(state="draft"), fields=("request",), name="approvals_amendment_one_being_written"
            ),
        ),
        migrations.AddConstraint(
            model_name="amendment",
            constraint=models.UniqueConstraint(
                condition=Q(kind="change", state__in=["filed", "recommended"]),
                fields=("request",),
                name="approvals_amendment_one_with_the_office",
            ),
        ),
        migrations.AddConstraint(
            model_name="amendment",
            constraint=models.CheckConstraint(
                condition=Q(state__in=["draft", "withdrawn"]) | (Q(filed_at__isnull=False) & ~Q(reason="")),
                name="approvals_amendment_filed_with_a_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="amendment",
            constraint=models.CheckConstraint(
                condition=~Q(state__in=["accepted", "returned", "noted"])
                | Q(ended_by__isnull=False, ended_at__isnull=False),
                name="approvals_amendment_ended_by_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="amendment",
            constraint=models.CheckConstraint(
                condition=Q(recommended_by=None)
                | Q(ended_by=None)
                | ~Q(state="accepted")
                | ~Q(ended_by=F("recommended_by")),
                name="approvals_amendment_second_person_is_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="amendment",
            constraint=models.CheckConstraint(
                condition=~Q(state="accepted", tier__in=["heightened", "restricted"]) | Q(recommended_by__isnull=False),
                name="approvals_amendment_accepted_by_as_many_as_it_takes",
            ),
        ),
        migrations.AddConstraint(
            model_name="amendment",
            constraint=models.CheckConstraint(
                condition=~Q(state="returned") | ~Q(answer=""), name="approvals_amendment_returned_with_reasons"
            ),
        ),
        migrations.AddIndex(
            model_name="travelrequest",
            index=models.Index(
                F("office"),
                F("urgent").desc(),
                F("due_at"),
                F("id"),
                condition=Q(open_amendment__isnull=False) | Q(report_is_open=True),
                name="approvals_changes",
            ),
        ),
        migrations.RunSQL(FIX, UNFIX),
    ]
