"""Input of the pages about what is held: shapes only; what is allowed is said by the verbs."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.roles import Actor, Role
from approvals import queries
from employees.models import Employee
from interface.asking import asks
from openness.models import DEFAULTS, LONGEST_DAYS, SHORTEST_DAYS, Correction, Held


def subjects_of(actor: Actor) -> list[tuple[str, str]]:
    """What `actor` can ask a correction of: account, employee records, submitted requests, the latest first."""
    found = [("account", str(Correction.About.ACCOUNT.label))]
    if actor.user_id is None:
        return []
    own = Employee.objects.visible_to(actor).filter(user_id=actor.user_id).select_related("company")
    found += [
        (f"employee:{row.pk}", _("Your record at %(company)s") % {"company": row.company.name})
        for row in own.order_by("-employed_from", "pk")
    ]
    trips = queries.visible_to(actor).filter(applicant_id__in=actor.scopes(Role.APPLICANT), submitted_at__isnull=False)
    found += [(f"request:{row.reference}", f"{row.reference} {row.title}") for row in trips.order_by("-created_at")]
    return found


@asks(
    about=_("Choose what it is about."),
    what=_("Say which field is wrong, and what it says now."),
    should_be=_("Write what it should say."),
    why=_("Say how it can be seen."),
)
class CorrectionForm(forms.Form):
    """What is wrong, what it should say, why."""

    about = forms.ChoiceField(label=_("What is it about?"))
    what = forms.CharField(
        label=_("What is wrong?"),
        max_length=200,
        help_text=_("The field and what it says now, such as: my position, “Engineer”."),
    )
    should_be = forms.CharField(
        label=_("What should it say?"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )
    why = forms.CharField(
        label=_("Why?"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("How it can be seen, such as from a document that you have."),
    )

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        about: Any = self.fields["about"]
        about.choices = [("", _("Choose one")), *subjects_of(actor)]

    def subject(self) -> tuple[str, str]:
        """(about, subject) as the verb takes them."""
        about, _colon, subject = self.cleaned_data["about"].partition(":")
        return about, subject


@asks(outcome=_("Choose whether you accept or refuse."), reasons=_("Give the reasons; the person receives them."))
class AnswerForm(forms.Form):
    """Accept or refuse, with reasons."""

    outcome = forms.ChoiceField(
        label=_("Your answer"), choices=Correction.Outcome.choices, widget=forms.RadioSelect, required=True
    )
    reasons = forms.CharField(
        label=_("Reasons"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("The person receives them. Of what you accept, say where and when it was corrected."),
    )


class PolicyForm(forms.Form):
    """Days by kind, and why."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for kind in Held:
            self.fields[kind.value] = forms.IntegerField(
                label=kind.label,
                min_value=SHORTEST_DAYS,
                max_value=LONGEST_DAYS,
                initial=DEFAULTS[kind],
                help_text=_("Days after the end."),
                error_messages={"required": _("Enter a number of days.")},
            )
        self.fields["note"] = forms.CharField(
            label=_("Why"),
            max_length=300,
            help_text=_("What the data is needed for, and no longer."),
            error_messages={"required": _("Say why these periods.")},
        )

    def days(self) -> dict[Held, int]:
        """Days by kind, as the verb takes them."""
        return {kind: self.cleaned_data[kind.value] for kind in Held}
