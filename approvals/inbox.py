"""The inbox: lists of requests as somebody finds them at their desk. Reading only, and fast.

A desk is a company (its officers), an office (its reviewers, seniors, head) or an office that hears appeals. Each has
tabs; each tab is a condition and an order. Pages are found by key, never by counting rows: page 400 costs what page 1
does. The SQL is written by hand because here speed counts; see docs/adr. What a desk shows is always within
`queries.visible_to(actor)`; a test holds it to that.

Urgent humanitarian requests come first, then those with the least time left (fair process, 17). The two groups are
read one after the other, so that each is one stretch of an index.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

from accounts.roles import Actor, Role
from approvals.models import TravelRequest
from approvals.queries import OFFICE_ROLES
from approvals.states import State

PAGE = 50
# Counts stop here: "99+" says enough, and a count of everything would cost more than the page.
COUNT_UP_TO = 100


class Kind(StrEnum):
    """What a desk belongs to."""

    OFFICE = "office"
    COMPANY = "company"
    APPEALS = "appeals"


@dataclass(frozen=True, slots=True)
class Desk:
    """Where somebody works: the id of a company or an office, and in which capacity."""

    kind: Kind
    scope: int

    @property
    def key(self) -> str:
        """How the desk is named in an address."""
        return f"{self.kind}-{self.scope}"


@dataclass(frozen=True, slots=True)
class Order:
    """By which column a tab is sorted; ties by key. `urgent_first`: urgent humanitarian requests before all others."""

    column: str
    type: str = "timestamptz"
    descending: bool = False
    urgent_first: bool = False


@dataclass(frozen=True, slots=True)
class Tab:
    """One view of a desk: requests in `states` (empty: in any) for which `where`, SQL about the request `r`, holds.

    Each state is a stretch of an index of its own. `roles`: who has the tab (empty: everybody at the desk).
    """

    name: str
    label: str | Promise
    order: Order
    states: tuple[State, ...] = ()
    where: str = "TRUE"
    roles: frozenset[Role] = frozenset()
    is_counted: bool = True
    source: str = ""
    """What it is read from and which part of the scope it stands for, where that is not what the desk says."""
    scope: str = ""
    is_hidden_when_empty: bool = False

    @property
    def in_states(self) -> str:
        """SQL for being in one of the states."""
        names = ", ".join(f"'{state.value}'" for state in self.states)
        return f"r.state IN ({names})" if names else "TRUE"


LEAST_TIME_LEFT = Order("r.due_at", urgent_first=True)
_NO_CONFLICT = (
    "NOT EXISTS (SELECT 1 FROM approvals_recusal x WHERE x.request_id = r.id AND x.by_id = %(me)s)"
    " AND NOT EXISTS (SELECT 1 FROM approvals_companyreview x WHERE x.request_id = r.id AND x.by_id = %(me)s)"
)
_WITH_OFFICE = (State.AUTHORITY_REVIEW, State.DECISION_PROPOSED, State.INFORMATION_REQUESTED)

# A condition that the company owes and that waits for it: nothing happened yet, or it was sent back, upheld or changed.
# Those in force were imposed last (`models.conditions.imposed_last`); the decision may be that on a change since then.
_OWED_BY_COMPANY = (
    "EXISTS (SELECT 1 FROM approvals_condition c WHERE c.owner = 'company' AND c.decision_id ="
    " (SELECT l.decision_id FROM approvals_condition l WHERE l.request_id = r.id ORDER BY l.at DESC, l.id DESC LIMIT 1)"
    " AND COALESCE((SELECT s.kind FROM approvals_conditionstep s WHERE s.condition_id = c.id"
    " ORDER BY s.at DESC, s.id DESC LIMIT 1), '') NOT IN ('reported', 'cannot_comply', 'released'))"
)

TABS: Mapping[Kind, tuple[Tab, ...]] = {
    Kind.OFFICE: (
        Tab(
            "unassigned",
            pgettext_lazy("inbox", "Unassigned"),
            LEAST_TIME_LEFT,
            states=(State.AUTHORITY_REVIEW,),
            where="r.assigned_reviewer_id IS NULL",
        ),
        Tab(
            "mine",
            pgettext_lazy("inbox", "Mine"),
            LEAST_TIME_LEFT,
            where=(
                "r.assigned_reviewer_id = %(me)s"
                " AND r.state IN ('authority_review', 'decision_proposed', 'information_requested')"
            ),
            roles=frozenset({Role.REVIEWER}),
        ),
        Tab(
            "confirm",
            pgettext_lazy("inbox", "To confirm"),
            LEAST_TIME_LEFT,
            states=(State.DECISION_PROPOSED,),
            where="r.proposed_by_id <> %(me)s",
            roles=frozenset({Role.SENIOR}),
        ),
        Tab(
            "changes",
            pgettext_lazy("inbox", "Changes to look at"),
            LEAST_TIME_LEFT,
            where="(r.open_amendment_id IS NOT NULL OR r.report_is_open)",
            is_hidden_when_empty=True,
        ),
        Tab(
            "revocations",
            pgettext_lazy("inbox", "Revocations to confirm"),
            Order("r.departs_on", type="date"),
            states=(State.APPROVED,),
            where="r.revocation_proposed_by_id IS NOT NULL AND r.revocation_proposed_by_id <> %(me)s",
            roles=frozenset({Role.SENIOR}),
        ),
        Tab(
            "conditions",
            pgettext_lazy("inbox", "Conditions to look at"),
            Order("r.conditions_wait_since"),
            where="r.conditions_wait_since IS NOT NULL AND r.state IN ('approved', 'closed')",
            is_hidden_when_empty=True,
        ),
        Tab(
            "waiting",
            pgettext_lazy("inbox", "Waiting for the applicant"),
            LEAST_TIME_LEFT,
            states=(State.INFORMATION_REQUESTED,),
        ),
        Tab(
            "overdue",
            pgettext_lazy("inbox", "Overdue"),
            LEAST_TIME_LEFT,
            states=(State.AUTHORITY_REVIEW, State.DECISION_PROPOSED),
            where="r.due_at <= %(now)s",
        ),
        Tab(
            "consulted",
            pgettext_lazy("inbox", "Opinions asked of us"),
            LEAST_TIME_LEFT,
            states=_WITH_OFFICE,
            where="NOT EXISTS (SELECT 1 FROM approvals_opinion o WHERE o.consultation_id = n.id)",
            source="approvals_travelrequest r JOIN approvals_consultation n ON n.request_id = r.id",
            scope=f"n.office_id = %(scope)s AND {_NO_CONFLICT}",
            is_hidden_when_empty=True,
        ),
        Tab("all", pgettext_lazy("inbox", "All"), Order("r.reached_authority_at", descending=True), is_counted=False),
    ),
    Kind.COMPANY: (
        Tab("review", pgettext_lazy("inbox", "To review"), LEAST_TIME_LEFT, states=(State.COMPANY_REVIEW,)),
        Tab("returned", pgettext_lazy("inbox", "Returned"), LEAST_TIME_LEFT, states=(State.RETURNED,)),
        Tab("office", pgettext_lazy("inbox", "With the office"), LEAST_TIME_LEFT, states=_WITH_OFFICE),
        Tab(
            "conditions",
            pgettext_lazy("inbox", "Conditions to meet"),
            Order("r.departs_on", type="date"),
            where=f"r.open_conditions > 0 AND r.state IN ('approved', 'closed') AND {_OWED_BY_COMPANY}",
            is_hidden_when_empty=True,
        ),
        Tab("all", pgettext_lazy("inbox", "All"), Order("r.submitted_at", descending=True), is_counted=False),
    ),
    Kind.APPEALS: (
        Tab("filed", pgettext_lazy("inbox", "Appeals filed"), Order("a.filed_at"), where="a.state = 'filed'"),
        Tab(
            "hearing",
            pgettext_lazy("inbox", "Appeals that I hear"),
            Order("a.filed_at"),
            where="a.state = 'in_review' AND a.heard_by_id = %(me)s",
        ),
        Tab("all", pgettext_lazy("inbox", "All"), Order("a.filed_at", descending=True), is_counted=False),
    ),
}

_REQUESTS = "approvals_travelrequest r"
_SOURCE = {
    Kind.OFFICE: _REQUESTS,
    Kind.COMPANY: _REQUESTS,
    Kind.APPEALS: f"{_REQUESTS} JOIN approvals_appeal a ON a.request_id = r.id",
}
# The part of `queries.visible_to` that the desk stands for.
_SCOPE = {
    Kind.OFFICE: (f"r.office_id = %(scope)s AND r.reached_authority_at IS NOT NULL AND {_NO_CONFLICT}"),
    Kind.COMPANY: "r.company_id = %(scope)s AND r.submitted_at IS NOT NULL",
    Kind.APPEALS: f"a.office_id = %(scope)s AND {_NO_CONFLICT}",
}


def _source(desk: Desk, tab: Tab) -> str:
    return tab.source or _SOURCE[desk.kind]


def _scope(desk: Desk, tab: Tab) -> str:
    return tab.scope or _SCOPE[desk.kind]


def desks_of(actor: Actor) -> list[Desk]:
    """The desks of `actor`: offices first, then companies, then appeals; each by id."""
    return [
        *(Desk(Kind.OFFICE, scope) for scope in sorted(_ids(actor.scopes_of_any(OFFICE_ROLES)))),
        *(Desk(Kind.COMPANY, scope) for scope in sorted(_ids(actor.scopes(Role.OFFICER)))),
        *(Desk(Kind.APPEALS, scope) for scope in sorted(_ids(actor.scopes(Role.APPEAL_REVIEWER)))),
    ]


def _ids(scopes: frozenset[int | None]) -> set[int]:
    return {scope for scope in scopes if scope is not None}


def tabs_of(desk: Desk, actor: Actor) -> list[Tab]:
    """The tabs that `actor` has at `desk`."""
    return [tab for tab in TABS[desk.kind] if not tab.roles or any(actor.holds(role, desk.scope) for role in tab.roles)]


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed to; empty values narrow nothing. `countries`: codes that the words stand for."""

    words: str = ""
    countries: tuple[str, ...] = ()
    country: str = ""
    tier: str = ""
    purpose: str = ""
    overdue: bool = False

    def __bool__(self) -> bool:
        return bool(self.words or self.country or self.tier or self.purpose or self.overdue)


_FILTER = {
    "country": "EXISTS (SELECT 1 FROM approvals_leg g WHERE g.request_id = r.id AND g.country = %(country)s)",
    "tier": "r.tier = %(tier)s",
    "purpose": "r.purpose = %(purpose)s",
    "overdue": "r.due_at <= %(now)s",
    "words": (
        "(r.title ILIKE %(words)s"
        " OR r.applicant_id IN"
        " (SELECT id FROM employees_employee WHERE name_zh ILIKE %(words)s OR name_en ILIKE %(words)s)"
        " OR r.company_id IN"
        " (SELECT id FROM companies_company WHERE name_zh ILIKE %(words)s OR name_en ILIKE %(words)s))"
    ),
}
# Instead of the words alone, where they are the name of a country, too.
_OR_COUNTRIES = (
    f"({_FILTER['words']} OR EXISTS"
    " (SELECT 1 FROM approvals_leg g WHERE g.request_id = r.id AND g.country = ANY(%(countries)s)))"
)


def _escaped(words: str) -> str:
    for character in "\\%_":
        words = words.replace(character, f"\\{character}")
    return f"%{words}%"


@dataclass(frozen=True, slots=True)
class Key:
    """Where in a list a row stands: urgent or not, the value of the order's column (ISO), the id of the request."""

    urgent: bool
    value: str
    id: UUID

    def __str__(self) -> str:
        return f"{int(self.urgent)}~{self.value}~{self.id}"

    @classmethod
    def parse(cls, text: str) -> Key | None:
        """The key that `text` says; None when it says none."""
        try:
            urgent, value, ident = text.split("~")
            datetime.fromisoformat(value)
            return cls(urgent == "1", value, UUID(ident))
        except ValueError:
            return None


class Row(NamedTuple):
    """One request as a list shows it. `key` is the value of the order's column.

    Days and countries are those that are cleared, where a part of the trip is, and else those asked for.
    """

    id: UUID
    reference: str
    title: str
    urgent: bool
    tier: str
    state: str
    due_at: datetime | None
    due_is_provisional: bool
    departs_on: date | None
    returns_on: date | None
    assigned_number: str
    office_id: int
    applicant_id: int
    company_id: int
    key: datetime | date
    name_zh: str
    name_en: str
    company_zh: str
    company_en: str
    countries: str | None

    def place(self) -> Key:
        """Where the row stands in its list."""
        return Key(self.urgent, self.key.isoformat(), self.id)


_COLUMNS = ", ".join(f"r.{name}" for name in Row._fields[: Row._fields.index("key")])
_PLACES = "FROM jsonb_array_elements(d.cleared) WITH ORDINALITY l (place, number)"
# Of a row `p` and its decision `d`, which is joined where it clears a part of the trip.
_SHOWN = {
    "departs_on": f"COALESCE((SELECT min(l.place->>'arrives_on')::date {_PLACES}), p.departs_on)",
    "returns_on": f"COALESCE((SELECT max(l.place->>'leaves_on')::date {_PLACES}), p.returns_on)",
    "name_zh": "e.name_zh",
    "name_en": "e.name_en",
    "company_zh": "c.name_zh",
    "company_en": "c.name_en",
    "countries": (
        f"COALESCE((SELECT string_agg(l.place->>'country', ' ' ORDER BY l.number) {_PLACES}),"
        " (SELECT string_agg(g.country, ' ' ORDER BY g.position) FROM approvals_leg g WHERE g.request_id = p.id))"
    ),
}
_ROW = ", ".join(_SHOWN.get(name, f"p.{name}") for name in Row._fields)


@dataclass(frozen=True, slots=True)
class Listing:
    """What is asked for: a tab of a desk, narrowed by filters, as `actor` sees it at `at`."""

    desk: Desk
    tab: Tab
    actor: Actor
    at: datetime
    filters: Filters = field(default_factory=Filters)

    def parameters(self) -> dict[str, Any]:
        """What the SQL of this list speaks of by name."""
        return {
            "scope": self.desk.scope,
            "me": self.actor.user_id,
            "now": self.at,
            "country": self.filters.country,
            "tier": self.filters.tier,
            "purpose": self.filters.purpose,
            "words": _escaped(self.filters.words),
            "countries": list(self.filters.countries),
        }

    def conditions(self) -> list[str]:
        """What holds for every row, whatever its state: the desk's scope, the tab, the filters."""
        return [
            _scope(self.desk, self.tab),
            self.tab.where,
            *(
                _OR_COUNTRIES if name == "words" and self.filters.countries else sql
                for name, sql in _FILTER.items()
                if getattr(self.filters, name)
            ),
        ]


def _stretches(order: Order, key: Key | None, *, backwards: bool) -> list[str]:
    """The conditions of the one or two stretches of the index that follow `key`, in the order of reading."""
    column, value = order.column, f"%(key)s::{order.type}"
    if key is None:
        beyond = "TRUE"
    elif order.descending:
        far, near = (">", "<") if backwards else ("<", ">")
        beyond = f"{column} {far}= {value} AND ({column} {far} {value} OR r.id {near} %(id)s)"
    else:
        beyond = f"({column}, r.id) {'<' if backwards else '>'} ({value}, %(id)s)"
    if not order.urgent_first:
        return [beyond]
    first, second = ("NOT r.urgent", "r.urgent") if backwards else ("r.urgent", "NOT r.urgent")
    if key is None:
        return [first, second]
    if key.urgent == backwards:
        return [f"{second} AND {beyond}"]
    return [f"{first} AND {beyond}", second]


# Every piece of the SQL below is a constant of this module; what people typed goes in as parameters.
# ruff: noqa: S608


def page_sql(listing: Listing, *, key: Key | None = None, backwards: bool = False, limit: int = PAGE + 1) -> str:
    """The one statement that reads a page: its parameters are `parameters()`, with `key` and `id` of the key."""
    order, source = listing.tab.order, _source(listing.desk, listing.tab)
    down = order.descending != backwards
    sort = f"key {'DESC' if down else 'ASC'}, id {'DESC' if backwards else 'ASC'}"
    states = [f"r.state = '{state.value}'" for state in listing.tab.states] or ["TRUE"]
    stretches = [
        f"(SELECT {_COLUMNS}, r.decision_id, {order.column} AS key FROM {source}"
        f" WHERE {' AND '.join([*listing.conditions(), state, stretch])} ORDER BY {sort} LIMIT {limit})"
        for stretch in _stretches(order, key, backwards=backwards)
        for state in states
    ]
    if order.urgent_first:
        sort = f"urgent {'ASC' if backwards else 'DESC'}, {sort}"
    return (
        f"SELECT {_ROW} FROM (SELECT * FROM ({' UNION ALL '.join(stretches)}) q ORDER BY {sort} LIMIT {limit}) p"
        " JOIN employees_employee e ON e.id = p.applicant_id JOIN companies_company c ON c.id = p.company_id"
        " LEFT JOIN approvals_decision d ON d.id = p.decision_id AND d.cleared <> '[]'"
        f" ORDER BY {sort}"
    )


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a list, and the keys from which it goes on; None: that end is reached."""

    rows: list[Row]
    previous: Key | None = None
    next: Key | None = None


def read(listing: Listing, *, after: Key | None = None, before: Key | None = None, size: int = PAGE) -> Page:
    """The rows after or before a key; without one the first. One query, whatever the size."""
    backwards = after is None and before is not None
    key = before if backwards else after
    rows = _rows(listing, key=key, backwards=backwards, limit=size + 1)
    more, rows = len(rows) > size, rows[:size]
    if backwards:
        rows.reverse()
        return Page(rows, rows[0].place() if more else None, rows[-1].place() if rows else None)
    return Page(rows, rows[0].place() if rows and key else None, rows[-1].place() if more else None)


def _rows(listing: Listing, *, key: Key | None, backwards: bool, limit: int) -> list[Row]:
    parameters = listing.parameters()
    if key is not None:
        parameters |= {"key": key.value, "id": key.id}
    with connection.cursor() as cursor:
        cursor.execute(page_sql(listing, key=key, backwards=backwards, limit=limit), parameters)
        return list(map(Row._make, cursor.fetchall()))


def counts_sql(desk: Desk, tabs: Sequence[Tab]) -> str:
    """The one statement that counts every counted tab of `tabs`, each up to `COUNT_UP_TO`."""
    parts = [
        f"(SELECT count(*) FROM (SELECT 1 FROM {_source(desk, tab)}"
        f" WHERE {_scope(desk, tab)} AND {tab.in_states} AND {tab.where} LIMIT {COUNT_UP_TO}) t)"
        for tab in tabs
        if tab.is_counted
    ]
    return f"SELECT {', '.join(parts)}"


def counts(desk: Desk, tabs: Sequence[Tab], actor: Actor, *, at: datetime) -> dict[str, int]:
    """How many rows each counted tab has, `COUNT_UP_TO` at most. One query."""
    with connection.cursor() as cursor:
        cursor.execute(counts_sql(desk, tabs), Listing(desk, tabs[0], actor, at).parameters())
        return dict(zip((tab.name for tab in tabs if tab.is_counted), cursor.fetchone(), strict=True))


def place_in(listing: Listing, request: TravelRequest) -> Key | None:
    """Where `request` stands in a list, or would; None when it has lost what the list is sorted by."""
    table, _dot, name = listing.tab.order.column.partition(".")
    if table == "r":
        value = getattr(request, name)
    else:
        heard = [appeal for appeal in request.appeals.all() if appeal.office_id == listing.desk.scope]
        value = getattr(heard[-1], name) if heard else None
    return Key(request.urgent, value.isoformat(), request.pk) if value is not None else None


def neighbours(listing: Listing, place: Key | None) -> tuple[str | None, str | None]:
    """The numbers before and after `place` in a list, of which it need not be a part any more; None at its ends.
    Without a place: the first of the list comes next."""
    if place is None:
        rows = _rows(listing, key=None, backwards=False, limit=1)
        return None, rows[0].reference if rows else None
    found = []
    for backwards in (True, False):
        rows = _rows(listing, key=place, backwards=backwards, limit=1)
        found.append(rows[0].reference if rows else None)
    return found[0], found[1]
