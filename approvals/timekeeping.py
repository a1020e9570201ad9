"""Between the rows of the clocks and their arithmetic: loads values, asks `clocks.py`, stores what it says."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, TypedDict
from uuid import UUID

from django.db import models, transaction

from approvals import clocks, journal, rules
from approvals.models import Clock, ClockAction, TravelRequest
from approvals.models.appeal import OPEN_APPEAL, AppealState
from approvals.models.conditions import ConditionState
from approvals.states import WITH_CONDITIONS, State
from audit.rows import new
from authorities import calendars, policies
from authorities.terms import ClockKind, Policy

# Whose clock the due date of a request is, in each state: what the page says first, and what the inbox is sorted by.
FIRST_OF = (
    ClockKind.COMPANY,
    ClockKind.ANSWER,
    ClockKind.CHANGE,
    ClockKind.DECISION,
    ClockKind.REFER,
    ClockKind.DRAFT,
    ClockKind.REOPEN,
    ClockKind.APPEAL,
    ClockKind.APPEAL_FILING,
    ClockKind.AMENDMENT,
    ClockKind.REPLY,  # to a proposed revocation: while a denial is proposed, the decision has the date
)


class _Measures(TypedDict):
    """With what a clock is measured: the policy it started with and the calendar that it counts in."""

    policy: Policy
    calendar: clocks.WorkingCalendar
    checked: clocks.WorkingCalendar


def value_of(row: Clock) -> clocks.Clock:
    """The clock that `row` stores, as a value."""
    return clocks.Clock(
        id=row.pk,
        kind=ClockKind(row.kind),
        policy_version=row.policy_version,
        calendar_version=row.calendar_version,
        calendar_checked=row.calendar_checked,
        started_at=row.started_at,
        intervals=clocks.intervals_from_json(row.intervals),
        tier=row.tier,
        urgent=row.urgent,
        anchor=row.anchor,
        extension_days=row.extension_days,
        subject=row.subject,
        steps_done=clocks.steps_from_json(row.steps_done),
        ended_at=row.ended_at,
    )


def _store(value: clocks.Clock, row: Clock) -> None:
    row.kind = value.kind.value
    row.policy_version = value.policy_version
    row.calendar_version = value.calendar_version
    row.calendar_checked = value.calendar_checked
    row.started_at = value.started_at
    row.intervals = clocks.intervals_to_json(value.intervals)
    row.tier, row.urgent, row.anchor = value.tier, value.urgent, value.anchor
    row.extension_days = value.extension_days
    row.subject = value.subject
    row.steps_done = clocks.steps_to_json(value.steps_done)
    row.ended_at = value.ended_at


def _evaluate(value: clocks.Clock, request: TravelRequest, at: datetime) -> clocks.ClockReading:
    return clocks.evaluate(value, **_measures(value, request), state=State(request.state), at=at)


def _measures(value: clocks.Clock, request: TravelRequest) -> _Measures:
    return {
        "policy": policies.get(value.policy_version),
        "calendar": calendars.load(request.office_id, version=value.calendar_version),
        "checked": calendars.load(request.office_id, version=value.calendar_checked),
    }


def _store_reading(row: Clock, reading: clocks.ClockReading) -> None:
    row.due_at = reading.due_at
    row.is_provisional = reading.is_provisional
    row.next_step = reading.next_step.value if reading.next_step and row.ended_at is None else ""
    row.next_action_at = reading.next_action_at if row.ended_at is None else None


@dataclass(slots=True)
class Turned:
    """What a step does to the clocks of a request: rows to update (with what they held before) and rows to insert."""

    changed: list[tuple[models.Model, dict[str, Any]]] = field(default_factory=list)
    added: list[Clock] = field(default_factory=list)


def situation_of(request: TravelRequest, *, at: datetime) -> clocks.Situation:
    """What the clocks need to know of `request`, just after something happened to it at `at`."""
    appeals = request.appeals.all() if rules.refuses_something(request) else []
    against = [appeal for appeal in appeals if appeal.decision_id == request.decision_id]
    return clocks.Situation(
        state=State(request.state),
        at=at,
        tier=request.tier,
        urgent=request.urgent,
        departure=request.departs_on if request.submitted_at else None,
        return_on=request.returns_on if request.submitted_at else None,
        subjects=_subjects(request),
        refusal_proposed=(is_heard := _is_heard(request)) and request.replied_at is None,
        reply_ends_before=_reply_ends_before(request) if is_heard and request.state == State.APPROVED else None,
        amendment_open=request.open_amendment_id is not None,
        consultation_open=request.consulted_at is not None and request.opinion_at is None,
        refused_in_part=request.refused_in_part,
        appeal_filed=any(appeal.state != AppealState.WITHDRAWN for appeal in against),
        appeal_open=any(appeal.state in OPEN_APPEAL for appeal in against),
    )


def _is_heard(request: TravelRequest) -> bool:
    """Whether a refusal, or a revocation of the clearance in force, is proposed on which the applicant is heard."""
    if request.state == State.APPROVED:
        return request.revocation_proposed_by_id is not None and request.reply_until is not None
    return request.state == State.DECISION_PROPOSED and request.reply_until is not None


def _reply_ends_before(request: TravelRequest) -> date:
    """The day before departure, which is left for deciding; the day of departure where that left no working day."""
    assert request.departs_on is not None
    assert request.reply_until is not None
    eve = request.departs_on - timedelta(days=1)
    return eve if clocks.local_day(request.reply_until, request.zone) <= eve else request.departs_on


def _subjects(request: TravelRequest) -> dict[ClockKind, dict[UUID, date | None]]:
    """The conditions that wait for those who owe them, with their days, and those that wait for the office."""
    if not request.open_conditions or request.state not in WITH_CONDITIONS:
        return {}
    found = request.conditions_now
    return {
        ClockKind.CONDITION: {
            one.condition.pk: one.due_on for one in found if one.state == ConditionState.OPEN and one.due_on
        },
        ClockKind.CONDITION_ANSWER: {
            one.condition.pk: None for one in found if one.state == ConditionState.CANNOT_COMPLY
        },
    }


def turn(
    request: TravelRequest,
    *,
    at: datetime,
    acted: ClockAction | None = None,
    then: clocks.ClockReading | None = None,
) -> Turned:
    """Turn the clocks of `request` to where it is now, and set its due date. `acted`: the step of a clock just taken;
    `then`: what that clock says now unless the turn changes it, where that is known (`Due.then`).

    Nothing is saved: the caller writes what comes back, in the transaction in which it holds the lock on the request.
    """
    open_rows = request.running_clocks
    held = {kind: value_of(row) for kind, row in open_rows.items()}
    values = dict(held)
    retried: Clock | None = None
    after: clocks.Clock | None = None
    if acted is not None:
        kind, retried = next((kind, row) for kind, row in open_rows.items() if row.pk == acted.clock_id)
        values[kind] = after = clocks.acted(values[kind], clocks.Step(acted.step), at=at)
    decision = values.get(ClockKind.DECISION)
    if decision is not None and request.extension_days and not decision.extension_days:
        values[ClockKind.DECISION] = clocks.extend(
            decision, days=request.extension_days, policy=policies.get(decision.policy_version)
        )
    latest = dict(values)
    for value in clocks.advance(
        values.values(),
        situation_of(request, at=at),
        policy=policies.current(request.office_id, at),
        calendar=calendars.load(request.office_id),
    ):
        latest[value.key] = value
    if ClockKind.ANSWER in latest and ClockKind.ANSWER not in held:
        # As many days as the reviewer gave when asking, again when it is reopened.
        latest[ClockKind.ANSWER] = replace(latest[ClockKind.ANSWER], extension_days=request.answer_extra_days)
    turned = Turned()
    for kind, value in latest.items():
        row = open_rows.get(kind)
        if row is None:
            row = open_rows[kind] = new(Clock, request=request)
            turned.added.append(row)
        elif value is held[kind] and kind != ClockKind.DECISION:
            continue  # only what the decision's clock does next depends on the state of the request
        else:
            turned.changed.append((row, journal.stored(row)))
        if row is retried:
            row.failures, row.retry_at, row.last_error = 0, None, ""
        _store(value, row)
        _store_reading(row, then if then is not None and value is after else _evaluate(value, request, at))
    for kind in [kind for kind, row in open_rows.items() if row.ended_at is not None]:
        del open_rows[kind]
    _set_due(request)
    return turned


def _set_due(request: TravelRequest) -> None:
    """The due date of the request from its clocks: that of the first of `FIRST_OF` which it has."""
    open_rows = request.running_clocks
    first = next((open_rows[kind] for kind in FIRST_OF if kind in open_rows), None)
    request.due_at = first.due_at if first else None
    request.due_is_provisional = first.is_provisional if first else False


@dataclass(frozen=True, slots=True)
class Moved:
    """A clock whose date changed because working days were published. Both moments are ends of a day, exclusive."""

    kind: ClockKind
    was: datetime
    now: datetime


def settle(request: TravelRequest, *, version: int, at: datetime) -> tuple[Turned, list[Moved]]:
    """Let the clocks of `request` look at the calendar of this version, the newest.

    Each then counts in the calendar that is better for the applicant (`clocks.settle`).

    Returns the rows to update, and the clocks whose date moved. Nothing is saved: the caller holds the lock on the
    request and writes what comes back together with the request, whose due date is set.
    """
    newest = calendars.load(request.office_id, version=version)
    turned, moved = Turned(), []
    for kind, row in request.running_clocks.items():
        value = value_of(row)
        if value.calendar_checked >= newest.version:
            continue
        settled = clocks.settle(
            value,
            counted_in=calendars.load(request.office_id, version=value.calendar_version),
            newest=newest,
            policy=policies.get(value.policy_version),
            at=at,
        )
        turned.changed.append((row, journal.stored(row)))
        was, row.calendar_version, row.calendar_checked = row.due_at, settled.calendar_version, settled.calendar_checked
        _store_reading(row, _evaluate(settled, request, at))
        if was is not None and row.due_at is not None and row.due_at != was:
            moved.append(Moved(ClockKind(row.kind), was, row.due_at))
            if kind == ClockKind.REPLY and request.reply_until is not None:
                request.reply_until = row.due_at
    _set_due(request)
    return turned, moved


def reading(request: TravelRequest, row: Clock, *, at: datetime) -> clocks.ClockReading:
    """What the clock in `row` says at `at`: days used and left, the last day, what happens next."""
    return _evaluate(value_of(row), request, at)


def explain(request: TravelRequest, row: Clock, *, at: datetime) -> tuple[clocks.Line, ...]:
    """The arithmetic of the clock in `row`, line by line, until its last day or `at`."""
    value = value_of(row)
    return clocks.explain(value, **_measures(value, request), state=State(request.state), at=at)


def _days(request: TravelRequest, kind: ClockKind, at: datetime) -> int:
    policy: Policy = policies.current(request.office_id, at)
    return clocks.URGENT_DAYS if request.urgent else policy.terms(kind).days


def reply_until(request: TravelRequest, *, at: datetime) -> datetime:
    """The end (exclusive) of the window in which the applicant can reply to a denial proposed at `at`."""
    return clocks.due_at(calendars.load(request.office_id), at, _days(request, ClockKind.REPLY, at))


def answer_in_appeal_until(request: TravelRequest, *, at: datetime) -> datetime:
    """The end (exclusive) of the days that the applicant has for what an appeal reviewer asks at `at`."""
    return clocks.due_at(calendars.load(request.office_id), at, _days(request, ClockKind.ANSWER, at))


def reply_to_revocation_until(request: TravelRequest, *, at: datetime) -> datetime:
    """The end (exclusive) of the window in which the applicant can reply to a revocation proposed at `at`.

    As long as for a denial, but over when the day before departure begins: that day is left for deciding. Where this
    would leave less than a whole working day the window stays open until the departure, and then only a reply makes
    the confirmation possible: nobody is unheard because the proposal came late.
    """
    assert request.departs_on is not None
    eve = clocks.start_of(request.departs_on - timedelta(days=1), request.zone)
    if clocks.due_at(calendars.load(request.office_id), at, 1) > eve:
        return min(reply_until(request, at=at), clocks.start_of(request.departs_on, request.zone))
    return min(reply_until(request, at=at), eve)


def answer_days(request: TravelRequest, *, at: datetime) -> int:
    """How many working days the office's policy gives the applicant to answer what is asked at `at`."""
    return _days(request, ClockKind.ANSWER, at)


def longest_extension(request: TravelRequest) -> int:
    """By how many working days the policy of the running decision clock lets it be extended; 0 when none runs."""
    row = request.running_clocks.get(ClockKind.DECISION)
    return policies.get(row.policy_version).terms(ClockKind.DECISION, row.tier).extension if row else 0


def appeal_until(request: TravelRequest, *, at: datetime) -> date:
    """The last day on which an appeal against a decision of `at` can be filed, in the office's time zone."""
    terms = policies.current(request.office_id, at).terms(ClockKind.APPEAL_FILING)
    return clocks.local_day(at, request.zone) + timedelta(days=terms.days)


@dataclass(frozen=True, slots=True)
class Due:
    """A step of a clock that is due."""

    step: clocks.Step
    scheduled: datetime
    then: clocks.ClockReading | None = None
    """What the clock says once the step is taken, as long as nothing else changes it; None: nobody asked it yet."""


def step_due(request: TravelRequest, row: Clock, *, at: datetime) -> Due:
    """The gravest step of the clock in `row` that is due at `at`, and the moment it was scheduled for.

    What is due first is in the row; the arithmetic says whether graver steps have become due meanwhile. LookupError
    when nothing is due.
    """
    if not row.next_step or row.next_action_at is None or row.next_action_at > at:
        raise LookupError("nothing is due")
    value, step, scheduled, found = value_of(row), clocks.Step(row.next_step), row.next_action_at, None
    while step not in clocks.RULES[value.kind].then[-1:]:  # nothing is graver than the last
        value = clocks.acted(value, step, at=scheduled)
        found = _evaluate(value, request, at)
        if found.next_step is None or found.next_action_at is None or found.next_action_at > at:
            break
        # What was scheduled by now is over with this one, so what comes next comes after `at`, whenever it was taken.
        step, scheduled, found = found.next_step, found.next_action_at, None
    return Due(step, scheduled, found)


_RETRY = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=6))


def note_failure(clock_id: UUID, error: BaseException, *, at: datetime) -> None:
    """Keep with the clock that acting on it failed, and when to try again: at growing distances, six hours at most."""
    with transaction.atomic():
        row = Clock.objects.select_for_update(no_key=True).get(pk=clock_id)
        row.retry_at = at + _RETRY[min(row.failures, len(_RETRY) - 1)]
        row.failures += 1
        # What the database refuses in a text must not keep it from knowing what is wrong.
        row.last_error = f"{type(error).__name__}: {error}".replace("\0", "\N{REPLACEMENT CHARACTER}")[:2000]
        row.save(update_fields=["failures", "retry_at", "last_error"])


@dataclass(frozen=True, slots=True)
class Forecast:
    """The last days by which something happens to a request that is submitted now, in the office's time zone."""

    company_by: date | None
    """None: the company is not asked, because the trip is urgent humanitarian."""
    decision_by: date
    """With everybody using all of their time, and nothing asked in between."""
    is_provisional: bool
    """It reaches into a year whose calendar is not published; the days can still change."""


def forecast(request: TravelRequest, *, tier: str, at: datetime) -> Forecast:
    """By when the company reviews and the office decides, if `request` is submitted at `at` and has `tier`."""
    calendar, zone = calendars.load(request.office_id), request.zone
    company_by, begins = None, at
    if not request.urgent:
        begins = clocks.due_at(calendar, at, _days(request, ClockKind.COMPANY, at))
        company_by = clocks.local_day(begins - timedelta(microseconds=1), zone)
    policy: Policy = policies.current(request.office_id, at)
    days = clocks.URGENT_DAYS if request.urgent else policy.terms(ClockKind.DECISION, tier).days
    decision_by = clocks.add_working_days(calendar, clocks.local_day(begins, zone), days)
    reached = (company_by or decision_by, decision_by)
    return Forecast(company_by, decision_by, is_provisional=any(map(calendar.is_provisional, reached)))
