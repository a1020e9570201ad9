"""One entry of a version: what it says, what became of it over the versions, writing it, taking it out.

Two people may write the same entry at once. Who saves second sees what the other one saved beside what they typed, and
saves again on top of it: fields that only the other one changed are taken over, what was typed is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.http import ActorRequest
from accounts.refusals import Invalid, NotNow
from interface.tags import tag
from sensitivity import browsing, drafting, publishing
from sensitivity.forms import EntryForm
from sensitivity.models import Edit, ListEntry, ListKind, ListVersion
from sensitivity.standing import Standing, standing
from sensitivity.views import wording
from sensitivity.views.reading import may_write, must_write, open_version

# So many edits of an entry, and entries directly below it, are shown.
EDITS_SHOWN = 30
BELOW_SHOWN = 50


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class InVersion:
    """The entry in one version: what it said there, and what was different from the version before that had it."""

    entry: ListEntry
    version: ListVersion
    standing: Standing
    fields: list[wording.Field]
    is_first: bool


@dataclass(frozen=True, slots=True)
class ShownEdit:
    """An edit, as `components/timeline.html` shows it."""

    at: datetime
    words: str
    who: str
    fields: list[wording.Field]
    tone: str
    shape: str
    detail_template: str = "sensitivity/entry_edit.html"


def _history(version: ListVersion, lineage: UUID, at: datetime) -> dict[str, Any]:
    """What became of the entry over the versions of its list, and who changed what of it."""
    entries = browsing.history(version, lineage)
    edits = browsing.edits(version, lineage, most=EDITS_SHOWN)
    said = [drafting.values_of(entry) for entry in entries]
    written = [values for edit in edits for values in (edit.before, edit.after) if values]
    companies = browsing.companies_of([*said, *written])
    versions = [
        InVersion(
            entry=entry,
            version=entry.version,
            standing=standing(entry.version, at=at),
            fields=_different(before, now, companies) if before else [],
            is_first=before is None,
        )
        for entry, now, before in zip(entries, said, [*said[1:], None], strict=False)
    ]
    return {"versions": versions, "edits": [_shown(edit, companies) for edit in edits]}


def _different(
    before: Mapping[str, Any], after: Mapping[str, Any], companies: Mapping[int, Any]
) -> list[wording.Field]:
    names = [name for name in drafting.FIELDS if before.get(name) != after.get(name)]
    return wording.fields_of(before, after, names, companies)


def _shown(edit: Edit, companies: Mapping[int, Any]) -> ShownEdit:
    words = {"number": edit.version.number}
    if edit.before is None:
        sentence, tone, shape = _("Added to version %(number)d") % words, "good", "plus"
    elif edit.after is None:
        sentence, tone, shape = _("Removed from version %(number)d") % words, "bad", "cross"
    else:
        sentence, tone, shape = _("Changed in version %(number)d") % words, "info", "pencil"
    fields = _different(edit.before, edit.after, companies) if edit.before and edit.after else []
    return ShownEdit(edit.at, sentence, edit.by.name, fields, tone, shape)


@dataclass(frozen=True, slots=True)
class Fact:
    """A name and a value, as `components/summary_list.html` shows it."""

    label: str
    value: str | SafeString
    url: str = ""
    lang: str = ""


def _facts(version: ListVersion, entry: ListEntry) -> list[Fact]:
    """What the entry says: the fields of its kind."""
    values = drafting.values_of(entry)
    companies = browsing.companies_of([values])
    kind = version.list.kind
    absent = {
        "parent": kind != ListKind.TECHNOLOGY,
        "company_id": kind != ListKind.PROJECT,
        "country": kind not in (ListKind.ORGANISATION, ListKind.EVENT),
        "former_codes": not entry.former_codes,
    }
    return [
        Fact(
            wording.field_label(name),
            wording.level_tag(entry.level) if name == "level" else wording.value_words(name, values, companies),
            lang=wording.lang_of(name),
        )
        for name in drafting.FIELDS
        if not absent.get(name)
    ]


def _show(
    http: ActorRequest,
    version: ListVersion,
    entry: ListEntry | None,
    lineage: UUID,
    form: EntryForm | None,
    *,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    """The page of the entry; with `form` for who writes it."""
    at = timezone.now()
    history = _history(version, lineage, at)
    if entry is None and not history["versions"] and not history["edits"]:
        raise Http404(_("There is no such entry."))
    is_tree = version.list.kind == ListKind.TECHNOLOGY
    below: list[ListEntry] = []
    if entry and is_tree:
        below = list(version.entries.filter(parent=entry.code).order_by("code")[: BELOW_SHOWN + 1])
    context = {
        "list": version.list,
        "version": version,
        "standing": standing(version, at=at),
        "entry": entry,
        "name": f"{entry.code} {entry.label}" if entry else _name_of_gone(history),
        "lineage": lineage,
        "on": publishing.today(at),
        "facts": _facts(version, entry) if entry and form is None else [],
        "form": form,
        "is_tree": is_tree,
        "may_edit": version.is_draft and may_write(http),
        "below": below[:BELOW_SHOWN],
        "more_below": len(below) > BELOW_SHOWN,
        "save_url": reverse("list_entry", args=[version.list_id, version.number, lineage]),
        **history,
        **more,
    }
    return render(http, "sensitivity/entry.html", context, status=status)


def _name_of_gone(history: Mapping[str, Any]) -> str:
    """What an entry was called that this version does not have."""
    if history["versions"]:
        entry = history["versions"][0].entry
        return f"{entry.code} {entry.label}"
    return _("Removed entry")


# ── writing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@login_required
@require_http_methods(["GET", "POST"])
def entry_new(http: ActorRequest, list_id: int, number: int) -> HttpResponse:
    """Add an entry to a draft; `parent` in the address puts it below another one."""
    version = open_version(http, list_id, number)
    must_write(http)
    at = timezone.now()
    initial = {"parent": http.GET.get("parent", "")}
    form = EntryForm(http.POST if http.method == "POST" else None, version=version, initial=initial)
    if not version.is_draft:
        sentence = _("This version is not a draft any more. Send it back to change it, or draft the next one.")
        return _refused(http, version, form, NotNow(sentence))
    if http.method == "POST" and form.is_valid():
        try:
            made = drafting.add(version.pk, actor=http.actor, at=at, values=form.values())
        except Invalid as refused:
            form.refuse(refused)
        except NotNow as refused:
            return _refused(http, version, form, refused)
        else:
            messages.success(http, _("%(code)s is in the draft.") % {"code": made.code})
            if "another" in http.POST:
                more = reverse("list_entry_new", args=[list_id, number])
                return redirect(f"{more}?parent={made.parent}" if made.parent else more)
            return redirect("list_entry", list_id=list_id, number=number, lineage=made.lineage)
    context = {"list": version.list, "version": version, "form": form}
    return render(http, "sensitivity/entry_new.html", context, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "POST"])
def entry_page(http: ActorRequest, list_id: int, number: int, lineage: UUID) -> HttpResponse:
    """What an entry says and its history; in a draft, list managers change it or take it out here."""
    version = open_version(http, list_id, number)
    entry = version.entries.filter(lineage=lineage).select_related("company").first()
    if http.method == "POST":
        must_write(http)
        return _remove(http, version, lineage) if "remove" in http.POST else _save(http, version, entry, lineage)
    if entry is None or not (version.is_draft and may_write(http)):
        return _show(http, version, entry, lineage, None)
    if "remove" in http.GET:
        return _ask_to_remove(http, version, entry)
    return _show(http, version, entry, lineage, _form_of(version, entry))


def _form_of(version: ListVersion, entry: ListEntry, **typed: Any) -> EntryForm:
    """The form as somebody begins with it: it carries which edit they saw, and what it said."""
    values = drafting.values_of(entry)
    began = {"edit": entry.edit, "began": values}
    return EntryForm(version=version, entry=entry, initial=values | typed | began)


def _save(http: ActorRequest, version: ListVersion, entry: ListEntry | None, lineage: UUID) -> HttpResponse:
    form = EntryForm(http.POST, version=version, entry=entry)
    if form.is_valid():
        seen = form.cleaned_data["edit"]
        at = timezone.now()
        try:
            saved = drafting.change(
                version.pk,
                lineage,
                actor=http.actor,
                at=at,
                edit=-1 if seen is None else seen,
                values=form.values(),
            )
        except drafting.Conflict as conflict:
            return _conflict(http, version, lineage, form, conflict)
        except Invalid as refused:
            form.refuse(refused)
        except NotNow as refused:
            return _refused(http, version, form, refused)
        else:
            messages.success(http, _("Nothing was different.") if saved.edit == seen else _("Saved."))
            return redirect("list_entry", list_id=version.list_id, number=version.number, lineage=lineage)
    return _show(http, version, entry, lineage, form, status=422)


def _ask_to_remove(
    http: ActorRequest, version: ListVersion, entry: ListEntry, *, status: int = 200, **more: Any
) -> HttpResponse:
    context = {"list": version.list, "version": version, "entry": entry, "facts": _facts(version, entry), **more}
    return render(http, "sensitivity/entry_remove.html", context, status=status)


def _remove(http: ActorRequest, version: ListVersion, lineage: UUID) -> HttpResponse:
    seen = http.POST.get("edit", "")
    try:
        drafting.remove(
            version.pk,
            lineage,
            actor=http.actor,
            at=timezone.now(),
            edit=int(seen) if seen.isdecimal() and len(seen) < 10 else -1,
        )
    except drafting.Conflict as conflict:
        if conflict.current is not None:
            edit = browsing.last_edit(version, lineage)
            return _ask_to_remove(http, version, conflict.current, status=409, changed_by=edit, is_changed=True)
        messages.info(http, _("Somebody removed this entry already."))
    except Invalid as refused:
        entry = version.entries.get(lineage=lineage)
        return _ask_to_remove(http, version, entry, status=422, sentence=str(refused))
    except NotNow as refused:
        return _refused(http, version, None, refused)
    else:
        messages.success(http, _("The entry was taken out of the draft."))
    return redirect("list_version", list_id=version.list_id, number=version.number)


def _refused(http: ActorRequest, version: ListVersion, form: EntryForm | None, refused: NotNow) -> HttpResponse:
    """The version is not a draft any more: where it is now, and what was typed, so that it is not lost."""
    now = open_version(http, version.list_id, version.number)
    context = {
        "page": {"label": _("Change entries")},
        "version": now,
        "standing": standing(now, at=timezone.now()),
        "sentence": refused.sentence,
        "typed": form.typed() if form else [],
        "back_url": reverse("list_version", args=[version.list_id, version.number]),
    }
    return render(http, "sensitivity/do_refused.html", context, status=409)


# ── two people at once ──────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Difference:
    """One field on which people differ: what it said when you began, what it says now, what you typed, and which of
    them stands in the form."""

    label: str
    began: str
    now: str
    typed: str
    stands: SafeString
    is_contested: bool
    lang: str


def _conflict(
    http: ActorRequest, version: ListVersion, lineage: UUID, form: EntryForm, conflict: drafting.Conflict
) -> HttpResponse:
    """Side by side, what it said when you began, what the other one saved and what you typed. What only they changed is
    taken over into the form, what you typed stays; where both changed something, yours stands and theirs is beside it.
    """
    current = conflict.current
    typed = {name: value.isoformat() if isinstance(value, date) else value for name, value in form.values().items()}
    began = _readable(form.cleaned_data["began"])
    now = drafting.values_of(current) if current else dict(began)
    companies = browsing.companies_of([began, now, typed])
    merged = {name: now.get(name) if _same(began, typed, name) else value for name, value in typed.items()}
    rows = [
        _difference(name, began, now, typed, companies)
        for name in form.says()
        if not (_same(began, typed, name) and _same(began, now, name))
    ]
    edit = browsing.last_edit(version, lineage)
    more = {"conflict": str(conflict), "differences": rows, "other": edit, "is_removed": current is None}
    if current is None:
        # It is not there any more: what was typed can become an entry of its own.
        return _show(
            http,
            version,
            None,
            lineage,
            EntryForm(version=version, initial=typed),
            status=409,
            save_url=reverse("list_entry_new", args=[version.list_id, version.number]),
            **more,
        )
    return _show(http, version, current, lineage, _form_of(version, current, **merged), status=409, **more)


def _readable(began: Any) -> dict[str, Any]:
    """What the form says that it began with, as far as it is of the shape that values have: it came over the wire."""
    if not isinstance(began, dict):
        return {}
    kinds = {"aliases": list, "former_codes": list, "level": int, "company_id": int}
    return {
        name: value
        for name, value in began.items()
        if name in drafting.FIELDS and (value is None or isinstance(value, kinds.get(name, str)))
    }


def _same(one: Mapping[str, Any], other: Mapping[str, Any], name: str) -> bool:
    return name in one and (one[name] or None) == (other.get(name) or None)


def _difference(
    name: str,
    began: Mapping[str, Any],
    now: Mapping[str, Any],
    typed: Mapping[str, Any],
    companies: Mapping[int, Any],
) -> Difference:
    is_mine, is_theirs = not _same(began, typed, name), not _same(began, now, name)
    is_contested = is_mine and is_theirs and not _same(now, typed, name)
    if is_contested:
        stands = tag(_("Both changed it: yours is in the form"), "waiting", "warning")
    elif is_mine and is_theirs:
        stands = tag(_("Both wrote the same"), "neutral", "check")
    elif is_mine:
        stands = tag(_("Yours is in the form"), "info", "pencil")
    else:
        stands = tag(_("Theirs is in the form"), "info", "person")
    return Difference(
        label=wording.field_label(name),
        began=wording.value_words(name, began, companies),
        now=wording.value_words(name, now, companies),
        typed=wording.value_words(name, typed, companies),
        stands=stands,
        is_contested=is_contested,
        lang=wording.lang_of(name),
    )
