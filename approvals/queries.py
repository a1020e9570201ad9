"""Who sees which requests, and how rows are read: every select_related and prefetch of this app lives here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, cast
from uuid import UUID

from django.db import connection
from django.db.models import (
    Count,
    Exists,
    IntegerField,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    prefetch_related_objects,
)
from django.db.models.functions import Coalesce
from django.utils.translation import get_language

from accounts.prepared import Prepared, bare, rows_from, rows_with
from accounts.roles import Actor, Grant, Role
from accounts.scoping import ScopedQuerySet
from approvals import rules
from approvals.clocks import local_day
from approvals.models import (
    Amendment,
    Appeal,
    AppealStatement,
    Assignment,
    Attachment,
    Clock,
    CompanyReview,
    Condition,
    ConditionStep,
    Consultation,
    Decision,
    DraftInput,
    HearingOffice,
    InformationRequest,
    Leg,
    MatchJudgement,
    OtherReviewerRequest,
    Proposal,
    Recusal,
    Reply,
    TravelRequest,
)
from approvals.models.amendment import AmendmentState
from approvals.models.conditions import conditions_now, imposed_last
from approvals.states import HOLDS_ITS_DATES, WITH_AUTHORITY, WITH_CONDITIONS, State
from audit.models import Entry
from authorities import absences, grounds
from authorities.models import Office, Posting, ReasonCode
from authorities.terms import ClockKind
from companies.models import Membership
from notifications.models import Preferences

OFFICE_ROLES = (Role.REVIEWER, Role.SENIOR, Role.HEAD)
# Who sees the whole of a case that an appeal brought to their office; the seniors and the head because an appeal that
# is late goes up to them.
HEARING_ROLES = (Role.APPEAL_REVIEWER, Role.SENIOR, Role.HEAD)
# Sent by the applicant to the office. The company is told that it was, and reads what follows from it.
NOT_FOR_THE_COMPANY = (Attachment.Kind.REPLY, Attachment.Kind.ANSWER)
READS_EVERYTHING = (Role.ADMINISTRATOR, Role.AUDITOR)


def _scope(actor: Actor) -> Any:
    """What limits `actor` to the requests they may see; None: no limit at all."""
    if actor.holds(Role.SYSTEM):
        return None
    seen: Any = Q(pk__in=[])
    if employments := actor.scopes(Role.APPLICANT):
        seen |= Q(applicant_id__in=employments)
    conflict: Any = Exists(Recusal.objects.filter(request=OuterRef("pk"), by=actor.user_id))
    if actor.holds(Role.ADMINISTRATOR):
        return seen | (Q(submitted_at__isnull=False) & ~conflict)
    if actor.holds(Role.AUDITOR):
        # Who decided a case does not audit it (fair process, 10).
        decided = Q(proposed_by=actor.user_id) | Q(decided_by=actor.user_id) | Q(confirmed_by=actor.user_id)
        seen |= Q(submitted_at__isnull=False) & ~conflict & ~decided
    if companies := actor.scopes(Role.OFFICER):
        seen |= Q(company_id__in=companies, submitted_at__isnull=False)
    if offices := actor.scopes_of_any(OFFICE_ROLES):
        # Who reviewed it for the company never acts on it for the authority, whatever they are by now.
        conflict |= Exists(CompanyReview.objects.filter(request=OuterRef("pk"), by=actor.user_id))
        seen |= Q(office_id__in=offices, reached_authority_at__isnull=False) & ~conflict
        asked = Exists(Consultation.objects.filter(request=OuterRef("pk"), office__in=offices))
        seen |= Q(consulted_at__isnull=False) & asked & ~conflict
    if offices := actor.scopes_of_any(HEARING_ROLES):
        conflict |= Exists(CompanyReview.objects.filter(request=OuterRef("pk"), by=actor.user_id))
        seen |= Exists(Appeal.objects.filter(request=OuterRef("pk"), office__in=offices)) & ~conflict
    return seen


def visible_to(actor: Actor) -> ScopedQuerySet[TravelRequest]:
    """The requests that `actor` may see.

    Applicants: their own, drafts too. Officers: what their company's people submitted. The office's people: what has
    reached the office or what the office was consulted on, except where they declared a conflict of interest. Appeal
    reviewers: what an appeal brought to their office. Administrators and auditors: everything submitted. Everybody
    else: nothing.
    """
    scope = _scope(actor)
    requests = TravelRequest.objects.all()
    return (requests if scope is None else requests.filter(scope)).in_scope()


def match_answers(request_id: UUID) -> dict[str, bool]:
    """What persons said about possible matches of a request, by `PossibleHit.key`; the latest word holds."""
    said = MatchJudgement.objects.filter(request_id=request_id).order_by("at", "id")
    return dict(said.values_list("key", "confirmed"))


def attachments_visible_to(actor: Actor) -> ScopedQuerySet[Attachment]:
    """The attachments of the requests that `actor` may see, those that were removed from a draft excepted.

    What was sent with a reply to a proposed refusal is not for the company: see `views.standing.reads_as_company`.
    """
    found = Attachment.objects.filter(request__in=visible_to(actor), removed_at=None)
    if actor.scopes(Role.OFFICER):
        otherwise = Actor(actor.user_id, actor.name, frozenset(g for g in actor.grants if g.role is not Role.OFFICER))
        found = found.filter(~Q(kind__in=NOT_FOR_THE_COMPANY) | Q(request__in=visible_to(otherwise)))
    return found.in_scope()


def locked(
    actor: Actor, *, skip: bool = False, applicant_too: bool = False, **lookup: Any
) -> QuerySet[TravelRequest, TravelRequest]:
    """The requests in `actor`'s scope that `lookup` names, locked until the transaction ends.

    With what the rules look at. `skip`: leave out what somebody else has locked, instead of waiting for it.
    `applicant_too`: lock the applicant's record besides, to look at all trips of one person without another coming in.
    """
    return (
        visible_to(actor)
        .filter(**lookup)
        .select_related("applicant", "office")
        .select_for_update(of=("self", "applicant") if applicant_too else ("self",), no_key=True, skip_locked=skip)
    )


# What every step reads, compiled once (see accounts.prepared).
_overlapping = Prepared(
    lambda request_id, applicant_id, first, last: (
        TravelRequest.unscoped.filter(
            applicant_id=applicant_id, state__in=sorted(HOLDS_ITS_DATES), departs_on__lte=last, returns_on__gte=first
        )
        .exclude(pk=request_id)
        .order_by("departs_on")[:1]
    ),
    request_id=UUID,
    applicant_id=int,
    first=date,
    last=date,
)


# The lock comes first, in the same round trip: what is read after it is what somebody wrote while we waited for it.
_LOCK = 'SELECT 1 FROM "approvals_travelrequest" WHERE "id" = %s FOR NO KEY UPDATE'
_LOCK_APPLICANT_TOO = (
    'SELECT 1 FROM "approvals_travelrequest" r JOIN "employees_employee" e ON e."id" = r."applicant_id" '
    'WHERE r."id" = %s FOR NO KEY UPDATE'
)


@lru_cache(maxsize=256)
def _claim(shape: tuple[tuple[Role, str], ...], whole: bool) -> Prepared[TravelRequest]:
    """The locked fetch for actors with grants of these roles; the name of a gap for the scope, empty: no scope."""

    def build(request_id: UUID, user_id: int, **scopes: int) -> QuerySet[TravelRequest, TravelRequest]:
        someone = Actor(user_id, "", frozenset(Grant(role, scopes.get(gap)) for role, gap in shape))
        found = visible_to(someone).filter(pk=request_id).select_related("applicant", "office").order_by()
        found = found.annotate(_clocks=rows_with(Clock, "request_id = %s AND ended_at IS NULL", request_id))
        if whole:
            found = found.annotate(
                _legs=rows_with(Leg, "request_id = %s", request_id),
                _documents=rows_with(Attachment, "request_id = %s AND removed_at IS NULL", request_id),
                _inputs=rows_with(DraftInput, "request_id = %s", request_id),
            )
        return found

    gaps = {gap for _role, gap in shape if gap}
    return Prepared(
        build,
        before=(_LOCK_APPLICANT_TOO if whole else _LOCK, ["request_id"]),
        optional=gaps | {"user_id"},
        request_id=UUID,
        user_id=int,
        **dict.fromkeys(sorted(gaps), int),
    )


def claim(actor: Actor, request_id: UUID, *, whole: bool = False) -> TravelRequest | None:
    """This request in `actor`'s scope, locked until the transaction ends, with its running clocks; None: not theirs.

    `whole`: with its legs, its documents and what was typed into it, and with the applicant's record locked too, to
    look at all trips of one person without another coming in. One round trip, compiled once for each kind of actor.
    """
    grants = sorted(actor.grants, key=lambda grant: (grant.role, grant.scope or 0))
    scopes = {f"scope{index}": grant.scope for index, grant in enumerate(grants) if grant.scope is not None}
    shape = tuple((grant.role, "" if grant.scope is None else f"scope{index}") for index, grant in enumerate(grants))
    found = _claim(shape, whole)(request_id=request_id, user_id=actor.user_id, **scopes)
    if not found:
        return None
    request: Any = found[0]
    request.running_clocks = {clock.key: clock for clock in rows_from(Clock, request._clocks)}
    if whole:
        request.itinerary = sorted(rows_from(Leg, request._legs), key=lambda leg: leg.position)
        request.documents = sorted(rows_from(Attachment, request._documents), key=lambda file: file.uploaded_at)
        request.sections_as_typed = sorted(kept["section"] for kept in request._inputs or ())
    return cast(TravelRequest, request)


# ── many at once, for the clocks ────────────────────────────────────────────────────────────────────────────────────

# Of every request all but its long texts, which stay in the database until somebody asks.
_LONG = frozenset({"title", "description", "materials", "event_name", "event_url", "topics", "projects", "devices"})
_LOOKED_AT = [field.attname for field in TravelRequest._meta.concrete_fields if field.attname not in _LONG]
_REQUESTS = f'SELECT {", ".join(_LOOKED_AT)} FROM "approvals_travelrequest" WHERE "id" = ANY(%s)'  # noqa: S608
# Those that somebody else is at are left out: whoever comes next finds them.
_CLAIM = "FOR NO KEY UPDATE OF r SKIP LOCKED"
_DUE = f"""SELECT c."id", c."request_id" FROM "approvals_clock" c
    JOIN "approvals_travelrequest" r ON r."id" = c."request_id"
    WHERE c."next_action_at" <= %s AND c."ended_at" IS NULL AND (c."retry_at" IS NULL OR c."retry_at" <= %s)
    ORDER BY c."next_action_at", c."id" LIMIT %s {_CLAIM}"""  # noqa: S608
_ONE_CLOCK = f"""SELECT c."id", c."request_id" FROM "approvals_clock" c
    JOIN "approvals_travelrequest" r ON r."id" = c."request_id" WHERE c."id" = %s {_CLAIM}"""  # noqa: S608
_BEHIND = f"""SELECT r."id" FROM "approvals_travelrequest" r WHERE r."id" IN (
    SELECT "request_id" FROM "approvals_clock" WHERE "ended_at" IS NULL AND "calendar_checked" < %s
    ORDER BY "calendar_checked", "id" LIMIT %s) {_CLAIM}"""  # noqa: S608


def claim_due(*, at: datetime, limit: int) -> list[tuple[TravelRequest, Clock]]:
    """Requests with a clock that is due at `at` (aware) and that clock, the longest due first, `limit` at most.

    Locked until the transaction ends, with their running clocks; those that somebody else has locked are left out, and
    so are clocks that wait for another attempt. Of a request with several clocks due the one that is due longest.
    The number of queries does not depend on how many there are; one when there is none.
    """
    while found := _locked(_DUE, [at, at, limit]):
        # All of them may have been taken by somebody whose work was done between our look and our lock: look again.
        if claimed := _still_due(found, at):
            return claimed
    return []


def claim_clock(clock_id: UUID, *, at: datetime) -> tuple[TravelRequest, Clock] | None:
    """The same for one clock; None when it is not due at `at` (any more), or somebody else has locked its request."""
    return next(iter(_still_due(_locked(_ONE_CLOCK, [clock_id]), at)), None)


def _locked(sql: str, params: Sequence[Any]) -> list[tuple[UUID, UUID]]:
    """Clocks with their requests, which are locked now."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        found: list[tuple[UUID, UUID]] = cursor.fetchall()
    return found


def _still_due(found: Iterable[tuple[UUID, UUID]], at: datetime) -> list[tuple[TravelRequest, Clock]]:
    clock_of: dict[UUID, UUID] = {}
    for clock_id, request_id in found:
        clock_of.setdefault(request_id, clock_id)
    requests = _with_clocks(list(clock_of))
    claimed = []
    for request_id, clock_id in clock_of.items():
        request = requests[request_id]
        # Looked at again, now that nobody else can change it.
        row = next((row for row in request.running_clocks.values() if row.pk == clock_id), None)
        if row is not None and row.next_action_at is not None and row.next_action_at <= at:
            claimed.append((request, row))
    return claimed


def claim_behind(*, version: int, limit: int) -> list[TravelRequest]:
    """Requests with a running clock that has not looked at this version of the calendars, of `limit` clocks at most.

    Locked until the transaction ends, with their running clocks; those that somebody else has locked are left out.
    """
    with connection.cursor() as cursor:
        cursor.execute(_BEHIND, [version, limit])
        found = [request_id for (request_id,) in cursor.fetchall()]
    return list(_with_clocks(found).values())


def behind(*, version: int) -> QuerySet[Clock, Clock]:
    """The running clocks that have not looked at this version of the calendars."""
    return Clock.objects.filter(ended_at=None, calendar_checked__lt=version)


def _with_clocks(request_ids: list[UUID]) -> dict[UUID, TravelRequest]:
    """These requests, which the caller has locked, with their office, running clocks and what the clocks look at."""
    if not request_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_REQUESTS, [request_ids])
        requests = {row.pk: row for row in (bare(TravelRequest, _LOOKED_AT, values) for values in cursor.fetchall())}
        for request in requests.values():
            request.__dict__["running_clocks"] = {}
        names = [field.attname for field in Clock._meta.concrete_fields]
        cursor.execute(
            f'SELECT {", ".join(names)} FROM "approvals_clock" WHERE "request_id" = ANY(%s) AND "ended_at" IS NULL',  # noqa: S608
            [request_ids],
        )
        for values in cursor.fetchall():
            row = bare(Clock, names, values)
            requests[row.request_id].running_clocks[row.key] = row
    offices = Office.objects.in_bulk({request.office_id for request in requests.values()})
    for request in requests.values():
        request.office = offices[request.office_id]
    prefetch_related_objects([one for one in requests.values() if rules.refuses_something(one)], "appeals")
    _with_conditions([one for one in requests.values() if one.open_conditions and one.state in WITH_CONDITIONS])
    return requests


def _with_conditions(requests: Sequence[TravelRequest]) -> None:
    """Read the conditions of these requests, with what became of them, and keep them there."""
    if not requests:
        return
    rows = list(Condition.objects.filter(request__in=requests))
    steps = list(ConditionStep.objects.filter(condition__in=rows))
    for request in requests:
        imposed = imposed_last(row for row in rows if row.request_id == request.pk)
        request.__dict__["conditions_now"] = conditions_now(imposed, steps)


def without_reviewer(*, at: datetime, limit: int) -> list[UUID]:
    """The cases under review whose reviewer has left or is away for longer at `at`, the longest due first."""
    place = {"user_id": OuterRef("assigned_reviewer"), "office_id": OuterRef("office")}
    return list(
        TravelRequest.unscoped.filter(
            ~Exists(absences.reviewing(at).filter(**place)) | Exists(absences.away_for_longer(at).filter(**place)),
            state=State.AUTHORITY_REVIEW,
            assigned_reviewer__isnull=False,
        )
        .order_by("due_at", "id")
        .values_list("pk", flat=True)[:limit]
    )


def overlapping(request: TravelRequest, *, departs_on: date, returns_on: date) -> TravelRequest | None:
    """Another request of the same person that holds a day from `departs_on` to `returns_on`, both included."""
    found = _overlapping(request_id=request.pk, applicant_id=request.applicant_id, first=departs_on, last=returns_on)
    return found[0] if found else None


def recused(request: TravelRequest) -> list[int]:
    """The accounts to which this case is closed: who declared a conflict, or reviewed it for the company."""
    reviewed = (
        CompanyReview.objects.filter(request=request, by__isnull=False).order_by().values_list("by_id", flat=True)
    )
    left = Recusal.objects.filter(request=request, by__isnull=False).order_by().values_list("by_id", flat=True)
    return [user_id for user_id in left.union(reviewed) if user_id is not None]


def took_part(request: TravelRequest) -> set[int]:
    """The accounts that had anything to do with this case for the authority before: whoever took a step, advised, had
    the case or decided on an appeal. They hear no appeal against what came of it."""
    stepped = Entry.objects.filter(
        Q(actor_role__in=[*OFFICE_ROLES]) | Q(verb__in=["uphold", "overturn"]), chain=request.pk, actor_id__isnull=False
    )
    had = Assignment.objects.filter(request=request, reviewer__isnull=False).order_by()
    found = stepped.order_by().values_list("actor_id", flat=True).union(had.values_list("reviewer_id", flat=True))
    return {user_id for user_id in found if user_id is not None}


def hearing_office(request: TravelRequest, *, at: datetime) -> Office | None:
    """The office that would hear an appeal filed at `at`: the one named for the deciding office, else the first other
    one that gave no opinion, in which somebody can who took no part in the case. None when there is none."""
    apart = {*took_part(request), *recused(request), request.applicant_user_id}
    officers = Membership.objects.in_force(at).filter(company_id=request.company_id).values("user_id")
    able = (
        Posting.objects.in_force(at)
        .filter(role=Role.APPEAL_REVIEWER, user__is_active=True)
        .exclude(user_id__in=[one for one in apart if one is not None])
        .exclude(user_id__in=officers)
    )
    asked = Consultation.objects.filter(request=request, office=OuterRef("pk"))
    named = HearingOffice.objects.filter(office=request.office_id, heard_by=OuterRef("pk"))
    return (
        Office.objects.filter(is_active=True, pk__in=able.values("office_id"))
        .exclude(pk=request.office_id)
        .annotate(is_named=Exists(named), advised=Exists(asked))
        .order_by("-is_named", "advised", "pk")
        .first()
    )


def unheard_offices(*, at: datetime) -> list[Office]:
    """The offices whose refusals can still be appealed against at `at`, where nobody could hear it: no other active
    office has an appeal reviewer."""
    reviewers = Posting.objects.in_force(at).filter(role=Role.APPEAL_REVIEWER, user__is_active=True)
    another = reviewers.filter(office__is_active=True).exclude(office=OuterRef("pk"))
    open_windows = Clock.objects.filter(
        kind=ClockKind.APPEAL_FILING, ended_at=None, due_at__gt=at, request__office=OuterRef("pk")
    )
    return list(Office.objects.filter(~Exists(another), Exists(open_windows)))


def number_of(user_id: int, office_id: int) -> str:
    """The officer number under which this account is known in an office; the latest, empty when there is none."""
    held = Posting.objects.filter(user_id=user_id, office_id=office_id).order_by("-starts_at")
    return held.values_list("number", flat=True).first() or ""


@dataclass(frozen=True, slots=True)
class AppealQuarter:
    """Appeals that were filed in one quarter against the decisions of one office. `median_days`: from the filing to
    the end of those that were decided, in days of the calendar; None while none was."""

    first_day: date
    filed: int
    open: int
    withdrawn: int
    upheld: int
    overturned: int
    median_days: int | None

    @property
    def quarter(self) -> int:
        return (self.first_day.month + 2) // 3


QUARTERS_SHOWN = 8
_APPEALS = """
    SELECT r.office_id, date_trunc('quarter', a.filed_at AT TIME ZONE o.time_zone)::date,
        count(*),
        count(*) FILTER (WHERE a.state IN ('filed', 'in_review')),
        count(*) FILTER (WHERE a.state = 'withdrawn'),
        count(*) FILTER (WHERE a.state = 'upheld'),
        count(*) FILTER (WHERE a.state = 'overturned'),
        percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM a.ended_at - a.filed_at) / 86400)
            FILTER (WHERE a.state IN ('upheld', 'overturned'))
    FROM approvals_appeal a
    JOIN approvals_travelrequest r ON r.id = a.request_id
    JOIN authorities_office o ON o.id = r.office_id
    WHERE a.filed_at <= %(at)s AND (%(all)s OR r.office_id = ANY(%(offices)s) OR a.office_id = ANY(%(offices)s))
    GROUP BY 1, 2 ORDER BY 1, 2 DESC"""


def appeal_figures(actor: Actor, *, at: datetime) -> list[tuple[Office, list[AppealQuarter]]]:
    """Appeals up to `at`, by the office that decided and the quarter of the filing, the latest first. Auditors and
    administrators: of every office; others: against decisions of their offices, and those that their offices hear."""
    offices = list(actor.scopes_of_any(HEARING_ROLES))
    everything = any(actor.holds(role) for role in READS_EVERYTHING)
    with connection.cursor() as cursor:
        cursor.execute(_APPEALS, {"at": at, "all": everything, "offices": offices})
        rows = cursor.fetchall()
    found: dict[int, list[AppealQuarter]] = {}
    for office_id, first_day, filed, still_open, withdrawn, upheld, overturned, median in rows:
        days = None if median is None else round(median)
        quarter = AppealQuarter(first_day, filed, still_open, withdrawn, upheld, overturned, days)
        found.setdefault(office_id, []).append(quarter)
    names = Office.objects.in_bulk(found)
    return [(names[office_id], quarters[:QUARTERS_SHOWN]) for office_id, quarters in found.items()]


def other_reviewer_asked(request: TravelRequest) -> OtherReviewerRequest | None:
    """The applicant's request for another reviewer; None when there was none."""
    return OtherReviewerRequest.objects.filter(request=request).first()


def open_question(appeal: Appeal) -> AppealStatement | None:
    """What the appeal reviewer asked and the applicant has not answered yet."""
    asked = appeal.statements.filter(kind=AppealStatement.Kind.QUESTION, answer=None)
    return asked.order_by("-at").first()


def id_of(reference: str, actor: Actor) -> UUID | None:
    """The id of the request with this number in `actor`'s scope; None when there is none."""
    return visible_to(actor).filter(reference=reference).values_list("pk", flat=True).first()


def in_full(actor: Actor) -> QuerySet[TravelRequest, TravelRequest]:
    """The requests in `actor`'s scope with all that a page about one of them shows besides its history."""
    return (
        visible_to(actor)  # type: ignore[no-redef]  # the prefetch fills the cached property `documents`
        .select_related(
            "applicant", "company", "office", "assigned_reviewer", "revision", "assessment", "decision", "proposal"
        )
        .prefetch_related(
            Prefetch("legs", queryset=Leg.objects.order_by("position")),
            Prefetch("attachments", queryset=Attachment.unscoped.filter(removed_at=None), to_attr="documents"),
            "clocks",
            Prefetch("appeals", queryset=Appeal.objects.select_related("office")),
        )
        # Nobody has the account 0: the system reads in no zone of its own.
        .annotate(reader_zone=Subquery(Preferences.objects.filter(user_id=actor.user_id or 0).values("time_zone")[:1]))
    )


SUMMARY = (
    "id",
    "created_at",
    "reference",
    "title",
    "applicant__name_zh",
    "applicant__name_en",
    "company__name_zh",
    "company__name_en",
    "state",
    "state_since",
    "purpose",
    "urgent",
    "tier",
    "departs_on",
    "returns_on",
    "due_at",
    "due_is_provisional",
)


def summaries(actor: Actor) -> Any:
    """What a list shows of each request in `actor`'s scope, as values: one query and no model instances."""
    return visible_to(actor).values(*SUMMARY)


def summary(row: dict[str, Any]) -> dict[str, Any]:
    """A row of `summaries` as it is given out: names put together, keys and cursor left out."""
    shown = {name: row[name] for name in SUMMARY if "__" not in name and name not in ("id", "created_at")}
    return shown | {
        "applicant": f"{row['applicant__name_zh']} {row['applicant__name_en']}".strip(),
        "company": row["company__name_zh"] if (get_language() or "").startswith("zh") else row["company__name_en"],
    }


# ── what the pages of the verbs show ────────────────────────────────────────────────────────────────────────────────


def latest_question(request: TravelRequest) -> InformationRequest | None:
    """What the office asked last; None when it never asked."""
    return InformationRequest.objects.filter(request=request).order_by("-at").first()


def specialists(request: TravelRequest, *, at: datetime) -> QuerySet[Office, Office]:
    """The specialist offices that can be asked about `request` at `at`: active, not its own, with a reviewer."""
    staffed = Posting.objects.in_force(at).filter(office=OuterRef("pk"), role=Role.REVIEWER)
    return Office.objects.filter(Exists(staffed), is_specialist=True, is_active=True).exclude(pk=request.office_id)


def open_consultation(request: TravelRequest) -> Consultation | None:
    """What a specialist office was asked and has not answered yet; None when there is nothing."""
    if request.consulted_at is None or request.opinion_at is not None:
        return None
    return Consultation.objects.filter(request=request, opinion=None).select_related("office").order_by("at").last()


def clearance_before_changes(decision: Decision) -> Decision:
    """The decision on the trip itself that `decision` goes back to: what it is, unless it accepts a change to the trip;
    then the one before it, and before all changes. On that the conditions hang."""
    accepts = Amendment.objects.filter(
        request=OuterRef("request"), state=AmendmentState.ACCEPTED, ended_at=OuterRef("at")
    )
    earlier = Decision.objects.filter(~Exists(accepts), request=decision.request_id, at__lte=decision.at)
    return earlier.order_by("-at", "-pk").first() or decision


def reply_to(proposal: Proposal) -> Reply | None:
    """What the applicant said to this proposal; None while there is nothing."""
    return Reply.objects.filter(proposal=proposal).first()


def reasons(codes: Sequence[str], *, request: TravelRequest, at: datetime) -> list[ReasonCode]:
    """These reason codes in the words that were in force for the office of `request` on its day of `at`."""
    return grounds.codes(codes, office_id=request.office_id, on=local_day(at, request.zone))


@dataclass(frozen=True, slots=True)
class Colleague:
    """A reviewer who can take a case, and how many cases they have open."""

    user_id: int
    number: str
    name: str
    open_cases: int


def reviewers_of(office_id: int, *, at: datetime) -> list[Colleague]:
    """The reviewers of an office at `at`, by officer number. One query."""
    load = (
        TravelRequest.unscoped.filter(assigned_reviewer=OuterRef("user_id"), state__in=WITH_AUTHORITY)
        .order_by()
        .values("assigned_reviewer")
        .annotate(open=Count("pk"))
        .values("open")
    )
    rows = (
        Posting.objects.in_force(at)
        .filter(office_id=office_id, role=Role.REVIEWER)
        .order_by("number")
        .values_list("user_id", "number", "user__name", Coalesce(Subquery(load), 0, output_field=IntegerField()))
    )
    return [Colleague(*row) for row in rows]


def reviewers_for(request: TravelRequest, *, at: datetime) -> list[Colleague]:
    """The reviewers who can be handed this case at `at`: not the applicant, nor those to whom it is closed or who
    extended its time, nor who is away."""
    apart = {request.applicant_user_id, *recused(request), *absences.in_force(request.office_id, Role.REVIEWER, at=at)}
    if request.extension_days:
        apart |= set(request.extensions.values_list("by_id", flat=True))
    return [one for one in reviewers_of(request.office_id, at=at) if one.user_id not in apart]


def chosen(actor: Actor, numbers: Sequence[str]) -> QuerySet[TravelRequest, TravelRequest]:
    """The requests with these numbers in `actor`'s scope, with what the rules look at and a list shows."""
    return (
        visible_to(actor)
        .filter(reference__in=numbers)
        .select_related("applicant", "company", "office", "decision")
        .prefetch_related("clocks", "appeals")
    )


# How far apart in days two trips to an event of the same name may begin and still be to the same event.
SAME_EVENT_DAYS = 45
TRAVELLERS_SHOWN = 50


def travellers_to_the_event(request: TravelRequest, actor: Actor) -> list[TravelRequest]:
    """Other trips to the same event that `actor` may see and that are asked for or cleared, those of the same company
    first. What was refused or taken back is not a traveller, and is not shown."""
    if not request.event_name or request.departs_on is None:
        return []
    span = timedelta(days=SAME_EVENT_DAYS)
    return list(
        visible_to(actor)
        .filter(
            event_name=request.event_name,
            departs_on__range=(request.departs_on - span, request.departs_on + span),
            state__in=HOLDS_ITS_DATES,
        )
        .exclude(pk=request.pk)
        .select_related("applicant", "company", "decision")
        .annotate(is_colleague=Q(company_id=request.company_id))
        .order_by("-is_colleague", "departs_on", "id")[:TRAVELLERS_SHOWN]
    )
