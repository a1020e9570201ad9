"""Items of information requests, what is written on them so far, and how many days there are to answer."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("approvals", "0012_retention")]

    operations = [
        migrations.AddField(
            model_name="informationrequest",
            name="working_days",
            field=models.PositiveSmallIntegerField(
                help_text="How many the applicant was given; empty: those of the policy.",
                null=True,
                verbose_name="working days",
            ),
        ),
        migrations.AddField(
            model_name="travelrequest",
            name="answer_extra_days",
            field=models.PositiveSmallIntegerField(default=0, verbose_name="more working days to answer"),
        ),
        migrations.AlterField(
            model_name="attachment",
            name="kind",
            field=models.CharField(
                choices=[
                    ("invitation", "Invitation"),
                    ("programme", "Programme or agenda"),
                    ("paper", "Paper or slides"),
                    ("evidence", "Evidence of urgency"),
                    ("reply", "Sent with a reply"),
                    ("answer", "Answer to the office"),
                    ("proof", "Proof for a condition"),
                    ("other", "Other"),
                ],
                default="other",
                max_length=12,
                verbose_name="kind",
            ),
        ),
        migrations.CreateModel(
            name="ItemDraft",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=60, verbose_name="item")),
                ("text", models.TextField(blank=True, verbose_name="text")),
                ("cannot", models.TextField(blank=True, verbose_name="why it cannot be given")),
                ("documents", models.JSONField(default=list, verbose_name="documents")),
                ("saved_at", models.DateTimeField(verbose_name="saved at")),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="item_drafts",
                        to="approvals.travelrequest",
                    ),
                ),
            ],
            options={
                "verbose_name": "item being written",
                "verbose_name_plural": "items being written",
                "constraints": [models.UniqueConstraint(fields=("request", "key"), name="approvals_item_draft_key")],
            },
        ),
    ]
