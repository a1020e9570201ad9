"""The states of a travel request and the named sets of states. Imports nothing of ours.

The words and whose turn it is are the rule book's table "States of a travel request".
"""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class State(TextChoices):
    """Where a travel request is."""

    DRAFT = "draft", pgettext_lazy("state", "Draft")
    COMPANY_REVIEW = "company_review", pgettext_lazy("state", "Company review")
    RETURNED = "returned", pgettext_lazy("state", "Returned for changes")
    COMPANY_DECLINED = "company_declined", pgettext_lazy("state", "Declined by the company")
    AUTHORITY_REVIEW = "authority_review", pgettext_lazy("state", "Authority review")
    INFORMATION_REQUESTED = "information_requested", pgettext_lazy("state", "Information requested")
    DECISION_PROPOSED = "decision_proposed", pgettext_lazy("state", "Decision proposed")
    APPROVED = "approved", pgettext_lazy("state", "Approved")
    DENIED = "denied", pgettext_lazy("state", "Denied")
    REVOKED = "revoked", pgettext_lazy("state", "Revoked")
    CLOSED = "closed", pgettext_lazy("state", "Closed")
    WITHDRAWN = "withdrawn", pgettext_lazy("state", "Withdrawn")
    LAPSED = "lapsed", pgettext_lazy("state", "Lapsed")


class Tier(TextChoices):
    """How closely a trip is looked at. Set by the assessment; a person can change it with a reason."""

    FAST = "fast", pgettext_lazy("tier", "Fast")
    STANDARD = "standard", pgettext_lazy("tier", "Standard")
    HEIGHTENED = "heightened", pgettext_lazy("tier", "Heightened")
    RESTRICTED = "restricted", pgettext_lazy("tier", "Restricted")


class Route(TextChoices):
    """Who decides on a request, by its tier (rule book, "Tiers")."""

    ONE_REVIEWER = "one_reviewer", _("One reviewer decides.")
    TWO_PEOPLE = "two_people", _("One reviewer proposes a decision, a senior reviewer confirms it.")
    TWO_PEOPLE_CONSULTED = (
        "two_people_consulted",
        _("The specialist office is consulted; then one reviewer proposes a decision, a senior reviewer confirms it."),
    )


ALL = frozenset(State)

# The applicant still writes; nobody else sees it while it is a draft.
EDITABLE = frozenset({State.DRAFT, State.RETURNED})

# Somebody still has to act before there is an outcome; the applicant can withdraw.
OPEN = frozenset(
    {
        State.DRAFT,
        State.COMPANY_REVIEW,
        State.RETURNED,
        State.COMPANY_DECLINED,
        State.AUTHORITY_REVIEW,
        State.INFORMATION_REQUESTED,
        State.DECISION_PROPOSED,
    }
)

# The office of the authority has it.
WITH_AUTHORITY = frozenset({State.AUTHORITY_REVIEW, State.INFORMATION_REQUESTED, State.DECISION_PROPOSED})

# The trip is asked for or cleared: no other trip of the same person may overlap it.
HOLDS_ITS_DATES = (OPEN - {State.DRAFT}) | {State.APPROVED}

# There is an outcome that an appeal can be filed against.
APPEALABLE = frozenset({State.DENIED, State.REVOKED})

# There is, or was, a clearance, and with it the conditions that it was given under: they outlive the trip.
WITH_CONDITIONS = frozenset({State.APPROVED, State.CLOSED})

FINAL = frozenset({State.CLOSED, State.WITHDRAWN})
