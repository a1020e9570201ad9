"""The page of one request, its documents, and the list of one's own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.http import ActorRequest
from accounts.roles import Actor, Role
from approvals import access, queries, references
from approvals.models import TravelRequest
from approvals.models.travel_request import Device
from approvals.states import OPEN, State
from approvals.views import appealed, papers, parts, standing
from approvals.views.actions import CASE_ROLES, actions_for
from approvals.views.amended import amendments
from approvals.views.elsewhere import due_elsewhere
from approvals.views.obligations import conditions_in_words
from approvals.views.reading import company_asks, open_request
from interface.downloads import to_be_saved
from sensitivity import picking

PAGE = 20


# ── the page ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _works_on_it(http: ActorRequest, reference: str) -> str | None:
    """The number of the request when it is a case that the reader works on: that has its own page."""
    if not http.actor.roles & CASE_ROLES:
        return None
    try:
        number = references.normalised(reference)
    except references.NotAReference:
        return None
    found = queries.visible_to(http.actor).filter(reference=number).first()
    return number if found is not None and access.role_towards(found, http.actor) in CASE_ROLES else None


@login_required
@require_GET
def request_page(http: ActorRequest, reference: str) -> HttpResponse:
    """Where the request stands, what can be done, what happened, what was asked. Office people: to the case page."""
    if number := _works_on_it(http, reference):
        return redirect("case", number)
    at = timezone.now()
    request = open_request(http, reference, page="request", at=at)
    mine = http.actor.holds(Role.APPLICANT, request.applicant_id)
    if request.state == State.DRAFT and mine:
        return redirect("request_edit", request.reference)
    clocks = standing.arithmetic(request, at)
    context = {
        "trip": request,
        "mine": mine,
        "inbox_url": "" if mine else _inbox_url(http, request),
        "standing": standing.sentence(request, http.actor, at),
        "due": clocks[0] if clocks else None,
        "due_elsewhere": due_elsewhere(request) if mine else "",
        "after_departure": _after_departure(request),
        "clocks": clocks,
        "hide_why": standing.reads_as_company(request, http.actor),
        "actions": actions_for(http.actor, request, at=at),
        "edit_url": _edit_url(request, mine),
        "asked": company_asks(request) if mine else "",
        "ruling": parts.ruling(request, http.actor, at),
        "conditions": conditions_in_words(request, http.actor, at),
        "proposed": parts.proposed(request, http.actor, at),
        "exchanges": parts.exchanges(request, http.actor),
        "appeals": appealed.appeals_of(request, http.actor),
        "amended": amendments(request, http.actor),
        "consultations": parts.consultations(request, http.actor),
        "timeline": standing.timeline(request, http.actor, at),
        "rows": rows(request),
        "diffs": standing.diff(request),
        "places": parts.places(request),
        "files": parts.files(request),
        "papers": papers.listed(request, http.actor),
        "hits": parts.hits_in_words(request.assessment.hits, reader=http.actor, trip=request)
        if request.assessment
        else [],
        "possible": parts.possible_in_words(request.assessment.possible, reader=http.actor, trip=request)
        if request.assessment
        else [],
        "assessments": parts.assessments(request, http.actor),
        "route": parts.route_in_words(request.tier) if request.tier else "",
        "looks": standing.looks(request, http.actor) if mine or http.actor.roles & READS_THE_ACCESS_LOG else None,
    }
    return render(http, "approvals/request.html", context)


def _inbox_url(http: ActorRequest, request: TravelRequest) -> str:
    """The way back for an officer of the company: to the inbox, at the place that they came from. Empty for others."""
    if not http.actor.holds(Role.OFFICER, request.company_id):
        return ""
    place, back = http.GET.get("from", ""), reverse("inbox")
    return f"{back}?{place}#r-{request.reference}" if place else back


READS_THE_ACCESS_LOG = frozenset({Role.AUDITOR, Role.ADMINISTRATOR})


def _edit_url(request: TravelRequest, mine: bool) -> str:
    if mine and request.is_editable:
        return reverse("request_edit", args=[request.reference])
    return ""


def _after_departure(request: TravelRequest) -> str:
    """The warning when what the request waits for is due too late for the trip; nothing when it is not."""
    if not standing.due_after_departure(request):
        return ""
    assert request.due_at is not None
    assert request.departs_on is not None
    words = {
        "due": date_format(standing.last_day(request.due_at, request), "DATE_FORMAT"),
        "departs": date_format(request.departs_on, "DATE_FORMAT"),
    }
    return (
        _("It may take until %(due)s, and the trip begins on %(departs)s. Without a clearance it cannot begin.") % words
    )


def rows(request: TravelRequest) -> list[parts.Row]:
    """The request itself, as names and values; the itinerary and documents are shown beside."""
    devices = dict(Device.choices)
    return [
        parts.Row(_("Applicant"), request.applicant.name),
        parts.Row(_("Company"), request.company.name),
        parts.Row(_("Purpose"), str(request.get_purpose_display())),
        parts.Row(_("What the applicant will do"), request.description, anchor="part-purpose"),
        parts.Row(_("Event"), request.event_name, anchor="part-event"),
        parts.Row(_("Page of the event"), request.event_url),
        parts.Row(_("Subjects"), "\n".join(picking.subjects_in_words(request.topics)), anchor="part-topics"),
        parts.Row(
            _("Projects"),
            "\n".join(picking.project_names(request.projects, company_id=request.company_id)),
            anchor="part-projects",
        ),
        parts.Row(_("Materials carried"), request.materials, anchor="part-materials"),
        parts.Row(
            _("Devices carried"),
            "\n".join(str(devices.get(code, code)) for code in request.devices),
            anchor="part-devices",
        ),
    ]


# ── documents ───────────────────────────────────────────────────────────────────────────────────────────────────────


@login_required
@require_GET
def attachment(http: ActorRequest, reference: str, attachment_id: UUID) -> HttpResponseBase:
    """A document, for those who may see its request, to be saved and never shown by the browser.

    404 for everybody else, and for one that was removed. Who is not the applicant leaves an entry in the access log.
    """
    request = open_request(http, reference, page="attachment")
    found = queries.attachments_visible_to(http.actor).filter(pk=attachment_id, request=request.pk).first()
    if found is None:
        raise Http404(_("There is no such document, or it is not yours to see."))
    return to_be_saved(found.file.open("rb"), name=found.name, content_type=found.content_type)


# ── the list ────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Listed:
    """A request in the list. Its days and countries are those that are cleared, where a part of the trip is."""

    request: TravelRequest
    url: str
    standing: str
    first: date | None
    last: date | None
    countries: str
    waits: bool


def own(actor: Actor) -> QuerySet[TravelRequest, TravelRequest]:
    """The requests that `actor` made, drafts too, with what a list shows of them."""
    return queries.in_full(actor).filter(applicant_id__in=actor.scopes(Role.APPLICANT))


def listed(request: TravelRequest, actor: Actor, at: Any) -> Listed:
    """`request` as a row of a list. No query."""
    is_draft = request.state == State.DRAFT
    return Listed(
        request=request,
        url=reverse("request_edit" if is_draft else "request", args=[request.reference]),
        standing=standing.sentence(request, actor, at),
        first=request.travels_from,
        last=request.travels_until,
        countries=parts.countries_in_words(country for country, _city in request.travels_to),
        waits=standing.TURN[State(request.state)] is Role.APPLICANT or standing.applicant_is_asked(request),
    )


_RANK = Case(When(state__in=OPEN, then=Value(0)), default=Value(1), output_field=IntegerField())


@login_required
@require_GET
def request_list(http: ActorRequest) -> HttpResponse:
    """My requests: the open ones first, of each the latest first. `after` and `before` name the row beside the page."""
    at = timezone.now()
    ranked = own(http.actor).annotate(rank=_RANK)
    after, before = _place(http.GET.get("after", "")), _place(http.GET.get("before", ""))
    if before:
        rank, key = before
        beside = ranked.filter(Q(rank__lt=rank) | Q(rank=rank, pk__gt=key)).order_by("-rank", "pk")[: PAGE + 1]
        shown = list(beside)
        newer, older, shown = len(shown) > PAGE, True, shown[:PAGE][::-1]
    else:
        if after:
            rank, key = after
            ranked = ranked.filter(Q(rank__gt=rank) | Q(rank=rank, pk__lt=key))
        shown = list(ranked.order_by("rank", "-pk")[: PAGE + 1])
        newer, older, shown = after is not None, len(shown) > PAGE, shown[:PAGE]
    context = {
        "rows": [listed(request, http.actor, at) for request in shown],
        "previous_url": f"?before={_key(shown[0])}" if shown and newer else "",
        "next_url": f"?after={_key(shown[-1])}" if shown and older else "",
    }
    return render(http, "approvals/applicant/list.html", context)


def _key(request: TravelRequest) -> str:
    return quote(f"{0 if request.state in OPEN else 1}.{request.pk}")


def _place(text: str) -> tuple[int, UUID] | None:
    """The row that a page begins beside: (rank, id); None when it names none."""
    rank, _dot, key = text.partition(".")
    try:
        return (int(rank), UUID(key)) if rank in ("0", "1") else None
    except ValueError:
        return None
