"""Every clock against an oracle that goes day by day and knows nothing of how `clocks.py` counts.

Ten years, pauses, extensions, urgent cases, offices from Honolulu to Kiritimati, with summer times and half hours; the
whole ladder of reminders and escalations; and what a newly published calendar does. What the rule book says by example
is in `test_clocks.py`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings as django_settings
from hypothesis import given, settings
from hypothesis import strategies as st

from approvals import clocks
from approvals.clocks import Clock, Done, Interval, Step
from approvals.states import State
from authorities.calendars import from_library, is_announced
from authorities.terms import COUNTS_WORKING_DAYS, RULE_BOOK, ClockKind, Policy, Terms
from authorities.working_days import SpecialDay, WorkingDays
from config.celery import app
from tests.approvals.test_clocks import POLICY

YEARS = range(2018, 2028)
ZONES = [
    ZoneInfo(name)
    for name in (
        "Asia/Shanghai",
        "Asia/Urumqi",
        "America/New_York",
        "Pacific/Honolulu",
        "Pacific/Kiritimati",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
        "America/Sao_Paulo",
        "Europe/London",
    )
]
DAY = timedelta(days=1)
# Those that count days. The two that wait for a day of the journey have nothing to count.
KINDS = [kind for kind in ClockKind if kind not in (ClockKind.DEPARTURE, ClockKind.RETURN, ClockKind.CONDITION)]


@cache
def special() -> dict[date, SpecialDay]:
    return {day.day: day for year in YEARS for day in from_library(year)}


@cache
def china(zone: ZoneInfo) -> WorkingDays:
    return calendar(zone, {})


def calendar(zone: ZoneInfo, changes: dict[date, bool], *, version: int = 1) -> WorkingDays:
    changed = [SpecialDay(day, is_working) for day, is_working in changes.items()]
    return WorkingDays(
        version=version,
        zone=zone,
        special=[*special().values(), *changed],
        published=[year for year in YEARS if is_announced(from_library(year))],
    )


# ── the oracle ──────────────────────────────────────────────────────────────────────────────────────────────────────


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a day. UTC, because two aware times of one zone are compared by their clocks on the wall."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


class Oracle:
    """Walks from the day of the event, looking at every interval on every day."""

    def __init__(self, value: Clock, zone: ZoneInfo, changes: dict[date, bool], *, counts_working_days: bool) -> None:
        self.value, self.zone, self.changes, self.works_matter = value, zone, changes, counts_working_days
        self.event = value.intervals[0].start.astimezone(zone).date()

    def works(self, day: date) -> bool:
        known = special().get(day)
        return self.changes.get(day, known.is_working if known else day.weekday() < 5)

    def counts(self, day: date) -> bool:
        return self.works(day) if self.works_matter else True

    def ran(self, day: date) -> bool:
        begins, ends = midnight(day, self.zone), midnight(day + DAY, self.zone)
        return any(
            i.start < ends and (i.end is None or (i.end > begins and i.end > i.start)) for i in self.value.intervals
        )

    def runs_at_the_end_of(self, day: date) -> bool:
        ends = midnight(day + DAY, self.zone)
        return any(i.start < ends and (i.end is None or i.end > ends) for i in self.value.intervals)

    def days(self) -> Iterator[tuple[date, int]]:
        """Each day after the event, with how many are used by its end."""
        used, day = 0, self.event
        for _day in range(1500):
            day += DAY
            used += self.counts(day) and self.ran(day)
            yield day, used

    def used(self, until: date) -> int:
        return max((used for day, used in self.days() if day <= until), default=0)

    def last_day(self, n: int) -> date | None:
        return next(
            (day for day, used in self.days() if self.counts(day) and used >= n and self.runs_at_the_end_of(day)), None
        )

    def nth(self, n: int) -> date | None:
        return next((day for day, used in self.days() if used == n), None)

    def ladder(self, terms: Terms, n: int, state: State) -> list[tuple[datetime, Step]]:
        """What happens to a clock that runs on and is never acted upon, the daily reports left out after the first."""
        last = self.last_day(n)
        if last is None or self.value.intervals[-1].end is not None:
            return []
        marks = {n * percent // 100 + 1 for percent in terms.remind_at_percent}
        marks |= {n - before for before in terms.remind_before if n - before > 0}
        if terms.remind_before and not marks:
            marks = {n}
        found = [(self.morning(self.nth(mark)), Step.REMIND) for mark in sorted(marks)]
        due = midnight(last + DAY, self.zone)
        if self.value.kind is not ClockKind.DECISION:
            later = self.end(self.last_day(n + terms.head_after))
            steps = clocks.RULES[self.value.kind].then
            return found + [(later if step is Step.ESCALATE_TO_HEAD else due, step) for step in steps]
        found.append((due, Step.ESCALATE))
        found.append((self.end(self.last_day(n + terms.head_after)), Step.ESCALATE_TO_HEAD))
        worst = self.end(self.last_day(n + terms.last_after))
        if terms.deem_approved and state is State.AUTHORITY_REVIEW:
            return [*found, (worst, Step.DEEM_APPROVED)]
        day = worst.astimezone(self.zone).date()
        while not self.works(day):
            day += DAY
        return [*found, (self.morning(day), Step.REPORT_OVERDUE)]

    def morning(self, day: date | None) -> datetime:
        assert day is not None
        return datetime.combine(day, time(9), self.zone).astimezone(UTC)

    def end(self, day: date | None) -> datetime:
        assert day is not None
        return midnight(day + DAY, self.zone)


# ── what is tried ───────────────────────────────────────────────────────────────────────────────────────────────────


@st.composite
def stretches(draw: st.DrawFn, zone: ZoneInfo) -> tuple[Interval, ...]:
    """A clock that starts some time in ten years and is stopped and started up to five times."""
    moments = [draw(st.datetimes(datetime(2018, 1, 2), datetime(2027, 3, 1), timezones=st.just(UTC)))]
    gaps = st.one_of(
        st.timedeltas(timedelta(0), timedelta(hours=20)),
        st.timedeltas(timedelta(hours=12), timedelta(days=14)),
        st.sampled_from([timedelta(0), timedelta(microseconds=1)]),
        st.just(None),  # exactly to the next midnight
    )
    for gap in draw(st.lists(gaps, max_size=10)):
        following = midnight(moments[-1].astimezone(zone).date() + DAY, zone)
        moments.append(following if gap is None else moments[-1] + gap)
    made = [Interval(start, end) for start, end in pairwise([*moments, None])]  # type: ignore[arg-type]
    return tuple(made[::2])


@st.composite
def running(draw: st.DrawFn) -> tuple[Clock, WorkingDays, Policy]:
    """A clock of some kind, in some zone, with some terms, stopped and started, extended, urgent."""
    zone, kind = draw(st.sampled_from(ZONES)), draw(st.sampled_from(KINDS))
    tier = draw(st.sampled_from(["", "fast", "standard", "heightened"])) if kind is ClockKind.DECISION else ""
    terms = replace(
        RULE_BOOK[kind, tier],
        days=draw(st.integers(1, 25) if kind in COUNTS_WORKING_DAYS else st.integers(1, 100)),
        head_after=draw(st.integers(1, 3)),
        last_after=draw(st.integers(4, 7)),
    )
    value = Clock(
        kind=kind,
        policy_version=7,
        calendar_version=1,
        calendar_checked=1,
        started_at=datetime(2018, 1, 1, tzinfo=UTC),
        intervals=draw(stretches(zone)),
        tier=tier,
        urgent=draw(st.booleans()) and kind in COUNTS_WORKING_DAYS,
        extension_days=draw(st.integers(0, 10)) if kind is ClockKind.DECISION else 0,
    )
    value = replace(value, started_at=value.intervals[0].start)
    return value, china(zone), Policy(7, 1, POLICY.effective_from, {**RULE_BOOK, (kind, tier): terms})


def days_of(value: Clock, policy: Policy) -> int:
    return (1 if value.urgent else policy.terms(value.kind, value.tier).days) + value.extension_days


def oracle_of(value: Clock, zone: ZoneInfo, changes: dict[date, bool] | None = None) -> Oracle:
    return Oracle(value, zone, changes or {}, counts_working_days=value.kind in COUNTS_WORKING_DAYS)


# ── the properties ──────────────────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=200, deadline=None)
@given(tried=running(), later=st.timedeltas(timedelta(0), timedelta(days=80)))
def test_days_used_and_the_last_day(tried: tuple[Clock, WorkingDays, Policy], later: timedelta) -> None:
    value, in_force, policy = tried
    zone, now = in_force.zone, value.started_at + later
    reading = clocks.evaluate(value, policy=policy, calendar=in_force, state=State.AUTHORITY_REVIEW, at=now)
    oracle = oracle_of(value, zone)
    assert reading.days == days_of(value, policy)
    assert reading.last_day == oracle.last_day(reading.days)
    assert reading.used == oracle.used(now.astimezone(zone).date())
    if reading.last_day is None:
        assert reading.due_at is None
        return
    assert reading.due_at == midnight(reading.last_day + DAY, zone)
    span = range(oracle.event.year, reading.last_day.year + 1)
    assert reading.is_provisional == (value.kind in COUNTS_WORKING_DAYS and any(year > 2026 for year in span))


@settings(max_examples=200, deadline=None)
@given(tried=running(), state=st.sampled_from([State.AUTHORITY_REVIEW, State.DECISION_PROPOSED]))
def test_the_whole_ladder(tried: tuple[Clock, WorkingDays, Policy], state: State) -> None:
    """Taken the moment it is due, each step comes once and in order; reminders of one morning are one."""
    value, in_force, policy = tried
    expected = oracle_of(value, in_force.zone).ladder(
        policy.terms(value.kind, value.tier), days_of(value, policy), state
    )
    taken: list[tuple[datetime, Step]] = []
    while len(taken) < 20:
        reading = clocks.evaluate(value, policy=policy, calendar=in_force, state=state, at=value.started_at)
        if reading.next_step is None or reading.next_action_at is None:
            break
        if (reading.next_step, Step.REPORT_OVERDUE) == (Step.REPORT_OVERDUE, taken[-1][1] if taken else None):
            break
        taken.append((reading.next_action_at, reading.next_step))
        value = clocks.acted(value, reading.next_step, at=reading.next_action_at)
    # Where pauses brought a reminder and what is graver to one moment, or past it, the graver one takes it along.
    seen: list[tuple[datetime, Step]] = []
    grave = list(Step).index
    for moment, step in expected:
        if not any(later > moment or (later == moment and grave(one) >= grave(step)) for later, one in seen):
            seen.append((moment, step))
    assert taken == seen


@settings(max_examples=150, deadline=None)
@given(tried=running(), changed=st.lists(st.tuples(st.integers(0, 60), st.booleans()), max_size=12), data=st.data())
def test_a_newly_published_calendar(
    tried: tuple[Clock, WorkingDays, Policy], changed: list[tuple[int, bool]], data: st.DataObject
) -> None:
    """The applicant's time is never shorter by it, everybody else's never longer; what has run out stays run out."""
    value, before, policy = tried
    zone, n = before.zone, days_of(value, policy)
    value = replace(value, intervals=(*value.intervals[:-1], Interval(value.intervals[-1].start)))
    start = value.started_at.astimezone(zone).date()
    changes = {start + n * DAY: is_working for n, is_working in changed}
    newest = calendar(zone, changes, version=2)
    now = value.intervals[-1].start + data.draw(st.timedeltas(timedelta(0), timedelta(days=60)))
    settled = clocks.settle(value, counted_in=before, newest=newest, policy=policy, at=now)
    counted_in = newest if settled.calendar_version == 2 else before
    due = clocks.evaluate(
        settled, policy=policy, calendar=counted_in, checked=newest, state=State.AUTHORITY_REVIEW, at=now
    ).due_at
    old, new = (oracle_of(value, zone, known).last_day(n) for known in ({}, changes))
    assert old is not None
    assert new is not None
    old_due, new_due = midnight(old + DAY, zone), midnight(new + DAY, zone)
    better = max(old_due, new_due) if clocks.RULES[value.kind].binds_applicant else min(old_due, new_due)
    assert due == (old_due if old_due <= now < better else better)
    assert not (old_due <= now < due)  # never un-overdue
    assert settled.calendar_checked == 2
    assert clocks.settle(settled, counted_in=counted_in, newest=newest, policy=policy, at=now + DAY) is settled


@settings(max_examples=200, deadline=None)
@given(tried=running(), outage=st.timedeltas(timedelta(0), timedelta(days=40)))
def test_after_an_outage_every_step_that_was_missed_is_taken_along(
    tried: tuple[Clock, WorkingDays, Policy], outage: timedelta
) -> None:
    """Acted on late, a clock has nothing left that was due before; what comes next lies ahead."""
    value, in_force, policy = tried
    now = value.intervals[-1].start + outage
    due: list[Done] = []
    while True:
        reading = clocks.evaluate(value, policy=policy, calendar=in_force, state=State.AUTHORITY_REVIEW, at=now)
        if reading.next_step is None or reading.next_action_at is None or reading.next_action_at > now:
            break
        due.append(Done(reading.next_step, reading.next_action_at))
        value = clocks.acted(value, reading.next_step, at=now)
        assert len(due) <= 12
    # Taken at once, the gravest step leaves nothing of the milder ones; so at most one of a rank is taken.
    assert len({one.step for one in due}) == len(due)


@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_two_seconds_around_midnight_are_another_day(zone: ZoneInfo) -> None:
    """23:59:59 and 00:00:01 of the office's zone."""

    def last_day(moment: datetime) -> date | None:
        value = Clock(ClockKind.COMPANY, 7, 1, 1, moment, (Interval(moment),))
        return clocks.evaluate(
            value, policy=POLICY, calendar=china(zone), state=State.COMPANY_REVIEW, at=moment
        ).last_day

    before = datetime(2026, 3, 3, 23, 59, 59, tzinfo=zone)
    assert last_day(before) == date(2026, 3, 6)
    assert last_day(before + timedelta(seconds=2)) == date(2026, 3, 9)


@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_twenty_working_days_from_10_february_2026(zone: ZoneInfo) -> None:
    assert china(zone).add(date(2026, 2, 10), 20) == date(2026, 3, 16)


def test_nothing_after_2026_is_certain() -> None:
    assert all(china(ZONES[0]).is_provisional(date(year, 6, 1)) == (year > 2026) for year in range(2018, 2040))


# ── no deadline lives in the broker ─────────────────────────────────────────────────────────────────────────────────

DELAY = re.compile(r"\b(countdown|eta|expires|retry_backoff|default_retry_delay)\s*=")


def sources() -> Sequence[Path]:
    root = Path(django_settings.BASE_DIR)
    apps = (path for path in root.iterdir() if (path / "__init__.py").exists() and path.name not in ("tests", "bench"))
    return [source for folder in apps for source in folder.rglob("*.py") if "migrations" not in source.parts]


def test_no_task_has_a_countdown_or_an_eta() -> None:
    found = [
        f"{source.name}:{number}: {line.strip()}"
        for source in sources()
        for number, line in enumerate(source.read_text().splitlines(), start=1)
        if DELAY.search(line)
    ]
    assert found == []
    assert len(sources()) > 100
    for line in ("task.apply_async(countdown=90)", "x(eta = later)", "@shared_task(default_retry_delay=300)"):
        assert DELAY.search(line)


def test_the_schedule_only_says_look_now() -> None:
    """Every entry of beat is a task without arguments; what runs each minute may be lost or doubled."""
    schedule = app.conf.beat_schedule
    assert {"sweep-clocks", "settle-clocks", "deliver-notifications", "run-jobs"} <= schedule.keys()
    for name, entry in schedule.items():
        assert not entry.keys() & {"args", "kwargs", "options"}, name
    for name in ("sweep-clocks", "settle-clocks", "deliver-notifications", "run-jobs"):
        assert schedule[name]["schedule"] <= 60, name
