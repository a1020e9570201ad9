"""The public criteria: which lists there are, what they say, what follows; and what would follow for a trip.

Nobody signs in for these pages. What somebody asks "what if" about is sent in the body of the request, so that it is in
no address and no access log; it is compared, answered and forgotten: nothing is stored, nothing of it is logged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods
from rest_framework.throttling import SimpleRateThrottle

from approvals import assessment, disclosure, rules, timekeeping
from approvals.clocks import URGENT_DAYS
from approvals.disclosure import HitWords, LegalBasis, PossibleWords
from approvals.forms.public import EntrySearchForm, WhatIfForm
from approvals.models import TravelRequest
from approvals.states import Tier
from authorities import policies
from authorities.models import Office
from authorities.terms import ClockKind
from interface.spoken import alternates, in_either_language
from sensitivity import picking, publishing
from sensitivity.models import ListEntry, ListKind, ListVersion

PAGE = 50
RATE = "30/min"
"""How often one address may ask "what if"."""


# ── how often ───────────────────────────────────────────────────────────────────────────────────────────────────────


class _Often(SimpleRateThrottle):
    """So many questions a minute from one address, counted in the cache; without a cache nobody is turned away."""

    rate = RATE

    def get_cache_key(self, request: Any, view: Any) -> str:
        # The address as the sign-in page reads it: behind a proxy, of the client and not what the client claims.
        return f"criteria:{get_adapter().get_client_ip(request)}"


# ── the lists ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class TierWords:
    """A row of the rule book's table of tiers, with its clock."""

    tier: str
    label: str
    when: str
    route: str
    days: int


@dataclass(frozen=True, slots=True)
class ListWords:
    """A list in force: what it is, on which law, since and until when. Of a confidential one nothing else is public."""

    name: str
    kind: str
    version: int
    since: date
    until: date
    basis: LegalBasis
    is_confidential: bool
    secrecy: LegalBasis | None
    reviewed_by: str
    reviewed_on: date | None
    url: str


@dataclass(frozen=True, slots=True)
class EntryWords:
    """A published entry, in the reader's language."""

    code: str
    label: str
    level: int
    reason: str
    until: date | None


def _when(tier: Tier) -> str:
    return {
        Tier.FAST: _("No published entry is touched, and the trip takes at most %(days)d days.")
        % {"days": rules.FAST_TRIP_DAYS},
        Tier.STANDARD: _("Entries of level 1 at most are touched, or the trip is longer."),
        Tier.HEIGHTENED: _("An entry of level 2 is touched."),
        Tier.RESTRICTED: _("An entry of level 3 is touched."),
    }[tier]


def _tiers(at: datetime) -> list[TierWords]:
    policy = policies.current(None, at)
    return [
        TierWords(
            tier=tier.value,
            label=str(tier.label),
            when=_when(tier),
            route=str(rules.route_for(tier).label),
            days=policy.terms(ClockKind.DECISION, tier).days,
        )
        for tier in Tier
    ]


def _basis(instrument: Any) -> LegalBasis:
    return LegalBasis(str(instrument), instrument.url)


def _in_force(on: date) -> list[ListVersion]:
    """The versions in force with their lists and the law, in the order of the page. One query."""
    return list(
        ListVersion.objects.in_force(on)
        .select_related("list__legal_basis", "list__confidentiality_basis", "list__confidentiality_reviewed_by")
        .order_by("list__kind", "list_id")
    )


def _list_words(version: ListVersion) -> ListWords:
    of = version.list
    assert version.published_from is not None
    assert version.published_until is not None
    secret = of.is_confidential and of.confidentiality_basis is not None
    url = "" if of.is_confidential else f"{reverse('criteria')}?{urlencode({'list': of.pk})}#entries"
    return ListWords(
        name=of.name,
        kind=str(of.get_kind_display()),
        version=version.number,
        since=version.published_from,
        until=version.published_until,
        basis=_basis(of.legal_basis),
        is_confidential=of.is_confidential,
        secrecy=_basis(of.confidentiality_basis) if secret else None,
        reviewed_by=of.confidentiality_reviewed_by.name if secret and of.confidentiality_reviewed_by else "",
        reviewed_on=of.confidentiality_reviewed_on if secret else None,
        url=url,
    )


def _entries(http: HttpRequest, version: ListVersion, on: date) -> dict[str, Any]:
    """A page of the entries of an open version: searched for, by code, from the one named `after`."""
    form = EntrySearchForm(http.GET)
    wanted = form.cleaned_data if form.is_valid() else {}
    rows = ListEntry.objects.filter(Q(valid_until=None) | Q(valid_until__gte=on), version=version)
    if words := wanted.get("q", "").strip():
        named = Q(label_zh__icontains=words) | Q(label_en__icontains=words) | Q(code__icontains=words)
        rows = rows.filter(named | Q(aliases__icontains=words))
    if level := wanted.get("level"):
        rows = rows.filter(level=level)
    # Two companies may call projects the same: the key decides between entries of one code.
    code, _dot, key = http.GET.get("after", "").rpartition("~")
    if code and key.isascii() and key.isdigit() and len(key) < 19:
        rows = rows.filter(Q(code__gt=code) | Q(code=code, pk__gt=int(key)))
    shown = list(rows.order_by("code", "pk")[: PAGE + 1])
    here = {"list": version.list_id} | {name: value for name in ("q", "level") if (value := wanted.get(name))}
    last = f"{shown[PAGE - 1].code}~{shown[PAGE - 1].pk}" if len(shown) > PAGE else ""
    return {
        "chosen": version.list,
        "search": form,
        "filtered": len(here) > 1,
        "clear_url": f"?{urlencode({'list': version.list_id})}#entries",
        "entries": [_entry(entry, version) for entry in shown[:PAGE]],
        "next_url": f"?{urlencode(here | {'after': last})}#entries" if last else "",
        "first_url": f"?{urlencode(here)}#entries" if http.GET.get("after") else "",
    }


def _entry(entry: ListEntry, version: ListVersion) -> EntryWords:
    by_code = version.list.kind == ListKind.DESTINATION
    return EntryWords(entry.code if by_code else "", entry.label, entry.level, entry.reason, entry.valid_until)


@require_http_methods(["GET", "HEAD"])
@in_either_language
def criteria(http: HttpRequest) -> HttpResponse:
    """Tiers, routes and clocks in plain words; every list in force; the entries of the open one that was chosen."""
    at = timezone.now()
    on = publishing.today(at)
    versions = _in_force(on)
    wanted = http.GET.get("list", "")
    opened = [version for version in versions if not version.list.is_confidential]
    chosen = next((version for version in opened if str(version.list_id) == wanted), None)
    context = {
        "tiers": _tiers(at),
        "company_days": policies.current(None, at).terms(ClockKind.COMPANY).days,
        "urgent_days": URGENT_DAYS,
        "on": on,
        "lists": [_list_words(version) for version in versions],
        "alternates": alternates(http),
        **(_entries(http, chosen, on) if chosen else {}),
    }
    return render(http, "approvals/criteria.html", context)


# ── what if ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Answer:
    """What would follow for a trip, from the lists that everybody can read."""

    tier: str
    tier_words: str
    route: str
    office: str
    hits: list[HitWords]
    possible: list[PossibleWords]
    company_by: date | None
    decision_by: date
    is_provisional: bool
    in_time: bool
    left_out: int
    """How many confidential lists are in force and were not asked."""


def _answer(given: Mapping[str, Any], at: datetime) -> Answer:
    office: Office = given["office"]
    # Never saved: what the forecast asks of a request is its office and whether it is urgent.
    trip = TravelRequest(office=office, urgent=given["urgent"]).as_of(at)
    finding = assessment.assess_facts(
        given["facts"],
        on=trip.today,
        departs_on=given["departs_on"],
        returns_on=given["returns_on"],
        open_only=True,
    )
    days = timekeeping.forecast(trip, tier=finding.tier, at=at)
    return Answer(
        tier=finding.tier,
        tier_words=str(finding.tier.label),
        route=str(finding.route.label),
        office=office.name,
        hits=disclosure.hits_in_words(finding.hits, whole=False),
        possible=disclosure.possible_in_words(finding.possible, whole=False),
        company_by=days.company_by,
        decision_by=days.decision_by,
        is_provisional=days.is_provisional,
        in_time=days.decision_by < given["departs_on"],
        left_out=sum(version.list.is_confidential for version in _in_force(trip.today)),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@in_either_language
def what_if(http: HttpRequest) -> HttpResponse:
    """GET: the form. POST: what would follow for the trip that was sent; nothing of it is kept.

    429 for more than `RATE` questions from one address, 422 when something is missing; what was typed stays.
    """
    at = timezone.now()
    on = publishing.today(at)
    find = http.POST.get("find", "") if http.POST.get("then") == "find" else ""
    asked: dict[str, Any] = {"on": on, "subdivided": picking.subdivided(on), "find": find}
    if http.method != "POST" or http.POST.get("then") in ("find", "add"):
        # Looking for a subject and adding a place are no questions yet: nothing is checked.
        form = WhatIfForm.unchecked(http.POST, **asked) if http.method == "POST" else WhatIfForm(**asked)
        return _shown(http, form, find=find)
    form = WhatIfForm(http.POST, **asked)
    throttle = _Often()
    if not throttle.allow_request(http, None):  # type: ignore[arg-type]
        wait = max(1, round(throttle.wait() or 1))
        answer = _shown(http, WhatIfForm.unchecked(http.POST, **asked), status=429, wait=wait)
        answer["Retry-After"] = str(wait)
        return answer
    if not form.is_valid():
        return _shown(http, form, status=422)
    return _shown(http, form, answer=_answer(form.cleaned_data, at))


def _shown(http: HttpRequest, form: WhatIfForm, *, status: int = 200, **more: Any) -> HttpResponse:
    context = {"form": form, "places": form.places, "alternates": alternates(http), **more}
    response = render(http, "approvals/what_if.html", context, status=status)
    if http.method == "POST":
        response["Cache-Control"] = "private, no-store"
    return response
