"""What must be true of everything that was ever written, whoever acted and whatever the clocks did.

Each invariant is a function that reads the database afresh and says in sentences where it does not hold; empty: it
holds. They know nothing of how a simulation behaves, so they can look at any installation whose clocks were swept up to
`at`. `docs/planning.md` explains them.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

from django.db import connection
from django.db.models import Count, F, Q

from accounts.roles import Role
from approvals import timekeeping, workflow
from approvals.clocks import OF_SUBJECTS, Step, local_day
from approvals.models import Clock, ClockAction, CompanyReview, Decision, Proposal, TravelRequest
from approvals.states import FINAL, HOLDS_ITS_DATES, OPEN, State
from audit.models import Entry
from audit.verification import verify
from authorities.models import ReasonCode
from authorities.terms import ClockKind
from notifications.models import Notification, OutboxEvent

# Beat sweeps every minute.
_MINUTE = timedelta(minutes=1)
_SHOWN = 5
Invariant = Callable[[datetime], Iterator[str]]


def no_request_lost(at: datetime) -> Iterator[str]:
    """Every open request has a running clock of its own: somebody has until a day to act, and then a clock does."""
    of_the_state = Clock.objects.filter(ended_at=None).exclude(kind=ClockKind.DEPARTURE).values("request_id")
    lost = TravelRequest.unscoped.filter(state__in=sorted(OPEN)).exclude(pk__in=of_the_state)
    for reference, state in lost.values_list("reference", "state"):
        yield f"{reference} is in {state}, and no clock runs for it"


def states_add_up(at: datetime) -> Iterator[str]:
    """As many requests as were started, each in one state of the table."""
    started = Entry.objects.filter(verb="start").values("chain").distinct().count()
    by_state = Counter(dict(TravelRequest.unscoped.order_by().values_list("state").annotate(Count("pk"))))
    if by_state.total() != started or not set(by_state) <= set(State):
        yield f"{started} requests were started, the states hold {by_state.total()}: {dict(by_state)}"


def states_are_reached_by_the_table(at: datetime) -> Iterator[str]:
    """The history of each request walks through the transition table, in time, and ends in the state it is in."""
    now = dict(TravelRequest.unscoped.values_list("pk", "state"))
    table = workflow.transitions()
    entries = (
        Entry.objects.filter(chain__in=TravelRequest.unscoped.values("pk"))
        .order_by("chain", "sequence")
        .values_list("chain", "verb", "data__from", "data__to", "at")
    )
    for chain, history in groupby(entries.iterator(chunk_size=5000), key=itemgetter(0)):
        state, before = "", None
        for _chain, verb, source, target, moment in history:
            if before is not None and moment < before:
                yield f"{chain}: {verb} at {moment} comes after {before}"
            before = moment
            if target is None:
                continue  # beside the states: a document, an appeal
            row = table[verb].get(source) if verb in table else None
            begins = verb == "start" and not state
            if not begins and (source != state or row is None or target not in row.targets):
                yield f"{chain}: {verb} led from {source} to {target}, while it was in {state}"
            state = target
        if now.pop(chain) != state:
            yield f"{chain}: its history ends in {state}, which is not its state"
    for pk in now:
        yield f"{pk} has no history"


def audit_chains_verify(at: datetime) -> Iterator[str]:
    """Every entry of the log is what was written, none is missing."""
    if found := verify().first_break:
        yield str(found)


def actions_happen_once(at: datetime) -> Iterator[str]:
    """Each step of a clock is in the audit log as often as in the table of actions, at the same moment."""
    acted = Counter(ClockAction.objects.values_list("clock__request_id", "clock__kind", "step", "at").iterator())
    entries = Entry.objects.filter(actor_role=Role.SYSTEM, data__has_key="clock")
    said = Counter(entries.values_list("chain", "data__clock", "data__step", "at").iterator())
    for what, times in acted.items():
        if said[what] != times or times != 1:
            yield f"{what[0]}: {what[2]} of the {what[1]} clock, {times} actions at {what[3]}, {said[what]} in the log"
    for what in said.keys() - acted.keys():
        yield f"{what[0]}: {what[2]} of the {what[1]} clock is in the log at {what[3]} and was no action"


def actions_are_in_time(at: datetime) -> Iterator[str]:
    """No clock acts early, none more than a minute late: after its moment, or after the step that made it due."""
    late = (
        ClockAction.objects.filter(at__gt=F("scheduled_at") + _MINUTE)
        .order_by("pk")
        .values_list("clock__request_id", "step", "scheduled_at", "at")
    )
    for early in ClockAction.objects.filter(at__lt=F("scheduled_at")).values_list("step", "scheduled_at", "at"):
        yield "{} scheduled for {} was taken at {}".format(*early)
    for chain, step, scheduled, taken in late.iterator():
        moved = Entry.objects.filter(chain=chain, at__lte=taken, at__gte=taken - _MINUTE)
        if not moved.exclude(at=taken, actor_role=Role.SYSTEM).exists():
            yield f"{chain}: {step} scheduled for {scheduled} was taken at {taken}"


def nothing_due_is_left(at: datetime) -> Iterator[str]:
    """What was due before `at` has happened."""
    left = Clock.objects.filter(ended_at=None, next_action_at__lt=at - _MINUTE)
    for kind, step, due in left.values_list("kind", "next_step", "next_action_at"):
        yield f"{step} of a {kind} clock has been due since {due}"


def no_clock_failed(at: datetime) -> Iterator[str]:
    """No clock has an attempt behind it that the rules or the arithmetic failed on."""
    for kind, error in Clock.objects.filter(failures__gt=0).values_list("kind", "last_error"):
        yield f"a {kind} clock failed: {error}"


def final_states_have_no_clock(at: datetime) -> Iterator[str]:
    """Where nothing will happen any more, no clock is open but those of conditions, which outlive the trip."""
    found = Clock.objects.filter(ended_at=None, request__state__in=sorted(FINAL)).exclude(kind__in=OF_SUBJECTS)
    for reference, state, kind in found.values_list("request__reference", "request__state", "kind"):
        yield f"{reference} is {state}, and its {kind} clock is open"


def due_dates_are_the_arithmetic(at: datetime) -> Iterator[str]:
    """Every stored date is what `clocks.evaluate` says of the clock as it is read from the database now."""
    rows = Clock.objects.select_related("request__office").order_by("pk")
    for row in rows.iterator(chunk_size=2000):
        said = timekeeping.reading(row.request, row, at=at)
        due = said.due_at
        acts = None if row.ended_at else (said.next_action_at, said.next_step)
        if row.due_at != due:
            yield f"{row.request}: the {row.kind} clock says {row.due_at}, the arithmetic {due}"
        if acts and (row.next_action_at, row.next_step or None) != acts:
            yield f"{row.request}: the {row.kind} clock acts at {row.next_action_at}, by the arithmetic at {acts[0]}"


def requests_show_their_clocks_date(at: datetime) -> Iterator[str]:
    """The date that people see of a request is that of the clock that binds it."""
    rows = TravelRequest.unscoped.prefetch_related("clocks").order_by("pk")
    for request in rows.iterator(chunk_size=1000):
        first = next((request.running_clocks[k] for k in timekeeping.FIRST_OF if k in request.running_clocks), None)
        if request.due_at != (first.due_at if first else None):
            yield f"{request} shows {request.due_at}, its clock {first.due_at if first else None}"


def denials_have_two_people_and_a_reason(at: datetime) -> Iterator[str]:
    """Who denies or revokes is confirmed by somebody else, with reason codes that were in force on that day."""
    refused = Decision.objects.filter(outcome__in=["denied", "revoked"]).select_related("request__office")
    codes = list(ReasonCode.objects.select_related("instrument"))
    for decision in refused:
        on = local_day(decision.at, decision.request.zone)
        known = {code.code for code in codes if code.active_from <= on}
        if None in (decision.by_id, decision.confirmed_by_id) or decision.by_id == decision.confirmed_by_id:
            yield f"{decision.request} was {decision.outcome} by one person"
        if not decision.reason_codes or not set(decision.reason_codes) <= known:
            yield f"{decision.request} was {decision.outcome} without a reason code in force"
    decided = refused.filter(pk=F("request__decision_id")).values("request_id")
    for reference in TravelRequest.unscoped.filter(state__in=["denied", "revoked"]).exclude(pk__in=decided):
        yield f"{reference} is refused, and no decision says so"


def denials_were_heard(at: datetime) -> Iterator[str]:
    """Nobody was denied before they replied, or before the time to reply was over."""
    proposals = {
        proposal.request_id: proposal
        for proposal in Proposal.objects.filter(outcome="denied").select_related("reply").order_by("at")
    }
    for decision in Decision.objects.filter(outcome="denied"):
        proposal = proposals.get(decision.request_id)
        replied = getattr(proposal, "reply", None)
        over = proposal is not None and proposal.reply_until is not None and proposal.reply_until <= decision.at
        if not over and (replied is None or replied.at > decision.at):
            yield f"{decision.request_id} was denied unheard"


def clocks_deny_nothing(at: datetime) -> Iterator[str]:
    """What the system does leads to no denial and no revocation, however late a case is."""
    by_clock = Entry.objects.filter(actor_role=Role.SYSTEM, data__to__in=["denied", "revoked"])
    for chain, verb in by_clock.exclude(data__from=F("data__to")).values_list("chain", "verb"):
        yield f"{chain} was refused by a clock: {verb}"
    for pk in Decision.objects.filter(Q(by=None) | Q(deemed=True)).exclude(outcome="approved").values_list("pk"):
        yield f"decision {pk} was made by nobody"


def silent_companies_are_forwarded(at: datetime) -> Iterator[str]:
    """Where a company let its time pass, the office has the request, and the history says that it was silent."""
    over = Clock.objects.filter(kind=ClockKind.COMPANY, ended_at=None, due_at__lt=at - _MINUTE)
    for reference in over.values_list("request__reference", flat=True):
        yield f"{reference} still waits for a silent company"
    silent = Counter(CompanyReview.objects.filter(outcome="silent").values_list("request_id", flat=True))
    forwarded = Counter(
        ClockAction.objects.filter(step=Step.FORWARD).values_list("clock__request_id", flat=True).iterator()
    )
    for pk in silent.keys() | forwarded.keys():
        if silent[pk] != forwarded[pk]:
            yield f"{pk} was forwarded {forwarded[pk]} times, its company silent {silent[pk]} times"


def everything_is_told(at: datetime) -> Iterator[str]:
    """The outbox is empty, and there is one event for each entry of the log that people are told of."""
    for event, error in OutboxEvent.objects.filter(done_at=None).values_list("event", "last_error"):
        yield f"{event} is not told: {error or 'it waits'}"
    mails = Notification.objects.filter(done_at=None, next_attempt_at__lte=at)
    if waiting := mails.count():
        yield f"{waiting} mails wait"
    requests = TravelRequest.unscoped.values("pk")
    quiet = ("start", "attach", "remove_attachment")
    entries = Entry.objects.filter(chain__in=requests).exclude(verb__in=quiet)
    events = OutboxEvent.objects.filter(subject__in=requests)
    logged = Counter(entries.values_list("chain", "verb", "at").iterator())
    told = Counter(
        (chain, event.removeprefix("request."), when)
        for chain, event, when in events.values_list("subject", "event", "at").iterator()
    )
    for what in (logged - told) + (told - logged):
        yield f"{what[0]}: {what[1]} at {what[2]} is in the log {logged[what]} times, told {told[what]} times"


def notifications_come_once(at: datetime) -> Iterator[str]:
    """Nobody has the same notification twice on one channel."""
    twice = Notification.objects.values("event_id", "recipient_id", "channel").annotate(times=Count("pk"))
    for row in twice.order_by().filter(times__gt=1):
        yield f"{row['recipient_id']} was told of {row['event_id']} {row['times']} times by {row['channel']}"


def trips_do_not_overlap(at: datetime) -> Iterator[str]:
    """No two trips of one person that are asked for or cleared share a day."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.reference, b.reference FROM approvals_travelrequest a JOIN approvals_travelrequest b"
            " ON a.applicant_id = b.applicant_id AND a.id < b.id"
            " AND a.departs_on <= b.returns_on AND b.departs_on <= a.returns_on"
            " WHERE a.state = ANY(%(held)s) AND b.state = ANY(%(held)s)",
            {"held": sorted(HOLDS_ITS_DATES)},
        )
        for one, other in cursor.fetchall():
            yield f"{one} and {other} overlap"


INVARIANTS: tuple[Invariant, ...] = (
    no_request_lost,
    states_add_up,
    states_are_reached_by_the_table,
    audit_chains_verify,
    actions_happen_once,
    actions_are_in_time,
    nothing_due_is_left,
    no_clock_failed,
    final_states_have_no_clock,
    due_dates_are_the_arithmetic,
    requests_show_their_clocks_date,
    denials_have_two_people_and_a_reason,
    denials_were_heard,
    clocks_deny_nothing,
    silent_companies_are_forwarded,
    everything_is_told,
    notifications_come_once,
    trips_do_not_overlap,
)


def broken(at: datetime) -> dict[str, list[str]]:
    """The invariants that do not hold, by name, each with the first sentences that say where. `at` is the moment up to
    which the clocks were swept and people told."""
    found: dict[str, Any] = {each.__name__: list(islice(each(at), _SHOWN)) for each in INVARIANTS}
    return {name: sentences for name, sentences in found.items() if sentences}
