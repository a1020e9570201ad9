"""What entries say and how they changed, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.dateparse import parse_date
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django_countries import countries

from companies.models import Company
from interface.tags import tag
from sensitivity.diffing import Change
from sensitivity.models import ListEntry

# A level looks as the tier does that it leads to.
_LEVELS = {1: ("neutral", "bars-2"), 2: ("waiting", "bars-3"), 3: ("bad", "bars-4")}
_CHANGES = {
    "new": ("good", "plus"),
    "removed": ("bad", "cross"),
    "changed": ("info", "pencil"),
    "renamed": ("waiting", "undo"),
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field before and after. `lang`: the language that it is written in, where it is written in one."""

    label: str
    old: str
    new: str
    lang: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """One field of an entry that is new or was removed."""

    label: str
    value: str
    lang: str = ""


@dataclass(frozen=True, slots=True)
class ChangedEntry:
    """One changed entry as a page shows it. `said`: what an entry says that is new or was removed, in a few lines."""

    change: Change
    kind: SafeString
    label: str
    fields: list[Field]
    said: list[Said]


def kind_words() -> dict[str, str]:
    """The kinds of change, in words."""
    new = pgettext("an entry", "New")
    return {"new": new, "removed": _("Removed"), "changed": _("Changed"), "renamed": _("Renamed")}


def level_tag(level: int) -> SafeString:
    """A level as a text tag."""
    return tag(_("Level %(level)d") % {"level": level}, *_LEVELS[level])


def field_label(name: str) -> str:
    """What a field of `drafting.FIELDS` is called."""
    found = ListEntry._meta.get_field(name.removesuffix("_id"))
    return str(capfirst(found.verbose_name))  # type: ignore[union-attr]


def lang_of(name: str) -> str:
    """The language that a field is written in; empty for one that is in none, or in the reader's."""
    return {"zh": "zh-Hans", "en": "en"}.get(name.rpartition("_")[2], "")


def value_words(name: str, values: Mapping[str, Any], companies: Mapping[int, Company]) -> str:
    """What `values` (JSON values, see `drafting.values_of`) say in the field `name`."""
    value = values.get(name)
    if value in (None, "", []):
        return ""
    if isinstance(value, list):
        return _(", ").join(map(str, value))
    if name == "company_id":
        company = companies.get(int(value))
        return company.name if company else str(value)
    if name == "country":
        return str(countries.name(value) or value)
    if name in ("valid_from", "valid_until"):
        day = value if isinstance(value, date) else parse_date(str(value))
        return date_format(day) if day else str(value)
    return str(value)


def fields_of(
    before: Mapping[str, Any], after: Mapping[str, Any], names: Iterable[str], companies: Mapping[int, Company]
) -> list[Field]:
    """The fields `names`, before and after."""
    return [
        Field(
            field_label(name), value_words(name, before, companies), value_words(name, after, companies), lang_of(name)
        )
        for name in names
    ]


def changed_entry(change: Change, companies: Mapping[int, Company]) -> ChangedEntry:
    """`change` as a page shows it."""
    whole = change.after or change.before
    label = _label(whole)
    both = change.before and change.after
    said = [name for name in change.fields if name not in ("code", "label_zh", "label_en")]
    return ChangedEntry(
        change=change,
        kind=tag(kind_words()[change.kind], *_CHANGES[change.kind]),
        label=label,
        fields=fields_of(change.before, change.after, change.fields, companies) if both else [],
        said=[]
        if both
        else [Said(field_label(name), value_words(name, whole, companies), lang_of(name)) for name in said],
    )


def _label(values: Mapping[str, Any]) -> str:
    return ListEntry(label_zh=values.get("label_zh", ""), label_en=values.get("label_en", "")).label
