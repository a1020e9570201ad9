"""The input of each verb, as a form: its shape is checked here, the rules in the workflow.

A form's fields are called as the verb's arguments, so that a problem that the verb finds is shown where it belongs.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.refusals import Invalid
from approvals import queries, rules
from approvals.models import TravelRequest
from approvals.states import Tier
from authorities.languages import by_language
from interface.asking import asks
from sensitivity import matching

MAX_TEXT = 4000


def text_field(label: Any, *, missing: Any = None, rows: int = 4, help_text: Any = "") -> forms.CharField:
    """Several lines of text; with `missing`, the sentence for when there is none, it is required."""
    return forms.CharField(
        label=label,
        help_text=help_text,
        required=missing is not None,
        max_length=MAX_TEXT,
        widget=forms.Textarea(attrs={"rows": rows}),
        error_messages={"required": missing} if missing is not None else {},
    )


class LinesField(forms.CharField):
    """A list of texts, one a line; empty lines do not count."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.Textarea(attrs={"rows": 4}), max_length=MAX_TEXT, **kwargs)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        return [line.strip() for line in text.splitlines() if line.strip()]


class VerbForm(forms.Form):
    """The input of one verb on `request`. Without fields it is the confirmation alone."""

    shown_at: ClassVar[Mapping[str, str]] = {}
    """At which field it is shown what the verb says of an argument that is no field of the same name."""

    def __init__(self, *args: Any, request: TravelRequest, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        self.at = at
        self.prepare()

    def prepare(self) -> None:
        """Fit the fields to the request."""

    @property
    def instead(self) -> str:
        """The page of PAGES whose verb is done instead, because of what was entered; empty: that of this form."""
        return ""

    def values(self) -> dict[str, Any]:
        """The verb's own arguments, as plain values."""
        return dict(self.cleaned_data)

    def refuse(self, refusal: Invalid) -> None:
        """Show what the verb found wrong at the fields that it names."""
        for problem in refusal.problems:
            name = self.shown_at.get(problem.field, problem.field)
            self.add_error(name if name in self.fields else None, str(problem.message))

    def typed(self) -> list[tuple[str, str]]:
        """What was typed into the text fields, to be shown again where the form itself no longer can be."""
        return [
            (str(bound.label), str(bound.value()))
            for bound in self
            if isinstance(bound.field, forms.CharField) and self.is_bound and bound.value()
        ]


# ── the applicant ───────────────────────────────────────────────────────────────────────────────────────────────────


# ── the company ─────────────────────────────────────────────────────────────────────────────────────────────────────


class ReturnForm(VerbForm):
    comment = text_field(
        _("What to change"),
        missing=_("Say what the applicant should change."),
        help_text=_("Everything in one list: the applicant reads it and sends the request again."),
    )


class EndorseForm(VerbForm):
    comment = text_field(_("Comment for the office"), help_text=_("Part of the file; the applicant reads it too."))


class ObjectForm(VerbForm):
    comment = text_field(
        _("What the company objects to, and why"), missing=_("Say what the company objects to, and why.")
    )


class DeclineForm(VerbForm):
    comment = text_field(_("Reason"), missing=_("Give the reason; the applicant reads it."))


# ── the office ──────────────────────────────────────────────────────────────────────────────────────────────────────


class TakeForm(VerbForm):
    """For several cases at once. Who has a conflict of interest in one of them says so on the page of that one."""

    no_conflict = forms.BooleanField(
        label=_(
            "I have no conflict of interest: I am not related to the applicant, and have no stake in the company, "
            "the host or the event"
        ),
        error_messages={"required": _("Declare that you have no conflict of interest, or leave the case to others.")},
    )


QUEUE = "queue"
BACK_TO_QUEUE: tuple[str, str | Promise] = (QUEUE, _("Back to the office's queue"))


def _reviewer(value: str) -> int | None:
    return None if value == QUEUE else int(value)


class HandOverForm(VerbForm):
    reviewer_id = forms.TypedChoiceField(
        label=_("To whom"),
        coerce=_reviewer,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a reviewer, or the office's queue.")},
    )
    reason = text_field(_("Reason"), missing=_("Say why the case changes hands."), rows=2)

    def prepare(self) -> None:
        self.fields["reviewer_id"].choices = reviewer_choices(self.request, self.at)  # type: ignore[attr-defined]


def reviewer_choices(request: TravelRequest, at: datetime) -> list[tuple[str, str | Promise]]:
    """The reviewers who can take the case, with the cases that they have open, and the office's queue."""
    return [*map(choice_of, queries.reviewers_for(request, at=at)), BACK_TO_QUEUE]


def choice_of(one: queries.Colleague) -> tuple[str, str]:
    """A reviewer to choose: number, name and what they have open."""
    load = ngettext("%(count)d open case", "%(count)d open cases", one.open_cases) % {"count": one.open_cases}
    return str(one.user_id), f"{one.number} {one.name} · {load}"


class HandOverToAnyForm(HandOverForm):
    """For several cases of one office at once: who may not have one of them is refused for that one only."""

    def prepare(self) -> None:
        everybody = queries.reviewers_of(self.request.office_id, at=self.at)
        self.fields["reviewer_id"].choices = [*map(choice_of, everybody), BACK_TO_QUEUE]  # type: ignore[attr-defined]


class AskSeveralForm(VerbForm):
    """For several cases at once: the same questions, answered by a text, with the days of the office's policy."""

    items = LinesField(
        label=_("Questions"),
        help_text=_("One question a line. Ask for everything in one go: a second time needs a senior reviewer."),
        error_messages={"required": _("Ask at least one question.")},
    )
    reason = text_field(
        _("Why the office needs this"),
        missing=_("Say why the office needs this."),
        rows=2,
        help_text=_("The applicant reads it."),
    )


def _yes(value: str) -> bool:
    return value == "yes"


class JudgeMatchForm(VerbForm):
    """Whether a name that was written is that of a listed organisation."""

    key = forms.ChoiceField(
        label=_("Which of them"),
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose the possible match that you answer."),
            "invalid_choice": _("This possible match has an answer already."),
        },
    )
    confirmed = forms.TypedChoiceField(
        label=_("Is it the listed organisation?"),
        choices=[("yes", _("Yes, it is the same")), ("no", _("No, it is another one"))],
        coerce=_yes,
        widget=forms.RadioSelect,
        error_messages={"required": _("Say whether it is the same.")},
    )
    reason = text_field(
        _("How you know"),
        missing=_("Say how you know; the applicant reads it."),
        rows=3,
        help_text=_("The applicant reads it word for word. Of a confidential list, name nothing here."),
    )

    def prepare(self) -> None:
        waiting = self.request.assessment.possible if self.request.assessment else []
        choices = [
            (one.key, f"{one.written} ↔ {by_language(one.hit.label_zh, one.hit.label_en)}")
            for one in map(matching.possible_from, waiting)
        ]
        self.fields["key"].choices = choices  # type: ignore[attr-defined]
        if len(choices) == 1:
            self.initial["key"] = choices[0][0]


class ChangeTierForm(VerbForm):
    """Another tier than the one that it has."""

    tier = forms.TypedChoiceField(
        label=_("New tier"),
        coerce=Tier,
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose the new tier."),
            "invalid_choice": _("The request has this tier already."),
        },
    )
    reason = text_field(_("Reason"), missing=_("Give the reason; the applicant receives it."))

    def prepare(self) -> None:
        others = [tier for tier in Tier if tier != self.request.tier]
        choices = [(tier.value, f"{tier.label}: {rules.route_for(tier).label}") for tier in others]
        self.fields["tier"].choices = choices  # type: ignore[attr-defined]


class ReassessForm(VerbForm):
    reason = text_field(_("Reason"), help_text=_("Needed where the tier rises. The applicant receives it."))


class RejectProposalForm(VerbForm):
    note = text_field(_("Note to the reviewer"), missing=_("Say what the reviewer should look at again."))


@asks(working_days=_("Enter a number of working days."))
class ExtendForm(VerbForm):
    working_days = forms.IntegerField(
        label=_("By how many working days"), min_value=1, max_value=rules.EXTENSION_WORKING_DAYS
    )
    reason = text_field(_("Reason"), missing=_("Give the reason; the applicant receives it."))
