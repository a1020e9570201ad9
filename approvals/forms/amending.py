"""What is said of a change to a trip: why it changes, and what the office answers."""

from django import forms
from django.utils.translation import gettext_lazy as _

from approvals.forms.staff import VerbForm, text_field


class ReasonForm(forms.Form):
    """Why the trip changes: the last thing before a change is filed."""

    use_required_attribute = False

    reason = text_field(
        _("Why the trip changes"),
        missing=_("Say why the trip changes."),
        help_text=_("In your own words. The office and your company read it."),
    )


class RecommendForm(VerbForm):
    text = text_field(
        _("What you looked at"),
        missing=_("Say what you looked at, for the second person."),
        help_text=_("A senior reviewer reads it before accepting; the applicant reads it afterwards."),
    )


class AcceptForm(VerbForm):
    text = text_field(_("Message to the applicant"), rows=3)


class ReturnForm(VerbForm):
    text = text_field(_("Reasons"), missing=_("Give the reasons; the applicant reads them."))


class NoteForm(VerbForm):
    text = text_field(_("Message to the applicant"), rows=3)
