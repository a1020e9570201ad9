"""A version of a list: its entries, what is new in it, who may do what with it and why not you; and doing it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from accounts.http import ActorRequest
from accounts.models import RoleAssignment
from accounts.refusals import Invalid, NotAllowed, NotFound, NotNow
from accounts.roles import Actor, Role
from interface.navigation import url_or_nothing
from sensitivity import browsing, diffing, publishing, rules
from sensitivity.forms import (
    ChangeFilter,
    EntryFilter,
    PublishForm,
    RenewForm,
    SendBackForm,
    TwoVersionsForm,
    VerbForm,
)
from sensitivity.models import FIXED, Edit, ListKind, ListVersion, Rehearsal, VersionState
from sensitivity.standing import standing
from sensitivity.views import wording
from sensitivity.views.reading import may_write, open_list, open_version, versions_for

# Entries, and changes, on a page.
PAGE = 50
# A tree with at most so many entries opens whole; a larger one with its first two levels.
OPENS_WHOLE = 60
EDITS_SHOWN = 5
FORMATS = ("csv", "xlsx")


# ── the page of a version ───────────────────────────────────────────────────────────────────────────────────────────


@require_GET
@login_required
def version_page(http: ActorRequest, list_id: int, number: int) -> HttpResponse:
    """A version: what is new in it, or its entries as a tree or as a table. Who looks at one in review sees first what
    is new. A fixed number of queries, however many entries it has."""
    version = open_version(http, list_id, number)
    at = timezone.now()
    before = base_of(version)
    last_import = version.imports.select_related("by").first()
    rehearsal = rehearsal_of(version) if version.state not in FIXED else None
    view = http.GET.get("view", "")
    if view not in ("changes", "table", "tree"):
        view = "changes" if version.state == VersionState.IN_REVIEW else "entries"
    context: dict[str, Any] = {
        "list": version.list,
        "version": version,
        "standing": standing(version, at=at),
        "base": before,
        "actions": actions_for(http.actor, version),
        "may_edit": version.is_draft and may_write(http),
        "editors_only": publishers(http.actor, version, at) if version.state not in FIXED else None,
        "rehearsal": rehearsal,
        "rehearsal_url": url_or_nothing("list_rehearsal", rehearsal.pk) if rehearsal else "",
        "last_import": last_import,
        "last_import_url": url_or_nothing("list_import", last_import.pk) if last_import else "",
        "edits": [shown_edit(edit, version) for edit in version.edits.select_related("by")[:EDITS_SHOWN]],
        "links": links_of(version),
        "publish_refusal": _why_not(http.actor, version),
    }
    if view == "changes":
        context |= changes_part(http, before, version)
    else:
        context |= _entries_part(http, version, view, at)
    context["tabs"] = _tabs(version, before, view=context["view"])
    return render(http, "sensitivity/version.html", context)


def base_of(version: ListVersion) -> ListVersion | None:
    """The version that `version` is compared with: the newest one before it that was published; None: there is none."""
    return (
        ListVersion.objects.filter(list_id=version.list_id, number__lt=version.number, state__in=sorted(FIXED))
        .order_by("-number")
        .first()
    )


def _tabs(version: ListVersion, before: ListVersion | None, *, view: str) -> list[dict[str, Any]]:
    tree = [("tree", _("Tree")), ("table", _("Table"))]
    kinds = tree if version.list.kind == ListKind.TECHNOLOGY else [("table", _("Entries"))]
    compared = _("What is new since version %(number)d") % {"number": before.number} if before else _("What is new")
    return [
        {"label": label, "url": f"?view={name}", "count": None, "current": name == view}
        for name, label in [*kinds, ("changes", compared)]
    ]


def _entries_part(http: ActorRequest, version: ListVersion, view: str, at: datetime) -> dict[str, Any]:
    form = EntryFilter(http.GET)
    wanted = form.cleaned_data if form.is_valid() else {}
    text, level = wanted.get("q", "").strip(), wanted.get("level")
    validity: browsing.Validity = wanted.get("validity") or ""
    filtered = bool(text or level or validity)
    on = publishing.today(at)
    here: dict[str, Any] = {"form": form, "filtered": filtered, "on": on, "clear_url": "?view=table"}
    is_tree = version.list.kind == ListKind.TECHNOLOGY and view != "table" and not filtered
    trees = browsing.tree(version) if is_tree else None
    if trees is not None:
        shown = sum(1 + node.size for node in trees)
        whole = http.GET.get("open") == "all" or shown <= OPENS_WHOLE
        return here | {
            "view": "tree",
            "trees": trees,
            "shown": shown,
            "open_below": 99 if whole else 1,
            "can_open": not whole,
        }
    entries = browsing.found(version, text=text, level=level, validity=validity, on=on)
    page = browsing.page(entries, after=http.GET.get("after", ""), size=PAGE)
    query = {name: str(value) for name, value in http.GET.items() if name != "after"}
    # What is on one page is counted by looking at it.
    is_first = not http.GET.get("after")
    number = browsing.number(entries) if is_first and page.next_key else len(page.entries)
    return here | {
        "view": "table",
        "too_many_for_a_tree": is_tree,
        "entries": page.entries,
        "number": number if is_first else None,
        "count_up_to": browsing.COUNT_UP_TO,
        "has_tree": version.list.kind == ListKind.TECHNOLOGY,
        "has_country": version.list.kind in (ListKind.ORGANISATION, ListKind.EVENT),
        "has_company": version.list.kind == ListKind.PROJECT,
        "first_url": f"?{urlencode(query)}" if http.GET.get("after") else "",
        "next_url": f"?{urlencode(query | {'after': page.next_key})}" if page.next_key else "",
    }


# ── who may do what ─────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Publishers:
    """Who may publish a version: whoever keeps lists and wrote nothing of it. `why_not_you`: empty when you may."""

    names: list[str]
    why_not_you: str


def publishers(actor: Actor, version: ListVersion, at: datetime) -> Publishers:
    """Who may publish `version` once it is in review and rehearsed, and why `actor` may not."""
    holders = (
        RoleAssignment.objects.in_force(at)
        .filter(role=Role.LIST_MANAGER, user__is_active=True)
        .exclude(user_id__in=version.editors)
        .order_by("user__name")
        .values_list("user__name", flat=True)
        .distinct()
    )
    return Publishers(list(holders), str(rules.another_list_manager.refusal(version, actor) or ""))


def _why_not(actor: Actor, version: ListVersion) -> str:
    """Why a version in review cannot be published by `actor` now; empty when it can, or when it is not in review."""
    if version.state != VersionState.IN_REVIEW:
        return ""
    refused = publishing.refusal(version, "publish", actor)
    return str(refused) if refused else ""


def rehearsal_of(version: ListVersion) -> Rehearsal | None:
    """The last finished rehearsal of what the version says now; None: it was not rehearsed since it was changed."""
    return version.rehearsals.finished().filter(content=version.content).select_related("by").first()


def links_of(version: ListVersion) -> dict[str, str]:
    """The addresses of the pages about `version` beside this one; empty for one that is not installed."""
    key = (version.list_id, version.number)
    return {
        "imports": url_or_nothing("list_import_new", *key),
        "rehearsals": url_or_nothing("list_rehearsals", *key),
        **{form: url_or_nothing("list_export", *key, form) for form in FORMATS},
    }


@dataclass(frozen=True, slots=True)
class ShownEdit:
    """Who changed what when. `url`: the page of the entry; empty for a change of many."""

    at: datetime
    who: str
    words: str
    url: str


def shown_edit(edit: Edit, version: ListVersion) -> ShownEdit:
    """`edit` as a page about `version` shows it; its account is loaded."""
    code = {"code": (edit.after or edit.before or {}).get("code", "")}
    if edit.lineage is None:
        return ShownEdit(edit.at, edit.by.name, _("Changed by a file"), "")
    if edit.before is None:
        words = _("%(code)s added") % code
    elif edit.after is None:
        words = _("%(code)s removed") % code
    else:
        words = _("%(code)s changed") % code
    url = reverse("list_entry", args=[version.list_id, version.number, edit.lineage])
    return ShownEdit(edit.at, edit.by.name, words, url)


# ── what is different ───────────────────────────────────────────────────────────────────────────────────────────────


def changes_part(http: ActorRequest, old: ListVersion | None, new: ListVersion) -> dict[str, Any]:
    """What differs between two versions, a page of it, as the filter of the address wants it. Three queries at most."""
    form = ChangeFilter(http.GET)
    wanted = form.cleaned_data if form.is_valid() else {}
    kind, text = wanted.get("kind", ""), wanted.get("q", "").strip()
    kinds = [one for one in diffing.KINDS if one == kind] or list(diffing.KINDS)
    old_id = old.pk if old else None
    numbers = diffing.counts(old_id, new.pk)
    found = list(
        diffing.changes(old_id, new.pk, kinds=kinds, text=text, after=_key(http.GET.get("after", "")), limit=PAGE + 1)
    )
    shown = found[:PAGE]
    companies = browsing.companies_of([values for one in shown for values in (one.before, one.after)])
    query = {name: str(value) for name, value in http.GET.items() if name != "after"}
    by_kind = {name: str(value) for name, value in query.items() if name != "kind"}
    tabs = [{"label": _("All"), "url": f"?{urlencode(by_kind)}", "count": sum(numbers.values()), "current": not kind}]
    tabs += [
        {
            "label": words,
            "url": f"?{urlencode(by_kind | {'kind': name})}",
            "count": numbers[name],  # type: ignore[index]
            "current": kind == name,
        }
        for name, words in wording.kind_words().items()
    ]
    key = (new.list_id, old.number if old else 0, new.number)
    return {
        "view": "changes",
        "change_form": form,
        "kinds": tabs,
        "changes": [wording.changed_entry(one, companies) for one in shown],
        "changes_total": sum(numbers.values()),
        "changes_filtered": bool(text),
        "clear_url": "?view=changes",
        "first_url": f"?{urlencode(query)}" if http.GET.get("after") else "",
        "next_url": f"?{urlencode(query | {'after': f'{shown[-1].lineage},{shown[-1].code}'})}"
        if len(found) > PAGE
        else "",
        "files": [
            (form, url) for form in FORMATS if (url := url_or_nothing("list_diff_file", *key, form)) and old is not None
        ],
        "new": new,
        "old": old,
    }


def _key(after: str) -> tuple[str, UUID] | None:
    lineage, _comma, code = after.partition(",")
    try:
        return (code, UUID(lineage)) if code else None
    except ValueError:
        return None


@require_GET
@login_required
def diff_page(http: ActorRequest, list_id: int, old: int, new: int) -> HttpResponse:
    """What is different between any two versions of a list; `old` 0 means nothing. Other two can be chosen."""
    row = open_list(http, list_id)
    versions = {one.number: one for one in versions_for(http.actor).filter(list=row).order_by("-number")}
    at = timezone.now()
    numbers = [
        (one.number, _("Version %(number)d") % {"number": one.number} + f" · {standing(one, at=at).words}")
        for one in versions.values()
    ]
    chosen = TwoVersionsForm(http.GET, numbers=numbers)
    if {"old", "new"} <= http.GET.keys() and chosen.is_valid():
        return redirect(reverse("list_diff", args=[row.pk, chosen.cleaned_data["old"], chosen.cleaned_data["new"]]))
    if new not in versions or (old and old not in versions):
        raise Http404(_("There is no such version."))
    context = {
        "list": row,
        "chooser": TwoVersionsForm(initial={"old": old, "new": new}, numbers=numbers),
        **changes_part(http, versions.get(old), versions[new]),
        "clear_url": "?",
    }
    return render(http, "sensitivity/diff.html", context)


# ── verbs ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Page:
    """The page of a verb: what its button says, what will happen, what happened."""

    verb: str
    label: str | Promise
    happens: str | Promise
    done: str | Promise
    form: type[VerbForm] = VerbForm
    is_main: bool = False
    is_grave: bool = False


PAGES: Mapping[str, Page] = {
    page.verb: page
    for page in (
        Page(
            verb="submit_for_review",
            label=gettext_lazy("Hand over for review"),
            happens=gettext_lazy(
                "Nobody can change the version until it is published or sent back. The other list managers are told; "
                "one who wrote nothing of it can publish it."
            ),
            done=gettext_lazy("Handed over. The other list managers were told."),
            is_main=True,
        ),
        Page(
            verb="publish",
            label=gettext_lazy("Publish"),
            happens=gettext_lazy(
                "From its first day on, every request that is submitted is assessed by this version. "
                "It can never be changed again; a change is a new version."
            ),
            done=gettext_lazy("Published. The other list managers were told."),
            form=PublishForm,
            is_main=True,
        ),
        Page(
            verb="send_back",
            label=gettext_lazy("Send back"),
            happens=gettext_lazy("The version is a draft again and can be changed. The author is told what should."),
            done=gettext_lazy("Sent back. The author was told."),
            form=SendBackForm,
        ),
        Page(
            verb="renew",
            label=gettext_lazy("Renew"),
            happens=gettext_lazy("The version counts until a later day. Your reason is kept with it."),
            done=gettext_lazy("Renewed."),
            form=RenewForm,
        ),
        Page(
            verb="discard",
            label=gettext_lazy("Discard the draft"),
            happens=gettext_lazy(
                "The draft is gone with everything that was written in it, its imports and its rehearsals. "
                "This cannot be undone. The version in force is not touched."
            ),
            done=gettext_lazy("The draft was discarded."),
            is_grave=True,
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Action:
    """A button, as `components/actions.html` shows it. Each opens the page of its verb."""

    label: str | Promise
    url: str
    primary: bool
    danger: bool
    opens_page: bool = True


def actions_for(actor: Actor, version: ListVersion) -> list[Action]:
    """What `actor` can do with `version` now, as buttons."""
    allowed = publishing.available_actions(actor, version)
    return [
        Action(
            label=page.label,
            url=reverse("list_version_do", args=[version.list_id, version.number, page.verb]),
            primary=page.is_main,
            danger=page.is_grave,
        )
        for page in PAGES.values()
        if page.verb in allowed
    ]


@login_required
@require_http_methods(["GET", "POST"])
def version_do(http: ActorRequest, list_id: int, number: int, verb: str) -> HttpResponse:
    """GET: what will happen, and the form. POST: the verb itself, once.

    409 when it cannot be done now, 403 when not by this person, 422 when the input is not right (what was typed stays),
    404 for what is not there to see; in each case nothing has moved. Publishing asks again, with 200, when the days
    were changed since what will happen on them was shown.
    """
    page = PAGES.get(verb)
    if page is None:
        raise Http404
    version = open_version(http, list_id, number)
    at = timezone.now()
    form = page.form(http.POST if http.method == "POST" else None, version=version, at=at)
    refused = publishing.refusal(version, verb, http.actor)
    asks_again = False
    if refused is None and http.method == "POST" and form.is_valid():
        days = form.days() if isinstance(form, PublishForm) else None
        asks_again = days is not None and http.POST.get("seen") != _seen(days)
        if not asks_again:
            try:
                getattr(publishing, verb)(version.pk, actor=http.actor, at=at, **form.values())
            except NotFound as error:
                raise Http404(str(error)) from error
            except (NotNow, NotAllowed) as error:
                refused = error
            except Invalid as error:
                form.refuse(error)
            else:
                messages.success(http, str(page.done))
                return redirect(_afterwards(version, verb))
    back_url = reverse("list_version", args=[version.list_id, version.number])
    if refused is not None:
        now = open_version(http, list_id, number)
        context = {
            "page": page,
            "version": now,
            "standing": standing(now, at=at),
            "sentence": refused.sentence,
            "typed": form.typed(),
            "back_url": back_url,
        }
        return render(http, "sensitivity/do_refused.html", context, status=409 if isinstance(refused, NotNow) else 403)
    context = {
        "page": page,
        "version": version,
        "form": form,
        "back_url": back_url,
        "asks_again": asks_again,
        **(_preview(version, form) if isinstance(form, PublishForm) else {}),
        "rehearsal": rehearsal_of(version) if verb in ("submit_for_review", "publish") else None,
    }
    return render(http, "sensitivity/do.html", context, status=422 if form.errors else 200)


def _afterwards(version: ListVersion, verb: str) -> str:
    if verb == "discard":
        return reverse("list", args=[version.list_id])
    return reverse("list_version", args=[version.list_id, version.number])


# ── what publishing does ────────────────────────────────────────────────────────────────────────────────────────────


def _seen(days: tuple[date, date]) -> str:
    return "/".join(day.isoformat() for day in days)


def _preview(version: ListVersion, form: PublishForm) -> dict[str, Any]:
    """What happens when the version is published on the days of the form, in sentences, and which days these are.
    Nothing while the form does not say which days."""
    days = form.days()
    if days is None:
        return {}
    first, end = days
    words: dict[str, Any] = {
        "number": version.number,
        "first": date_format(first),
        "end": date_format(end),
        "days": (end - first).days,
    }
    sentences = [_("Version %(number)d is in force from %(first)s on.") % words]
    others = ListVersion.objects.filter(list_id=version.list_id, state=VersionState.PUBLISHED).order_by("number")
    for other in others:
        told = words | {"other": other.number, "until": date_format(other.published_until or first)}
        if other.published_until and other.published_until <= first:
            sentences.append(_("Version %(other)d ends before that, on %(until)s.") % told)
            if other.published_until < first:
                sentences.append(_("Between %(until)s and %(first)s no version of this list is in force.") % told)
        else:
            sentences.append(_("Version %(other)d holds until then and is superseded on %(first)s.") % told)
    if not others:
        sentences.append(_("It is the first version of this list: nothing is superseded."))
    sentences += [
        _("It ends on %(end)s, after %(days)d days, unless it is renewed with reasons before.") % words,
        _("Requests that were submitted before that day do not change: they keep the assessment that they have."),
    ]
    return {"preview": sentences, "seen": _seen(days)}
