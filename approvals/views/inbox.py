"""The inbox of officers and of the authority's people: tabs, filters, search, steps through pages, and bulk verbs.

Rows are written as text here and not by a template: a page has fifty of them, and this is the page that people open
most. Everything in the address bar is read leniently: what makes no sense narrows nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from html import escape
from typing import Any
from urllib.parse import quote, urlencode

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods
from django_countries import countries

from accounts.http import ActorRequest
from accounts.refusals import Refused
from accounts.roles import Actor, Role
from approvals import inbox, queries, references, workflow
from approvals.forms import staff as forms
from approvals.inbox import Desk, Filters, Key, Kind, Listing, Row, Tab
from approvals.models import TravelRequest
from approvals.models.travel_request import Purpose
from approvals.states import State, Tier
from approvals.views.actions import PAGES, Page, page_of
from authorities import calendars
from authorities.models import Office
from companies.models import Company
from interface import tags

MAX_WORDS = 100


# ── from the address bar ────────────────────────────────────────────────────────────────────────────────────────────


def listing_from(params: QueryDict, actor: Actor, *, at: datetime) -> Listing:
    """The list that the address asks for, else the first tab of the first desk. PermissionDenied without a desk."""
    desks = inbox.desks_of(actor)
    if not desks:
        raise PermissionDenied
    desk = next((desk for desk in desks if desk.key == params.get("desk")), desks[0])
    tabs = inbox.tabs_of(desk, actor)
    tab = next((tab for tab in tabs if tab.name == params.get("tab")), tabs[0])
    return Listing(desk, tab, actor, at, _filters(params))


def _filters(params: QueryDict) -> Filters:
    words = params.get("q", "").replace("\0", "").strip()[:MAX_WORDS]
    country, tier, purpose = params.get("country", ""), params.get("tier", ""), params.get("purpose", "")
    return Filters(
        words=words,
        countries=_countries_called(words.casefold()) if words else (),
        country=country if country in countries.countries else "",
        tier=tier if tier in Tier.values else "",
        purpose=purpose if purpose in Purpose.values else "",
        overdue="overdue" in params,
    )


@lru_cache(maxsize=8)
def _countries_in(language: str) -> tuple[tuple[str, str], ...]:
    """Code and name of every country, by name, in a language."""
    with translation.override(language):
        return tuple((country.code, str(country.name)) for country in countries)


@lru_cache(maxsize=256)
def _countries_called(words: str) -> tuple[str, ...]:
    """The codes of the countries whose name, in either language, contains `words`."""
    return tuple(
        sorted(
            {
                code
                for language in ("en", "zh-hans")
                for code, name in _countries_in(language)
                if words in name.casefold()
            }
        )
    )


def place_of(listing: Listing, **more: str) -> str:
    """The query string that leads back to this list; `more` replaces or adds parameters."""
    filters = listing.filters
    params = {
        "desk": listing.desk.key,
        "tab": listing.tab.name,
        "q": filters.words,
        "country": filters.country,
        "tier": filters.tier,
        "purpose": filters.purpose,
        "overdue": "on" if filters.overdue else "",
    } | more
    return urlencode({name: value for name, value in params.items() if value})


# ── rows ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Fixed:
    """What is the same on every page of one language."""

    countries: Mapping[str, str]
    states: Mapping[str, SafeString]
    tiers: Mapping[str, SafeString | str]
    urgent: SafeString
    columns: tuple[str, ...]
    choose: str
    nobody: str
    tier_options: tuple[tuple[str, str], ...]
    purpose_options: tuple[tuple[str, str], ...]


@lru_cache(maxsize=8)
def _fixed(language: str) -> _Fixed:
    return _Fixed(
        countries=dict(_countries_in(language)),
        states={state.value: tags.state_tag(state.value, state.label) for state in State},
        tiers={tier.value: tags.tier_tag(tier.value, tier.label) for tier in Tier} | {"": ""},
        urgent=tags.tag(_("Urgent"), "bad", "warning"),
        columns=tuple(_columns()),
        choose=escape(_("Choose")),
        nobody=escape(_("Nobody yet")),
        tier_options=tuple((value, str(label)) for value, label in Tier.choices),
        purpose_options=tuple((value, str(label)) for value, label in Purpose.choices),
    )


@lru_cache(maxsize=4096)
def _day(day: date, language: str) -> str:
    return f'<time class="text-nowrap" datetime="{day.isoformat()}">{date_format(day, "DATE_FORMAT")}</time>'


class _Words:
    """What the rows of one page have in common: the language, the day, the calendars of the offices."""

    def __init__(self, listing: Listing, place: str, *, choosing: bool) -> None:
        self.listing, self.choosing = listing, choosing
        self.language = get_language() or "en"
        self.english = self.language.startswith("en")
        self.fixed = _fixed(self.language)
        self.labels = [escape(column) for column in self.fixed.columns]
        self.place = f"?from={quote(place, safe='')}"
        page = "request" if listing.desk.kind is Kind.COMPANY else "case"
        self.before, self.behind = reverse(page, args=["REFERENCE"]).split("REFERENCE")
        self._dues: dict[tuple[int, datetime, bool], SafeString] = {}

    def name(self, chinese: str, english: str) -> str:
        """A person's names, Chinese first, each marked with its language where that is not the page's."""
        if chinese and self.english:
            return f'<span lang="zh-Hans">{escape(chinese)}</span> {escape(english)}'
        return escape(f"{chinese} {english}".strip())

    def company(self, chinese: str, english: str) -> str:
        """A company's name in the language of the page."""
        return escape(english if self.english else chinese)

    def due(self, row: Row) -> str:
        """The last day and the working days left; made once for each day, office and whether it is provisional."""
        if row.due_at is None:
            return "–"
        key = row.office_id, row.due_at, row.due_is_provisional
        if key not in self._dues:
            self._dues[key] = self._due(*key)
        return self._dues[key]

    def _due(self, office_id: int, due_at: datetime, provisional: bool) -> SafeString:
        calendar = calendars.load(office_id)
        last = (due_at.astimezone(calendar.zone) - timedelta(microseconds=1)).date()
        today = self.listing.at.astimezone(calendar.zone).date()
        if last >= today:
            return tags.due(last, calendar.between(today, last), provisional=provisional)
        # Only working days count as late; on a weekend just after the last day there is none yet.
        late = calendar.between(last, today)
        return tags.due(last, -late if late else None, provisional=provisional, overdue=True)


def _columns() -> list[str]:
    return [_("Request"), _("Applicant"), _("Trip"), _("Tier"), _("State"), _("Due"), _("Officer")]


def _row(row: Row, words: _Words) -> str:
    _request, applicant, trip, tier, state, due, officer = words.labels
    fixed, reference = words.fixed, row.reference
    codes = dict.fromkeys((row.countries or "").split())
    places = escape(", ".join(fixed.countries.get(code, code) for code in codes))
    days = (
        f"{_day(row.departs_on, words.language)} – {_day(row.returns_on, words.language)}"
        if row.departs_on and row.returns_on
        else ""
    )
    choose = (
        f'<td role="cell" class="row-choose"><input type="checkbox" class="form-check-input" name="r" '
        f'value="{reference}" aria-label="{fixed.choose} {reference}" data-select></td>'
        if words.choosing
        else ""
    )
    return (
        f'<tr role="row" id="r-{reference}" data-row>{choose}'
        f'<th role="rowheader" scope="row"><a href="{words.before}{reference}{words.behind}{words.place}" data-open>'
        f"{escape(row.title)}</a> {fixed.urgent if row.urgent else ''}"
        f'<br><span class="hint text-nowrap">{reference}</span></th>'
        f'<td role="cell" data-label="{applicant}"><span>{words.name(row.name_zh, row.name_en)}'
        f'<br><span class="hint">{words.company(row.company_zh, row.company_en)}</span></span></td>'
        f'<td role="cell" data-label="{trip}"><span>{places}<br><span class="hint">{days}</span></span></td>'
        f'<td role="cell" data-label="{tier}">{fixed.tiers[row.tier]}</td>'
        f'<td role="cell" data-label="{state}">{fixed.states[row.state]}</td>'
        f'<td role="cell" data-label="{due}">{words.due(row)}</td>'
        f'<td role="cell" data-label="{officer}">{escape(row.assigned_number) or fixed.nobody}</td></tr>'
    )


@lru_cache(maxsize=512)
def _options(choices: tuple[tuple[str, str], ...], chosen: str, everything: str) -> SafeString:
    """The options of a filter, the first of which, `everything`, narrows nothing."""
    return SafeString(
        f'<option value="">{escape(everything)}</option>'
        + "".join(
            f'<option value="{escape(value)}"{" selected" if value == chosen else ""}>{escape(label)}</option>'
            for value, label in choices
        )
    )


# ── the page ────────────────────────────────────────────────────────────────────────────────────────────────────────


@require_GET
@login_required
def inbox_page(http: ActorRequest) -> HttpResponse:
    """What waits at somebody's desk. A request's number in the search leads straight to it."""
    at = timezone.now()
    listing = listing_from(http.GET, http.actor, at=at)
    if found := _by_number(listing):
        return redirect(found)
    page = inbox.read(listing, after=Key.parse(http.GET.get("after", "")), before=Key.parse(http.GET.get("before", "")))
    tabs = inbox.tabs_of(listing.desk, http.actor)
    counted = inbox.counts(listing.desk, tabs, http.actor, at=at)
    here = {name: http.GET[name] for name in ("after", "before") if name in http.GET}
    verbs = bulk_verbs(listing)
    words = _Words(listing, place_of(listing, **here), choosing=bool(verbs))
    filters, everything = listing.filters, _("All")
    context = {
        "listing": listing,
        "rows": SafeString("".join([_row(row, words) for row in page.rows])),
        "is_empty": not page.rows,
        "columns": words.fixed.columns,
        "tabs": [_tab(tab, listing, counted) for tab in tabs if _is_shown(tab, listing, counted)],
        "desks": _desks(http.actor, listing.desk),
        "filters": filters,
        "clear_url": f"?{place_of(Listing(listing.desk, listing.tab, http.actor, at))}",
        "country_options": _options(_countries_in(words.language), filters.country, everything),
        "tier_options": _options(words.fixed.tier_options, filters.tier, everything),
        "purpose_options": _options(words.fixed.purpose_options, filters.purpose, everything),
        "previous_url": f"?{place_of(listing, before=str(page.previous))}" if page.previous else "",
        "next_url": f"?{place_of(listing, after=str(page.next))}" if page.next else "",
        "shown": ngettext("%(count)d request", "%(count)d requests", len(page.rows)) % {"count": len(page.rows)},
        "verbs": [(name, PAGES[name].label) for name in verbs],
        "place": place_of(listing, **here),
        "empty": _EMPTY.get((listing.desk.kind, listing.tab.name)),
    }
    return render(http, "approvals/staff/inbox.html", context)


def _by_number(listing: Listing) -> str | None:
    """The address of the request whose number was searched for; None when it is none, or not theirs to see."""
    try:
        number = references.normalised(listing.filters.words)
    except references.NotAReference:
        return None
    if queries.id_of(number, listing.actor) is None:
        return None
    return reverse("request" if listing.desk.kind is Kind.COMPANY else "case", args=[number])


def _is_shown(tab: Tab, listing: Listing, counted: Mapping[str, int]) -> bool:
    """Whether a tab is there: one that most offices never need, only where something is in it."""
    return not tab.is_hidden_when_empty or tab is listing.tab or bool(counted.get(tab.name))


def _tab(tab: Tab, listing: Listing, counted: Mapping[str, int]) -> dict[str, Any]:
    number = counted.get(tab.name)
    return {
        "label": tab.label,
        "url": f"?{place_of(Listing(listing.desk, tab, listing.actor, listing.at))}",
        "count": f"{inbox.COUNT_UP_TO - 1}+" if number == inbox.COUNT_UP_TO else number,
        "current": tab is listing.tab,
    }


def _desks(actor: Actor, current: Desk) -> list[dict[str, Any]]:
    """The desks to choose from; nothing for who has one only."""
    desks = inbox.desks_of(actor)
    if len(desks) < 2:
        return []
    offices = Office.objects.in_bulk({desk.scope for desk in desks if desk.kind is not Kind.COMPANY})
    companies = Company.objects.in_bulk({desk.scope for desk in desks if desk.kind is Kind.COMPANY})
    words = {Kind.OFFICE: "%s", Kind.COMPANY: "%s", Kind.APPEALS: _("Appeals, %s")}
    return [
        {
            "label": words[desk.kind] % (companies if desk.kind is Kind.COMPANY else offices)[desk.scope].name,
            "url": f"?{urlencode({'desk': desk.key})}",
            "count": None,
            "current": desk == current,
        }
        for desk in desks
    ]


_EMPTY = {
    (Kind.OFFICE, "unassigned"): gettext_lazy(
        "Requests appear here when a company has endorsed them or did not answer in time; urgent ones at once."
    ),
    (Kind.OFFICE, "mine"): gettext_lazy("Cases that you take, or that a senior reviewer hands to you, appear here."),
    (Kind.OFFICE, "confirm"): gettext_lazy("Proposals of reviewers appear here for you to confirm or give back."),
    (Kind.OFFICE, "revocations"): gettext_lazy("Revocations that another senior reviewer proposes appear here."),
    (Kind.OFFICE, "waiting"): gettext_lazy("Cases appear here while the applicant answers a question of the office."),
    (Kind.OFFICE, "overdue"): gettext_lazy("Cases appear here when their time is over. That is never a refusal."),
    (Kind.OFFICE, "conditions"): gettext_lazy(
        "Cleared trips appear here when a condition was reported as met, or cannot be met."
    ),
    (Kind.COMPANY, "conditions"): gettext_lazy(
        "Cleared trips appear here while the company has to meet a condition of the clearance."
    ),
    (Kind.OFFICE, "changes"): gettext_lazy(
        "Cleared trips appear here when their travellers ask for a change, or report one afterwards."
    ),
    (Kind.OFFICE, "consulted"): gettext_lazy("Cases on which other offices ask for your opinion appear here."),
    (Kind.OFFICE, "all"): gettext_lazy("Every request that reached the office appears here."),
    (Kind.COMPANY, "review"): gettext_lazy("Requests of your company's employees appear here as soon as they submit."),
    (Kind.COMPANY, "returned"): gettext_lazy(
        "Requests appear here while the applicant makes the changes you asked for."
    ),
    (Kind.COMPANY, "office"): gettext_lazy("Requests appear here while the authority's office has them."),
    (Kind.COMPANY, "all"): gettext_lazy("Every request that your company's employees submitted appears here."),
    (Kind.APPEALS, "filed"): gettext_lazy("Appeals against decisions of other offices appear here for you to hear."),
    (Kind.APPEALS, "hearing"): gettext_lazy("Appeals that you have taken under review appear here."),
    (Kind.APPEALS, "all"): gettext_lazy("Every appeal that came to your office appears here."),
}


# ── many at once ────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Bulk:
    """Where a verb can be done to many requests at once. Nothing that refuses a trip may ever stand here."""

    kind: Kind
    role: Role
    tabs: frozenset[str]
    form: type[forms.VerbForm]


BULK: Mapping[str, Bulk] = {
    "endorse": Bulk(Kind.COMPANY, Role.OFFICER, frozenset({"review"}), forms.EndorseForm),
    "take": Bulk(Kind.OFFICE, Role.REVIEWER, frozenset({"unassigned", "overdue"}), forms.TakeForm),
    "hand_over": Bulk(Kind.OFFICE, Role.SENIOR, frozenset({"unassigned", "overdue"}), forms.HandOverToAnyForm),
    "ask_information": Bulk(Kind.OFFICE, Role.REVIEWER, frozenset({"mine", "overdue"}), forms.AskSeveralForm),
}


def bulk_verbs(listing: Listing) -> list[str]:
    """The verbs that can be done to several rows of this list at once."""
    return [
        name
        for name, bulk in BULK.items()
        if bulk.kind is listing.desk.kind
        and listing.tab.name in bulk.tabs
        and listing.actor.holds(bulk.role, listing.desk.scope)
    ]


@dataclass(frozen=True, slots=True)
class Item:
    """One row of a bulk step: the request, where it is now, and why it is or was not done; None: it will be, or was."""

    trip: TravelRequest
    state: State
    url: str
    refusal: str | None


@login_required
@require_http_methods(["GET", "POST"])
def inbox_bulk(http: ActorRequest) -> HttpResponse:
    """GET: what would happen to each chosen request. POST: the verb for each, on its own, with its own result."""
    verb = http.GET.get("do", "")
    if verb not in BULK:
        raise Http404
    place = http.GET.get("from", "")
    listing = listing_from(QueryDict(place), http.actor, at=timezone.now())
    if verb not in bulk_verbs(listing):
        raise PermissionDenied
    chosen = (http.POST if http.method == "POST" else http.GET).getlist("r")[: inbox.PAGE]
    trips = _chosen(chosen, listing)
    items = [_preview(trip, PAGES[verb], listing, place) for trip in trips]
    form = None
    if any(item.refusal is None for item in items):
        form = BULK[verb].form(
            http.POST if http.method == "POST" else None,
            request=next(item.trip for item in items if item.refusal is None),
            at=listing.at,
        )
    is_done = http.method == "POST" and (form is None or form.is_valid())
    if is_done and form is not None:
        items = [_do(item, PAGES[verb], listing, form.values()) for item in items]
    done = sum(item.refusal is None for item in items)
    context = {
        "page": PAGES[verb],
        "items": items,
        "form": form,
        "is_done": is_done,
        "done": done,
        "left_out": len(items) - done,
        "inbox_url": f"{reverse('inbox')}?{place}",
    }
    return render(http, "approvals/staff/bulk.html", context, status=422 if form and form.errors else 200)


def _chosen(numbers: list[str], listing: Listing) -> list[TravelRequest]:
    """The chosen requests of this desk, in the order of the list; what is not there to see is left out."""
    own = {"company_id" if listing.desk.kind is Kind.COMPANY else "office_id": listing.desk.scope}
    found = {trip.reference: trip for trip in queries.chosen(listing.actor, numbers).filter(**own)}
    return [found[number] for number in dict.fromkeys(numbers) if number in found]


def _preview(trip: TravelRequest, page: Page, listing: Listing, place: str) -> Item:
    refused = workflow.refusal(trip, page.verb, listing.actor, at=listing.at)
    return Item(trip, State(trip.state), page_of(trip, listing.actor, place), str(refused) if refused else None)


def _do(item: Item, page: Page, listing: Listing, values: Mapping[str, Any]) -> Item:
    if item.refusal is not None:
        return item
    try:
        moved = getattr(workflow, page.verb)(item.trip.pk, actor=listing.actor, at=listing.at, **values)
    except Refused as refused:
        return replace(item, refusal=str(refused))
    return replace(item, state=State(moved.state))
