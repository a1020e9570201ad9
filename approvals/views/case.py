"""The case page: all that somebody of the authority needs to decide on a request, on one page."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.http import ActorRequest
from approvals import inbox, queries
from approvals.access import role_towards
from approvals.models import TravelRequest
from approvals.states import State
from approvals.views import appealed, papers, parts, standing
from approvals.views.actions import CASE_ROLES, about_proposal, actions_for, with_place
from approvals.views.amended import amendments
from approvals.views.inbox import listing_from
from approvals.views.obligations import conditions_in_words
from approvals.views.reading import open_request
from approvals.views.request_page import rows


@login_required
@require_GET
def case_page(http: ActorRequest, reference: str) -> HttpResponse:
    """The request and its assessment, where it stands, who else travels, what was said, and what can be done.

    `from` is the place in the inbox that the reader came from: it gives the way back, and the cases before and after.
    """
    at, actor = timezone.now(), http.actor
    trip = open_request(http, reference, page="case", at=at)
    if role_towards(trip, actor) not in CASE_ROLES:
        return redirect("request", trip.reference)
    place = http.GET.get("from", "")
    clocks = standing.arithmetic(trip, at)
    actions = actions_for(actor, trip, at=at, place=place)
    travellers = queries.travellers_to_the_event(trip, actor)
    context = {
        "trip": trip,
        "standing": standing.sentence(trip, actor, at),
        "due": clocks[0] if clocks else None,
        "after_departure": _after_departure(trip),
        "clocks": clocks,
        "actions": actions,
        "judge_url": next((action.url for action in actions if action.name == "judge_match"), ""),
        "rows": rows(trip),
        "amended": amendments(trip, actor),
        "diffs": standing.diff(trip),
        "places": parts.places(trip),
        "files": parts.files(trip),
        "papers": papers.listed(trip, http.actor),
        "hits": parts.hits_in_words(trip.assessment.hits, reader=actor, trip=trip) if trip.assessment else [],
        "possible": parts.possible_in_words(trip.assessment.possible, reader=actor, trip=trip, with_countries=True)
        if trip.assessment
        else [],
        "assessments": parts.assessments(trip, actor),
        "route": parts.route_in_words(trip.tier) if trip.tier else "",
        "ruling": parts.ruling(trip, actor, at),
        "company_words": standing.history(trip).company_reviews,
        "exchanges": parts.exchanges(trip, actor),
        "appeals": appealed.appeals_of(trip, actor),
        "consultations": parts.consultations(trip, actor),
        "rejections": standing.history(trip).rejections,
        "delegation": [other for other in travellers if other.company_id == trip.company_id],
        "others": [other for other in travellers if other.company_id != trip.company_id],
        "timeline": standing.timeline(trip, actor, at),
        "place": place,
        "conditions": conditions_in_words(trip, actor, at),
        **(about_proposal(trip, at) if _is_proposed(trip) else {}),
        **_in_the_inbox(http, trip, place),
    }
    return render(http, "approvals/staff/case.html", context)


def _is_proposed(trip: TravelRequest) -> bool:
    """Whether an outcome waits for a second person."""
    return trip.state == State.DECISION_PROPOSED or trip.revocation_proposed_by_id is not None


def _after_departure(trip: TravelRequest) -> str:
    """The warning when the office's time ends only after the trip has begun; empty when it does not."""
    if not standing.due_after_departure(trip) or trip.due_at is None or trip.departs_on is None:
        return ""
    return _("The time for this ends on %(due)s, and the trip begins on %(departs)s: decide before that.") % {
        "due": date_format(standing.last_day(trip.due_at, trip), "DATE_FORMAT"),
        "departs": date_format(trip.departs_on, "DATE_FORMAT"),
    }


def _in_the_inbox(http: ActorRequest, trip: TravelRequest, place: str) -> dict[str, Any]:
    """The way back to the inbox, and the cases before and after in the list that the reader came from."""
    back = reverse("inbox")
    if not place:
        return {"inbox_url": back}
    listing = listing_from(QueryDict(place), http.actor, at=trip.now)
    before, after = inbox.neighbours(listing, inbox.place_in(listing, trip))
    return {
        "inbox_url": f"{back}?{place}#r-{trip.reference}",
        "previous_url": with_place(reverse("case", args=[before]), place) if before else "",
        "next_url": with_place(reverse("case", args=[after]), place) if after else "",
    }
