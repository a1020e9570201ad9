"""The input of the pages about lists, as forms: its shape is checked here, the rules where things are done.

A form's fields are called as the arguments of what is done, so that a problem found there is shown where it belongs.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pycountry
from django import forms
from django.db.models import Q
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django_countries import countries

from accounts.models import RoleAssignment, User
from accounts.refusals import Invalid
from accounts.roles import INSTALLATION_ROLES, Role
from authorities.models import LegalInstrument
from companies.models import Company
from interface.asking import asks
from interface.widgets import DateInput
from sensitivity import publishing
from sensitivity.models import CODE_LENGTH, LABEL_LENGTH, NAMED_KINDS, ListEntry, ListKind, ListVersion, SensitivityList

MAX_TEXT = 4000
# So many entries are offered while typing the code of the one above.
OFFERED = 1000


def _text(label: Any, *, missing: Any = None, rows: int = 3, help_text: Any = "", **attrs: Any) -> forms.CharField:
    """Several lines of text; with `missing`, the sentence for when there is none, it is required."""
    return forms.CharField(
        label=label,
        help_text=help_text,
        required=missing is not None,
        max_length=MAX_TEXT,
        widget=forms.Textarea(attrs={"rows": rows} | attrs),
        error_messages={"required": missing} if missing is not None else {},
    )


def _day(label: Any, *, required: bool = False, help_text: Any = "") -> forms.DateField:
    return forms.DateField(label=label, required=required, help_text=help_text, widget=DateInput())


class LinesField(forms.CharField):
    """A list of texts, one a line, each once; empty lines do not count."""

    widget = forms.Textarea

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        return list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))


class DeedForm(forms.Form):
    """The input of something that is done; what refuses it as Invalid is shown at the fields."""

    def refuse(self, refusal: Invalid) -> None:
        """Show what was found wrong at the fields that it names."""
        for problem in refusal.problems:
            self.add_error(problem.field if problem.field in self.fields else None, str(problem.message))

    def values(self) -> dict[str, Any]:
        """The arguments, as plain values."""
        return dict(self.cleaned_data)

    def typed(self) -> list[tuple[str, str]]:
        """What was typed, to be shown where the form itself no longer can be."""
        return [
            (str(bound.label), str(bound.value())) for bound in self.visible_fields() if self.is_bound and bound.value()
        ]


# ── lists ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@asks(
    name_zh=_("Enter the name in Chinese."),
    name_en=_("Enter the name in English."),
    owner=_("Choose the owner."),
    legal_basis=_("Choose the instrument that the list rests on."),
)
class SettingsForm(DeedForm):
    """What a list says of itself. `at`: whose roles and which instruments are in force then."""

    name_zh = forms.CharField(label=_("Name in Chinese"), max_length=200, widget=forms.TextInput({"lang": "zh-Hans"}))
    name_en = forms.CharField(label=_("Name in English"), max_length=200, widget=forms.TextInput({"lang": "en"}))
    owner = forms.ModelChoiceField(
        label=_("Owner"),
        queryset=User.objects.none(),
        help_text=_("A list manager. The owner is reminded before a version ends."),
    )
    legal_basis = forms.ModelChoiceField(
        label=_("Legal basis"),
        queryset=LegalInstrument.objects.none(),
        help_text=_("A published instrument in force. An administrator enters instruments in the back office."),
    )
    is_confidential = forms.BooleanField(
        label=_("The list is confidential"),
        required=False,
        help_text=_(
            "Its entries are shown to nobody whom they touch. That such an entry counted, what it rests on and who "
            "reviewed that is shown to them all the same."
        ),
    )
    confidentiality_basis = forms.ModelChoiceField(
        label=_("Legal basis of the confidentiality"), queryset=LegalInstrument.objects.none(), required=False
    )
    confidentiality_reviewed_by = forms.ModelChoiceField(
        label=_("Who reviewed the confidentiality"),
        queryset=User.objects.none(),
        required=False,
        help_text=_("Somebody else than the owner."),
    )
    confidentiality_reviewed_on = _day(_("Reviewed on"))

    def __init__(self, *args: Any, at: datetime, of: SensitivityList | None = None, **kwargs: Any) -> None:
        if of is not None:
            names = [name for name in self.base_fields if name != "kind"]
            kwargs["initial"] = {name: getattr(of, name) for name in names}
        super().__init__(*args, **kwargs)
        self.at = at
        holders = RoleAssignment.objects.in_force(at).filter(user__is_active=True)
        managers = holders.filter(role=Role.LIST_MANAGER).values("user")
        anybody = holders.filter(role__in=INSTALLATION_ROLES).values("user")
        self._choose_from("owner", Q(pk__in=managers) | Q(pk=of.owner_id if of else None))
        self._choose_from(
            "confidentiality_reviewed_by", Q(pk__in=anybody) | Q(pk=of.confidentiality_reviewed_by_id if of else None)
        )
        day = publishing.today(at)
        in_force = LegalInstrument.objects.in_force(day).values("pk")
        kept = {of.legal_basis_id, of.confidentiality_basis_id} - {None} if of else set()
        for name in ("legal_basis", "confidentiality_basis"):
            choices = LegalInstrument.objects.filter(Q(pk__in=in_force) | Q(pk__in=kept))
            self.fields[name].queryset = choices  # type: ignore[attr-defined]

    def _choose_from(self, name: str, condition: Q) -> None:
        self.fields[name].queryset = User.objects.filter(condition).order_by("name", "pk")  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        named = ("confidentiality_basis", "confidentiality_reviewed_by", "confidentiality_reviewed_on")
        if not found.get("is_confidential"):
            # Nothing is kept of a confidentiality that is not there.
            return found | dict.fromkeys(named)
        for name in named:
            if not found.get(name) and name not in self.errors:
                self.add_error(name, _("A confidential list needs this."))
        reviewed = found.get("confidentiality_reviewed_on")
        if reviewed and reviewed > publishing.today(self.at):
            self.add_error("confidentiality_reviewed_on", _("This day has not come yet."))
        owner, reviewer = found.get("owner"), found.get("confidentiality_reviewed_by")
        if owner and owner == reviewer:
            self.add_error("confidentiality_reviewed_by", _("The owner of a list cannot review its confidentiality."))
        return found


@asks(kind=_("Choose what the list holds."))
class ListForm(SettingsForm):
    """A new list: its kind too, which never changes."""

    kind = forms.ChoiceField(
        label=_("What it holds"),
        choices=ListKind.choices,
        widget=forms.RadioSelect,
        help_text=_("This cannot be changed later. A list never holds persons."),
    )
    field_order = ["kind"]


class BeginForm(DeedForm):
    """A new draft."""

    note = _text(_("What is new in it"), rows=2, help_text=_("For whoever reviews it. You can begin without."))


# ── verbs ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class VerbForm(DeedForm):
    """The input of a verb on `version` at `at`. Without fields it is the confirmation alone."""

    def __init__(self, *args: Any, version: ListVersion, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.version = version
        self.at = at
        self.prepare()

    def prepare(self) -> None:
        """Fit the fields to the version."""


class SendBackForm(VerbForm):
    why = _text(_("What should change"), missing=_("Say what should change."), help_text=_("The author reads it."))


@asks(on=_("Enter the first day."))
class PublishForm(VerbForm):
    """From when until when."""

    on = _day(_("In force from"), required=True, help_text=_("Its first day. Today at the earliest."))
    until = _day(
        _("In force until"),
        help_text=_(
            "The first day on which it does not count any more; left empty: twelve months after its first day."
        ),
    )

    def prepare(self) -> None:
        self.fields["on"].initial = publishing.today(self.at)

    def days(self) -> tuple[date, date] | None:
        """The first day and the end that are meant; None when the form does not say."""
        found = self.cleaned_data if self.is_bound else {"on": self.fields["on"].initial}
        on = found.get("on")
        if on is None or (self.is_bound and "until" in self.errors):
            return None
        return on, found.get("until") or publishing.last_end(on)


@asks(until=_("Enter the day on which it does not count any more."))
class RenewForm(VerbForm):
    until = _day(
        _("In force until"),
        required=True,
        help_text=_("The first day on which it does not count any more: at most twelve months from today."),
    )
    reason = _text(
        _("Why it is still needed as it is"),
        missing=_("Say why the list is still needed as it is."),
        help_text=_("Kept with the version, for auditors."),
    )

    def prepare(self) -> None:
        self.fields["until"].initial = publishing.last_end(publishing.today(self.at))


# ── entries ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class Datalist(forms.TextInput):
    """A text input that offers values while one types, in the browser's own way; any text can be typed."""

    template_name = "sensitivity/entry_datalist.html"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.offered: list[tuple[str, str]] = []

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        listed = f"{context['widget']['attrs'].get('id', name)}_offered"
        context["widget"]["attrs"]["list"] = listed
        return context | {"list_id": listed, "offered": self.offered}


@asks(
    code=_("Enter the code."),
    label_zh=_("Enter the label in Chinese."),
    label_en=_("Enter the label in English."),
    company_id=_("Choose the company."),
    level=_("Choose the level."),
)
class EntryForm(DeedForm):
    """What an entry of `version` says: the fields that its kind has. `edit` is the edit of it that the form shows, and
    `began` what it said then, so that nothing that others save meanwhile is lost."""

    code = forms.CharField(label=_("Code"), max_length=CODE_LENGTH)
    label_zh = forms.CharField(
        label=_("Label in Chinese"), max_length=LABEL_LENGTH, widget=forms.TextInput({"lang": "zh-Hans"})
    )
    label_en = forms.CharField(
        label=_("Label in English"), max_length=LABEL_LENGTH, widget=forms.TextInput({"lang": "en"})
    )
    parent = forms.CharField(
        label=_("Part of"),
        max_length=CODE_LENGTH,
        required=False,
        help_text=_("The code of the entry above it, which covers it. Empty: at the top of the tree."),
        widget=Datalist(),
    )
    company_id = forms.TypedChoiceField(label=_("Company"), coerce=int, empty_value=None)
    country = forms.ChoiceField(label=_("Country"), required=False)
    aliases = LinesField(
        label=_("Other names"),
        required=False,
        help_text=_("One a line: abbreviations, former names, names in other scripts."),
        widget=forms.Textarea({"rows": 3}),
    )
    level = forms.TypedChoiceField(
        label=_("Level"),
        coerce=int,
        choices=[
            (1, _("Level 1: one reviewer decides")),
            (2, _("Level 2: one reviewer proposes, a senior confirms")),
            (3, _("Level 3: as level 2, and the specialist office is consulted first")),
        ],
        widget=forms.RadioSelect,
    )
    reason_zh = _text(_("Reason in Chinese"), missing=_("Give the reason in both languages."), lang="zh-Hans")
    reason_en = _text(
        _("Reason in English"),
        missing=_("Give the reason in both languages."),
        help_text=_("The traveller reads it beside the hit."),
        lang="en",
    )
    valid_from = _day(_("Valid from"), help_text=_("Empty: as long as the version is in force."))
    valid_until = _day(_("Valid until"), help_text=_("Its last day. Empty: as long as the version is in force."))
    edit = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput())
    began = forms.JSONField(required=False, widget=forms.HiddenInput())

    def __init__(self, *args: Any, version: ListVersion, entry: ListEntry | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind = version.list.kind
        absent = {
            "parent": kind != ListKind.TECHNOLOGY,
            "company_id": kind != ListKind.PROJECT,
            "country": kind not in NAMED_KINDS,
        }
        for name in (name for name, is_absent in absent.items() if is_absent):
            del self.fields[name]
        if "parent" in self.fields:
            self._offer_parents(version, entry)
        if "company_id" in self.fields:
            self._offer_companies(entry)
        if "country" in self.fields:
            self.fields["country"].choices = [("", _("None")), *countries]  # type: ignore[attr-defined]
        if kind == ListKind.DESTINATION:
            self._offer_places()

    def _offer_parents(self, version: ListVersion, entry: ListEntry | None) -> None:
        label = "label_zh" if (get_language() or "").startswith("zh") else "label_en"
        others = version.entries.exclude(pk__in=[entry.pk] if entry else []).order_by("company_id", "code")
        widget = self.fields["parent"].widget
        assert isinstance(widget, Datalist)
        widget.offered = list(others.values_list("code", label)[:OFFERED])

    def _offer_companies(self, entry: ListEntry | None) -> None:
        kept = {entry.company_id} - {None} if entry else set()
        shown = Company.objects.filter(Q(is_active=True) | Q(pk__in=kept))
        choices = sorted(((one.pk, one.name) for one in shown), key=lambda choice: choice[1])
        self.fields["company_id"].choices = [("", _("Choose")), *choices]  # type: ignore[attr-defined]

    def _offer_places(self) -> None:
        widget = Datalist()
        widget.offered = [(one.alpha_2, str(countries.name(one.alpha_2) or one.name)) for one in pycountry.countries]
        widget.attrs = self.fields["code"].widget.attrs
        self.fields["code"].widget = widget
        self.fields["code"].help_text = _(
            "ISO 3166-1, such as JP; or ISO 3166-2 for a part of a country, such as US-CA."
        )

    def says(self) -> list[str]:
        """The fields that say something of the entry, in their order."""
        return [name for name in self.fields if name not in ("edit", "began")]

    def values(self) -> dict[str, Any]:
        """What the entry is to say, as values of `drafting.FIELDS`."""
        return {name: self.cleaned_data[name] for name in self.says()}


# ── looking ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class EntryFilter(forms.Form):
    """Which entries of a version to show."""

    q = forms.CharField(
        label=_("Code, label or other name"),
        required=False,
        max_length=LABEL_LENGTH,
        widget=forms.TextInput({"type": "search"}),
    )
    level = forms.TypedChoiceField(
        label=_("Level"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=[("", _("Any")), (1, "1"), (2, "2"), (3, "3")],
    )
    validity = forms.ChoiceField(
        label=_("Validity"),
        required=False,
        choices=[("", _("Any")), ("valid", _("Valid today")), ("expired", _("Expired")), ("later", _("Not yet valid"))],
    )
    view = forms.CharField(required=False, widget=forms.HiddenInput())


class ChangeFilter(forms.Form):
    """Which changes between two versions to show."""

    q = forms.CharField(
        label=_("Code or label"),
        required=False,
        max_length=LABEL_LENGTH,
        widget=forms.TextInput({"type": "search"}),
    )
    kind = forms.CharField(required=False, widget=forms.HiddenInput())
    view = forms.CharField(required=False, widget=forms.HiddenInput())


@asks(old=_("Choose a version."), new=_("Choose a version."))
class TwoVersionsForm(forms.Form):
    """Which two versions to compare."""

    old = forms.TypedChoiceField(label=pgettext_lazy("a version", "From"), coerce=int)
    new = forms.TypedChoiceField(label=_("To"), coerce=int)

    def __init__(self, *args: Any, numbers: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["old"].choices = [*numbers, (0, _("Nothing"))]  # type: ignore[attr-defined]
        self.fields["new"].choices = numbers  # type: ignore[attr-defined]
