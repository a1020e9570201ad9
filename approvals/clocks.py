"""The arithmetic of time: which clock runs when, when it is due, what happens next. Pure: values in, values out.

How a day is counted, everywhere in this module:

* Days are days of the office's time zone (`calendar.zone`). The day of the event is day 0 and is not counted.
* A clock of n days is due at the end of its n-th counted day. `due_at` is that end, exclusive: the first instant of
  the next day. Pages show `last_day`, the day itself.
* A counted day is a working day (for clocks in days of the calendar: any day) on which the clock ran at some instant.
  So stopping a clock for a part of a day moves nothing; only whole working days that it stood still are added.
* A clock runs out only while it runs. When the day on which its time is used up was cut short by a stop, it is due at
  the end of the first working day from the one on which it starts again: never during the stop, never at once.
* Reminders go out at nine in the morning of the office; everything that runs out does so at the end of a day.

All datetimes are aware; those that come out are in UTC.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Protocol
from uuid import UUID

from django.db.models import TextChoices
from django.utils.translation import pgettext_lazy

from approvals.states import APPEALABLE, OPEN, WITH_AUTHORITY, WITH_CONDITIONS, State
from authorities.terms import COUNTS_WORKING_DAYS, DIFFERS_BY_TIER, ClockKind, Policy, Terms

MORNING = time(9)
URGENT_DAYS = 1

_DAY = timedelta(days=1)
_INSTANT = timedelta(microseconds=1)


class WorkingCalendar(Protocol):
    """An office's working days. `authorities.calendars.load` gives one."""

    @property
    def version(self) -> int: ...
    @property
    def zone(self) -> tzinfo: ...
    def is_working(self, day: date) -> bool: ...
    def is_provisional(self, day: date) -> bool: ...
    def add(self, day: date, n: int) -> date:
        """The n-th working day after `day`, n ≥ 1."""
        ...

    def between(self, after: date, until: date) -> int:
        """How many working days there are after `after` and up to `until`; 0 when `until` is not later."""
        ...

    def name_of(self, day: date) -> str:
        """What the day is called in the reader's language, such as the name of a holiday; empty for most."""
        ...


def add_working_days(calendar: WorkingCalendar, start: date, n: int) -> date:
    """The n-th working day after `start`, the day of the event, which is not counted. ValueError for n < 1."""
    if n < 1:
        raise ValueError("A clock has at least one day.")
    return calendar.add(start, n)


def working_days_between(calendar: WorkingCalendar, start: date, end: date) -> int:
    """How many working days there are after `start` up to and including `end`; 0 when `end` is not later."""
    return calendar.between(start, end)


def local_day(at: datetime, zone: tzinfo) -> date:
    """The day that `at` falls on in `zone`."""
    return at.astimezone(zone).date()


def start_of(day: date, zone: tzinfo) -> datetime:
    """The first instant of `day` in `zone`."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def end_of(day: date, zone: tzinfo) -> datetime:
    """The end of `day` in `zone`, exclusive: the first instant of the next day."""
    return start_of(day + _DAY, zone)


def morning_of(day: date, zone: tzinfo) -> datetime:
    """When people of the office are reminded on `day`."""
    return datetime.combine(day, MORNING, zone).astimezone(UTC)


def due_at(calendar: WorkingCalendar, event: datetime, n: int) -> datetime:
    """The end of the n-th working day after the day of `event`, exclusive. ValueError for n < 1."""
    return end_of(add_working_days(calendar, local_day(event, calendar.zone), n), calendar.zone)


# What a clock is made of


class Step(TextChoices):
    """What a clock does when its moment has come, mildest first: a later one makes the earlier ones pointless."""

    REMIND = "remind", pgettext_lazy("step", "Reminder")
    WARN = "warn", pgettext_lazy("step", "Warning before departure")
    OVERDUE = "overdue", pgettext_lazy("step", "Overdue: who owes it is told")
    TELL_OFFICE = "tell_office", pgettext_lazy("step", "Overdue: the office is told")
    FORWARD = "forward", pgettext_lazy("step", "Forwarded to the authority")
    LAPSE = "lapse", pgettext_lazy("step", "Lapse")
    OPEN_CONFIRMATION = "open_confirmation", pgettext_lazy("step", "Confirmation becomes possible")
    CLOSE_CONSULTATION = "close_consultation", pgettext_lazy("step", "The time for the opinion is over")
    CLOSE_APPEAL = "close_appeal", pgettext_lazy("step", "The time for an appeal is over")
    CLOSE = "close", pgettext_lazy("step", "Closed after the return")
    ESCALATE = "escalate", pgettext_lazy("step", "Escalated to a senior reviewer")
    ESCALATE_TO_HEAD = "escalate_to_head", pgettext_lazy("step", "Escalated to the head of office")
    REPORT_OVERDUE = "report_overdue", pgettext_lazy("step", "Overdue case reported to the head of office")
    DEEM_APPROVED = "deem_approved", pgettext_lazy("step", "Deemed approved")


_RANK = {step: rank for rank, step in enumerate(Step)}


@dataclass(frozen=True, slots=True)
class Interval:
    """A time in which a clock ran: from `start` (inclusive) to `end` (exclusive; None: it still runs)."""

    start: datetime
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """A step that was taken, and when."""

    step: Step
    at: datetime


def key_of(kind: str, subject: UUID | None) -> str:
    """What tells a running clock from the others of its request: its kind, and for those of which there are several
    what each is about."""
    return str(kind) if subject is None else f"{kind}:{subject}"


@dataclass(frozen=True, slots=True)
class Clock:
    """One clock of one request, as a value. It keeps the policy version with which it started."""

    kind: ClockKind
    policy_version: int
    """The id of the `ClockPolicy`."""
    calendar_version: int
    """The version of the calendar in which it counts."""
    calendar_checked: int
    """The newest version of the calendar that was looked at; see `settle`."""
    started_at: datetime
    intervals: tuple[Interval, ...]
    tier: str = ""
    """Empty on clocks that are the same for every tier."""
    urgent: bool = False
    anchor: date | None = None
    """The day of departure or return, for the clocks that wait for one; of a reply, the day that it ends before."""
    extension_days: int = 0
    steps_done: tuple[Done, ...] = ()
    ended_at: datetime | None = None
    id: UUID | None = None
    """The id of its row; None: has none yet."""
    subject: UUID | None = None
    """What it is about, for the kinds of which a request has several."""

    @property
    def key(self) -> str:
        """See `key_of`."""
        return key_of(self.kind.value, self.subject)

    @property
    def is_running(self) -> bool:
        """Whether time passes on it."""
        return self.ended_at is None and self.intervals[-1].end is None

    @property
    def is_stopped(self) -> bool:
        """Whether it stands still and can start again."""
        return self.ended_at is None and self.intervals[-1].end is not None


@dataclass(frozen=True, slots=True)
class Situation:
    """What the clocks need to know of a request, just after something happened to it at `at`."""

    state: State
    at: datetime
    tier: str = ""
    urgent: bool = False
    departure: date | None = None
    return_on: date | None = None
    subjects: Mapping[ClockKind, Mapping[UUID, date | None]] = field(default_factory=dict)
    """What waits for somebody of the kinds of which a request has several clocks, each with its day if it has one."""
    refusal_proposed: bool = False
    """A denial or revocation is proposed and the applicant has not replied yet."""
    consultation_open: bool = False
    """A specialist office was asked and has not answered yet."""
    amendment_open: bool = False
    """A change to the cleared trip waits for the office."""
    reply_ends_before: date | None = None
    """The day at whose beginning the time for a reply is over at the latest, if the journey sets one."""
    refused_in_part: bool = False
    """The clearance in force leaves a part of the trip out."""
    appeal_filed: bool = False
    """An appeal against the decision in force has been filed and was not withdrawn."""
    appeal_open: bool = False
    """It is filed or under review: the office that hears it has to decide."""


def _always(situation: Situation) -> bool:
    return True


def _never(situation: Situation) -> date | None:
    return None


def _is_refused(situation: Situation) -> bool:
    """Whether an appeal can be filed: against a refusal of the trip, or of a part of it."""
    return situation.state in APPEALABLE or situation.refused_in_part


@dataclass(frozen=True, slots=True)
class ClockRule:
    """A row of the rule book's table of clocks. How many days, and when to remind, is the policy's to say."""

    kind: ClockKind
    runs_in: frozenset[State]
    then: tuple[Step, ...]
    """What happens when it runs out, in order."""
    stopped_in: frozenset[State] = frozenset()
    """Where it stands still, if it was started; anywhere else it ends."""
    only_if: Callable[[Situation], bool] = _always
    waits_for: Callable[[Situation], date | None] = _never
    """The day of the journey that it waits for, instead of counting from its start; of a reply, that it ends before."""
    binds_applicant: bool = False
    """Whose time it is: in doubt an applicant has the later date, everybody else the earlier one."""

    def applies_to(self, situation: Situation) -> bool:
        """Whether the clock runs there."""
        return situation.state in self.runs_in and self.only_if(situation)


RULES: dict[ClockKind, ClockRule] = {
    rule.kind: rule
    for rule in (
        ClockRule(
            ClockKind.COMPANY,
            runs_in=frozenset({State.COMPANY_REVIEW}),
            then=(Step.FORWARD,),
        ),
        ClockRule(
            ClockKind.DECISION,
            runs_in=frozenset({State.AUTHORITY_REVIEW, State.DECISION_PROPOSED}),
            # Lapsed: for want of an answer. When it is reopened, the office has what it had left.
            stopped_in=frozenset({State.INFORMATION_REQUESTED, State.LAPSED}),
            then=(Step.ESCALATE, Step.ESCALATE_TO_HEAD, Step.REPORT_OVERDUE, Step.DEEM_APPROVED),
        ),
        ClockRule(
            ClockKind.ANSWER,
            runs_in=frozenset({State.INFORMATION_REQUESTED}),
            then=(Step.LAPSE,),
            binds_applicant=True,
        ),
        ClockRule(
            ClockKind.REPLY,
            # A revocation is proposed while the clearance is in force.
            runs_in=frozenset({State.DECISION_PROPOSED, State.APPROVED}),
            only_if=lambda situation: situation.refusal_proposed,
            waits_for=lambda situation: situation.reply_ends_before,
            then=(Step.OPEN_CONFIRMATION,),
            binds_applicant=True,
        ),
        ClockRule(
            ClockKind.CONSULTATION,
            # Beside the clock of the decision, which it does not stop.
            runs_in=WITH_AUTHORITY,
            only_if=lambda situation: situation.consultation_open,
            then=(Step.CLOSE_CONSULTATION,),
        ),
        ClockRule(
            ClockKind.CHANGE,
            runs_in=frozenset({State.RETURNED}),
            then=(Step.LAPSE,),
            binds_applicant=True,
        ),
        ClockRule(
            ClockKind.DRAFT,
            runs_in=frozenset({State.DRAFT}),
            then=(Step.LAPSE,),
            binds_applicant=True,
        ),
        ClockRule(
            ClockKind.APPEAL_FILING,
            runs_in=APPEALABLE | {State.APPROVED},
            only_if=lambda situation: _is_refused(situation) and not situation.appeal_filed,
            then=(Step.CLOSE_APPEAL,),
            binds_applicant=True,
        ),
        ClockRule(
            ClockKind.APPEAL,
            runs_in=APPEALABLE | {State.APPROVED},
            # From the day on which it is filed: that nobody takes it up is late, too.
            only_if=lambda situation: situation.appeal_open,
            then=(Step.ESCALATE, Step.ESCALATE_TO_HEAD),
        ),
        ClockRule(
            ClockKind.DEPARTURE,
            runs_in=OPEN,
            waits_for=lambda situation: situation.departure,
            then=(Step.WARN,),
        ),
        ClockRule(
            ClockKind.RETURN,
            runs_in=frozenset({State.APPROVED}),
            waits_for=lambda situation: situation.return_on,
            then=(Step.CLOSE,),
        ),
        # One for each condition; they outlive the trip. Nothing that a clock does touches the clearance.
        ClockRule(
            ClockKind.CONDITION,
            runs_in=WITH_CONDITIONS,
            then=(Step.OVERDUE, Step.TELL_OFFICE),
            binds_applicant=True,
        ),
        ClockRule(
            ClockKind.CONDITION_ANSWER,
            runs_in=WITH_CONDITIONS,
            then=(Step.ESCALATE, Step.ESCALATE_TO_HEAD),
        ),
        ClockRule(
            ClockKind.AMENDMENT,
            runs_in=frozenset({State.APPROVED}),
            only_if=lambda situation: situation.amendment_open,
            then=(Step.ESCALATE, Step.ESCALATE_TO_HEAD),
        ),
        # Windows: nothing happens when they close, except that a door is shut.
        ClockRule(
            ClockKind.REOPEN,
            runs_in=frozenset({State.LAPSED}),
            then=(),
            binds_applicant=True,
        ),
        ClockRule(
            ClockKind.REFER,
            runs_in=frozenset({State.COMPANY_DECLINED}),
            then=(),
            binds_applicant=True,
        ),
    )
}

_WAITS = frozenset({ClockKind.DEPARTURE, ClockKind.RETURN})
# One clock for each subject: a request has several.
OF_SUBJECTS = frozenset({ClockKind.CONDITION, ClockKind.CONDITION_ANSWER})


# Starting, stopping, ending


def advance(
    clocks: Iterable[Clock], situation: Situation, *, policy: Policy, calendar: WorkingCalendar
) -> tuple[Clock, ...]:
    """The clocks that change because the request is now in `situation`: started, stopped, resumed, ended, re-anchored.

    `clocks` are those of the request that have not ended; at most one of a kind and subject. Clocks that stay as they
    are are not returned; those without an `id` are new. New ones take `policy` and `calendar`; the others keep theirs.
    Called again with what it returned, it returns nothing.
    """
    running = [clock for clock in clocks if clock.ended_at is None]
    present = {clock.kind: clock for clock in running}
    changed: list[Clock] = []
    for kind, rule in RULES.items():
        if kind in OF_SUBJECTS:
            continue
        before = present.get(kind)
        if before is None and situation.state not in rule.runs_in:
            continue
        after = _next(rule, before, situation, policy, calendar)
        if after is not None and after is not before:
            changed.append(after)
    if situation.subjects or any(clock.subject for clock in running):
        changed += _of_subjects(running, situation, policy, calendar)
    return tuple(changed)


def _of_subjects(
    running: Iterable[Clock], situation: Situation, policy: Policy, calendar: WorkingCalendar
) -> Iterator[Clock]:
    """The clocks of subjects that change: one is started for each that waits, and ended when it does not any more."""
    for kind in sorted(OF_SUBJECTS):
        wanted = situation.subjects.get(kind, {}) if situation.state in RULES[kind].runs_in else {}
        held = {clock.subject: clock for clock in running if clock.kind is kind and clock.subject is not None}
        for subject, clock in held.items():
            if subject not in wanted:
                intervals = clock.intervals
                yield replace(
                    clock,
                    intervals=(*intervals[:-1], Interval(intervals[-1].start, situation.at)),
                    ended_at=situation.at,
                )
            elif clock.anchor != wanted[subject]:
                yield replace(clock, anchor=wanted[subject])
        for subject in wanted.keys() - held.keys():
            yield Clock(
                kind=kind,
                policy_version=policy.id,
                calendar_version=calendar.version,
                calendar_checked=calendar.version,
                started_at=situation.at,
                intervals=(Interval(situation.at),),
                urgent=situation.urgent and kind in COUNTS_WORKING_DAYS,
                anchor=wanted[subject],
                subject=subject,
            )


def _next(
    rule: ClockRule, clock: Clock | None, situation: Situation, policy: Policy, calendar: WorkingCalendar
) -> Clock | None:
    """The clock of this rule as it is now: `clock` itself where nothing changes, None where there is none."""
    anchor = rule.waits_for(situation)
    runs = rule.applies_to(situation) and (rule.kind not in _WAITS or anchor is not None)
    tier = situation.tier if rule.kind in DIFFERS_BY_TIER else ""
    urgent = situation.urgent and rule.kind in COUNTS_WORKING_DAYS
    if clock is None:
        if not runs:
            return None
        return Clock(
            kind=rule.kind,
            policy_version=policy.id,
            calendar_version=calendar.version,
            calendar_checked=calendar.version,
            started_at=situation.at,
            intervals=(Interval(situation.at),),
            tier=tier,
            urgent=urgent,
            anchor=anchor,
        )
    stays = runs or situation.state in rule.stopped_in
    intervals = clock.intervals
    if runs and clock.is_stopped:
        intervals = (*intervals, Interval(situation.at))
    elif not runs and clock.is_running:
        intervals = (*intervals[:-1], Interval(intervals[-1].start, situation.at))
    if not stays:
        return replace(clock, intervals=intervals, ended_at=situation.at)
    if (intervals, tier, urgent, anchor) == (clock.intervals, clock.tier, clock.urgent, clock.anchor):
        return clock
    return replace(clock, intervals=intervals, tier=tier, urgent=urgent, anchor=anchor)


def extend(clock: Clock, *, days: int, policy: Policy) -> Clock:
    """`clock` with `days` more. ValueError when it was extended before, or by more than its policy allows."""
    if clock.extension_days:
        raise ValueError("A clock is extended once.")
    if not 1 <= days <= policy.terms(clock.kind, clock.tier).extension:
        raise ValueError("The extension is longer than the policy allows.")
    return replace(clock, extension_days=days)


def acted(clock: Clock, step: Step, *, at: datetime) -> Clock:
    """`clock` after `step` was taken at `at`. Milder steps that were due by then are taken with it."""
    others = tuple(done for done in clock.steps_done if done.step != step)
    return replace(clock, steps_done=(*others, Done(step, at)))


# Reading


@dataclass(frozen=True, slots=True)
class ClockReading:
    """What a clock says. Days are in the clock's own unit: working days of the office, or days of the calendar."""

    days: int
    """How many days it has, with its extension."""
    used: int
    """Counted days until now, today included."""
    last_day: date | None
    """The day at whose end it is due, in the office's zone. None while it stands still with time left."""
    due_at: datetime | None
    """The end of `last_day`, exclusive. For a clock that waits for a day of the journey: the first instant of it."""
    next_step: Step | None
    """None: nothing more will happen by itself."""
    next_action_at: datetime | None
    is_provisional: bool
    """It reaches into a year whose calendar is not published; the date can still change."""

    @property
    def remaining(self) -> int:
        """Days left after today; on its last day 0; negative: days overdue."""
        return self.days - self.used

    @property
    def next_key(self) -> str:
        """A name for the next step and its moment that no other action of the clock has; empty when there is none."""
        if self.next_step is None or self.next_action_at is None:
            return ""
        return f"{self.next_step.value}:{self.next_action_at:%Y%m%dT%H%M}"

    def is_overdue(self, at: datetime) -> bool:
        """Whether it has run out by `at`."""
        return self.due_at is not None and self.due_at <= at


class _EveryDay:
    """The calendar of the clocks that count days of the calendar."""

    def add(self, day: date, n: int) -> date:
        return day + n * _DAY

    def between(self, after: date, until: date) -> int:
        return max(0, (until - after).days)


class _Counting(Protocol):
    def add(self, day: date, n: int) -> date: ...
    def between(self, after: date, until: date) -> int: ...


_EVERY_DAY = _EveryDay()


def evaluate(
    clock: Clock,
    *,
    policy: Policy,
    calendar: WorkingCalendar,
    state: State,
    at: datetime,
    checked: WorkingCalendar | None = None,
) -> ClockReading:
    """Read `clock` at `at`, with the request in `state`.

    `policy` and `calendar` are those of `clock.policy_version` and `clock.calendar_version`. `checked` is the calendar
    of `clock.calendar_checked`, when that is another: it knows which years are published since. Only `used` depends on
    `at`. An ended clock has no next step.
    """
    terms = policy.terms(clock.kind, clock.tier)
    if clock.kind in _WAITS:
        return _evaluate_waiting(clock, terms, calendar, at)
    if clock.kind is ClockKind.CONDITION:
        return _evaluate_day(clock, terms, calendar, at)
    counting: _Counting = calendar if clock.kind in COUNTS_WORKING_DAYS else _EVERY_DAY
    count = _Count(clock.intervals, counting, calendar.zone)
    days = (URGENT_DAYS if clock.urgent else terms.days) + clock.extension_days
    last_day = count.runs_out(days)
    if last_day is not None and clock.anchor is not None:
        last_day = min(last_day, clock.anchor - _DAY)
    pending: tuple[datetime, Step] | tuple[None, None] = (None, None)
    if clock.is_running and last_day is not None:
        ladder = _ladder(clock, terms, days, last_day, count, calendar, state)
        pending = next((entry for entry in ladder if not _is_done(clock, entry[1], entry[0])), pending)
    next_action_at, next_step = pending
    return ClockReading(
        days=days,
        used=count.used(local_day(at, calendar.zone)),
        last_day=last_day,
        due_at=end_of(last_day, calendar.zone) if last_day is not None else None,
        next_step=next_step,
        next_action_at=next_action_at,
        is_provisional=counting is calendar
        and _is_provisional(checked or calendar, count.event, last_day or count.event),
    )


def _evaluate_waiting(clock: Clock, terms: Terms, calendar: WorkingCalendar, at: datetime) -> ClockReading:
    """Departure: warns some days before. Return: closes so many days after. Both once."""
    if clock.anchor is None:
        raise ValueError(f"A clock of kind {clock.kind} waits for a day and has none.")
    zone = calendar.zone
    if clock.kind is ClockKind.DEPARTURE:
        due, step, scheduled = (
            start_of(clock.anchor, zone),
            Step.WARN,
            morning_of(clock.anchor - terms.days * _DAY, zone),
        )
    else:
        due = scheduled = start_of(clock.anchor + terms.days * _DAY, zone)
        step = Step.CLOSE
    pending = clock.is_running and not _is_done(clock, step, scheduled)
    begun, today = local_day(clock.started_at, zone), local_day(at, zone)
    return ClockReading(
        days=max(0, (clock.anchor - begun).days),
        used=max(0, (today - begun).days),
        last_day=clock.anchor,
        due_at=due,
        next_step=step if pending else None,
        # Asked for late: the warning is due at once.
        next_action_at=max(scheduled, clock.started_at) if pending else None,
        is_provisional=False,
    )


def _evaluate_day(clock: Clock, terms: Terms, calendar: WorkingCalendar, at: datetime) -> ClockReading:
    """A day by which something has to be done: reminders before it, told when it is over, the office some days later.

    What was scheduled before the clock began is left out, except that a day which is over is said at once.
    """
    if clock.anchor is None:
        raise ValueError(f"A clock of kind {clock.kind} waits for a day and has none.")
    zone, last = calendar.zone, clock.anchor
    over = end_of(last, zone)
    ladder = [(morning_of(last - before * _DAY, zone), Step.REMIND) for before in sorted(terms.remind_before)[::-1]]
    ladder = [entry for entry in ladder if entry[0] > clock.started_at]
    ladder += [(over, Step.OVERDUE), (end_of(last + terms.days * _DAY, zone), Step.TELL_OFFICE)]
    pending: tuple[datetime, Step] | tuple[None, None] = (None, None)
    if clock.is_running:
        pending = next((entry for entry in ladder if not _is_done(clock, entry[1], entry[0])), pending)
    begun, today = local_day(clock.started_at, zone), local_day(at, zone)
    return ClockReading(
        days=max(0, (last - begun).days),
        used=max(0, (today - begun).days),
        last_day=last,
        due_at=over,
        next_step=pending[1],
        next_action_at=max(pending[0], clock.started_at) if pending[0] is not None else None,
        is_provisional=False,
    )


def _is_done(clock: Clock, step: Step, scheduled: datetime) -> bool:
    """Whether `step`, or a graver one, was taken at or after the moment for which it is scheduled now.

    By the moment, because an extension or another tier moves a step into the future: then it is taken again.
    """
    return any(_RANK[done.step] >= _RANK[step] and done.at >= scheduled for done in clock.steps_done)


def _is_provisional(calendar: WorkingCalendar, first: date, last: date) -> bool:
    return calendar.is_provisional(last) or any(
        calendar.is_provisional(date(year, 12, 31)) for year in range(first.year, last.year)
    )


class _Count:
    """Counts the days on which a clock ran. Each day once, the day of the event never."""

    __slots__ = ("_counting", "_runs", "event")

    def __init__(self, intervals: Sequence[Interval], counting: _Counting, zone: tzinfo) -> None:
        self._counting = counting
        self.event = local_day(intervals[0].start, zone)
        # (begins, after, until): ran from the day `begins`; of its days those after `after` up to `until` are not
        # counted yet by an earlier run. `until` None: to this day.
        self._runs: list[tuple[date, date, date | None]] = []
        reached = self.event
        for interval in intervals:
            begins = local_day(interval.start, zone)
            if interval.end is None:
                self._runs.append((begins, max(reached, begins - _DAY), None))
            elif interval.end > interval.start:
                # What ran until midnight did not run on the day that begins then.
                until = local_day(interval.end - _INSTANT, zone)
                self._runs.append((begins, max(reached, begins - _DAY), until))
                reached = max(reached, until)

    def used(self, at: date) -> int:
        """How many days are counted up to and including the day `at`."""
        return sum(
            self._counting.between(after, at if until is None else min(until, at)) for _, after, until in self._runs
        )

    def nth(self, n: int) -> date | None:
        """The n-th counted day, n ≥ 1. None when the clock stands still before it."""
        _, day = self._reach(n)
        return day

    def runs_out(self, n: int) -> date | None:
        """The day at whose end n days are used up and the clock is running. None while it stands still before that."""
        index, day = self._reach(n)
        if day is None:
            return None
        for begins, _, until in self._runs[index:]:
            if begins > day:
                # Its last day was cut short by a stop: the day on which it starts again is the last one.
                day = self._counting.add(begins - _DAY, 1)
            if until is None or day < until:
                return day
        return None

    def _reach(self, n: int) -> tuple[int, date | None]:
        counted = 0
        for index, (_, after, until) in enumerate(self._runs):
            here = n if until is None else self._counting.between(after, until)
            if counted + here >= n:
                return index, self._counting.add(after, n - counted)
            counted += here
        return len(self._runs), None

    def ran_on(self, day: date) -> bool:
        """Whether the clock ran at some instant of `day`."""
        return any(begins <= day and (until is None or day <= until) for begins, _, until in self._runs)

    def was_cut_on(self, day: date) -> bool:
        """Whether the clock was stopped or started again on `day`."""
        return any(until == day or (begins == day and index > 0) for index, (begins, _, until) in enumerate(self._runs))


def _ladder(
    clock: Clock,
    terms: Terms,
    days: int,
    last_day: date,
    count: _Count,
    calendar: WorkingCalendar,
    state: State,
) -> Iterator[tuple[datetime, Step]]:
    """Every step of a running clock with the moment for which it is scheduled, in order."""
    zone = calendar.zone
    for mark in _reminder_days(terms, days):
        day = count.nth(mark)
        assert day is not None  # it comes before the last day, and there is one
        if day > last_day:
            break  # the journey cuts the time short
        yield morning_of(day, zone), Step.REMIND
    for step in RULES[clock.kind].then:
        if step is Step.ESCALATE_TO_HEAD:
            yield _end_of_days(count, days + terms.head_after, zone), step
        elif step is Step.REPORT_OVERDUE:
            # While an outcome is proposed nothing can be deemed approved: a person is about to decide.
            if not (terms.deem_approved and state is State.AUTHORITY_REVIEW):
                yield _next_report(clock, _end_of_days(count, days + terms.last_after, zone), calendar), step
        elif step is Step.DEEM_APPROVED:
            if terms.deem_approved and state is State.AUTHORITY_REVIEW:
                yield _end_of_days(count, days + terms.last_after, zone), step
        else:
            yield end_of(last_day, zone), step


def _reminder_days(terms: Terms, days: int) -> list[int]:
    """On the mornings of which counted days a clock of `days` reminds.

    At p %: the first day that begins with p % used. So many days before: so many before the last day. A clock too
    short for any of its reminders has one, on the morning of its last day: nothing lapses without.
    """
    marks = {days * percent // 100 + 1 for percent in terms.remind_at_percent}
    marks |= {days - before for before in terms.remind_before if days > before}
    if not marks and terms.remind_before:
        marks = {days}
    return sorted(marks)


def _end_of_days(count: _Count, n: int, zone: tzinfo) -> datetime:
    day = count.runs_out(n)
    assert day is not None  # only asked of a running clock
    return end_of(day, zone)


def _next_report(clock: Clock, first: datetime, calendar: WorkingCalendar) -> datetime:
    """The first morning of a working day after `first` and after the last report."""
    after = max([first, *(done.at for done in clock.steps_done if done.step is Step.REPORT_OVERDUE)])
    day = local_day(after, calendar.zone)
    if not calendar.is_working(day) or morning_of(day, calendar.zone) <= after:
        day = calendar.add(day, 1)
    return morning_of(day, calendar.zone)


# When a calendar changes


def settle(
    clock: Clock, *, counted_in: WorkingCalendar, newest: WorkingCalendar, policy: Policy, at: datetime
) -> Clock:
    """`clock` after a calendar was published or corrected: it counts in the calendar that is better for the applicant.

    An authority's or a company's clock takes the earlier date, an applicant's the later; with equal dates the newest
    calendar. What has run out by `at` stays run out. `counted_in` is the calendar of `clock.calendar_version`. A clock
    that stands still is compared as if it started again at `at`. Returns the clock unchanged when it has looked at
    `newest` before.
    """
    if clock.calendar_checked >= newest.version:
        return clock
    if clock.kind not in COUNTS_WORKING_DAYS or clock.calendar_version == newest.version:
        return replace(clock, calendar_version=newest.version, calendar_checked=newest.version)
    rule = RULES[clock.kind]
    running = clock
    if clock.is_stopped:
        running = replace(clock, intervals=(*clock.intervals, Interval(at)))
    state = next(iter(rule.runs_in))
    before = evaluate(running, policy=policy, calendar=counted_in, state=state, at=at).due_at
    after = evaluate(running, policy=policy, calendar=newest, state=state, at=at).due_at
    assert before is not None  # a running clock has a date
    assert after is not None
    worse = after < before if rule.binds_applicant else after > before
    revives = before <= at < after
    return replace(
        clock,
        calendar_version=clock.calendar_version if worse or revives else newest.version,
        calendar_checked=newest.version,
    )


# Explaining


class LineKind(TextChoices):
    """What some days did for a clock."""

    EVENT = "event", pgettext_lazy("days", "day of the event, not counted")
    COUNTED = "counted", pgettext_lazy("days", "counted")
    OFF = "off", pgettext_lazy("days", "not a working day")
    STOPPED = "stopped", pgettext_lazy("days", "the clock stood still")
    OVERDUE = "overdue", pgettext_lazy("days", "overdue")


@dataclass(frozen=True, slots=True)
class Line:
    """Days in a row that did the same for a clock."""

    kind: LineKind
    first: date
    last: date
    number: int
    """The number of the counted day `first`; 0 for days that are not counted."""
    name: str = ""
    """What the days are called in the reader's language, such as a holiday or a weekend day worked; mostly empty."""
    is_cut: bool = False
    """The clock ran for a part of this day only, which counts as a day."""
    is_provisional: bool = False

    @property
    def last_number(self) -> int:
        """The number of the counted day `last`; 0 for days that are not counted."""
        return self.number + (self.last - self.first).days if self.number else 0


def explain(
    clock: Clock,
    *,
    policy: Policy,
    calendar: WorkingCalendar,
    state: State,
    at: datetime,
    checked: WorkingCalendar | None = None,
) -> tuple[Line, ...]:
    """The arithmetic of `clock` from the day of the event to its last day; to today when it is overdue or stands still.

    Arguments as those of `evaluate`. Empty for a clock that waits for a day of the journey: there is nothing to count.
    """
    if clock.kind in _WAITS:
        return ()
    works = clock.kind in COUNTS_WORKING_DAYS
    count = _Count(clock.intervals, calendar if works else _EVERY_DAY, calendar.zone)
    last_day = evaluate(clock, policy=policy, calendar=calendar, state=state, at=at).last_day
    today = local_day(clock.ended_at or at, calendar.zone)
    end = today if last_day is None else last_day if clock.ended_at else max(last_day, today)
    lines: list[Line] = []
    number = 0
    for day in (count.event + n * _DAY for n in range((max(end, count.event) - count.event).days + 1)):
        kind = _kind_of(day, count, calendar, works, last_day)
        counted = kind in (LineKind.COUNTED, LineKind.OVERDUE)
        number += counted
        line = Line(
            kind=kind,
            first=day,
            last=day,
            number=number if counted else 0,
            name=calendar.name_of(day) if works and kind is not LineKind.EVENT else "",
            is_cut=counted and count.was_cut_on(day),
            is_provisional=works and (checked or calendar).is_provisional(day),
        )
        if lines and _joins(lines[-1], line):
            line = replace(lines.pop(), last=day)
        lines.append(line)
    return tuple(lines)


def _kind_of(day: date, count: _Count, calendar: WorkingCalendar, works: bool, last_day: date | None) -> LineKind:
    if day == count.event:
        return LineKind.EVENT
    if not count.ran_on(day):
        return LineKind.STOPPED
    if works and not calendar.is_working(day):
        return LineKind.OFF
    return LineKind.OVERDUE if last_day is not None and day > last_day else LineKind.COUNTED


def _joins(line: Line, next_line: Line) -> bool:
    if line.is_cut or next_line.is_cut or line.kind is LineKind.EVENT:
        return False
    if line.kind is LineKind.STOPPED is next_line.kind:
        return True
    return (line.kind, line.name, line.is_provisional) == (next_line.kind, next_line.name, next_line.is_provisional)


# As rows


def intervals_to_json(intervals: Iterable[Interval]) -> list[list[str | None]]:
    """[[from, until or None], …] in ISO 8601, for a JSON column."""
    return [[i.start.isoformat(), i.end.isoformat() if i.end else None] for i in intervals]


def intervals_from_json(rows: Iterable[Sequence[Any]]) -> tuple[Interval, ...]:
    """The reverse of `intervals_to_json`."""
    return tuple(
        Interval(datetime.fromisoformat(start), datetime.fromisoformat(end) if end else None) for start, end in rows
    )


def steps_to_json(steps: Iterable[Done]) -> list[list[str]]:
    """[[step, when], …], for a JSON column."""
    return [[done.step.value, done.at.isoformat()] for done in steps]


def steps_from_json(rows: Iterable[Sequence[str]]) -> tuple[Done, ...]:
    """The reverse of `steps_to_json`."""
    return tuple(Done(Step(step), datetime.fromisoformat(at)) for step, at in rows)
