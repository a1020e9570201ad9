"""Shape of what officers write into the roster."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from companies.models import Company
from employees.models import Employee
from interface.asking import asks
from interface.widgets import DateInput


class SearchForm(forms.Form):
    """What the list of employees is limited to."""

    q = forms.CharField(label=_("Name or staff number"), required=False, max_length=100)
    former = forms.BooleanField(label=_("Former employees too"), required=False)


@asks(
    number=_("Enter the staff number."),
    name_en=_("Enter the name in Latin letters, as in the travel document."),
    employed_from=_("Enter the first day of the employment."),
)
class EmployeeForm(forms.ModelForm[Employee]):
    """What the roster says of an employee."""

    class Meta:
        model = Employee
        fields = ("number", "name_zh", "name_en", "position", "employed_from", "employed_until")
        widgets = {"employed_from": DateInput(), "employed_until": DateInput()}
        help_texts = {"name_en": _("As in the travel document, such as WANG Aili or Aili Wang.")}


@asks(
    number=_("Enter the staff number."),
    name_en=_("Enter the name in Latin letters, as in the travel document."),
    employed_from=_("Enter the first day of the employment."),
    company=_("Choose a company."),
    email=_("Enter the e-mail address to sign in with."),
)
class NewEmployeeForm(EmployeeForm):
    """A new employee, with the account to sign in with."""

    company = forms.ModelChoiceField(Company.objects.none(), label=_("Company"), empty_label=None)
    email = forms.EmailField(
        label=_("E-mail address"),
        help_text=_("To sign in with. A new person sets a password with “Forgot your password?” on the sign-in page."),
    )

    field_order = ("company", "email", "number", "name_zh", "name_en", "position", "employed_from", "employed_until")

    def __init__(self, *args: Any, companies: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        company = self.fields["company"]
        assert isinstance(company, forms.ModelChoiceField)
        company.queryset = companies
        company.initial = companies.first()
