"""What a list manager says to start a rehearsal."""

from django import forms
from django.utils.translation import gettext_lazy as _

from approvals.rehearsal import MAX_DAYS

USUAL_DAYS = 90


class StartForm(forms.Form):
    """How far to look back."""

    days = forms.IntegerField(
        label=_("Days to look back"),
        help_text=_("The requests that were submitted in these days are assessed with the draft. 1 to 730."),
        min_value=1,
        max_value=MAX_DAYS,
        initial=USUAL_DAYS,
        error_messages={
            "required": _("Say how many days to look back."),
            "invalid": _("Enter a whole number of days."),
            "min_value": _("Look back 1 to 730 days."),
            "max_value": _("Look back 1 to 730 days."),
        },
    )
