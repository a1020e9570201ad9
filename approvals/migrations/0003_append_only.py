"""What happened to a request is never changed, and reference numbers come from a sequence."""

from django.db import migrations

from audit.operations import AppendOnlyTable


class Migration(migrations.Migration):
    dependencies = [("approvals", "0002_initial"), ("audit", "0002_append_only")]

    operations = [
        AppendOnlyTable("approvals_revision"),
        AppendOnlyTable("approvals_assessment"),
        AppendOnlyTable("approvals_companyreview"),
        AppendOnlyTable("approvals_assignment"),
        AppendOnlyTable("approvals_recusal"),
        AppendOnlyTable("approvals_escalation"),
        AppendOnlyTable("approvals_informationrequest"),
        AppendOnlyTable("approvals_informationanswer"),
        AppendOnlyTable("approvals_proposal"),
        AppendOnlyTable("approvals_proposalrejection"),
        AppendOnlyTable("approvals_reply"),
        AppendOnlyTable("approvals_decision"),
        AppendOnlyTable("approvals_condition"),
        AppendOnlyTable("approvals_extension"),
        AppendOnlyTable("approvals_clockaction"),
        migrations.RunSQL("CREATE SEQUENCE approvals_reference MINVALUE 0", "DROP SEQUENCE approvals_reference"),
    ]
