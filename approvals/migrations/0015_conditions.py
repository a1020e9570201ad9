"""Conditions as obligations: who owes them and by when, what becomes of them, and a clock for each.

Conditions of earlier clearances have no day and nothing follows on them: what was decided is not changed afterwards.
"""

import django.db.models.deletion
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models

from audit.operations import AppendOnlyTable

KINDS = [
    ("reported", "Reported as met"),
    ("sent_back", "Sent back: something is missing"),
    ("cannot_comply", "Cannot be met, says who owes it"),
    ("upheld", "Upheld"),
    ("changed", "Changed"),
    ("released", "Released"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("approvals", "0014_deciding"),
        ("audit", "0002_append_only"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="condition",
            name="due_on",
            field=models.DateField(null=True, verbose_name="to be met by"),
        ),
        migrations.AddField(
            model_name="condition",
            name="needs_evidence",
            field=models.BooleanField(default=False, verbose_name="a document has to show it"),
        ),
        migrations.AddField(
            model_name="condition",
            name="owner",
            field=models.CharField(
                choices=[("applicant", "The applicant"), ("company", "The company")],
                default="applicant",
                max_length=9,
                verbose_name="who has to meet it",
            ),
        ),
        migrations.AddField(
            model_name="travelrequest",
            name="conditions_wait_since",
            field=models.DateTimeField(null=True, verbose_name="a condition waits for the office since"),
        ),
        migrations.AddField(
            model_name="travelrequest",
            name="open_conditions",
            field=models.PositiveSmallIntegerField(default=0, verbose_name="conditions not released"),
        ),
        migrations.AddIndex(
            model_name="travelrequest",
            index=models.Index(
                fields=["office", "conditions_wait_since", "id"],
                condition=models.Q(("conditions_wait_since__isnull", False)),
                name="approvals_conditions_waiting",
            ),
        ),
        migrations.AddIndex(
            model_name="travelrequest",
            index=models.Index(
                fields=["company", "departs_on", "id"],
                condition=models.Q(("open_conditions__gt", 0)),
                name="approvals_conditions_open",
            ),
        ),
        migrations.CreateModel(
            name="ConditionStep",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="at")),
                ("kind", models.CharField(choices=KINDS, max_length=13, verbose_name="what happened")),
                ("text", models.TextField(verbose_name="what was said")),
                (
                    "documents",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="`id`, `name` and `sha256` of each.",
                        verbose_name="documents",
                    ),
                ),
                ("new_text", models.TextField(blank=True, verbose_name="the condition from now on")),
                ("due_on", models.DateField(null=True, verbose_name="to be met by, from now on")),
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
                    "condition",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="steps", to="approvals.condition"
                    ),
                ),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="%(class)ss",
                        to="approvals.travelrequest",
                    ),
                ),
            ],
            options={
                "verbose_name": "step of a condition",
                "verbose_name_plural": "steps of conditions",
                "ordering": ["at", "id"],
                "abstract": False,
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(kind="released") | ~models.Q(text=""),
                        name="approvals_condition_step_says_why",
                    ),
                    models.CheckConstraint(
                        condition=(models.Q(kind="changed", due_on__isnull=False) & ~models.Q(new_text=""))
                        | (~models.Q(kind="changed") & models.Q(new_text="")),
                        name="approvals_condition_step_changes_the_text",
                    ),
                ],
            },
        ),
        AppendOnlyTable("approvals_conditionstep"),
        migrations.AddField(
            model_name="clock",
            name="subject",
            field=models.UUIDField(null=True, verbose_name="what it is about"),
        ),
        migrations.RemoveConstraint(model_name="clock", name="approvals_clock_one_open_of_a_kind"),
        migrations.AddConstraint(
            model_name="clock",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at", None)),
                fields=("request", "kind", "subject"),
                name="approvals_clock_one_open_of_a_kind",
                nulls_distinct=False,
            ),
        ),
    ]
