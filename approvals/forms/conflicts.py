"""Conflicts of interest as declared before acting on a case, and the applicant's request for another reviewer."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from approvals.forms.staff import VerbForm, text_field
from approvals.models import Conflict

LEAVES = "recuse"


class DeclareForm(VerbForm):
    """Before acting: which conflict of interest one has. With one, the case is left instead of acted on."""

    conflict = forms.ChoiceField(
        label=_("Do you have a conflict of interest?"),
        choices=[*(one for one in Conflict.choices if one[0] != Conflict.NONE), Conflict.choices[0]],
        widget=forms.RadioSelect,
        help_text=_(
            "With a conflict of interest you leave the case at once, and do not see it any more. Your declaration is "
            "kept with the case."
        ),
        error_messages={"required": _("Declare that you have no conflict of interest, or leave the case to others.")},
    )
    reason = text_field(
        _("In general words, if you have one"), rows=2, help_text=_("You need not say what is private.")
    )

    @property
    def instead(self) -> str:
        """The verb that is done instead: who declares a conflict of interest leaves the case."""
        return LEAVES if self.cleaned_data["conflict"] != Conflict.NONE else ""

    def values(self) -> dict[str, Any]:
        given = dict(self.cleaned_data)
        conflict, reason = given.pop("conflict"), given.pop("reason")
        if conflict != Conflict.NONE:
            return {"conflict": conflict, "reason": reason}
        return given | {"no_conflict": True}


class RecuseForm(VerbForm):
    """To leave a case at any time."""

    conflict = forms.ChoiceField(
        label=_("Which conflict of interest"),
        choices=[(value, label) for value, label in Conflict.choices if value != Conflict.NONE],
        widget=forms.RadioSelect,
        error_messages={"required": _("Say which conflict of interest you have.")},
    )
    reason = text_field(_("Reason"), rows=2, help_text=_("In general words; you need not say what is private."))


class OtherReviewerForm(VerbForm):
    """Why another reviewer should have the case."""

    reason = text_field(
        _("Why another reviewer should have the case"),
        missing=_("Say why another reviewer should have the case."),
        help_text=_("The office reads it, your company does not. It is never held against you."),
    )


class KeepReviewerForm(VerbForm):
    """Why the case stays with its reviewer."""

    reason = text_field(_("Reasons"), missing=_("Give the reasons; the applicant reads them."))
