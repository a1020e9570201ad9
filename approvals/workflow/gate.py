"""The gate: the one way in which a request moves.

Transaction, locked fetch in the actor's scope, condition, permission, transition, clocks, audit entry, outbox row, one
write. The verbs beside this file say what they need checked and which rows they add; none of them writes by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

from django.db import models, transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

import audit
from accounts.refusals import Invalid, NotAllowed, NotFound, NotNow, Problem, Refused, Sentence
from accounts.roles import Actor, Role
from accounts.transitions import Row, table
from approvals import journal, queries, rules, timekeeping
from approvals.clocks import ClockReading
from approvals.models import (
    Clock,
    ClockAction,
    TravelRequest,
)
from approvals.states import WITH_AUTHORITY, State
from approvals.workflow.completeness import problems
from audit.rows import new
from authorities.terms import ClockKind
from notifications import outbox

# These take days for a trip that it did not hold before. They wait for each other where the applicant is the same, so
# that the later one can name the earlier; the exclusion constraint of the table is the net below.
CLAIMS_DAYS = frozenset({"submit", "reopen", "overturn", "amend", "accept_amendment", "report_change"})


@cache
def transitions() -> dict[str, dict[str, Row]]:
    """The transition table as declared on the model: verb → source state → row."""
    return table(TravelRequest, "state", State)


def _refusal(request: TravelRequest, verb: str, actor: Actor) -> Refused | None:
    transition = transitions()[verb].get(request.state)
    if transition is None:
        since = date_format(timezone.localtime(request.state_since, request.zone), "DATETIME_FORMAT")
        return NotNow(
            _("This cannot be done now: since %(since)s the request has been in the state “%(state)s”.")
            % {"since": since, "state": State(request.state).label}
        )
    if sentence := transition.permission.refusal(request, actor):
        return NotAllowed(sentence)
    for condition in transition.conditions:
        if sentence := condition.refusal(request):
            # What is missing is said at once, in one list.
            return Invalid(problems(request, at=request.now)) if condition is rules.is_complete else NotNow(sentence)
    return None


def _acting_role(request: TravelRequest, verb: str, actor: Actor) -> Role:
    """The role in which `actor` does `verb`: the first of the rule's roles that they hold."""
    scopes = {
        Role.APPLICANT: request.applicant_id,
        Role.OFFICER: request.company_id,
        Role.REVIEWER: request.office_id,
        Role.SENIOR: request.office_id,
        Role.SYSTEM: None,
    }
    for role in transitions()[verb][request.state].permission.roles:
        if role is Role.APPEAL_REVIEWER or actor.holds(role, scopes[role]):
            return role
    raise NotAllowed(_("You hold no role in which this can be done."))


# Verbs about something that belongs to a request and has states of its own, such as an appeal: the request stays where
# it is. Each says why `actor` may not do it now, or None.
BESIDE: dict[str, Callable[[TravelRequest, Actor], Refused | None]] = {}


def refusal(request: TravelRequest, verb: str, actor: Actor, *, at: datetime) -> Refused | None:
    """Why `actor` may not do `verb` to `request` at `at`, whatever the input; None when they may."""
    request.as_of(at)
    return BESIDE[verb](request, actor) if verb in BESIDE else _refusal(request, verb, actor)


def available_actions(actor: Actor, request: TravelRequest, *, at: datetime) -> list[str]:
    """The verbs that `actor` may do to `request` at `at`, in the order of the rule book; those beside the table last.
    Buttons are made from this."""
    return [verb for verb in (*transitions(), *BESIDE) if refusal(request, verb, actor, at=at) is None]


HistoryRow = TypeVar("HistoryRow", bound=models.Model)


@dataclass(slots=True)
class Taking:
    """One step being taken: what the verb adds to the request's history, and says of itself in the audit log."""

    request: TravelRequest
    actor: Actor
    at: datetime
    rows: list[models.Model] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)

    def add(self, model: type[HistoryRow], **values: Any) -> HistoryRow:
        """A row of the history, by the actor, now."""
        row: HistoryRow = new(model, request=self.request, at=self.at, by_id=self.actor.user_id, **values)
        self.rows.append(row)
        return row

    def grounds(self) -> dict[str, UUID]:
        """What is being decided on: the revision and the assessment in force."""
        assert self.request.revision_id is not None
        assert self.request.assessment_id is not None
        return {"revision_id": self.request.revision_id, "assessment_id": self.request.assessment_id}


Prepare = Callable[[Taking], Mapping[str, Any] | None]


def nothing(step: Taking) -> None:
    """For verbs that take no input."""


def move(verb: str, request_id: UUID, *, actor: Actor, at: datetime, prepare: Prepare = nothing) -> TravelRequest:
    """Take one step: the only place from which a transition is called.

    Transaction, locked fetch in the actor's scope, condition and permission, `prepare` (checks the input, makes the
    history rows, returns the arguments of the transition), transition, clocks, audit entry, outbox row, one write.
    """
    rules.moment_is_aware(at)
    with transaction.atomic():
        request = fetch(request_id, actor, at, claims_days=verb in CLAIMS_DAYS)
        return take_step(verb, request, actor=actor, at=at, prepare=prepare)


def fetch(request_id: UUID, actor: Actor, at: datetime, *, claims_days: bool = False) -> TravelRequest:
    request = queries.claim(actor, request_id, whole=claims_days)
    if request is None:
        raise NotFound(_("There is no such request, or it is not yours to see."))
    return request.as_of(at)


@dataclass(frozen=True, slots=True)
class Made:
    """A step that is taken in memory: the rows it changes, with what was stored of them, and those it adds."""

    changed: list[journal.Changed]
    added: list[models.Model]


def take_step(
    verb: str, request: TravelRequest, *, actor: Actor, at: datetime, prepare: Prepare = nothing
) -> TravelRequest:
    made = make_step(verb, request, actor=actor, at=at, prepare=prepare)
    journal.write(made.changed, made.added)
    outbox.hint()
    return request


def make_step(
    verb: str,
    request: TravelRequest,
    *,
    actor: Actor,
    at: datetime,
    prepare: Prepare = nothing,
    acted: ClockAction | None = None,
    then: ClockReading | None = None,
) -> Made:
    """Take the step in memory. `acted`, `then`: see `timekeeping.turn`."""
    if refusal := _refusal(request, verb, actor):
        raise refusal
    role = _acting_role(request, verb, actor)
    before, state = journal.stored(request), request.state
    step = Taking(request, actor, at)
    arguments = prepare(step) or {}
    getattr(request, verb)(**arguments)
    if request.state != state:
        request.state_since = at
        if request.state in WITH_AUTHORITY and request.reached_authority_at is None:
            request.reached_authority_at = at
    # What a clock does next depends on the state.
    clocks = timekeeping.turn(request, at=at, acted=acted, then=then if request.state == state else None)
    entry = audit.record(
        request,
        verb,
        actor_id=actor.user_id,
        actor_role=role,
        at=at,
        data={"from": state, "to": request.state} | step.data,
    )
    told = as_it_is(request, acted.clock if acted is not None and verb in _ABOUT_THEIR_CLOCK else None)
    event = outbox.emit(f"request.{verb}", subject=request.pk, at=at, data=told | step.data)
    rows = [*step.rows, *clocks.added, entry, event]
    return Made([*clocks.changed, (request, before)], rows if acted is None else [acted, *rows])


# A reminder speaks of the date of its own clock, which need not be the one that the request is known by.
_ABOUT_THEIR_CLOCK = frozenset({"remind", "escalate"})


def as_it_is(request: TravelRequest, about: Clock | None = None) -> dict[str, Any]:
    """What people are told of a step and may have changed by the time they are told: state, due date, officer."""
    due, is_provisional = request.due_at, request.due_is_provisional
    # By the days of the journey that a clock waits for nothing is due.
    if about is not None and about.kind not in (ClockKind.DEPARTURE, ClockKind.RETURN):
        due, is_provisional = about.due_at, about.is_provisional
    told: dict[str, Any] = {"state": request.state, "due": due.isoformat() if due else None}
    if due and is_provisional:
        told["provisional"] = True
    if request.assigned_number:
        told["officer"] = request.assigned_number
    if request.urgent:
        told["urgent"] = True
    return told


def required(value: str, name: str, message: Sentence) -> str:
    """The text without white space around it; Invalid at field `name` when nothing is left."""
    text = value.strip()
    if not text:
        raise Invalid([Problem("", name, message)])
    return text


def user_id_of(actor: Actor) -> int:
    """The account of a person who acts. The rules have let only a person come this far."""
    assert actor.user_id is not None
    return actor.user_id


def beside(
    verb: str,
    request: TravelRequest,
    *,
    actor: Actor,
    role: Role,
    at: datetime,
    data: dict[str, Any],
    change: Callable[[], None] | None = None,
) -> None:
    """Write what follows from something that happened beside the request's own state, and is written already.

    That is: what `change` changes in the request, its clocks, the audit entry, the outbox row.
    """
    before = journal.stored(request)
    if change is not None:
        change()
    request.__dict__.pop("open_appeal", None)  # read before it changed
    clocks = timekeeping.turn(request, at=at)
    entry = audit.record(request, verb, actor_id=actor.user_id, actor_role=role, at=at, data=data)
    event = outbox.emit(f"request.{verb}", subject=request.pk, at=at, data=as_it_is(request) | data)
    journal.write([*clocks.changed, (request, before)], [*clocks.added, entry, event])
    outbox.hint()
