"""The terms of time: kinds of clocks, and what a clock policy says of each. Values only, no tables.

The rules of `approvals` count with these as they judge with `accounts.roles`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import TextChoices
from django.utils.translation import pgettext_lazy


class ClockKind(TextChoices):
    """The clocks of the rule book, and the two windows that its transitions name."""

    COMPANY = "company", pgettext_lazy("clock", "Company review")
    DECISION = "decision", pgettext_lazy("clock", "Decision")
    ANSWER = "answer", pgettext_lazy("clock", "Answer")
    REPLY = "reply", pgettext_lazy("clock", "Reply to a proposed denial")
    CONSULTATION = "consultation", pgettext_lazy("clock", "Opinion of a specialist office")
    CHANGE = "change", pgettext_lazy("clock", "Changes")
    DRAFT = "draft", pgettext_lazy("clock", "Draft")
    CONDITION = "condition", pgettext_lazy("clock", "Condition")
    CONDITION_ANSWER = "condition_answer", pgettext_lazy("clock", "Answer about a condition")
    APPEAL_FILING = "appeal_filing", pgettext_lazy("clock", "Filing an appeal")
    APPEAL = "appeal", pgettext_lazy("clock", "Appeal")
    DEPARTURE = "departure", pgettext_lazy("clock", "Departure")
    RETURN = "return", pgettext_lazy("clock", "Return")
    REOPEN = "reopen", pgettext_lazy("clock", "Reopening")
    REFER = "refer", pgettext_lazy("clock", "Referral to the authority")
    AMENDMENT = "amendment", pgettext_lazy("clock", "Change to a cleared trip")


# The tiers of the rule book, for the tables of this app; `approvals.states.Tier` uses the same words.
TIERS = [
    ("fast", pgettext_lazy("tier", "Fast")),
    ("standard", pgettext_lazy("tier", "Standard")),
    ("heightened", pgettext_lazy("tier", "Heightened")),
    ("restricted", pgettext_lazy("tier", "Restricted")),
]

# Clocks that count working days of the office. The others count days of the calendar.
COUNTS_WORKING_DAYS = frozenset(
    {
        ClockKind.COMPANY,
        ClockKind.DECISION,
        ClockKind.ANSWER,
        ClockKind.REPLY,
        ClockKind.CONSULTATION,
        ClockKind.CHANGE,
        ClockKind.CONDITION_ANSWER,
        ClockKind.APPEAL,
        ClockKind.AMENDMENT,
    }
)

# Clocks whose length may differ by tier: nobody but the office looks at a trip more or less closely.
DIFFERS_BY_TIER = frozenset({ClockKind.DECISION})


@dataclass(frozen=True, slots=True)
class Terms:
    """What a policy says of one clock. Days are in the clock's own unit (see `COUNTS_WORKING_DAYS`)."""

    days: int
    remind_at_percent: tuple[int, ...] = ()
    """A reminder when so much of the time is used."""
    remind_before: tuple[int, ...] = ()
    """A reminder when so many days are left."""
    head_after: int = 2
    """Days overdue after which the head of office is told. Decision only."""
    last_after: int = 5
    """Days overdue after which the last step is taken. Decision only."""
    extension: int = 0
    """By how many days it can be extended, once; 0: not at all."""
    deem_approved: bool = False
    """Whether the last step approves. Otherwise the overdue case is reported every working day."""


@dataclass(frozen=True, slots=True)
class Policy:
    """One published version of a clock policy. Never changes."""

    id: int
    version: int
    effective_from: datetime
    lines: Mapping[tuple[str, str], Terms]

    def terms(self, kind: str, tier: str = "") -> Terms:
        """The terms of `kind` for `tier`. KeyError when the policy says nothing of it: no published one may."""
        return self.lines.get((kind, tier)) or self.lines[kind, ""]


HALF_AND_FOUR_FIFTHS = (50, 80)

# The table "Clocks" of the rule book. The decision has a line for requests that have no tier yet: the longest.
RULE_BOOK: Mapping[tuple[str, str], Terms] = {
    (ClockKind.COMPANY.value, ""): Terms(3, remind_at_percent=HALF_AND_FOUR_FIFTHS),
    (ClockKind.DECISION.value, ""): Terms(20, remind_at_percent=HALF_AND_FOUR_FIFTHS, extension=10),
    (ClockKind.DECISION.value, "fast"): Terms(
        3, remind_at_percent=HALF_AND_FOUR_FIFTHS, extension=10, deem_approved=True
    ),
    (ClockKind.DECISION.value, "standard"): Terms(
        10, remind_at_percent=HALF_AND_FOUR_FIFTHS, extension=10, deem_approved=True
    ),
    (ClockKind.DECISION.value, "heightened"): Terms(20, remind_at_percent=HALF_AND_FOUR_FIFTHS, extension=10),
    (ClockKind.DECISION.value, "restricted"): Terms(20, remind_at_percent=HALF_AND_FOUR_FIFTHS, extension=10),
    (ClockKind.ANSWER.value, ""): Terms(10, remind_before=(5, 2)),
    (ClockKind.REPLY.value, ""): Terms(5, remind_before=(2,)),
    (ClockKind.CONSULTATION.value, ""): Terms(5, remind_before=(2,)),
    (ClockKind.CHANGE.value, ""): Terms(10, remind_before=(5, 2)),
    (ClockKind.DRAFT.value, ""): Terms(90, remind_before=(14,)),
    # The day of a condition is its own: the office is told so many days after it.
    (ClockKind.CONDITION.value, ""): Terms(3, remind_before=(5, 2)),
    (ClockKind.CONDITION_ANSWER.value, ""): Terms(3, remind_at_percent=(50,)),
    (ClockKind.APPEAL_FILING.value, ""): Terms(60, remind_before=(14,)),
    (ClockKind.APPEAL.value, ""): Terms(20, remind_at_percent=HALF_AND_FOUR_FIFTHS),
    (ClockKind.DEPARTURE.value, ""): Terms(5),
    (ClockKind.RETURN.value, ""): Terms(1),
    (ClockKind.REOPEN.value, ""): Terms(30),
    (ClockKind.REFER.value, ""): Terms(30),
    (ClockKind.AMENDMENT.value, ""): Terms(5, remind_at_percent=HALF_AND_FOUR_FIFTHS),
}
