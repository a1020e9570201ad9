"""The input of what happens in an appeal and while a clearance may be taken back."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.base import File
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from approvals.forms.applicant import DocumentsForm, SeveralFilesInput
from approvals.forms.conflicts import DeclareForm
from approvals.forms.deciding import PlacesForm
from approvals.forms.staff import LinesField, VerbForm, text_field
from interface.widgets import DateInput

_DOCUMENTS = _("At most 5, each a PDF, an image or an Office file without macros, of at most 20 MB.")


def _files(label: Any) -> forms.Field:
    return forms.Field(
        label=label,
        required=False,
        widget=SeveralFilesInput(attrs={"accept": DocumentsForm.ACCEPTED}),
        help_text=_DOCUMENTS,
    )


class _WithFiles(VerbForm):
    """A form with documents; what they are is checked by their content, in the verb."""

    def sent(self) -> list[File[bytes]]:
        """The files that were sent, in their order."""
        return list(self.files.getlist("files")) if hasattr(self.files, "getlist") else []

    def values(self) -> dict[str, Any]:
        return self.cleaned_data | {"files": self.sent()}


class AppealForm(_WithFiles):
    """An appeal, with documents if there are any."""

    text = text_field(
        _("Why the decision should change"),
        missing=_("Say why the decision should change."),
        rows=8,
        help_text=_("You may add facts that were not known. The appeal looks at everything anew."),
    )
    files = _files(_("Documents"))  # type: ignore[assignment]  # the metaclass takes fields out of the class


class HearAppealForm(DeclareForm):
    """Taking an appeal under review: the declaration alone."""


class AppealDocumentsForm(_WithFiles):
    """Documents for an open appeal."""

    files = _files(_("Documents"))  # type: ignore[assignment]  # the metaclass takes fields out of the class


class HearingNoteForm(VerbForm):
    """What was said at a hearing."""

    held_on = forms.DateField(
        label=_("Day of the hearing"),
        widget=DateInput,
        error_messages={"required": _("Enter the day of the hearing.")},
    )
    heard = forms.CharField(
        label=_("Who was heard"),
        max_length=300,
        help_text=_("The applicant, a witness, somebody of the office: with their part in it."),
        error_messages={"required": _("Say who was heard.")},
    )
    text = text_field(
        pgettext_lazy("a hearing", "What was said"),
        missing=_("Write down what was said."),
        rows=8,
        help_text=_("The applicant reads it and can comment. It cannot be changed afterwards."),
    )


class HearingCommentForm(VerbForm):
    """What the applicant says to a hearing note."""

    text = text_field(_("Your comment"), missing=_("Write your comment."), rows=6)


class AppealQuestionForm(VerbForm):
    """What the appeal reviewer wants to know."""

    text = text_field(
        _("Your question"),
        missing=_("Write your question."),
        help_text=_(
            "Everything in one go. Until the answer, or until its time is over, you cannot let the decision stand."
        ),
    )


class AppealAnswerForm(_WithFiles):
    """The applicant's answer, with documents if there are any."""

    text = text_field(_("Your answer"), missing=_("Write your answer, or say why you cannot give one."), rows=6)
    files = _files(_("Documents"))  # type: ignore[assignment]  # the metaclass takes fields out of the class


class UpholdForm(VerbForm):
    """The decision stands."""

    text = text_field(_("Reasons"), missing=_("Give the reasons; the applicant reads them."), rows=6)


class OverturnForm(PlacesForm):
    """A clearance instead of the refusal: of the trip or of a part of it, perhaps with conditions."""

    text = text_field(_("Reasons"), missing=_("Give the reasons; the applicant reads them."), rows=6)
    conditions = LinesField(
        label=_("Conditions"),
        required=False,
        help_text=_("One condition a line; none is fine. The applicant has to meet them soon after the return."),
    )

    def values(self) -> dict[str, Any]:
        given = {name: self.cleaned_data[name] for name in ("text", "conditions")}
        return given | {"cleared": None if self.is_all() else self.cleared()}


class RevokeForm(DeclareForm):
    """The second person's signature: the declaration."""


class ConfirmForm(DeclareForm):
    """The second person's signature under a proposed decision: the declaration."""


class RejectRevocationForm(VerbForm):
    """Why the clearance stays."""

    note = text_field(_("Note"), missing=_("Say why the clearance stays."), help_text=_("The applicant reads it."))


class TakeForm(DeclareForm):
    """Taking a case: the declaration."""
