"""Papers: ordered by the database together with what they are about, kept as issued, clearances that can be shown."""

import django.db.models.deletion
import uuid_utils.compat
from django.db import migrations, models
from django.db.models import F, Q

import approvals.models.paper
from audit.operations import AppendOnlyTable

# Whoever submits or decides need not think of the paper, and no way of doing it can forget it.
CREATE = """
    CREATE FUNCTION approvals_order_paper() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO approvals_paperorder (request_id, kind, subject, at)
            VALUES (NEW.request_id, TG_ARGV[0], NEW.id, CASE TG_ARGV[0] WHEN 'appeal' THEN
                    (to_jsonb(NEW) ->> 'ended_at')::timestamptz ELSE (to_jsonb(NEW) ->> 'at')::timestamptz END)
            ON CONFLICT DO NOTHING;
        RETURN NULL;
    END
    $$;
    CREATE TRIGGER order_paper AFTER INSERT ON approvals_revision
        FOR EACH ROW EXECUTE FUNCTION approvals_order_paper('receipt');
    CREATE TRIGGER order_paper AFTER INSERT ON approvals_decision
        FOR EACH ROW EXECUTE FUNCTION approvals_order_paper('decision');
    CREATE TRIGGER order_paper AFTER UPDATE OF state ON approvals_appeal
        FOR EACH ROW WHEN (NEW.state = 'upheld' AND OLD.state <> 'upheld')
        EXECUTE FUNCTION approvals_order_paper('appeal');
"""
DROP = """
    DROP TRIGGER order_paper ON approvals_appeal;
    DROP TRIGGER order_paper ON approvals_decision;
    DROP TRIGGER order_paper ON approvals_revision;
    DROP FUNCTION approvals_order_paper();
"""


class Migration(migrations.Migration):
    dependencies = [("approvals", "0010_grounds"), ("audit", "0002_append_only"), ("documents", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="PaperOrder",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("receipt", "Receipt of the submission"),
                            ("decision", "Decision"),
                            ("appeal", "Decision on the appeal"),
                        ],
                        max_length=8,
                        verbose_name="kind",
                    ),
                ),
                ("subject", models.UUIDField(verbose_name="about")),
                ("at", models.DateTimeField(verbose_name="about what happened at")),
                ("made_at", models.DateTimeField(null=True, verbose_name="made at")),
                ("handed_over_at", models.DateTimeField(null=True, verbose_name="failed, and is with a job since")),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="paper_orders",
                        to="approvals.travelrequest",
                    ),
                ),
            ],
            options={
                "verbose_name": "paper to be made",
                "verbose_name_plural": "papers to be made",
                "ordering": ["pk"],
                "indexes": [
                    models.Index(
                        condition=Q(made_at=None, handed_over_at=None), fields=["id"], name="approvals_paper_due"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=["kind", "subject"], name="approvals_paper_ordered_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Paper",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("language", models.CharField(max_length=10, verbose_name="language")),
                ("made_at", models.DateTimeField(verbose_name="made at")),
                ("size", models.PositiveIntegerField(verbose_name="size in bytes")),
                ("sha256", models.CharField(max_length=64, verbose_name="SHA-256")),
                (
                    "file",
                    models.FileField(
                        storage=approvals.models.paper.paper_storage,
                        upload_to=approvals.models.paper.paper_path,
                        verbose_name="file",
                    ),
                ),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="papers",
                        to="approvals.travelrequest",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="papers",
                        to="approvals.paperorder",
                    ),
                ),
            ],
            options={
                "verbose_name": "paper",
                "verbose_name_plural": "papers",
                "ordering": ["made_at", "id"],
                "constraints": [models.UniqueConstraint(fields=["order", "language"], name="approvals_paper_once")],
            },
        ),
        migrations.CreateModel(
            name="Clearance",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("issued_at", models.DateTimeField(verbose_name="issued at")),
                ("valid_from", models.DateField(verbose_name="valid from")),
                ("valid_until", models.DateField(verbose_name="valid until")),
                ("token", models.CharField(max_length=128, verbose_name="token")),
                (
                    "decision",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="clearance",
                        to="approvals.decision",
                    ),
                ),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="clearances",
                        to="approvals.travelrequest",
                    ),
                ),
            ],
            options={
                "verbose_name": "clearance",
                "verbose_name_plural": "clearances",
                "ordering": ["issued_at"],
                "constraints": [
                    models.CheckConstraint(
                        name="approvals_clearance_ends_after_it_begins",
                        condition=Q(valid_until__gte=F("valid_from")),
                    )
                ],
            },
        ),
        AppendOnlyTable("approvals_paper"),
        AppendOnlyTable("approvals_clearance"),
        migrations.RunSQL(CREATE, DROP),
    ]
