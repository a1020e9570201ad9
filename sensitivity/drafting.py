"""Changing the entries of a draft. Everybody who changes something says which edit of it they saw.

Each function does all of it or nothing, and refuses with NotAllowed (not a list manager), NotNow (not a draft any
more), Conflict (somebody else changed the entry meanwhile) and Invalid (the values). `at` is aware, passed in.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any
from uuid import UUID

import pycountry
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _
from stdnum.cn import ric
from stdnum.exceptions import ValidationError as NumberError

from accounts.refusals import Invalid, NotAllowed, NotFound, NotNow, Problem
from accounts.roles import Actor
from sensitivity import names, rules
from sensitivity.models import (
    CODE_LENGTH,
    LABEL_LENGTH,
    NAMED_KINDS,
    Edit,
    EntryName,
    ListEntry,
    ListKind,
    ListVersion,
    VersionState,
)

FIELDS = (
    "code",
    "former_codes",
    "parent",
    "label_zh",
    "label_en",
    "aliases",
    "country",
    "company_id",
    "level",
    "reason_zh",
    "reason_en",
    "valid_from",
    "valid_until",
)
"""What an entry says, in the order of the file and of the page."""

MAX_ALIASES = 40

_CODE = re.compile(r"[^\s,;\"'<>]+\Z")
# Eighteen characters that pass the check of GB 11643 are somebody's identity number, wherever they stand.
_IDENTITY = re.compile(r"(?<![0-9A-Za-z])\d{17}[0-9Xx](?![0-9A-Za-z])")


class Conflict(NotNow):
    """Somebody else changed (or removed: `current` is None) the entry since it was read. What it says now is there."""

    def __init__(self, current: ListEntry | None) -> None:
        super().__init__(
            _("Somebody changed this entry while you were writing. Compare, and save again what should stand.")
            if current
            else _("Somebody removed this entry while you were writing. Save it as a new one if it should stand.")
        )
        self.current = current


def values_of(entry: ListEntry) -> dict[str, Any]:
    """What `entry` says, as JSON values."""
    found = {name: getattr(entry, name) for name in FIELDS}
    return found | {
        "country": str(entry.country.code or ""),
        "valid_from": entry.valid_from.isoformat() if entry.valid_from else None,
        "valid_until": entry.valid_until.isoformat() if entry.valid_until else None,
    }


def names_a_person(text: str) -> bool:
    """Whether `text` holds a resident identity number (GB 11643): a list cannot hold a person."""
    for found in _IDENTITY.findall(text):
        try:
            ric.validate(found.upper())
        except NumberError:
            continue
        return True
    return False


@cache
def places() -> frozenset[str]:
    """Every code of ISO 3166-1 (alpha-2) and ISO 3166-2."""
    return frozenset({one.alpha_2 for one in pycountry.countries} | {one.code for one in pycountry.subdivisions})


def problems(kind: str, values: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with the `values` of one entry of a list of `kind`, each at its field; empty: nothing.

    Looks at the entry alone: whether the code is free and the parent there, `add` and `change` say.
    """
    found: list[Problem] = []

    def wrong(field: str, message: Any) -> None:
        found.append(Problem("", field, message))

    code = values.get("code") or ""
    if not code:
        wrong("code", _("Give the entry a code."))
    elif len(code) > CODE_LENGTH:
        wrong("code", _("A code has at most 80 characters."))
    elif not _CODE.match(code):
        wrong("code", _("A code has no spaces, commas, semicolons, quotation marks and angle brackets."))
    elif kind == ListKind.DESTINATION and code not in places():
        wrong("code", _("This is no code of ISO 3166-1 or 3166-2. Examples are JP and US-CA."))
    for name in ("label_zh", "label_en"):
        text = values.get(name) or ""
        if not text.strip():
            wrong(name, _("Give the label in both languages."))
        elif len(text) > LABEL_LENGTH:
            wrong(name, _("A label has at most 200 characters."))
    for name in ("reason_zh", "reason_en"):
        if not (values.get(name) or "").strip():
            wrong(name, _("Give the reason in both languages: the traveller reads it."))
    if values.get("level") not in (1, 2, 3):
        wrong("level", _("The level is 1, 2 or 3."))
    if len(values.get("aliases") or ()) > MAX_ALIASES:
        wrong("aliases", _("An entry has at most 40 other names."))
    elif any(len(name) > LABEL_LENGTH for name in values.get("aliases") or ()):
        wrong("aliases", _("A name has at most 200 characters."))
    if values.get("parent") and kind != ListKind.TECHNOLOGY:
        wrong("parent", _("Only technologies form a tree."))
    elif values.get("parent") and values["parent"] == code:
        wrong("parent", _("An entry cannot be part of itself."))
    if kind == ListKind.PROJECT and not values.get("company_id"):
        wrong("company_id", _("Say whose project it is."))
    elif kind != ListKind.PROJECT and values.get("company_id"):
        wrong("company_id", _("Only projects belong to a company."))
    country = values.get("country") or ""
    if country and (len(country) != 2 or country not in places()):
        wrong("country", _("This is no code of ISO 3166-1. An example is JP."))
    first, last = _day(values.get("valid_from")), _day(values.get("valid_until"))
    if first and last and last < first:
        wrong("valid_until", _("The last day cannot be before the first."))
    texts = [str(values.get(name) or "") for name in ("code", "label_zh", "label_en", "reason_zh", "reason_en")]
    if any(map(names_a_person, [*texts, *(values.get("aliases") or ())])):
        wrong(
            "",
            _(
                "This holds an identity number. A list names technologies, places, organisations, projects and "
                "events; never persons."
            ),
        )
    return found


def _day(value: date | str | None) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) and value else value or None


def fill(entry: ListEntry, values: Mapping[str, Any]) -> ListEntry:
    """`entry` with `values` of FIELDS in it (days as dates or ISO text), not saved. Others keep what they say."""
    for name, value in values.items():
        if name not in FIELDS:
            raise ValueError(f"{name} is not something that an entry says")
        setattr(entry, name, _day(value) if name in ("valid_from", "valid_until") else value)
    return entry


def locked(version_id: int, *, actor: Actor) -> ListVersion:
    """The draft, locked for this transaction, so that changes to it come one after the other.

    NotFound when there is none, NotAllowed for anybody but a list manager, NotNow when it is not a draft any more.
    """
    version = (
        ListVersion.objects.select_for_update(of=("self",), no_key=True)
        .select_related("list")
        .filter(pk=version_id)
        .first()
    )
    if version is None:
        raise NotFound(_("There is no such version."))
    if sentence := rules.is_list_manager.refusal(version, actor):
        raise NotAllowed(sentence)
    if version.state != VersionState.DRAFT:
        raise NotNow(_("This version is not a draft any more. Send it back to change it, or draft the next one."))
    return version


def add(version_id: int, *, actor: Actor, at: datetime, values: Mapping[str, Any]) -> ListEntry:
    """A new entry in a draft. Invalid besides when its code is taken, or its parent is not there."""
    with transaction.atomic():
        version = locked(version_id, actor=actor)
        entry = fill(ListEntry(version=version), values)
        _check(version, entry)
        entry.save()
        _after(version, [entry], actor=actor, at=at, before=None, after=values_of(entry), lineage=entry.lineage)
    return entry


def change(
    version_id: int, lineage: UUID, *, actor: Actor, at: datetime, edit: int, values: Mapping[str, Any]
) -> ListEntry:
    """Change an entry of a draft that the actor read as its `edit`. A code that it had before is still found."""
    with transaction.atomic():
        version = locked(version_id, actor=actor)
        entry = _seen(version, lineage, edit)
        before = values_of(entry)
        fill(entry, values)
        if entry.code != before["code"]:
            entry.former_codes = sorted({*entry.former_codes, before["code"]} - {entry.code})
        after = values_of(entry)
        if after == before:
            return entry
        _check(version, entry)
        if entry.code != before["code"]:
            version.entries.filter(parent=before["code"]).update(parent=entry.code)
        entry.edit += 1
        entry.save()
        _after(version, [entry], actor=actor, at=at, before=before, after=after, lineage=lineage)
    return entry


def remove(version_id: int, lineage: UUID, *, actor: Actor, at: datetime, edit: int) -> None:
    """Take an entry out of a draft. Invalid while others are part of it."""
    with transaction.atomic():
        version = locked(version_id, actor=actor)
        entry = _seen(version, lineage, edit)
        if version.entries.filter(parent=entry.code).exclude(pk=entry.pk).exists():
            raise Invalid([Problem("", "", _("Other entries are part of this one. Move or remove them first."))])
        before = values_of(entry)
        entry.delete()
        _after(version, [], actor=actor, at=at, before=before, after=None, lineage=lineage)


def _seen(version: ListVersion, lineage: UUID, edit: int) -> ListEntry:
    entry = version.entries.filter(lineage=lineage).first()
    if entry is None or entry.edit != edit:
        raise Conflict(entry)
    return entry


def _check(version: ListVersion, entry: ListEntry) -> None:
    found = problems(version.list.kind, values_of(entry))
    others = version.entries.exclude(pk=entry.pk)
    if others.filter(code=entry.code, company=entry.company_id).exists():
        found.append(Problem("", "code", _("Another entry of this version has this code.")))
    is_tree = version.list.kind == ListKind.TECHNOLOGY
    if is_tree and entry.parent and not others.filter(code=entry.parent).exists():
        found.append(Problem("", "parent", _("There is no entry with this code in this version.")))
    elif is_tree and entry.parent and entry.pk and entry.code in _ancestors(version, entry.parent):
        found.append(Problem("", "parent", _("That would go round in a circle: it is below this entry itself.")))
    if found:
        raise Invalid(found)


def _ancestors(version: ListVersion, code: str) -> Collection[str]:
    """`code` and everything above it, by the parents as they are stored; stops at a circle."""
    parents = dict(version.entries.exclude(parent="").values_list("code", "parent"))
    found: list[str] = []
    while code and code not in found:
        found.append(code)
        code = parents.get(code, "")
    return found


def _after(
    version: ListVersion,
    entries: Iterable[ListEntry],
    *,
    actor: Actor,
    at: datetime,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    lineage: UUID,
) -> None:
    assert actor.user_id is not None
    Edit.objects.create(version=version, lineage=lineage, by_id=actor.user_id, at=at, before=before, after=after)
    touched(version)
    rename(version, entries)
    if version.list.kind == ListKind.TECHNOLOGY:
        derive_paths(version.pk)


def touched(version: ListVersion) -> None:
    """The content of the draft (locked) changed: what was rehearsed of it before does not count any more."""
    version.content += 1
    version.save(update_fields=["content"])


def rename(version: ListVersion, entries: Iterable[ListEntry]) -> None:
    """Write the names by which `entries` of `version` are found anew. Only of lists whose entries have names."""
    if version.list.kind not in NAMED_KINDS:
        return
    of = list(entries)
    EntryName.objects.filter(entry__in=of).delete()
    EntryName.objects.bulk_create(names.rows(of), batch_size=5000)


_PATHS = """
    WITH RECURSIVE tree(id, code, path) AS (
        SELECT id, code, ARRAY[code::varchar] FROM sensitivity_listentry WHERE version_id = %(version)s AND parent = ''
        UNION ALL
        SELECT e.id, e.code, t.path || e.code::varchar
        FROM tree t JOIN sensitivity_listentry e ON e.version_id = %(version)s AND e.parent = t.code
        WHERE e.code <> ALL (t.path)
    )
    UPDATE sensitivity_listentry e SET path = tree.path
    FROM tree WHERE e.id = tree.id AND e.path IS DISTINCT FROM tree.path
"""


def derive_paths(version_id: int) -> None:
    """Write for each entry of the draft the codes from the top of the tree down to its own."""
    with connection.cursor() as cursor:
        cursor.execute(_PATHS, {"version": version_id})
