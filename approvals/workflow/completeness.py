"""What stands between a request and its submission: what is missing, and days that another trip has."""

from __future__ import annotations

from datetime import date, datetime

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.refusals import Invalid, Problem
from approvals import queries, rules
from approvals.models import (
    TravelRequest,
)
from sensitivity import matching


def overlapping(request: TravelRequest) -> TravelRequest | None:
    """Another trip of the same person, asked for or cleared, that shares a day with this one; None: there is none."""
    if not request.itinerary:
        return None
    return queries.overlapping(
        request,
        departs_on=min(leg.arrives_on for leg in request.itinerary),
        returns_on=max(leg.leaves_on for leg in request.itinerary),
    )


def days_are_free(request: TravelRequest, *, departs_on: date | None = None, returns_on: date | None = None) -> None:
    """Refuses with Invalid, naming the other trip, when the days of this one, or these days, have gone to another."""
    first, last = departs_on or request.departs_on, returns_on or request.returns_on
    if first is None or last is None:
        return
    if other := queries.overlapping(request, departs_on=first, returns_on=last):
        raise Invalid([_overlap_problem(other)])


def _overlap_problem(other: TravelRequest) -> Problem:
    return Problem(
        "itinerary",
        "",
        _("These days overlap your trip %(reference)s “%(title)s” (%(from)s to %(to)s). Change or withdraw one.")
        % {
            "reference": other.reference,
            "title": other.title,
            "from": date_format(other.departs_on, "DATE_FORMAT") if other.departs_on else "",
            "to": date_format(other.returns_on, "DATE_FORMAT") if other.returns_on else "",
        },
    )


def problems(request: TravelRequest, *, at: datetime) -> list[Problem]:
    """Everything that stands between a draft and its submission at `at`.

    What is missing or wrong, what was typed and is not valid yet, a trip that it overlaps.
    """
    request.as_of(at)
    found = rules.problems(request)
    found += [
        Problem(section, "", gettext_lazy("What you typed here is kept, but not all of it can be used yet."))
        for section in request.sections_as_typed
    ]
    found += _missing_subdivisions(request)
    if other := overlapping(request):
        found.append(_overlap_problem(other))
    return found


def _missing_subdivisions(request: TravelRequest) -> list[Problem]:
    """Places in a country of which a list in force names a part, without saying in which part: the list may be younger
    than the itinerary."""
    unsaid = {index: leg for index, leg in enumerate(request.itinerary) if not leg.subdivision}
    asked = matching.subdivided({str(leg.country.code) for leg in unsaid.values()}, on=request.today)
    sentence = gettext_lazy("Choose the state or province: a list names a part of this country, not all of it.")
    return [
        Problem("itinerary", f"legs-{index}-subdivision", sentence)
        for index, leg in unsaid.items()
        if str(leg.country.code) in asked
    ]
