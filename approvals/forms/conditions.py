"""The input about conditions: those of a clearance, row by row, and what is done about one of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from approvals import workflow
from approvals.forms.rows import RowsForm
from approvals.forms.staff import VerbForm, text_field
from approvals.models import Condition
from approvals.models.conditions import ConditionNow, ConditionState
from approvals.models.decision import Outcome
from approvals.workflow.conditions import (
    DAYS_AFTER_RETURN,
    MOST_CONDITIONS,
    MOST_DAYS_AFTER_RETURN,
    ConditionOutcome,
    Due,
    Obligation,
)
from interface.widgets import DateInput


class ConditionsForm(RowsForm):
    """The conditions of a clearance: a row for each; an empty row is none."""

    rows_name = "conditions"
    most_rows = MOST_CONDITIONS
    row_words = _("Condition")

    def row_fields(self) -> dict[str, forms.Field]:
        return {
            "text": forms.CharField(
                label=_("What has to be done or kept to"),
                required=False,
                max_length=1000,
                widget=forms.Textarea(attrs={"rows": 2}),
                help_text=_("Empty: no condition. For example: the slides go to the company before the talk."),
            ),
            "owner": forms.ChoiceField(
                label=_("Who has to meet it"),
                choices=Condition.Owner.choices,
                initial=Condition.Owner.APPLICANT,
                required=False,
            ),
            "due": forms.ChoiceField(label=_("By when"), choices=Due.choices, initial=Due.DEPARTURE, required=False),
            "days": forms.IntegerField(
                label=_("Days after the return"),
                initial=DAYS_AFTER_RETURN,
                min_value=0,
                max_value=MOST_DAYS_AFTER_RETURN,
                required=False,
            ),
            "due_on": forms.DateField(label=_("Day"), required=False, widget=DateInput()),
            "needs_evidence": forms.BooleanField(label=_("A document has to show it"), required=False),
        }

    def obligations(self) -> list[Obligation]:
        """The rows as the verbs take them; empty ones too, so that places hold."""
        return [
            Obligation(
                text=row["text"],
                owner=row["owner"] or Condition.Owner.APPLICANT.value,
                due=row["due"] or Due.RETURN.value,
                days=DAYS_AFTER_RETURN if row["days"] is None else row["days"],
                due_on=row["due_on"],
                needs_evidence=bool(row["needs_evidence"]),
            )
            for row in self.cleaned_rows()
        ]


class ApproveForm(ConditionsForm):
    text = text_field(_("Note on the decision"), help_text=_("The applicant reads it."))

    def values(self) -> dict[str, Any]:
        return {"text": self.cleaned_data["text"], "conditions": self.obligations()}


class ProposeApprovalForm(ConditionsForm):
    text = text_field(_("Reasons"), help_text=_("For the senior reviewer who confirms; part of the decision."))

    def values(self) -> dict[str, Any]:
        return {
            "outcome": Outcome.APPROVED.value,
            "grounds": workflow.Grounds(text=self.cleaned_data["text"]),
            "conditions": self.obligations(),
        }


# ── about one of them ───────────────────────────────────────────────────────────────────────────────────────────────


class OneConditionForm(VerbForm):
    """Which condition; chosen already where there is only one that can be meant."""

    states: ClassVar[frozenset[ConditionState]]

    condition = forms.TypedChoiceField(
        label=_("Which condition"),
        coerce=UUID,
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose the condition."),
            "invalid_choice": _("This condition does not wait for this any more."),
        },
    )

    def prepare(self) -> None:
        waiting = [one for one in self.request.conditions_now if one.state in self.states]
        choices = [(str(one.condition.pk), choice_of(one)) for one in waiting]
        field = self.fields["condition"]
        field.choices = choices  # type: ignore[attr-defined]
        if len(choices) == 1:
            self.initial["condition"] = choices[0][0]
        asked = str(self.initial.get("condition", ""))
        self.chosen = next((one for one in waiting if str(one.condition.pk) == asked), None)


def choice_of(one: ConditionNow) -> str:
    """A condition to choose: its text, and by when."""
    return f"{one.text} · {date_format(one.due_on, 'DATE_FORMAT')}" if one.due_on else one.text


_OPEN = frozenset({ConditionState.OPEN})
_REPORTED = frozenset({ConditionState.REPORTED})


class CannotComplyForm(OneConditionForm):
    states = _OPEN | _REPORTED

    text = text_field(
        _("Why it cannot be met"),
        missing=_("Say why it cannot be met."),
        help_text=_("You may say what you could do instead."),
    )


class ReleaseForm(OneConditionForm):
    states = _OPEN | _REPORTED

    text = text_field(_("Note"), rows=2, help_text=_("Who owed it reads it; you need not write one."))


class _WithDay(OneConditionForm):
    due_on = forms.DateField(label=_("To be met by"), required=False, widget=DateInput())

    def prepare(self) -> None:
        super().prepare()
        if self.chosen is not None and self.chosen.due_on is not None:
            soon = self.request.today + timedelta(days=DAYS_AFTER_RETURN)
            self.initial.setdefault("due_on", max(self.chosen.due_on, soon).isoformat())


class SendBackForm(_WithDay):
    states = _REPORTED

    text = text_field(_("What is missing"), missing=_("Say what is missing."))
    field_order = ("condition", "text", "due_on")


class AnswerConditionForm(_WithDay):
    states = frozenset({ConditionState.CANNOT_COMPLY})

    outcome = forms.ChoiceField(
        label=_("Answer"),
        choices=ConditionOutcome.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose an answer.")},
    )
    text = text_field(_("Reasons"), missing=_("Give the reasons; who owes it reads them."))
    new_text = text_field(_("The condition from now on"), rows=2, help_text=_("Only where you change it."))
    field_order = ("condition", "outcome", "text", "new_text", "due_on")
