"""What the applicant fills in, section by section.

A section is saved whatever state it is in. `is_storable` says whether its values fit into the request; a field that is
still empty does not prevent that. What does not fit is kept as it was typed. No field cuts anything off.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from django_countries import countries

from accounts.refusals import Problem
from approvals import rules
from approvals.models import Attachment, Leg, TravelRequest
from approvals.models.travel_request import Device, Purpose
from interface.asking import asks
from interface.widgets import DateInput
from sensitivity import picking
from sensitivity.picking import Subject

HOME = "CN"
REQUIRED = "required"


def storable(form: forms.BaseForm) -> bool:
    """Whether nothing is wrong with `form` but that some of it is still empty."""
    return all(error.code == REQUIRED for errors in form.errors.as_data().values() for error in errors)


def _field(model: type[models.Model], name: str, **options: Any) -> Any:
    return model._meta.get_field(name).formfield(**options)  # type: ignore[union-attr]


class SectionForm(forms.Form):
    """A section of the form of `trip`. `values()` are the fields of the request that it writes."""

    use_required_attribute = False

    def __init__(self, *args: Any, trip: TravelRequest, find: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.trip, self.find = trip, find
        for field in self.fields.values():
            # A browser cuts off silently what is longer; here it is kept, with an error.
            field.widget.attrs.pop("maxlength", None)
        self.prepare()

    def prepare(self) -> None:
        """Fit the fields to the trip."""

    @property
    def is_storable(self) -> bool:
        """Whether its values fit into the request."""
        return storable(self)

    def values(self) -> dict[str, Any]:
        """The fields of the request; an empty one where nothing was given."""
        empty: dict[str, Any] = {
            name: [] if isinstance(field, forms.MultipleChoiceField) else "" for name, field in self.fields.items()
        }
        return empty | {name: value for name, value in self.cleaned_data.items() if value is not None}


class TripForm(SectionForm):
    """What the trip is for."""

    title = _field(
        TravelRequest,
        "title",
        required=True,
        label=_("What the trip is for"),
        help_text=_("In a few words, for example: present a paper at a conference in Vienna."),
        error_messages={"required": _("Say in a few words what the trip is for.")},
    )
    purpose = forms.ChoiceField(
        label=_("Purpose"),
        choices=Purpose.choices,
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose the purpose of the trip."),
            "invalid_choice": _("Choose one of the purposes of this list."),
        },
    )
    description = _field(
        TravelRequest,
        "description",
        required=True,
        label=_("What you will do there"),
        help_text=_("Talks, meetings, visits: what, with whom, about what."),
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={"required": _("Describe what you will do on the trip.")},
    )
    event_name = _field(
        TravelRequest,
        "event_name",
        label=_("Event"),
        help_text=_("The name of the conference, fair or course, if there is one."),
    )
    event_url = _field(
        TravelRequest,
        "event_url",
        label=_("Page of the event"),
        assume_scheme="https",
        error_messages={"invalid": _("This is not an address of a page. It begins with https://")},
    )


class ChangeForm(TripForm):
    """What a change to a submitted trip says of it. Its purpose stays: another purpose is another trip."""

    purpose = None  # type: ignore[assignment]


def country_choices() -> list[tuple[str, str | Promise]]:
    """Every country or region but the one that is left, by name in the reader's language.

    Chinese names are sorted as they are pronounced: the order of the national character set.
    """
    named = [(code, str(name)) for code, name in countries if code != HOME]
    if (get_language() or "").startswith("zh"):
        named.sort(key=lambda country: country[1].encode("gb18030"))
    return [("", _("Choose a country or region")), *named]


class SubdivisionField(forms.ChoiceField):
    """The state or province of a country of which a list in force names one. One select, grouped by country."""

    def __init__(self) -> None:
        super().__init__(
            label=_("State or province"),
            required=False,
            error_messages={"invalid_choice": _("We do not know this state or province. Choose one of the list.")},
        )
        self.widget.attrs["data-subdivision"] = ""

    def offer(self, subdivided: picking.Subdivided) -> None:
        """Offer the subdivisions of these countries, and say for which countries it is asked."""
        names = {code: str(countries.name(code)) for code in subdivided}
        self.help_text = _("Asked for these only, because a list names a part of them: %(countries)s") % {
            "countries": gettext(", ").join(names.values())
        }
        self.choices = [("", _("Choose, if it is one of these countries"))] + [
            (names[code], list(places)) for code, places in subdivided.items()
        ]


def subdivision_problem(country: str, subdivision: str, subdivided: picking.Subdivided) -> str:
    """What is wrong with the state or province given for `country`; empty when nothing is."""
    if subdivision and not subdivision.startswith(f"{country}-"):
        return gettext("This state or province lies in another country. Choose one of the country of this place.")
    if subdivision and subdivision not in dict(subdivided.get(country, ())):
        return gettext("We do not know this state or province. Choose one of the list.")
    if not subdivision and country in subdivided:
        return gettext("Choose the state or province: a list names a part of this country, not all of it.")
    return ""


class LegForm(forms.Form):
    """One place of the trip. `subdivided`: the countries whose state or province is asked for."""

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
    city = _field(Leg, "city", label=_("City"), error_messages={"required": _("Enter the city.")})
    arrives_on = forms.DateField(
        label=_("First day there"),
        widget=DateInput,
        error_messages={
            "required": _("Enter the first day."),
            "invalid": _("This is not a day. Enter it as year-month-day, for example 2026-09-30."),
        },
    )
    leaves_on = forms.DateField(
        label=_("Last day there"),
        widget=DateInput,
        error_messages={
            "required": _("Enter the last day."),
            "invalid": _("This is not a day. Enter it as year-month-day, for example 2026-09-30."),
        },
    )
    host = _field(
        Leg,
        "host",
        label=_("Host organisation"),
        help_text=_("Who invites you or whom you visit there, if anybody."),
    )

    def __init__(self, *args: Any, today: date, subdivided: picking.Subdivided, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today, self.subdivided = today, subdivided
        for field in self.fields.values():
            field.widget.attrs.pop("maxlength", None)
        if subdivided:
            self.fields["subdivision"].offer(subdivided)  # type: ignore[attr-defined]
        else:
            del self.fields["subdivision"]

    def clean(self) -> dict[str, Any]:
        """The dates are in order, from today on, not mistyped by years; the state or province is of the country."""
        cleaned: dict[str, Any] = super().clean() or {}
        if "country" in cleaned and "subdivision" in cleaned:
            given = cleaned["country"], cleaned["subdivision"]
            if wrong := subdivision_problem(*given, self.subdivided):
                self.add_error("subdivision", ValidationError(wrong, code=REQUIRED if not given[1] else "invalid"))
        arrives, leaves = cleaned.get("arrives_on"), cleaned.get("leaves_on")
        for problem in rules.leg_problems(arrives_on=arrives, leaves_on=leaves, today=self.today):
            self.add_error(problem.field, str(problem.message))
        return cleaned


class BaseLegFormSet(forms.BaseFormSet[LegForm]):
    """The places of the trip, in the order of travel. Places where nothing was typed do not count."""

    @property
    def is_storable(self) -> bool:
        """Whether the places fit into the request; none yet fits."""
        return not any(form.errors for form in self.forms) and all(
            error.code == REQUIRED for error in self.non_form_errors().as_data()
        )

    def clean(self) -> None:
        """At least one place, at most as many as the rule book says."""
        if not any(form.has_changed() for form in self.forms):
            raise ValidationError(_("Add at least one place that you travel to."), code=REQUIRED)

    def legs(self) -> list[dict[str, Any]]:
        """The places that were filled in."""
        return [form.cleaned_data for form in self.forms if form.has_changed()]


# A page that sends more than this is none of ours.
MOST_PLACES_SENT = rules.MAX_LEGS + 5
LEGS = "legs"


@dataclass(frozen=True, slots=True)
class SubjectChoice:
    """A checkbox of the tree of subjects, with those below it. It is open where one of these is chosen."""

    id: str
    code: str
    label: str
    is_chosen: bool
    is_open: bool
    below: tuple[SubjectChoice, ...]


def subject_choices(top: Iterable[Subject], chosen: frozenset[str], *, name: str, opened: bool) -> list[SubjectChoice]:
    """The tree as checkboxes, numbered in the order of the page; `opened`: everything that was found is in sight."""
    number = 0

    def made(subject: Subject) -> SubjectChoice:
        nonlocal number
        own, number = f"id_{name}_{number}", number + 1
        below = tuple(made(one) for one in subject.below)
        in_sight = opened or any(one.is_chosen or one.is_open for one in below)
        return SubjectChoice(own, subject.code, subject.label, subject.code in chosen, in_sight, below)

    return [made(one) for one in top]


class PicksSubjects(forms.Form):
    """A form with a field `topics` that is picked from the tree of subjects."""

    topics = forms.MultipleChoiceField(
        label=_("Subjects that you will speak or hear about"),
        help_text=_("Choose all that apply. Business trips, conferences and courses need at least one."),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": _("Choose subjects of this list.")},
    )
    renamed: Mapping[str, str]
    subjects: list[SubjectChoice]
    subjects_cut: bool

    def offer_subjects(
        self, on: date, *, find: str = "", before: Iterable[str] = (), most: int = picking.MOST_OFFERED
    ) -> None:
        """Offer what can be picked on `on`. What was picked `before` stays readable and may stay picked.

        `subjects` is then the tree as checkboxes, `subjects_cut` whether there is more to search for.
        """
        picked = [str(code) for code in self["topics"].value() or ()]
        kept = list(dict.fromkeys([*picked, *before]))
        tree = picking.subjects(on, find=find, keep=kept, most=most)
        offered = {one.code: one.label for one in tree.walk()}
        gone = [code for code in before if code not in offered and code not in tree.renamed]
        labels = picking.subject_labels(gone)
        self.renamed, self.subjects_cut = tree.renamed, tree.is_cut
        chosen = frozenset(tree.renamed.get(code, code) for code in picked)
        top = [*tree.top, *(Subject(code, labels[code]) for code in gone)]
        self.subjects = subject_choices(top, chosen, name="topics", opened=bool(find.strip()))
        self.fields["topics"].choices = [  # type: ignore[attr-defined]
            *offered.items(),
            *labels.items(),
            *tree.renamed.items(),
        ]

    def clean_topics(self) -> list[str]:
        """Each subject once, by the code that it has now."""
        return list(dict.fromkeys(self.renamed.get(code, code) for code in self.cleaned_data["topics"]))


class TopicsForm(PicksSubjects, SectionForm):
    """What will be spoken about, which projects it is about, and what is carried."""

    projects = forms.MultipleChoiceField(
        label=_("Which projects of your company is it about?"),
        help_text=_("Choose all that the trip touches; none is fine. Those that you work on come first."),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": _("Choose projects of this list.")},
    )
    materials = _field(
        TravelRequest,
        "materials",
        label=_("Materials carried"),
        help_text=_("Slides, papers, code, data, samples: what you take with you. Leave it empty if nothing."),
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    devices = forms.MultipleChoiceField(
        label=_("Devices carried"),
        choices=Device.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": _("Choose devices of this list.")},
    )
    field_order = ("topics", "projects", "materials", "devices")

    def prepare(self) -> None:
        self.offer_subjects(self.trip.today, find=self.find, before=self.trip.topics)
        known = dict(
            picking.projects(company_id=self.trip.company_id, employee_id=self.trip.applicant_id, at=self.trip.now)
        )
        ended = [code for code in self.trip.projects if code not in known]
        names = picking.project_names(ended, company_id=self.trip.company_id)
        choices = [*((code, f"{code} {name}") for code, name in known.items()), *zip(ended, names, strict=True)]
        if choices:
            self.fields["projects"].choices = choices  # type: ignore[attr-defined]
        else:
            del self.fields["projects"]


class DeclarationsForm(SectionForm):
    """What the applicant declares; all of it, before submitting."""

    declarations = forms.MultipleChoiceField(
        label=_("I declare"),
        choices=rules.DECLARATIONS,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": _("Choose declarations of this list.")},
    )


class SeveralFilesInput(forms.FileInput):
    """A field for several files at once."""

    allow_multiple_selected = True


@asks(kind=_("Choose what kind of documents they are."))
class DocumentsForm(forms.Form):
    """Documents to add. What each is by its content is looked at one by one, by the verb that adds it."""

    use_required_attribute = False
    ACCEPTED: ClassVar[str] = ".pdf,.png,.jpg,.jpeg,.webp,.gif,.tif,.tiff,.docx,.xlsx,.pptx,.odt,.ods,.odp"

    kind = forms.ChoiceField(
        label=_("What they are"),
        choices=[
            choice
            for choice in Attachment.Kind.choices
            # These are sent where they are asked for.
            if choice[0] not in (Attachment.Kind.REPLY, Attachment.Kind.ANSWER, Attachment.Kind.PROOF)
        ],
        initial=Attachment.Kind.INVITATION,
        error_messages={"invalid_choice": _("Choose a kind of this list.")},
    )
    file = forms.Field(
        label=_("Files"),
        required=False,
        widget=SeveralFilesInput(attrs={"accept": ACCEPTED}),
        help_text=_("PDF, images or Office files without macros, at most 20 MB each. You can choose several at once."),
    )


class EmploymentForm(forms.Form):
    """For whom somebody with several employments travels."""

    use_required_attribute = False

    employment = forms.ChoiceField(
        label=_("Which company do you travel for?"),
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose the company."),
            "invalid_choice": _("Choose one of your employments."),
        },
    )

    def __init__(self, *args: Any, employments: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["employment"].choices = employments  # type: ignore[attr-defined]


# ── sections ────────────────────────────────────────────────────────────────────────────────────────────────────────

FORMS: dict[str, type[SectionForm]] = {
    "trip": TripForm,
    "change": ChangeForm,
    "topics": TopicsForm,
    "declarations": DeclarationsForm,
}
Typed = Mapping[str, list[str]]


def typed(data: QueryDict) -> dict[str, list[str]]:
    """What was typed, to be kept: every value as it came, without what is not part of the section.

    A NUL cannot be kept in the database and cannot be typed; it is left out.
    """
    return {
        name.replace("\x00", ""): [value.replace("\x00", "") for value in values]
        for name, values in data.lists()
        if name not in ("csrfmiddlewaretoken", "then", "find")
    }


def as_data(kept: Typed) -> QueryDict:
    """What was kept, as the data of a form."""
    data = QueryDict(mutable=True)
    for name, values in kept.items():
        data.setlist(name, list(values))
    return data


def stored(request: TravelRequest, section: str) -> dict[str, list[str]]:
    """What the request holds of a section, as if it had just been typed."""
    if section == "itinerary":
        kept = {f"{LEGS}-INITIAL_FORMS": ["0"], f"{LEGS}-TOTAL_FORMS": [str(len(request.itinerary))]}
        for index, leg in enumerate(request.itinerary):
            values = {
                "country": str(leg.country.code),
                "subdivision": leg.subdivision,
                "city": leg.city,
                "arrives_on": leg.arrives_on.isoformat(),
                "leaves_on": leg.leaves_on.isoformat(),
                "host": leg.host,
            }
            kept |= {f"{LEGS}-{index}-{name}": [value] for name, value in values.items()}
        return kept
    found = {}
    for name in FORMS[section].base_fields:
        value = getattr(request, name)
        found[name] = list(value) if isinstance(value, list) else [value]
    return found


def places(data: Typed) -> int:
    """How many places were on the page that sent `data`; 0 when it does not say."""
    count = (data.get(f"{LEGS}-TOTAL_FORMS") or ["0"])[0]
    return min(int(count), MOST_PLACES_SENT) if count.isascii() and count.isdigit() and len(count) < 4 else 0


def with_places(data: Typed, count: int) -> dict[str, list[str]]:
    """`data` with at least `count` places, the new ones empty, at most as many as the rule book allows."""
    total = max(places(data), min(count, rules.MAX_LEGS))
    return {**data, f"{LEGS}-INITIAL_FORMS": ["0"], f"{LEGS}-TOTAL_FORMS": [str(total)]}


def without_place(data: Typed, index: int) -> dict[str, list[str]]:
    """`data` without the place `index`; those after it move up."""
    total = places(data)
    if not 0 <= index < total:
        return dict(data)
    rest = {name: values for name, values in data.items() if not name.startswith(f"{LEGS}-")}
    for old in (place for place in range(total) if place != index):
        new = old - (old > index)
        for name in LegForm.base_fields:
            rest[f"{LEGS}-{new}-{name}"] = list(data.get(f"{LEGS}-{old}-{name}", [""]))
    return with_places(rest | {f"{LEGS}-TOTAL_FORMS": [str(total - 1)]}, 0)


Section = SectionForm | BaseLegFormSet


def section_form(section: str, data: Typed | None, *, trip: TravelRequest, find: str = "") -> Section:
    """The form of a section of `trip` (as of now) over `data` as typed; without data an empty one. KeyError for no
    section. `find`: what is searched for among the subjects."""
    bound = as_data(data) if data is not None else None
    if section == "itinerary":
        return _places_form(bound, today=trip.today)
    return FORMS[section](bound, trip=trip, find=find)


def _places_form(bound: QueryDict | None, *, today: date, blank: int = 0) -> BaseLegFormSet:
    kind = forms.formset_factory(
        LegForm,
        formset=BaseLegFormSet,
        extra=blank,
        max_num=rules.MAX_LEGS,
        validate_max=True,
        absolute_max=MOST_PLACES_SENT,
    )
    asked = {"today": today, "subdivided": picking.subdivided(today)}
    made = kind(bound, prefix=LEGS, form_kwargs=asked)
    assert isinstance(made, BaseLegFormSet)
    return made


def untouched(section: str, data: Typed, *, trip: TravelRequest, find: str = "") -> Section:
    """The form of a section that shows `data` without looking for mistakes in it."""
    if section == "itinerary":
        formset = _places_form(None, today=trip.today, blank=max(places(data), 1))
        for index, place in enumerate(formset.forms):
            place.initial = {name: (data.get(f"{LEGS}-{index}-{name}") or [""])[0] for name in LegForm.base_fields}
        return formset
    form = FORMS[section]
    many = {name for name, field in form.base_fields.items() if isinstance(field, forms.MultipleChoiceField)}
    shown = {name: values if name in many else values[0] for name, values in data.items()}
    return form(initial=shown, trip=trip, find=find)


def point_at(form: Section, problems: list[Problem]) -> None:
    """Show `problems` at the fields they name, or with the whole form, leaving out fields that have a mistake shown."""
    for problem in problems:
        if isinstance(form, BaseLegFormSet):
            _prefix, _dash, rest = problem.field.partition("-")
            index, _dash, name = rest.partition("-")
            if index.isdigit() and int(index) < len(form.forms) and name in LegForm.base_fields:
                place = form.forms[int(index)]
                if name not in place.errors:
                    place.add_error(name, str(problem.message))
            elif not form.non_form_errors():
                form.non_form_errors().append(str(problem.message))
        elif problem.field in form.fields:
            if problem.field not in form.errors:
                form.add_error(problem.field, str(problem.message))
        else:
            form.add_error(None, str(problem.message))
