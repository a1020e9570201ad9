"""The lists: all of them, one of them with its versions and its history, a new one, what one says of itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts.http import ActorRequest
from accounts.models import User
from accounts.refusals import Invalid, NotNow, Refused
from accounts.roles import Actor, Role
from audit.models import Entry
from interface.tags import time_of
from sensitivity import publishing
from sensitivity.forms import BeginForm, ListForm, SettingsForm
from sensitivity.models import FIXED, ListVersion, SensitivityList, VersionState
from sensitivity.standing import Standing, standing
from sensitivity.views.reading import (
    lists_for,
    may_write,
    must_read,
    must_write,
    open_list,
    versions_for,
)

# So many steps of the history of a list are shown at a time.
STEPS = 30
_MARKS = {
    "list.found": ("info", "plus"),
    "list.settle": ("neutral", "pencil"),
    "list.draft": ("neutral", "pencil"),
    "list.submit_for_review": ("info", "half"),
    "list.send_back": ("waiting", "back"),
    "list.publish": ("good", "check"),
    "list.renew": ("good", "calendar"),
    "list.discard": ("neutral", "undo"),
    "list.import": ("neutral", "file"),
}


@dataclass(frozen=True, slots=True)
class ShownVersion:
    """A version with how it stands."""

    version: ListVersion
    standing: Standing


@dataclass(frozen=True, slots=True)
class ShownList:
    """A list as the list of lists shows it: what holds, what comes, and whose turn it is."""

    list: SensitivityList
    in_force: ShownVersion | None
    latest: ShownVersion | None
    coming: ShownVersion | None
    open: ShownVersion | None
    turn: str

    @property
    def warns(self) -> bool:
        """Whether nothing of it counts, or soon nothing will."""
        if self.coming is not None:
            return False
        return self.in_force is None or self.in_force.standing.warns


@require_GET
@login_required
def list_list(http: ActorRequest) -> HttpResponse:
    """Every list, with the version in force and the one that is being written. Two queries, however many there are."""
    must_read(http)
    at = timezone.now()
    versions: dict[int, list[ListVersion]] = {}
    for version in versions_for(http.actor).order_by("-number"):
        versions.setdefault(version.list_id, []).append(version)
    shown = [_shown(row, versions.get(row.pk, []), http.actor, at) for row in lists_for(http.actor)]
    context = {"lists": shown, "may_write": may_write(http), "warned": [row for row in shown if row.warns]}
    return render(http, "sensitivity/lists.html", context)


def _shown(row: SensitivityList, versions: list[ListVersion], actor: Actor, at: datetime) -> ShownList:
    """`versions`: those of the list, the newest first."""
    stood = [ShownVersion(version, standing(version, at=at)) for version in versions]
    fixed = [one for one in stood if one.version.state in FIXED]
    in_force = next((one for one in fixed if one.standing.in_force), None)
    day = publishing.today(at)
    coming = next((one for one in fixed if one.version.published_from and one.version.published_from > day), None)
    writing = next((one for one in stood if one.version.state not in FIXED), None)
    return ShownList(
        list=row,
        in_force=in_force,
        latest=fixed[0] if fixed else None,
        coming=coming,
        open=writing,
        turn=_turn(writing.version, actor) if writing else "",
    )


def _turn(version: ListVersion, actor: Actor) -> str:
    """Whose turn it is with a version that is not published, in words. Who edited it is not asked: that is a query."""
    if version.state == VersionState.DRAFT:
        if version.author_id == actor.user_id:
            return _("Your draft")
        return _("Being written by %(name)s") % {"name": version.author.name}
    if version.author_id == actor.user_id:
        return _("Waits for another list manager")
    return _("Waits for a list manager who wrote nothing of it")


@login_required
@require_http_methods(["GET", "POST"])
def list_page(http: ActorRequest, list_id: int) -> HttpResponse:
    """One list: what it is, its versions, its history. A POST begins a draft, a copy of the newest version."""
    row = open_list(http, list_id)
    at = timezone.now()
    form = BeginForm(http.POST if http.method == "POST" else None)
    if http.method == "POST":
        must_write(http)
        if form.is_valid():
            try:
                made = publishing.draft(row.pk, actor=http.actor, at=at, **form.values())
            except NotNow as refused:
                messages.warning(http, str(refused))
            else:
                messages.success(http, _("Version %(number)d is begun.") % {"number": made.number})
                return redirect("list_version", list_id=row.pk, number=made.number)
    versions = list(versions_for(http.actor).filter(list=row).order_by("-number"))
    shown = _shown(row, versions, http.actor, at)
    steps, older = _steps(row, before=http.GET.get("before", ""), reader=http.actor)
    context = {
        "list": row,
        "shown": shown,
        "versions": [ShownVersion(version, standing(version, at=at)) for version in versions],
        "rows": about(row),
        "form": form if may_write(http) and shown.open is None else None,
        "may_write": may_write(http),
        "steps": steps,
        "older_url": f"?before={older}#history" if older else "",
    }
    return render(http, "sensitivity/list.html", context)


@dataclass(frozen=True, slots=True)
class Fact:
    """A name and a value, as `components/summary_list.html` shows it."""

    label: str
    value: str | SafeString
    url: str = ""


def about(row: SensitivityList) -> list[Fact]:
    """What a list says of itself."""
    facts = [
        Fact(_("What it holds"), row.get_kind_display()),
        Fact(_("Owner"), row.owner.name),
        Fact(_("Legal basis"), _instrument(row.legal_basis)),
    ]
    if not row.is_confidential:
        return [*facts, Fact(_("Confidentiality"), _("Public: whoever is touched by an entry reads it."))]
    reviewer = row.confidentiality_reviewed_by
    assert reviewer is not None
    reviewed = format_html(
        "{}, {}", reviewer.name, time_of(row.confidentiality_reviewed_on) if row.confidentiality_reviewed_on else ""
    )
    return [
        *facts,
        Fact(
            _("Confidentiality"), _("Confidential: whoever is touched learns that an entry counted, and on what law.")
        ),
        Fact(_("Legal basis of the confidentiality"), _instrument(row.confidentiality_basis)),
        Fact(_("Confidentiality reviewed by"), reviewed),
    ]


def _instrument(found: Any) -> SafeString:
    return format_html('<a href="{}">{}</a>', found.url, found)


# ── history ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of the audit log, as `components/timeline.html` shows it."""

    at: datetime
    words: str
    who: str
    tone: str
    shape: str


def _steps(row: SensitivityList, *, before: str, reader: Actor) -> tuple[list[Step], int]:
    """The latest STEPS of what happened to the list before step number `before`, and the number of the next page."""
    entries = Entry.objects.filter(chain=row.history_id).order_by("-sequence")
    if before.isdecimal() and len(before) < 10:
        entries = entries.filter(sequence__lt=int(before))
    found = list(entries[: STEPS + 1])
    shown = found[:STEPS]
    names = _names((entry.actor_id for entry in shown), reader)
    steps = [
        Step(entry.at, entry.in_words(), names.get(entry.actor_id) or str(Role(entry.actor_role).label), tone, shape)
        for entry in shown
        for tone, shape in [_MARKS.get(entry.verb, ("neutral", "dot"))]
    ]
    return steps, shown[-1].sequence if len(found) > STEPS else 0


def _names(keys: Iterable[int | None], reader: Actor) -> dict[int | None, str]:
    named: dict[int | None, str] = dict(
        User.objects.filter(pk__in=[key for key in keys if key]).values_list("pk", "name")
    )
    return named | ({reader.user_id: _("You")} if reader.user_id in named else {})


# ── what a list says of itself ──────────────────────────────────────────────────────────────────────────────────────


@login_required
@require_http_methods(["GET", "POST"])
def list_new(http: ActorRequest) -> HttpResponse:
    """Found a list."""
    must_read(http)
    must_write(http)
    at = timezone.now()
    form = ListForm(http.POST if http.method == "POST" else None, at=at, initial={"owner": http.actor.user_id})
    if http.method == "POST" and form.is_valid():
        try:
            made = publishing.found(actor=http.actor, at=at, values=form.values())
        except Invalid as refused:
            form.refuse(refused)
        else:
            messages.success(http, _("The list is founded. Begin its first version."))
            return redirect("list", list_id=made.pk)
    context = {"form": form, "heading": _("New list"), "back_url": reverse("lists"), "submit": _("Found the list")}
    return render(http, "sensitivity/settings.html", context, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "POST"])
def list_settings(http: ActorRequest, list_id: int) -> HttpResponse:
    """Change what a list says of itself."""
    row = open_list(http, list_id)
    must_write(http)
    at = timezone.now()
    form = SettingsForm(http.POST if http.method == "POST" else None, at=at, of=row)
    if http.method == "POST" and form.is_valid():
        try:
            changed = {name: value for name, value in form.values().items() if getattr(row, name) != value}
            if changed:
                publishing.settle(row.pk, actor=http.actor, at=at, values=changed)
        except Refused as refused:
            form.refuse(refused) if isinstance(refused, Invalid) else form.add_error(None, str(refused))
        else:
            messages.success(http, _("Saved."))
            return redirect("list", list_id=row.pk)
    context = {
        "form": form,
        "list": row,
        "heading": _("What the list says of itself"),
        "back_url": reverse("list", args=[row.pk]),
        "submit": _("Save"),
    }
    return render(http, "sensitivity/settings.html", context, status=422 if form.errors else 200)
