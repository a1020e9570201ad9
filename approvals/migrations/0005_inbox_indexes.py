"""Indexes of which each tab of the inbox is one stretch. Made and dropped while everybody works on."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models import F, Q

WITH_OFFICE = ["authority_review", "decision_proposed", "information_requested"]


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("approvals", "0004_refusals_rest_on_decisions")]

    operations = [
        AddIndexConcurrently(
            "travelrequest",
            models.Index(
                F("office"), F("urgent").desc(), F("due_at"), F("id"),
                name="approvals_unassigned",
                condition=Q(state="authority_review", assigned_reviewer=None),
            ),
        ),
        AddIndexConcurrently(
            "travelrequest",
            models.Index(
                F("office"), F("state"), F("urgent").desc(), F("due_at"), F("id"),
                name="approvals_office_by_state",
                condition=Q(state__in=WITH_OFFICE),
            ),
        ),
        AddIndexConcurrently(
            "travelrequest",
            models.Index(
                F("company"), F("state"), F("urgent").desc(), F("due_at"), F("id"),
                name="approvals_company_by_state",
                condition=Q(state__in=["company_review", "returned", *WITH_OFFICE]),
            ),
        ),
        RemoveIndexConcurrently("travelrequest", "approvals_office_inbox"),
        RemoveIndexConcurrently("travelrequest", "approvals_company_inbox"),
    ]
