"""Shape of what people of an office write."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.roles import Role
from authorities.models import POSTED_ROLES
from interface.asking import asks
from interface.widgets import DateInput


@asks(
    office=_("Choose an office."),
    user=_("Choose who is away."),
    first_day=_("Enter the first day away."),
    last_day=_("Enter the last day away."),
)
class AbsenceForm(forms.Form):
    """When somebody of an office is away, and who stands in. The rules are in `absences.enter`.

    `people` and `offices` are those whose absence the reader may enter, as choices; `deputies` who could stand in.
    """

    office = forms.TypedChoiceField(label=_("Office"), coerce=int)
    user = forms.TypedChoiceField(label=_("Who is away"), coerce=int)
    first_day = forms.DateField(label=_("First day away"), widget=DateInput())
    last_day = forms.DateField(label=_("Last day away"), widget=DateInput())
    role = forms.TypedChoiceField(
        label=_("In which role"),
        required=False,
        coerce=Role,
        empty_value=None,
        choices=[("", _("In all of them")), *((role.value, role.label) for role in POSTED_ROLES)],
    )
    deputy = forms.TypedChoiceField(
        label=_("Deputy"),
        required=False,
        coerce=int,
        empty_value=None,
        help_text=_("Is told in the place of who is away. A deputy acts under a role of their own, and gets no other."),
    )

    def __init__(
        self,
        *args: Any,
        offices: list[tuple[str, str]],
        people: list[tuple[str, str]],
        deputies: list[tuple[str, str]],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._choose("office", offices)
        self._choose("user", people)
        self.fields["deputy"].choices = [("", _("Nobody")), *deputies]  # type: ignore[attr-defined]

    def _choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        """With one choice there is nothing to ask."""
        field = self.fields[name]
        field.choices = choices  # type: ignore[attr-defined]
        field.initial = choices[0][0] if choices else None
        if len(choices) == 1:
            field.widget = forms.HiddenInput()
