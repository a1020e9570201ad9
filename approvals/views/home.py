"""The first page after signing in: what waits for the reader, in each of their roles."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from accounts.http import ActorRequest
from accounts.roles import Actor, Role
from approvals import effects, queries
from approvals.inbox import COUNT_UP_TO, Kind, counts, desks_of, tabs_of
from approvals.models import Clock
from approvals.states import OPEN, WITH_AUTHORITY, State
from approvals.views.request_page import Listed, listed, own
from authorities.models import Office
from companies.models import Company
from interface.navigation import url_or_nothing
from notifications import failures
from sensitivity import publishing
from sensitivity.models import ListVersion

# So many of one's own open requests are shown; the list has the others.
OWN_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Waiting:
    """So many things wait for the reader, and where they are."""

    label: str
    count: int
    url: str
    urgent: bool = False
    most: int = 0
    """Where the count stopped; 0: it is exact."""

    @property
    def words(self) -> str:
        """The number as it is shown."""
        return f"{self.most - 1}+" if self.most and self.count >= self.most else str(self.count)


@dataclass(frozen=True, slots=True)
class Desk:
    """What waits for the reader in one role."""

    heading: str
    waiting: list[Waiting]
    empty: str
    url: str
    url_label: str

    @property
    def any(self) -> bool:
        """Whether anything waits."""
        return any(one.count for one in self.waiting)


@login_required
@require_GET
def home(http: ActorRequest) -> HttpResponse:
    """My open requests, and what waits for me in each role that I hold. A fixed number of queries for each role."""
    at = timezone.now()
    actor = http.actor
    mine: list[Listed] = []
    more = False
    if Role.APPLICANT in actor.roles:
        found = list(own(actor).filter(state__in=[*OPEN, State.LAPSED]).order_by("-pk")[: OWN_SHOWN + 1])
        more = len(found) > OWN_SHOWN
        mine = [listed(request, actor, at) for request in found[:OWN_SHOWN]]
        mine.sort(key=lambda row: not row.waits)
    context = {
        "is_applicant": Role.APPLICANT in actor.roles,
        "mine": mine,
        "more": more,
        "waiting_for_me": sum(row.waits for row in mine),
        "desks": [desk for of in DESKS for desk in of(actor, at)],
    }
    return render(http, "approvals/home.html", context)


def _inbox(actor: Actor, at: datetime) -> Iterable[Desk]:
    """The desks of the inbox, with the same numbers."""
    desks = desks_of(actor)
    companies = Company.objects.in_bulk([desk.scope for desk in desks if desk.kind is Kind.COMPANY])
    offices = Office.objects.in_bulk([desk.scope for desk in desks if desk.kind is not Kind.COMPANY])
    page = url_or_nothing("inbox")
    for desk in desks:
        tabs = [tab for tab in tabs_of(desk, actor) if tab.is_counted]
        found = counts(desk, tabs, actor, at=at)
        heading, empty = _DESK_WORDS[desk.kind]
        place = (companies if desk.kind is Kind.COMPANY else offices)[desk.scope]
        yield Desk(
            heading=str(heading) % {"name": place.name},
            waiting=[
                Waiting(
                    label=str(tab.label),
                    count=found[tab.name],
                    url=f"{page}?{urlencode({'desk': desk.key, 'tab': tab.name})}",
                    urgent=tab.name == "overdue",
                    most=COUNT_UP_TO,
                )
                for tab in tabs
                if found[tab.name] or not tab.is_hidden_when_empty
            ],
            empty=str(empty),
            url=f"{page}?{urlencode({'desk': desk.key})}",
            url_label=_("Open the inbox"),
        )


_DESK_WORDS: dict[Kind, tuple[str | Promise, str | Promise]] = {
    Kind.COMPANY: (gettext_lazy("For %(name)s"), gettext_lazy("Requests that its people submit will appear here.")),
    Kind.OFFICE: (gettext_lazy("For %(name)s"), gettext_lazy("Cases that come to the office will appear here.")),
    Kind.APPEALS: (
        gettext_lazy("Appeals heard by %(name)s"),
        gettext_lazy("Appeals against decisions of other offices will appear here."),
    ),
}


def _senior(actor: Actor, at: datetime) -> Iterable[Desk]:
    """Shown when there is something: what new versions of lists would have changed about open cases."""
    if Role.SENIOR not in actor.roles or not (otherwise := effects.count(actor, at=at)):
        return
    page = url_or_nothing("list_effects")
    yield Desk(
        heading=_("New versions of lists"),
        waiting=[Waiting(_("Open cases that would have another tier today"), otherwise, page)],
        empty="",
        url=page,
        url_label=_("See what the lists would change"),
    )


def _administrator(actor: Actor, at: datetime) -> Iterable[Desk]:
    if Role.ADMINISTRATOR not in actor.roles:
        return
    yield Desk(
        heading=_("For the installation"),
        waiting=[
            Waiting(
                _("Messages that were given up"),
                failures.number(),
                url_or_nothing("notification_failures"),
                urgent=True,
            ),
            Waiting(
                _("Clocks that could not be acted on"),
                Clock.objects.filter(ended_at=None, retry_at__isnull=False).count(),
                url_or_nothing("overview"),
                urgent=True,
            ),
        ],
        empty=_("What the system could not do by itself will appear here."),
        url=url_or_nothing("overview"),
        url_label=_("Open the overview"),
    )


def _auditor(actor: Actor, at: datetime) -> Iterable[Desk]:
    if Role.AUDITOR not in actor.roles:
        return
    found = (
        queries.visible_to(actor)
        .filter(state__in=OPEN)
        .aggregate(open=Count("pk"), late=Count("pk", filter=Q(due_at__lte=at, state__in=WITH_AUTHORITY)))
    )
    yield Desk(
        heading=_("For the audit"),
        waiting=[
            Waiting(_("Open requests"), found["open"], url_or_nothing("overview")),
            Waiting(_("Overdue with an office"), found["late"], url_or_nothing("overview"), urgent=found["late"] > 0),
        ],
        empty=_("Requests will appear here once they are submitted."),
        url=url_or_nothing("overview"),
        url_label=_("Open the overview"),
    )


def _list_manager(actor: Actor, at: datetime) -> Iterable[Desk]:
    if Role.LIST_MANAGER not in actor.roles:
        return
    found = ListVersion.objects.aggregate(
        draft=Count("pk", filter=Q(state=ListVersion.State.DRAFT, author_id=actor.user_id)),
        # Who wrote a version does not publish it.
        review=Count("pk", filter=Q(state=ListVersion.State.IN_REVIEW) & ~Q(author_id=actor.user_id)),
        ending=Count(
            "pk",
            filter=Q(
                state=ListVersion.State.PUBLISHED,
                published_until__lte=publishing.today(at) + timedelta(days=max(publishing.REMINDERS)),
            ),
        ),
    )
    lists = url_or_nothing("lists")
    yield Desk(
        heading=_("Sensitivity lists"),
        waiting=[
            Waiting(_("Your drafts"), found["draft"], lists),
            Waiting(_("To publish, written by others"), found["review"], lists),
            Waiting(_("Ended, or ending soon"), found["ending"], lists, urgent=found["ending"] > 0),
        ],
        empty=_("Versions of lists that wait for you will appear here."),
        url=lists,
        url_label=_("Open the lists"),
    )


DESKS: tuple[Callable[[Actor, datetime], Iterable[Desk]], ...] = (
    _inbox,
    _senior,
    _administrator,
    _auditor,
    _list_manager,
)
