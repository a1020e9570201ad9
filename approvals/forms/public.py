"""What anybody can ask of the public criteria: search the entries, and what would follow for a trip."""

from __future__ import annotations

from datetime import date
from typing import Any, Self

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from approvals import rules
from approvals.forms.applicant import PicksSubjects, SubdivisionField, country_choices, subdivision_problem
from authorities.models import Office
from interface.widgets import DateInput
from sensitivity import picking
from sensitivity.matching import Facts, Place

MOST_SUBJECTS = 120
"""Published subjects offered at once: the page stays light, and the others are found by searching."""
FIRST_PLACES = 1
MOST_PLACES = 6
PLACES = "places"


class EntrySearchForm(forms.Form):
    """Search and filter of the entries of a list."""

    use_required_attribute = False

    list = forms.CharField(required=False, widget=forms.HiddenInput)
    q = forms.CharField(
        label=_("Search"), required=False, max_length=100, widget=forms.TextInput(attrs={"type": "search"})
    )
    level = forms.TypedChoiceField(
        label=_("Level"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=[("", _("All")), ("1", "1"), ("2", "2"), ("3", "3")],
    )


class WhatIfPlaceForm(forms.Form):
    """One place of a trip that somebody thinks of."""

    use_required_attribute = False

    country = forms.ChoiceField(
        label=_("Country or region"),
        choices=country_choices,
        error_messages={
            "required": _("Choose the country or region."),
            "invalid_choice": _("We do not know this country or region. Choose one of the list."),
        },
    )
    subdivision = SubdivisionField()
    host = forms.CharField(
        label=_("Host organisation"),
        help_text=_("Who invites you or whom you visit there, if anybody."),
        required=False,
        max_length=200,
    )

    def __init__(self, *args: Any, subdivided: picking.Subdivided, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.subdivided = subdivided
        if subdivided:
            self.fields["subdivision"].offer(subdivided)  # type: ignore[attr-defined]
        else:
            del self.fields["subdivision"]

    def clean(self) -> dict[str, Any]:
        """The state or province is of the country, and there where a list asks for it."""
        cleaned: dict[str, Any] = super().clean() or {}
        if {"country", "subdivision"} <= cleaned.keys():
            wrong = subdivision_problem(cleaned["country"], cleaned["subdivision"], self.subdivided)
            if wrong:
                self.add_error("subdivision", wrong)
        return cleaned


class BaseWhatIfPlaces(forms.BaseFormSet[WhatIfPlaceForm]):
    """The places; those where nothing was chosen do not count."""

    def clean(self) -> None:
        """At least one place."""
        if not any(form.has_changed() for form in self.forms):
            raise ValidationError(_("Choose at least one country or region."))


def _places(data: QueryDict | None, count: int, subdivided: picking.Subdivided) -> BaseWhatIfPlaces:
    kind = forms.formset_factory(
        WhatIfPlaceForm, formset=BaseWhatIfPlaces, extra=count, max_num=MOST_PLACES, absolute_max=MOST_PLACES
    )
    made = kind(data, prefix=PLACES, form_kwargs={"subdivided": subdivided})
    assert isinstance(made, BaseWhatIfPlaces)
    return made


class WhatIfForm(PicksSubjects):
    """A trip that somebody thinks of. Nothing about the person is asked, and nothing is kept.

    `cleaned_data["facts"]` is what is compared with the lists. `on`: the day of the lists whose subjects are offered.
    """

    use_required_attribute = False

    departs_on = forms.DateField(
        label=_("First day of the trip"),
        widget=DateInput,
        error_messages={
            "required": _("Enter the first day."),
            "invalid": _("This is not a day. Enter it as year-month-day, for example 2026-09-30."),
        },
    )
    returns_on = forms.DateField(
        label=_("Last day of the trip"),
        widget=DateInput,
        error_messages={
            "required": _("Enter the last day."),
            "invalid": _("This is not a day. Enter it as year-month-day, for example 2026-09-30."),
        },
    )
    event = forms.CharField(
        label=_("Event"),
        help_text=_("The name of the conference, fair or course, if there is one."),
        required=False,
        max_length=200,
    )
    urgent = forms.BooleanField(label=_("Urgent: illness, death or birth in the family"), required=False)
    office = forms.ModelChoiceField(
        label=_("Which office decides for your company?"),
        queryset=Office.objects.none(),
        empty_label=None,
        error_messages={
            "required": _("Choose the office."),
            "invalid_choice": _("Choose one of the offices of this list."),
        },
    )

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        on: date,
        subdivided: picking.Subdivided,
        find: str = "",
        initial: dict[str, Any] | None = None,
        places: BaseWhatIfPlaces | None = None,
    ) -> None:
        super().__init__(data, initial=initial)
        self.on = on
        self.places = places or _places(data, FIRST_PLACES, subdivided)
        self.fields["topics"].help_text = _("Choose all that apply; none is fine.")
        offices = Office.objects.filter(is_active=True)
        self.fields["office"].queryset = offices  # type: ignore[attr-defined]
        self.offer_subjects(on, find=find, most=MOST_SUBJECTS)

    @classmethod
    def unchecked(cls, data: QueryDict, *, on: date, subdivided: picking.Subdivided, find: str = "") -> Self:
        """The form with what was typed in it, and one more place where that is asked for; without any mistakes."""
        count = data.get(f"{PLACES}-TOTAL_FORMS", "")
        places = int(count) if count.isascii() and count.isdigit() and len(count) < 3 else FIRST_PLACES
        places = min(MOST_PLACES, max(1, places) + (data.get("then") == "add"))
        shown = _places(None, places, subdivided)
        for index, place in enumerate(shown.forms):
            names = WhatIfPlaceForm.base_fields
            place.initial = {name: data.get(f"{PLACES}-{index}-{name}", "") for name in names}
        typed: dict[str, Any] = {name: data.get(name, "") for name in cls.base_fields}
        typed |= {"topics": data.getlist("topics"), "urgent": "urgent" in data}
        return cls(on=on, subdivided=subdivided, find=find, initial=typed, places=shown)

    def is_valid(self) -> bool:
        """Whether the trip and every place can be used; both are checked, so that all is said at once."""
        places, own = self.places.is_valid(), super().is_valid()
        if places and own:
            self.cleaned_data["facts"] = self._facts()
        return places and own

    def clean(self) -> dict[str, Any]:
        """The days are in order, from today on, and not mistyped by years."""
        cleaned: dict[str, Any] = super().clean() or {}
        first, last = cleaned.get("departs_on"), cleaned.get("returns_on")
        for problem in rules.leg_problems(arrives_on=first, leaves_on=last, today=self.on):
            field = {"arrives_on": "departs_on", "leaves_on": "returns_on"}[problem.field]
            self.add_error(field, str(problem.message))
        return cleaned

    def _facts(self) -> Facts:
        given = [form.cleaned_data for form in self.places.forms if form.has_changed()]
        event = self.cleaned_data["event"].strip()
        return Facts(
            subjects=frozenset(self.cleaned_data["topics"]),
            places=frozenset(Place(place["country"], place.get("subdivision", "")) for place in given),
            organisations=frozenset(place["host"].strip() for place in given if place["host"].strip()),
            events=frozenset({event} if event else ()),
        )
