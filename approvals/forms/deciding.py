"""The input of what decides: grounds fact by fact and measure by measure, a part that is cleared, the reply to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar

from django import forms
from django.core.files.base import File
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from approvals import particulars, queries, workflow
from approvals.forms.applicant import DocumentsForm, SeveralFilesInput
from approvals.forms.staff import LinesField, VerbForm, text_field
from approvals.founding import unfounded
from approvals.models import Opinion
from approvals.models.decision import Measure, Outcome
from authorities import grounds
from authorities.models import Office, ReasonCode
from interface.widgets import DateInput

FACTS = 5
FACTS_SHOWN = 2


class _ReasonCodes(forms.ModelMultipleChoiceField[ReasonCode]):
    """Reason codes in force: code, wording, what it points at, and the instrument with where it can be read."""

    def label_from_instance(self, code: ReasonCode) -> SafeString:
        return format_html(
            '<strong>{}</strong> {} <span class="hint">{}</span><br><a href="{}" rel="noopener">{}</a>',
            code.code,
            code.label,
            code.get_points_at_display(),
            code.instrument.url,
            str(code.instrument),
        )


# Why each measure that is milder than a refusal does not do.
_WHY_NOT = {
    Measure.CONDITION: _("Why a condition does not do"),
    Measure.SHORTER: _("Why a shorter trip does not do"),
    Measure.WITHOUT_PLACE: _("Why leaving out a place does not do"),
    Measure.OTHER: _("Something else that is milder, and why it does not do"),
}


class GroundsForm(VerbForm):
    """All that a refusal rests on (fair process, 3): none of it can be left out."""

    refuses_a_part = False
    shown_at: ClassVar[Mapping[str, str]] = {"facts": "fact_0"}

    reason_codes = _ReasonCodes(
        label=_("Grounds"),
        queryset=ReasonCode.objects.none(),
        to_field_name="code",
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Reason codes in force for this office today that point at something of this trip."),
        error_messages={"required": _("Choose at least one reason code in force.")},
    )
    text = text_field(
        _("Reasons, for this case"),
        missing=_("Give the reasons, for this case, in words that the applicant understands."),
        rows=6,
        help_text=_("The applicant reads them word for word. An earlier request, denial or appeal is no reason."),
    )

    def prepare(self) -> None:
        content = self.request.revision.content if self.request.revision else {"legs": []}
        usable = [
            code.pk
            for code in grounds.in_force(self.request.office_id, self.request.today)
            if not unfounded([code], content)
        ]
        codes = ReasonCode.objects.filter(pk__in=usable).select_related("instrument")
        self.fields["reason_codes"].queryset = codes  # type: ignore[attr-defined]
        for measure in [*workflow.measures_for(content, part=self.refuses_a_part), Measure.OTHER]:
            needed = _("Say why this does not do; if it does, propose it instead.")
            self.fields[f"why_not_{measure.value}"] = text_field(
                _WHY_NOT[measure], missing=None if measure is Measure.OTHER else needed, rows=2
            )
        parts = [("", _("Choose a part of the request")), *particulars.in_words(content).items()]
        for number in range(FACTS):
            first = number == 0
            self.fields[f"part_{number}"] = forms.ChoiceField(
                label=_("What of the request it is about"),
                choices=parts,
                required=first,
                error_messages={"required": _("Choose what of the request the fact is about.")},
            )
            self.fields[f"fact_{number}"] = text_field(
                _("Fact relied on"), missing=_("Name the facts relied on.") if first else None, rows=2
            )

    def measures(self) -> list[Any]:
        """The fields of the milder measures, as the page shows them."""
        return [self[f"why_not_{one.value}"] for one in Measure if f"why_not_{one.value}" in self.fields]

    def facts(self) -> list[tuple[Any, Any]]:
        """The fields of the facts that are always there: the part, and what is known of it."""
        return [(self[f"part_{number}"], self[f"fact_{number}"]) for number in range(FACTS_SHOWN)]

    def more_facts(self) -> list[tuple[Any, Any]]:
        """Further ones, behind a fold."""
        return [(self[f"part_{number}"], self[f"fact_{number}"]) for number in range(FACTS_SHOWN, FACTS)]

    def has_more_facts(self) -> bool:
        """Whether something was entered behind the fold, so that it is shown open."""
        return any(bound.value() for pair in self.more_facts() for bound in pair)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        for number in range(1, FACTS):
            part, fact = given.get(f"part_{number}"), (given.get(f"fact_{number}") or "").strip()
            if fact and not part:
                self.add_error(f"part_{number}", _("Choose what of the request the fact is about."))
            if part and not fact:
                self.add_error(f"fact_{number}", _("Name the fact, or choose no part."))
        return given

    def grounds(self) -> workflow.Grounds:
        """What was entered, as the verbs take it."""
        given = self.cleaned_data
        facts = ((given.get(f"part_{number}"), given.get(f"fact_{number}")) for number in range(FACTS))
        why = ((one.value, given.get(f"why_not_{one.value}")) for one in Measure)
        return workflow.Grounds(
            text=given["text"],
            reason_codes=[code.code for code in given["reason_codes"]],
            relied_on=[workflow.Fact(part=part, fact=fact) for part, fact in facts if part and fact],
            measures=[workflow.Considered(measure=measure, why=words) for measure, words in why if words],
        )

    def values(self) -> dict[str, Any]:
        return {"grounds": self.grounds()}


class ProposeDenialForm(GroundsForm):
    def values(self) -> dict[str, Any]:
        return {"outcome": Outcome.DENIED.value} | super().values()


class PlacesForm(VerbForm):
    """Which places and days are cleared. Until something is changed: all that was asked for."""

    shown_at: ClassVar[Mapping[str, str]] = {"cleared": "keep_0"}

    def prepare(self) -> None:
        super().prepare()
        words = particulars.in_words(self.request.revision.content) if self.request.revision else {}
        for number, leg in enumerate(self._asked()):
            self.fields[f"keep_{number}"] = forms.BooleanField(
                label=words[f"place-{number}"], required=False, initial=True
            )
            for name, label, day in (
                ("from", _("First day"), leg["arrives_on"]),
                ("to", _("Last day"), leg["leaves_on"]),
            ):
                self.fields[f"{name}_{number}"] = forms.DateField(
                    label=label, initial=date.fromisoformat(day), required=False, widget=DateInput()
                )

    def _asked(self) -> list[dict[str, Any]]:
        return list(self.request.revision.content["legs"]) if self.request.revision else []

    def places(self) -> list[tuple[Any, Any, Any]]:
        """The fields of each place: whether it is cleared, from when, until when."""
        return [(self[f"keep_{at}"], self[f"from_{at}"], self[f"to_{at}"]) for at in range(len(self._asked()))]

    def cleared(self) -> list[dict[str, Any]]:
        """The places that were left marked, on the days entered, as in a revision."""
        given, kept = self.cleaned_data, []
        for number, leg in enumerate(self._asked()):
            if given[f"keep_{number}"]:
                first, last = given[f"from_{number}"], given[f"to_{number}"]
                days = {
                    "arrives_on": first.isoformat() if first else leg["arrives_on"],
                    "leaves_on": last.isoformat() if last else leg["leaves_on"],
                }
                kept.append(leg | days)
        return kept

    def is_all(self) -> bool:
        """Whether what was entered is all that was asked for."""
        return self.cleared() == self._asked()


class ProposePartForm(PlacesForm, GroundsForm):
    """Which places and days are cleared, and on what grounds the rest is not."""

    refuses_a_part = True
    shown_at: ClassVar[Mapping[str, str]] = {**GroundsForm.shown_at, **PlacesForm.shown_at}

    conditions = LinesField(label=_("Conditions"), required=False, help_text=_("One condition a line; none is fine."))

    def values(self) -> dict[str, Any]:
        return {
            "outcome": Outcome.APPROVED.value,
            "conditions": self.cleaned_data["conditions"],
            "cleared": self.cleared(),
        } | super().values()


class ReplyForm(VerbForm):
    """What the applicant says to a proposed refusal, with documents, and who helped to write it."""

    shown_at: ClassVar[Mapping[str, str]] = {"files": "documents"}

    text = text_field(
        _("Your reply"), missing=_("Write your reply, or leave the page: the time for it runs on."), rows=8
    )
    documents = forms.Field(
        label=_("Documents"),
        required=False,
        widget=SeveralFilesInput(attrs={"accept": DocumentsForm.ACCEPTED}),
        help_text=_("At most 5, each a PDF, an image or an Office file without macros, of at most 20 MB."),
    )
    helper_name = forms.CharField(
        label=_("Who helped you"),
        required=False,
        max_length=100,
        help_text=_("A lawyer, a colleague, somebody of the family: if you like. The name stands on the decision."),
    )
    helper_relation = forms.CharField(label=_("Who this person is to you"), required=False, max_length=100)
    helper_agrees = forms.BooleanField(label=_("This person agrees to be named here"), required=False)

    def sent(self) -> list[File[bytes]]:
        """The files that were sent, in their order."""
        return list(self.files.getlist("documents")) if hasattr(self.files, "getlist") else []

    def values(self) -> dict[str, Any]:
        given = {name: value for name, value in self.cleaned_data.items() if name != "documents"}
        return given | {"files": self.sent()}


class ConsultForm(VerbForm):
    """Which specialist office is asked, and what."""

    office_id = forms.TypedChoiceField(
        label=_("Which office"),
        coerce=int,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose an office.")},
    )
    question = text_field(
        _("Question"),
        missing=_("Say what the specialist office should look at."),
        rows=5,
        help_text=_("Its people see this case with all that was submitted, and no other case of your office."),
    )

    def prepare(self) -> None:
        offices = queries.specialists(self.request, at=self.at)
        self.fields["office_id"].choices = [(one.pk, _with_field(one)) for one in offices]  # type: ignore[attr-defined]


def _with_field(office: Office) -> str:
    return f"{office.name} · {office.expertise}" if office.expertise else office.name


class OpinionForm(VerbForm):
    """What the specialist office thinks."""

    outcome = forms.ChoiceField(
        label=_("What the opinion comes to"),
        choices=Opinion.Outcome.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what the opinion comes to.")},
    )
    reasons = text_field(
        _("Reasons"),
        missing=_("Give the reasons; the applicant reads them with the decision."),
        rows=6,
        help_text=_("The applicant reads them with the decision, or when a refusal is proposed."),
    )
    confidential = text_field(
        _("Confidential part"),
        rows=3,
        help_text=_(
            "Only what a confidential list says. Those who decide read it; the applicant is told that there is one."
        ),
    )
