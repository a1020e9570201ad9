"""The arithmetic of time, against examples that a person counted and against an oracle that counts day by day."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from approvals import clocks
from approvals.clocks import Clock, Done, Interval, LineKind, Situation, Step
from approvals.states import OPEN, State, Tier
from authorities.calendars import from_library, is_announced
from authorities.terms import COUNTS_WORKING_DAYS, RULE_BOOK, TIERS, ClockKind, Policy, Terms
from authorities.working_days import SpecialDay, WorkingDays

SHANGHAI = ZoneInfo("Asia/Shanghai")
NEW_YORK = ZoneInfo("America/New_York")
POLICY = Policy(id=7, version=1, effective_from=datetime(2018, 1, 1, tzinfo=UTC), lines=RULE_BOOK)
YEARS = range(2018, 2028)


@cache
def china(zone: ZoneInfo = SHANGHAI) -> WorkingDays:
    years = {year: from_library(year) for year in YEARS}
    return WorkingDays(
        version=11,
        zone=zone,
        special=[day for days in years.values() for day in days],
        published=[year for year, days in years.items() if is_announced(days)],
    )


@cache
def special() -> dict[date, bool]:
    return {day.day: day.is_working for year in YEARS for day in from_library(year)}


def works(day: date) -> bool:
    return special().get(day, day.weekday() < 5)


def at(day: str, hour: str = "10:00", zone: ZoneInfo = SHANGHAI) -> datetime:
    return datetime.combine(date.fromisoformat(day), time.fromisoformat(hour), zone)


def clock(
    kind: ClockKind,
    *intervals: tuple[datetime, datetime | None],
    tier: str = "",
    urgent: bool = False,
    extension_days: int = 0,
    anchor: date | None = None,
    steps_done: tuple[Done, ...] = (),
) -> Clock:
    return Clock(
        kind=kind,
        policy_version=7,
        calendar_version=11,
        calendar_checked=11,
        started_at=intervals[0][0],
        intervals=tuple(Interval(*interval) for interval in intervals),
        tier=tier,
        urgent=urgent,
        extension_days=extension_days,
        anchor=anchor,
        steps_done=steps_done,
    )


def read(
    value: Clock,
    now: datetime | None = None,
    *,
    state: State | None = None,
    calendar: WorkingDays | None = None,
    policy: Policy = POLICY,
) -> clocks.ClockReading:
    return clocks.evaluate(
        value,
        policy=policy,
        calendar=calendar or china(),
        state=state or min(clocks.RULES[value.kind].runs_in),
        at=now or value.started_at,
    )


def steps(value: Clock, *, state: State | None = None, until: datetime) -> list[tuple[Step, datetime]]:
    """Every step that a clock takes by itself until `until`, each taken the moment it is due."""
    taken = []
    while True:
        reading = read(value, state=state)
        if reading.next_step is None or reading.next_action_at is None or reading.next_action_at > until:
            return taken
        taken.append((reading.next_step, reading.next_action_at.astimezone(SHANGHAI)))
        value = clocks.acted(value, reading.next_step, at=reading.next_action_at)


class TestDays:
    def test_twenty_working_days_from_10_february_2026_end_on_16_march(self) -> None:
        assert clocks.add_working_days(china(), date(2026, 2, 10), 20) == date(2026, 3, 16)
        assert clocks.working_days_between(china(), date(2026, 2, 10), date(2026, 3, 16)) == 20

    def test_a_weekend_worked_to_make_up_counts(self) -> None:
        assert clocks.add_working_days(china(), date(2026, 2, 13), 1) == date(2026, 2, 14)

    def test_a_day_is_over_at_its_midnight_in_the_zone_of_the_office(self) -> None:
        assert clocks.due_at(china(), at("2026-03-02"), 3) == at("2026-03-06", "00:00")

    @pytest.mark.parametrize(
        ("moment", "last_day"),
        [(at("2026-03-02", "23:59:59"), date(2026, 3, 5)), (at("2026-03-03", "00:00:01"), date(2026, 3, 6))],
    )
    def test_two_seconds_around_midnight_are_a_day(self, moment: datetime, last_day: date) -> None:
        assert read(clock(ClockKind.COMPANY, (moment, None))).last_day == last_day

    def test_the_same_instant_is_another_day_elsewhere(self) -> None:
        started = at("2026-03-03", "00:30")
        assert read(clock(ClockKind.COMPANY, (started, None))).last_day == date(2026, 3, 6)
        assert read(clock(ClockKind.COMPANY, (started, None)), calendar=china(NEW_YORK)).last_day == date(2026, 3, 5)

    def test_a_clock_has_a_day_at_least(self) -> None:
        with pytest.raises(ValueError, match="at least one day"):
            clocks.add_working_days(china(), date(2026, 3, 2), 0)

    @given(start=st.dates(date(2018, 1, 1), date(2027, 6, 30)), n=st.integers(1, 60))
    def test_adding_agrees_with_counting_on_the_fingers(self, start: date, n: int) -> None:
        day, left = start, n
        while left:
            day += timedelta(days=1)
            left -= works(day)
        assert clocks.add_working_days(china(), start, n) == day
        assert clocks.working_days_between(china(), start, day) == n


class TestRuleBook:
    """The table of clocks, as the rule book has it."""

    @pytest.mark.parametrize(
        ("kind", "tier", "last_day"),
        [
            (ClockKind.COMPANY, "", "2026-03-05"),
            (ClockKind.DECISION, "fast", "2026-03-05"),
            (ClockKind.DECISION, "standard", "2026-03-16"),
            (ClockKind.DECISION, "heightened", "2026-03-30"),
            (ClockKind.DECISION, "restricted", "2026-03-30"),
            (ClockKind.DECISION, "", "2026-03-30"),
            (ClockKind.ANSWER, "", "2026-03-16"),
            (ClockKind.REPLY, "", "2026-03-09"),
            (ClockKind.CHANGE, "", "2026-03-16"),
            (ClockKind.DRAFT, "", "2026-05-31"),
            (ClockKind.APPEAL_FILING, "", "2026-05-01"),
            (ClockKind.APPEAL, "", "2026-03-30"),
            (ClockKind.REOPEN, "", "2026-04-01"),
            (ClockKind.REFER, "", "2026-04-01"),
        ],
    )
    def test_lengths(self, kind: ClockKind, tier: str, last_day: str) -> None:
        reading = read(clock(kind, (at("2026-03-02"), None), tier=tier))
        assert reading.last_day == date.fromisoformat(last_day)
        assert reading.due_at == at(last_day, "00:00") + timedelta(days=1)

    @pytest.mark.parametrize("kind", sorted(COUNTS_WORKING_DAYS))
    def test_urgent_humanitarian_shortens_every_wait_to_one_working_day(self, kind: ClockKind) -> None:
        assert read(clock(kind, (at("2026-03-06"), None), urgent=True)).last_day == date(2026, 3, 9)

    @pytest.mark.parametrize(
        ("state", "kind", "days"),
        [
            (State.COMPANY_REVIEW, ClockKind.COMPANY, 1),
            (State.AUTHORITY_REVIEW, ClockKind.DECISION, 1),
            (State.INFORMATION_REQUESTED, ClockKind.ANSWER, 1),
            (State.DRAFT, ClockKind.DRAFT, 90),
            (State.DENIED, ClockKind.APPEAL_FILING, 60),
            (State.LAPSED, ClockKind.REOPEN, 30),
        ],
    )
    def test_urgent_humanitarian_shortens_waits_and_no_window_that_protects(
        self, state: State, kind: ClockKind, days: int
    ) -> None:
        situation = Situation(state, at("2026-03-02"), tier="restricted", urgent=True)
        started = {c.kind: c for c in clocks.advance([], situation, policy=POLICY, calendar=china())}
        assert read(started[kind]).days == days

    def test_the_company_is_reminded_twice_and_then_passed_by(self) -> None:
        assert steps(clock(ClockKind.COMPANY, (at("2026-03-02"), None)), until=at("2026-12-01")) == [
            (Step.REMIND, at("2026-03-04", "09:00")),
            (Step.REMIND, at("2026-03-05", "09:00")),
            (Step.FORWARD, at("2026-03-06", "00:00")),
        ]

    @pytest.mark.parametrize("tier", ["fast", "standard"])
    def test_an_overdue_decision_climbs_and_is_deemed_given(self, tier: str) -> None:
        value = clock(ClockKind.DECISION, (at("2026-03-02"), None), tier=tier)
        due = date(2026, 3, 5) if tier == "fast" else date(2026, 3, 16)
        taken = steps(value, state=State.AUTHORITY_REVIEW, until=at("2026-12-01"))
        assert [step for step, _ in taken] == [
            Step.REMIND,
            Step.REMIND,
            Step.ESCALATE,
            Step.ESCALATE_TO_HEAD,
            Step.DEEM_APPROVED,
        ]
        assert [moment for _, moment in taken[2:]] == [
            clocks.end_of(clocks.add_working_days(china(), due, n) if n else due, SHANGHAI) for n in (0, 2, 5)
        ]

    def test_an_overdue_heightened_case_is_reported_every_working_day(self) -> None:
        value = clock(ClockKind.DECISION, (at("2026-03-02"), None), tier="heightened")
        taken = steps(value, state=State.AUTHORITY_REVIEW, until=at("2026-04-14", "12:00"))
        assert taken[2:] == [
            (Step.ESCALATE, at("2026-03-31", "00:00")),
            (Step.ESCALATE_TO_HEAD, at("2026-04-02", "00:00")),
            # Five working days on is 7 April: the sixth is a holiday.
            (Step.REPORT_OVERDUE, at("2026-04-08", "09:00")),
            (Step.REPORT_OVERDUE, at("2026-04-09", "09:00")),
            (Step.REPORT_OVERDUE, at("2026-04-10", "09:00")),
            (Step.REPORT_OVERDUE, at("2026-04-13", "09:00")),
            (Step.REPORT_OVERDUE, at("2026-04-14", "09:00")),
        ]

    def test_nothing_is_deemed_given_while_a_denial_is_proposed_but_as_soon_as_it_is_rejected(self) -> None:
        value = clock(ClockKind.DECISION, (at("2026-03-02"), None), tier="fast")
        taken = steps(value, state=State.DECISION_PROPOSED, until=at("2026-03-20"))
        assert taken[-1][0] == Step.REPORT_OVERDUE
        assert Step.DEEM_APPROVED not in {step for step, _ in taken}
        for step, moment in taken:
            value = clocks.acted(value, step, at=moment)
        reading = read(value, state=State.AUTHORITY_REVIEW)
        assert (reading.next_step, reading.next_action_at) == (Step.DEEM_APPROVED, at("2026-03-13", "00:00"))

    @pytest.mark.parametrize(
        ("kind", "last"),
        [(ClockKind.ANSWER, Step.LAPSE), (ClockKind.CHANGE, Step.LAPSE), (ClockKind.DRAFT, Step.LAPSE)],
    )
    def test_nothing_lapses_without_a_reminder(self, kind: ClockKind, last: Step) -> None:
        for urgent in (False, True):
            taken = steps(clock(kind, (at("2026-03-02"), None), urgent=urgent), until=at("2026-12-01"))
            assert [step for step, _ in taken] == [Step.REMIND] * (len(taken) - 1) + [last]
            assert len(taken) > 1

    def test_an_applicant_is_reminded_five_and_two_working_days_before(self) -> None:
        assert steps(clock(ClockKind.ANSWER, (at("2026-03-02"), None)), until=at("2026-12-01")) == [
            (Step.REMIND, at("2026-03-09", "09:00")),
            (Step.REMIND, at("2026-03-12", "09:00")),
            (Step.LAPSE, at("2026-03-17", "00:00")),
        ]

    @pytest.mark.parametrize(
        ("kind", "taken"),
        [
            (
                ClockKind.REPLY,
                [(Step.REMIND, at("2026-03-05", "09:00")), (Step.OPEN_CONFIRMATION, at("2026-03-10", "00:00"))],
            ),
            (ClockKind.DRAFT, [(Step.REMIND, at("2026-05-17", "09:00")), (Step.LAPSE, at("2026-06-01", "00:00"))]),
            (
                ClockKind.APPEAL_FILING,
                [(Step.REMIND, at("2026-04-17", "09:00")), (Step.CLOSE_APPEAL, at("2026-05-02", "00:00"))],
            ),
            (
                ClockKind.APPEAL,
                [
                    (Step.REMIND, at("2026-03-17", "09:00")),
                    (Step.REMIND, at("2026-03-25", "09:00")),
                    (Step.ESCALATE, at("2026-03-31", "00:00")),
                    (Step.ESCALATE_TO_HEAD, at("2026-04-02", "00:00")),
                ],
            ),
            (ClockKind.REOPEN, []),
            (ClockKind.REFER, []),
        ],
    )
    def test_what_the_others_do(self, kind: ClockKind, taken: list[tuple[Step, datetime]]) -> None:
        assert steps(clock(kind, (at("2026-03-02"), None)), until=at("2026-12-01")) == taken

    def test_departure_warns_once_five_days_before(self) -> None:
        value = clock(ClockKind.DEPARTURE, (at("2026-03-02"), None), anchor=date(2026, 4, 20))
        assert steps(value, until=at("2026-12-01")) == [(Step.WARN, at("2026-04-15", "09:00"))]
        assert read(value).due_at == at("2026-04-20", "00:00")

    def test_a_trip_asked_for_too_late_is_warned_of_at_once(self) -> None:
        value = clock(ClockKind.DEPARTURE, (at("2026-03-02"), None), anchor=date(2026, 3, 4))
        assert read(value).next_action_at == at("2026-03-02")

    def test_a_trip_is_closed_when_the_day_of_return_is_over(self) -> None:
        value = clock(ClockKind.RETURN, (at("2026-03-02"), None), anchor=date(2026, 4, 20))
        assert steps(value, until=at("2026-12-01")) == [(Step.CLOSE, at("2026-04-21", "00:00"))]

    def test_there_is_no_step_by_which_the_system_denies(self) -> None:
        assert {step.value for step in Step} == {
            "remind",
            "warn",
            "overdue",
            "tell_office",
            "forward",
            "lapse",
            "open_confirmation",
            "close_appeal",
            "close_consultation",
            "close",
            "escalate",
            "escalate_to_head",
            "report_overdue",
            "deem_approved",
        }

    def test_the_words_are_the_same_everywhere(self) -> None:
        assert [value for value, _ in TIERS] == Tier.values
        assert {kind for kind, _ in RULE_BOOK} == set(ClockKind.values) == set(clocks.RULES)
        assert {tier for _, tier in RULE_BOOK} == {"", *Tier.values}


class TestStops:
    """A stop costs the applicant nothing but the whole working days that the clock stood still."""

    def test_a_stop_within_a_day_moves_nothing(self) -> None:
        straight = clock(ClockKind.DECISION, (at("2026-03-02"), None), tier="standard")
        stopped = clock(
            ClockKind.DECISION,
            (at("2026-03-02"), at("2026-03-05", "09:00")),
            (at("2026-03-05", "17:00"), None),
            tier="standard",
        )
        assert read(stopped).due_at == read(straight).due_at

    def test_only_whole_working_days_are_added(self) -> None:
        # Thursday morning to Tuesday afternoon: Friday and Monday.
        value = clock(
            ClockKind.DECISION,
            (at("2026-03-02"), at("2026-03-05", "09:00")),
            (at("2026-03-10", "17:00"), None),
            tier="standard",
        )
        assert read(value).last_day == clocks.add_working_days(china(), date(2026, 3, 16), 2)

    def test_asked_and_answered_at_once_on_the_day_it_starts(self) -> None:
        value = clock(ClockKind.DECISION, (at("2026-03-02"), at("2026-03-02")), (at("2026-03-02"), None), tier="fast")
        assert read(value).last_day == date(2026, 3, 5)

    def test_started_and_stopped_in_one_instant_uses_no_day(self) -> None:
        value = clock(
            ClockKind.DECISION,
            (at("2026-03-02"), at("2026-03-03")),
            (at("2026-03-04"), at("2026-03-04")),
            (at("2026-03-05"), None),
            tier="fast",
        )
        assert read(value).last_day == date(2026, 3, 6)

    def test_standing_still_it_has_no_date_and_does_nothing(self) -> None:
        value = clock(ClockKind.DECISION, (at("2026-03-02"), at("2026-03-05")), tier="standard")
        reading = read(value, at("2026-03-20"), state=State.INFORMATION_REQUESTED)
        assert (reading.due_at, reading.last_day, reading.next_step, reading.next_action_at) == (None,) * 4
        assert (reading.used, reading.remaining) == (3, 7)

    def test_it_does_not_run_out_while_it_stands_still(self) -> None:
        # Stopped at noon of its last day; started again a week later: due at the end of that day, not at once.
        value = clock(
            ClockKind.DECISION,
            (at("2026-03-02"), at("2026-03-05", "12:00")),
            (at("2026-03-12", "10:00"), None),
            tier="fast",
        )
        assert read(value).last_day == date(2026, 3, 12)

    def test_started_again_on_a_holiday_it_is_due_on_the_next_working_day(self) -> None:
        value = clock(
            ClockKind.DECISION,
            (at("2026-03-02"), at("2026-03-05", "12:00")),
            (at("2026-03-14", "10:00"), None),
            tier="fast",
        )
        assert read(value).last_day == date(2026, 3, 16)

    def test_a_stop_when_it_is_overdue_leaves_it_overdue(self) -> None:
        value = clock(
            ClockKind.DECISION,
            (at("2026-03-02"), at("2026-03-09")),
            (at("2026-03-12"), None),
            tier="fast",
        )
        reading = read(value, at("2026-03-12", "11:00"))
        assert reading.last_day == date(2026, 3, 5)
        assert reading.is_overdue(at("2026-03-12", "11:00"))
        assert reading.remaining == -3

    def test_a_reminder_missed_in_a_stop_follows_it(self) -> None:
        # Day 6, 10 March, begins with half of ten days used; it was stopped at eight that morning.
        value = clock(
            ClockKind.DECISION,
            (at("2026-03-02"), at("2026-03-10", "08:00")),
            (at("2026-03-20"), None),
            tier="standard",
        )
        assert read(value).next_action_at == at("2026-03-10", "09:00")


def running_ends_after(intervals: Sequence[Interval], midnight: datetime) -> bool:
    return any(i.start < midnight and (i.end is None or i.end > midnight) for i in intervals)


def oracle(intervals: Sequence[Interval], n: int, zone: ZoneInfo) -> date | None:
    """Counts day by day, looking at every interval on every day."""
    day = event = intervals[0].start.astimezone(zone).date()
    used = 0
    for _ in range(900):
        day += timedelta(days=1)
        begins = datetime.combine(day, time.min, zone)
        ends = datetime.combine(day + timedelta(days=1), time.min, zone)
        instants = [i for i in intervals if i.start < ends and (i.end is None or (i.end > begins and i.end > i.start))]
        if works(day) and instants:
            used += 1
        if works(day) and used >= n and running_ends_after(intervals, ends):
            return day
    assert event is not None
    return None


@st.composite
def stretches(draw: st.DrawFn) -> tuple[Interval, ...]:
    """A clock that starts some time in ten years and is stopped and started up to six times."""
    zone = draw(st.sampled_from([SHANGHAI, NEW_YORK]))
    moment = draw(st.datetimes(datetime(2018, 1, 1), datetime(2026, 12, 1), timezones=st.just(UTC)))
    gaps = st.one_of(
        st.timedeltas(timedelta(0), timedelta(hours=20)),
        st.timedeltas(timedelta(hours=12), timedelta(days=14)),
        st.just(None),  # exactly to the next midnight
    )
    intervals = []
    moments = [moment]
    for gap in draw(st.lists(gaps, max_size=12)):
        local = moments[-1].astimezone(zone).date() + timedelta(days=1)
        midnight = datetime.combine(local, time.min, zone).astimezone(UTC)
        moments.append(midnight if gap is None else moments[-1] + gap)
    for start, end in pairwise([*moments, None]):
        intervals.append(Interval(start, end))  # type: ignore[arg-type]
    return tuple(intervals[::2])


@pytest.mark.parametrize("zone", [SHANGHAI, NEW_YORK], ids=str)
class TestAgainstTheOracle:
    @settings(max_examples=400, deadline=None)
    @given(
        intervals=stretches(),
        days=st.integers(1, 25),
        extension=st.integers(0, 10),
        urgent=st.booleans(),
        data=st.data(),
    )
    def test_due(
        self,
        zone: ZoneInfo,
        intervals: tuple[Interval, ...],
        days: int,
        extension: int,
        urgent: bool,
        data: st.DataObject,
    ) -> None:
        policy = Policy(1, 1, POLICY.effective_from, {**RULE_BOOK, ("decision", "fast"): Terms(days)})
        value = clock(
            ClockKind.DECISION,
            *((i.start, i.end) for i in intervals),
            tier="fast",
            urgent=urgent,
            extension_days=extension,
        )
        reading = read(value, calendar=china(zone), policy=policy)
        n = (1 if urgent else days) + extension
        assert reading.days == n
        assert reading.last_day == oracle(intervals, n, zone)
        if reading.last_day is not None:
            midnight = datetime.combine(reading.last_day + timedelta(days=1), time.min, zone)
            assert reading.due_at == midnight

    @settings(max_examples=200, deadline=None)
    @given(intervals=stretches(), n=st.integers(1, 25))
    def test_a_stop_costs_whole_working_days_only(
        self, zone: ZoneInfo, intervals: tuple[Interval, ...], n: int
    ) -> None:
        policy = Policy(1, 1, POLICY.effective_from, {**RULE_BOOK, ("decision", "fast"): Terms(n)})
        value = clock(ClockKind.DECISION, *((i.start, i.end) for i in intervals), tier="fast")
        reading = read(value, calendar=china(zone), policy=policy)
        if reading.last_day is None:
            return
        event = intervals[0].start.astimezone(zone).date()
        used = whole = 0
        used_up = None
        for ordinal in range(event.toordinal() + 1, reading.last_day.toordinal() + 1):
            begins = datetime.combine(date.fromordinal(ordinal), time.min, zone)
            ends = datetime.combine(date.fromordinal(ordinal + 1), time.min, zone)
            ran = any(i.start < ends and (i.end is None or i.end > begins) and i.start != i.end for i in intervals)
            used += works(date.fromordinal(ordinal)) and ran
            whole += works(date.fromordinal(ordinal)) and not ran
            if used == n and used_up is None:
                used_up = begins
        assert used_up is not None
        cost = clocks.working_days_between(china(), clocks.add_working_days(china(), event, n), reading.last_day)
        # Only a stop that cuts the very last day can take more: the day on which the clock starts again.
        cuts = sum(i.end is not None and i.end > used_up for i in intervals)
        assert whole <= cost <= whole + cuts

    @settings(max_examples=150, deadline=None)
    @given(intervals=stretches(), n=st.integers(1, 25), later=st.timedeltas(timedelta(0), timedelta(days=60)))
    def test_the_explanation_adds_up(
        self, zone: ZoneInfo, intervals: tuple[Interval, ...], n: int, later: timedelta
    ) -> None:
        policy = Policy(1, 1, POLICY.effective_from, {**RULE_BOOK, ("decision", "fast"): Terms(n)})
        value = clock(ClockKind.DECISION, *((i.start, i.end) for i in intervals), tier="fast")
        now = intervals[-1].start + later
        calendar = china(zone)
        lines = clocks.explain(value, policy=policy, calendar=calendar, state=State.AUTHORITY_REVIEW, at=now)
        reading = read(value, now, calendar=calendar, policy=policy)
        assert lines[0].kind is LineKind.EVENT
        for line, following in pairwise(lines):
            assert following.first == line.last + timedelta(days=1)
        number = 0
        for line in lines:
            if line.kind in (LineKind.COUNTED, LineKind.OVERDUE):
                assert line.number == number + 1
                number = line.last_number
                assert all(works(line.first + timedelta(days=k)) for k in range((line.last - line.first).days + 1))
        if reading.last_day is not None:
            until_due = [line for line in lines if line.kind is LineKind.COUNTED]
            assert until_due[-1].last_number >= n
            assert until_due[-1].last <= reading.last_day
        today = now.astimezone(zone).date()
        if lines[-1].last == today:
            assert reading.used == number


class TestExtensionAndTier:
    VALUE = clock(ClockKind.DECISION, (at("2026-03-02"), None), tier="standard")

    def test_an_extension_moves_the_date_once_and_is_bounded(self) -> None:
        extended = clocks.extend(self.VALUE, days=10, policy=POLICY)
        assert read(extended).last_day == date(2026, 3, 30)
        with pytest.raises(ValueError, match="once"):
            clocks.extend(extended, days=1, policy=POLICY)
        for days in (0, 11):
            with pytest.raises(ValueError, match="longer"):
                clocks.extend(self.VALUE, days=days, policy=POLICY)
        with pytest.raises(ValueError, match="longer"):
            clocks.extend(clock(ClockKind.COMPANY, (at("2026-03-02"), None)), days=1, policy=POLICY)

    def test_after_an_extension_it_escalates_again(self) -> None:
        value = clocks.acted(self.VALUE, Step.ESCALATE, at=at("2026-03-17", "00:01"))
        assert read(value).next_step == Step.ESCALATE_TO_HEAD
        assert [step for step, _ in steps(clocks.extend(value, days=5, policy=POLICY), until=at("2026-03-25"))] == [
            Step.REMIND,
            Step.ESCALATE,
        ]

    def test_a_lower_tier_that_makes_it_overdue_escalates_at_once(self) -> None:
        value = clocks.acted(self.VALUE, Step.REMIND, at=at("2026-03-10", "09:00"))
        lowered = Situation(state=State.AUTHORITY_REVIEW, at=at("2026-03-10", "11:00"), tier="fast")
        (changed,) = clocks.advance([value], lowered, policy=POLICY, calendar=china())
        reading = read(changed, lowered.at)
        assert (reading.last_day, reading.next_step) == (date(2026, 3, 5), Step.ESCALATE)
        assert reading.next_action_at is not None
        assert reading.next_action_at <= lowered.at

    def test_reminders_missed_in_a_failure_are_made_up_by_one(self) -> None:
        value = clocks.acted(self.VALUE, Step.REMIND, at=at("2026-03-16", "09:30"))
        assert read(value).next_step == Step.ESCALATE


def walk(*situations: Situation) -> list[list[tuple[str, ...]]]:
    """What advance() does in each situation: (kind, started | stopped | resumed | ended | changed)."""
    present: dict[ClockKind, Clock] = {}
    story = []
    for situation in situations:
        told = []
        for after in clocks.advance(present.values(), situation, policy=POLICY, calendar=china()):
            before = present.get(after.kind)
            if before is None:
                what = "started"
            elif after.ended_at is not None:
                what = "ended"
            elif after.is_running and before.is_stopped:
                what = "resumed"
            elif after.is_stopped and before.is_running:
                what = "stopped"
            else:
                what = "changed"
            told.append((after.kind.value, what))
            present[after.kind] = after
        present = {kind: value for kind, value in present.items() if value.ended_at is None}
        assert clocks.advance(present.values(), situation, policy=POLICY, calendar=china()) == ()
        story.append(told)
    return story


class TestAdvance:
    def test_the_whole_path(self) -> None:
        trip = {"departure": date(2026, 4, 20), "return_on": date(2026, 4, 25), "tier": "standard"}
        assert walk(
            Situation(State.DRAFT, at("2026-03-02")),
            Situation(State.COMPANY_REVIEW, at("2026-03-03"), **trip),
            Situation(State.RETURNED, at("2026-03-04"), **trip),
            Situation(State.COMPANY_REVIEW, at("2026-03-05"), **{**trip, "departure": date(2026, 4, 21)}),
            Situation(State.AUTHORITY_REVIEW, at("2026-03-06"), **{**trip, "departure": date(2026, 4, 21)}),
            Situation(State.AUTHORITY_REVIEW, at("2026-03-07"), **{**trip, "departure": date(2026, 4, 21)}),
            Situation(State.INFORMATION_REQUESTED, at("2026-03-09"), **{**trip, "departure": date(2026, 4, 21)}),
            Situation(State.LAPSED, at("2026-03-25"), **{**trip, "departure": date(2026, 4, 21)}),
            Situation(State.INFORMATION_REQUESTED, at("2026-03-26"), **{**trip, "departure": date(2026, 4, 21)}),
            Situation(State.AUTHORITY_REVIEW, at("2026-03-27"), **{**trip, "departure": date(2026, 4, 21)}),
            Situation(State.APPROVED, at("2026-03-30"), **trip),
            Situation(State.CLOSED, at("2026-04-26"), **trip),
        ) == [
            [("draft", "started")],
            [("company", "started"), ("draft", "ended"), ("departure", "started")],
            [("company", "ended"), ("change", "started")],
            [("company", "started"), ("change", "ended"), ("departure", "changed")],
            [("company", "ended"), ("decision", "started")],
            [],
            [("decision", "stopped"), ("answer", "started")],
            [("answer", "ended"), ("departure", "ended"), ("reopen", "started")],
            [("answer", "started"), ("departure", "started"), ("reopen", "ended")],
            [("decision", "resumed"), ("answer", "ended")],
            [("decision", "ended"), ("departure", "ended"), ("return", "started")],
            [("return", "ended")],
        ]

    def test_the_way_through_a_denial_and_an_appeal(self) -> None:
        assert walk(
            Situation(State.AUTHORITY_REVIEW, at("2026-03-02"), tier="heightened"),
            Situation(State.DECISION_PROPOSED, at("2026-03-03"), tier="heightened", refusal_proposed=True),
            Situation(State.DECISION_PROPOSED, at("2026-03-04"), tier="heightened", refusal_proposed=False),
            Situation(State.DENIED, at("2026-03-05"), tier="heightened"),
            Situation(State.DENIED, at("2026-03-06"), tier="heightened", appeal_filed=True, appeal_open=True),
            Situation(State.APPROVED, at("2026-03-09"), tier="heightened", return_on=date(2026, 4, 1)),
        ) == [
            [("decision", "started")],
            [("reply", "started")],
            [("reply", "ended")],
            [("decision", "ended"), ("appeal_filing", "started")],
            [("appeal_filing", "ended"), ("appeal", "started")],
            [("appeal", "ended"), ("return", "started")],
        ]

    def test_a_company_that_declines_leaves_a_window_to_refer(self) -> None:
        assert walk(
            Situation(State.COMPANY_REVIEW, at("2026-03-02")),
            Situation(State.COMPANY_DECLINED, at("2026-03-03")),
            Situation(State.AUTHORITY_REVIEW, at("2026-03-04")),
        ) == [
            [("company", "started")],
            [("company", "ended"), ("refer", "started")],
            [("decision", "started"), ("refer", "ended")],
        ]

    @pytest.mark.parametrize("state", sorted(State))
    def test_withdrawn_and_closed_everything_ends(self, state: State) -> None:
        trip = {"departure": date(2026, 4, 20), "return_on": date(2026, 4, 25)}
        present = clocks.advance([], Situation(state, at("2026-03-02"), **trip), policy=POLICY, calendar=china())
        for final in (State.WITHDRAWN, State.CLOSED):
            after = clocks.advance(present, Situation(final, at("2026-03-03"), **trip), policy=POLICY, calendar=china())
            assert {value.kind for value in after} == {value.kind for value in present}
            assert all(value.ended_at == at("2026-03-03") for value in after)

    @pytest.mark.parametrize("state", sorted(OPEN))
    def test_departure_runs_in_every_open_state_once_the_day_is_known(self, state: State) -> None:
        for day, runs in ((date(2026, 4, 20), True), (None, False)):
            situation = Situation(state, at("2026-03-02"), departure=day)
            kinds = {value.kind for value in clocks.advance([], situation, policy=POLICY, calendar=china())}
            assert (ClockKind.DEPARTURE in kinds) is runs

    def test_new_clocks_take_the_versions_and_running_ones_keep_theirs(self) -> None:
        (started,) = clocks.advance(
            [], Situation(State.AUTHORITY_REVIEW, at("2026-03-02")), policy=POLICY, calendar=china()
        )
        newer = Policy(8, 2, POLICY.effective_from, RULE_BOOK)
        stopped, answer = clocks.advance(
            [started], Situation(State.INFORMATION_REQUESTED, at("2026-03-03")), policy=newer, calendar=china()
        )
        assert (stopped.policy_version, answer.policy_version) == (7, 8)


class TestProvisional:
    def test_a_date_beyond_the_last_announced_year_can_still_change(self) -> None:
        value = clock(ClockKind.DECISION, (at("2026-12-20"), None), tier="standard")
        assert read(value).last_day == date(2027, 1, 4)
        assert read(value).is_provisional
        assert not read(clock(ClockKind.DECISION, (at("2026-12-20"), None), tier="fast")).is_provisional

    def test_a_clock_between_two_known_years_is_provisional_when_the_one_between_is_not_known(self) -> None:
        gap = WorkingDays(version=1, zone=SHANGHAI, published=[2025, 2027])
        policy = Policy(1, 1, POLICY.effective_from, {**RULE_BOOK, ("appeal", ""): Terms(300)})
        reading = read(clock(ClockKind.APPEAL, (at("2025-12-01"), None)), calendar=gap, policy=policy)
        assert reading.last_day is not None
        assert reading.last_day.year == 2027
        assert reading.is_provisional

    def test_days_of_the_calendar_are_always_certain(self) -> None:
        assert not read(clock(ClockKind.DRAFT, (at("2026-12-20"), None))).is_provisional

    @pytest.mark.parametrize(
        ("kind", "published_later", "kept"),
        [
            # More days off announced: the office keeps its earlier date, the applicant gets the later one.
            (ClockKind.DECISION, True, True),
            (ClockKind.ANSWER, True, False),
            # A day off less: the office gets the earlier date, the applicant keeps the later one.
            (ClockKind.DECISION, False, False),
            (ClockKind.ANSWER, False, True),
            (ClockKind.COMPANY, True, True),
            (ClockKind.COMPANY, False, False),
        ],
    )
    def test_when_the_year_is_published_the_applicant_gets_the_better_date(
        self, kind: ClockKind, published_later: bool, kept: bool
    ) -> None:
        def calendar(version: int, off: int) -> WorkingDays:
            days = [SpecialDay(date(2027, 1, 4 + n), False) for n in range(off)]
            return WorkingDays(version=version, zone=SHANGHAI, special=days)

        old, new = (calendar(11, 2), calendar(12, 3)) if published_later else (calendar(11, 2), calendar(12, 1))
        value = clock(kind, (at("2026-12-31"), None), tier="standard" if kind is ClockKind.DECISION else "")
        settled = clocks.settle(value, counted_in=old, newest=new, policy=POLICY, at=at("2026-12-31"))
        assert settled.calendar_checked == 12
        assert settled.calendar_version == (11 if kept else 12)
        before, after = (read(value, calendar=c).due_at for c in (old, new))
        chosen = read(settled, calendar=old if kept else new).due_at
        assert before is not None
        assert after is not None
        assert chosen == (max if clocks.RULES[kind].binds_applicant else min)(before, after)
        assert (
            clocks.settle(settled, counted_in=old if kept else new, newest=new, policy=POLICY, at=at("2027-01-01"))
            is settled
        )

    def test_with_equal_dates_the_newest_calendar_counts(self) -> None:
        newest = WorkingDays(version=12, zone=SHANGHAI, special=[], published=[2026])
        value = clock(ClockKind.COMPANY, (at("2026-03-02"), None))
        settled = clocks.settle(value, counted_in=china(), newest=newest, policy=POLICY, at=at("2026-03-02"))
        assert settled.calendar_version == 12

    def test_a_clock_that_stands_still_is_settled_too(self) -> None:
        newest = WorkingDays(
            version=12, zone=SHANGHAI, special=[SpecialDay(date(2026, 3, 11), False)], published=[2026]
        )
        value = clock(ClockKind.DECISION, (at("2026-03-02"), at("2026-03-05")), tier="standard")
        settled = clocks.settle(value, counted_in=china(), newest=newest, policy=POLICY, at=at("2026-03-09"))
        assert (settled.calendar_version, settled.calendar_checked) == (11, 12)


class TestReading:
    def test_days_used_and_left(self) -> None:
        value = clock(ClockKind.COMPANY, (at("2026-03-02"), None))
        assert [
            (read(value, at(day)).used, read(value, at(day)).remaining)
            for day in ("2026-03-02", "2026-03-03", "2026-03-05", "2026-03-06")
        ] == [(0, 3), (1, 2), (3, 0), (4, -1)]

    def test_it_is_overdue_from_the_first_instant_of_the_next_day(self) -> None:
        reading = read(clock(ClockKind.COMPANY, (at("2026-03-02"), None)))
        assert not reading.is_overdue(at("2026-03-05", "23:59:59"))
        assert reading.is_overdue(at("2026-03-06", "00:00"))

    def test_an_ended_clock_does_nothing_more(self) -> None:
        value = clock(ClockKind.COMPANY, (at("2026-03-02"), None))
        (ended,) = clocks.advance(
            [value], Situation(State.WITHDRAWN, at("2026-03-03")), policy=POLICY, calendar=china()
        )
        assert read(ended).next_step is None
        assert read(ended).next_key == ""

    @pytest.mark.parametrize("tier", Tier.values)
    def test_no_two_actions_of_a_clock_have_one_name(self, tier: str) -> None:
        value = clock(ClockKind.DECISION, (at("2026-03-02"), None), tier=tier)
        keys = []
        for _ in range(12):
            reading = read(value, state=State.AUTHORITY_REVIEW)
            if reading.next_step is None or reading.next_action_at is None:
                break
            keys.append(reading.next_key)
            value = clocks.acted(value, reading.next_step, at=reading.next_action_at + timedelta(seconds=40))
        assert len(keys) >= 5
        assert len(set(keys)) == len(keys)

    def test_through_json_and_back(self) -> None:
        intervals = (Interval(at("2026-03-02"), at("2026-03-03")), Interval(at("2026-03-04")))
        done = (Done(Step.REMIND, at("2026-03-04", "09:00")),)
        assert clocks.intervals_from_json(clocks.intervals_to_json(intervals)) == intervals
        assert clocks.steps_from_json(clocks.steps_to_json(done)) == done


class TestExplanation:
    def test_spring_festival_line_by_line(self) -> None:
        value = clock(
            ClockKind.DECISION,
            (at("2026-02-10"), at("2026-02-26", "15:00")),
            (at("2026-03-04", "11:00"), None),
            tier="standard",
        )
        lines = clocks.explain(
            value, policy=POLICY, calendar=china(), state=State.AUTHORITY_REVIEW, at=at("2026-03-04")
        )
        day = date
        told = [(line.kind, line.first, line.last, line.number, line.last_number, line.is_cut) for line in lines]
        assert told == [
            (LineKind.EVENT, day(2026, 2, 10), day(2026, 2, 10), 0, 0, False),
            (LineKind.COUNTED, day(2026, 2, 11), day(2026, 2, 13), 1, 3, False),
            (LineKind.COUNTED, day(2026, 2, 14), day(2026, 2, 14), 4, 4, False),  # a Saturday worked
            (LineKind.OFF, day(2026, 2, 15), day(2026, 2, 15), 0, 0, False),
            (LineKind.OFF, day(2026, 2, 16), day(2026, 2, 16), 0, 0, False),  # New Year's Eve
            (LineKind.OFF, day(2026, 2, 17), day(2026, 2, 19), 0, 0, False),  # Spring Festival
            (LineKind.OFF, day(2026, 2, 20), day(2026, 2, 20), 0, 0, False),
            (LineKind.OFF, day(2026, 2, 21), day(2026, 2, 22), 0, 0, False),
            (LineKind.OFF, day(2026, 2, 23), day(2026, 2, 23), 0, 0, False),
            (LineKind.COUNTED, day(2026, 2, 24), day(2026, 2, 25), 5, 6, False),
            (LineKind.COUNTED, day(2026, 2, 26), day(2026, 2, 26), 7, 7, True),  # asked at three
            (LineKind.STOPPED, day(2026, 2, 27), day(2026, 3, 3), 0, 0, False),
            (LineKind.COUNTED, day(2026, 3, 4), day(2026, 3, 4), 8, 8, True),  # answered at eleven
            (LineKind.COUNTED, day(2026, 3, 5), day(2026, 3, 6), 9, 10, False),
        ]

    def test_overdue_days_are_told_until_today(self) -> None:
        value = clock(ClockKind.COMPANY, (at("2026-03-02"), None))
        lines = clocks.explain(value, policy=POLICY, calendar=china(), state=State.COMPANY_REVIEW, at=at("2026-03-09"))
        assert [(line.kind, line.first.day, line.last.day) for line in lines[-3:]] == [
            (LineKind.OVERDUE, 6, 6),
            (LineKind.OFF, 7, 8),
            (LineKind.OVERDUE, 9, 9),
        ]

    def test_a_clock_that_waits_for_a_day_has_nothing_to_count(self) -> None:
        value = clock(ClockKind.RETURN, (at("2026-03-02"), None), anchor=date(2026, 4, 20))
        assert clocks.explain(value, policy=POLICY, calendar=china(), state=State.APPROVED, at=at("2026-03-09")) == ()
