"""The dates of requests in people's own calendars: what is due of the reader, and the reader's trips.

Numbers and cities, no names: a calendar is shown on many screens.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.actors import actor_for
from accounts.models import User
from accounts.roles import Actor, Role
from approvals import queries
from approvals.models import Appeal, Clock, Condition, TravelRequest
from approvals.models.appeal import AppealState
from approvals.states import HOLDS_ITS_DATES, State
from audit.models import Entry as AuditEntry
from authorities.terms import ClockKind
from interface.tags import zone_place
from notifications import feeds, tokens
from notifications.icalendar import Entry

# What is due, by the clock that counts it. Clocks that wait for a day of the journey ask nothing of anybody.
OF_THE_APPLICANT: Mapping[str, str | Promise] = {
    ClockKind.ANSWER: gettext_lazy("%(number)s: answer the office"),
    ClockKind.REPLY: gettext_lazy("%(number)s: last day to reply to the proposal"),
    ClockKind.CHANGE: gettext_lazy("%(number)s: make the changes and submit again"),
    ClockKind.DRAFT: gettext_lazy("%(number)s: last day to submit the draft"),
    ClockKind.CONDITION: gettext_lazy("%(number)s: last day to meet a condition"),
    ClockKind.REFER: gettext_lazy("%(number)s: last day to refer the trip to the office"),
    ClockKind.REOPEN: gettext_lazy("%(number)s: last day to reopen the request"),
    ClockKind.APPEAL_FILING: gettext_lazy("%(number)s: last day for an appeal"),
}
OF_OTHERS: Mapping[str, str | Promise] = {
    ClockKind.COMPANY: gettext_lazy("%(number)s: review of the company due"),
    ClockKind.DECISION: gettext_lazy("%(number)s: decision due"),
    ClockKind.APPEAL: gettext_lazy("%(number)s: decision on the appeal due"),
    ClockKind.CONDITION_ANSWER: gettext_lazy("%(number)s: answer about a condition due"),
}
AT_MOST = 1000
"""So many dates a calendar holds; those that are due first."""
_KEPT_DAYS = 90
_INSTANT = timedelta(microseconds=1)
_TRAVELS = sorted({*HOLDS_ITS_DATES, State.CLOSED})


def register() -> None:
    """Put these dates into every calendar. Called once, when the app is ready."""
    feeds.register(dates_of)


def dates_of(user: User, at: datetime) -> Iterable[Entry]:
    """What is due of `user` at `at`, as far as their roles of that moment go, and their trips: those to come, and
    those that ended within the last 90 days. Of a trip that is cleared in part: the places and days that are. In the
    active language."""
    actor = actor_for(user, at=at)
    yield from _due(actor)
    yield from _trips(actor, at)


# A calendar program takes an entry as changed by its SEQUENCE: the history of the request only grows.
_changed_at = Subquery(
    AuditEntry.objects.filter(chain=OuterRef("request_id"), sequence=OuterRef("request__chain_length")).values("at")[:1]
)


def _due(actor: Actor) -> Iterator[Entry]:
    clocks = _clocks_of(actor).annotate(changed_at=_changed_at).select_related("request__office")
    for clock in clocks.order_by("due_at", "pk")[:AT_MOST]:
        request = clock.request
        assert clock.due_at is not None
        last = localtime(clock.due_at - _INSTANT, request.zone).date()
        summary = str({**OF_THE_APPLICANT, **OF_OTHERS}[clock.kind]) % {"number": request.reference}
        description = _("By the end of the day, %(place)s time.") % {"place": zone_place(request.office.time_zone)}
        if clock.is_provisional:
            summary = _("%(summary)s (provisional)") % {"summary": summary}
            description += " " + _("Not all working days until then are published yet, so the date can still change.")
        yield Entry(
            key=f"due-{clock.pk}",
            first=last,
            last=last,
            summary=summary,
            description=description,
            url=_url(request),
            sequence=request.chain_length,
            changed_at=clock.changed_at or clock.started_at,
            is_tentative=clock.is_provisional,
            is_free=True,
        )


def _clocks_of(actor: Actor) -> "QuerySet[Any, Any]":
    """The running clocks whose time is this person's."""
    of_company = Exists(Condition.objects.filter(pk=OuterRef("subject"), owner=Condition.Owner.COMPANY))
    mine = Q(kind__in=OF_THE_APPLICANT, request__applicant_id__in=actor.scopes(Role.APPLICANT)) & ~of_company
    others = Q(kind=ClockKind.COMPANY, request__company_id__in=actor.scopes(Role.OFFICER))
    others |= Q(of_company, kind=ClockKind.CONDITION, request__company_id__in=actor.scopes(Role.OFFICER))
    others |= Q(
        kind=ClockKind.CONDITION_ANSWER,
        request__assigned_reviewer_id=actor.user_id,
        request__office_id__in=actor.scopes(Role.REVIEWER),
    )
    others |= Q(
        kind=ClockKind.DECISION,
        request__state=State.AUTHORITY_REVIEW,
        request__assigned_reviewer_id=actor.user_id,
        request__office_id__in=actor.scopes(Role.REVIEWER),
    )
    others |= Q(
        kind=ClockKind.DECISION,
        request__state=State.DECISION_PROPOSED,
        request__office_id__in=actor.scopes(Role.SENIOR),
    ) & ~Q(request__proposed_by_id=actor.user_id)
    heard = Appeal.objects.filter(
        request_id=OuterRef("request_id"), state=AppealState.IN_REVIEW, heard_by_id=actor.user_id
    )
    others |= Q(Exists(heard), kind=ClockKind.APPEAL)
    nobodys_own = ~Q(request__applicant__user_id=actor.user_id)
    return Clock.objects.filter(
        mine | (others & nobodys_own),
        ended_at=None,
        due_at__isnull=False,
        request__in=queries.visible_to(actor),
    )


def _trips(actor: Actor, at: datetime) -> Iterator[Entry]:
    changed = AuditEntry.objects.filter(chain=OuterRef("pk"), sequence=OuterRef("chain_length")).values("at")[:1]
    requests = (
        queries.visible_to(actor)
        .filter(
            applicant_id__in=actor.scopes(Role.APPLICANT),
            state__in=_TRAVELS,
            departs_on__isnull=False,
            submitted_at__isnull=False,
            returns_on__gte=at.date() - timedelta(days=_KEPT_DAYS),
        )
        .select_related("office", "decision")
        .prefetch_related("legs")
        .annotate(changed_at=Subquery(changed))
        .order_by("departs_on", "pk")
    )
    for request in requests[:AT_MOST]:
        first, last = request.travels_from, request.travels_until
        assert first is not None
        assert last is not None
        cities = list(dict.fromkeys(city for _country, city in request.travels_to))
        state = State(request.state)
        cleared = state in (State.APPROVED, State.CLOSED)
        summary = _("%(number)s: trip to %(cities)s") % {"number": request.reference, "cities": ", ".join(cities)}
        yield Entry(
            key=f"trip-{request.pk}",
            first=first,
            last=last,
            summary=summary if cleared else _("%(summary)s (not cleared yet)") % {"summary": summary},
            description=_("Approved in part") if cleared and request.part else str(state.label),
            location=", ".join(cities),
            url=_url(request),
            sequence=request.chain_length,
            changed_at=request.changed_at or request.state_since,
            is_tentative=not cleared,
        )


def _url(request: TravelRequest) -> str:
    return tokens.absolute(reverse("request", args=[request.reference]))
