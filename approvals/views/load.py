"""Who of an office has how much: for its seniors, who hand over from here, and its head."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.http import ActorRequest
from accounts.roles import Role
from approvals import overview, queries
from approvals.inbox import Desk, Kind
from approvals.overview import ReviewerLoad
from approvals.states import State
from authorities.models import Office
from interface.charts import Bar

SHOWN = 50


@require_GET
@login_required
def office_load(http: ActorRequest) -> HttpResponse:
    """The open cases of each reviewer of `office`, and those of `reviewer` ("queue": of nobody) to be handed over."""
    offices = list(Office.objects.filter(pk__in=http.actor.scopes_of_any((Role.SENIOR, Role.HEAD))))
    if not offices:
        raise PermissionDenied
    at = timezone.now()
    office = next((one for one in offices if str(one.pk) == http.GET.get("office")), offices[0])
    loads = overview.of_reviewers(office.pk, at=at)
    chosen = next((one for one in loads if _key(one) == http.GET.get("reviewer")), None) or _first(loads)
    context: dict[str, Any] = {
        "at": at,
        "office": office,
        "offices": offices if len(offices) > 1 else [],
        "rows": [{"load": one, "words": _words(one), "url": _url(office, one)} for one in loads],
        "bars": [Bar(_words(one), one.open, _tone(one)) for one in loads],
        "chosen": _words(chosen) if chosen else "",
        "cases": _cases(http, office, chosen) if chosen else [],
        "shown": SHOWN,
        "may_hand_over": http.actor.holds(Role.SENIOR, office.pk),
        "place": f"desk={Desk(Kind.OFFICE, office.pk).key}",
    }
    return render(http, "approvals/staff/load.html", context)


def _key(load: ReviewerLoad) -> str:
    return "queue" if load.user_id is None else str(load.user_id)


def _first(loads: list[ReviewerLoad]) -> ReviewerLoad | None:
    """Whose cases are shown when nobody is chosen: of who is gone or away, else of who has the most overdue."""
    with_cases = [one for one in loads if one.open and one.user_id is not None]
    return max(with_cases, key=lambda one: (not one.number, one.away is not None, one.overdue, one.open), default=None)


def _words(load: ReviewerLoad) -> str:
    if load.user_id is None:
        return _("Nobody has taken")
    return f"{load.number} {load.name}" if load.number else load.name


def _tone(load: ReviewerLoad) -> str:
    if load.is_overloaded:
        return "bad"
    return "waiting" if load.away or not load.number else "plain"


def _url(office: Office, load: ReviewerLoad) -> str:
    return f"{reverse('office_load')}?office={office.pk}&reviewer={_key(load)}#cases"


def _cases(http: ActorRequest, office: Office, load: ReviewerLoad) -> list[Any]:
    """Their cases that can change hands, the least time left first; those that the reader left are not among them."""
    found = queries.visible_to(http.actor).filter(
        office_id=office.pk, state=State.AUTHORITY_REVIEW, assigned_reviewer_id=load.user_id
    )
    return list(found.select_related("applicant", "company", "office").order_by("-urgent", "due_at", "id")[:SHOWN])
