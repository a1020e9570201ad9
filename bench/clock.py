"""The arithmetic of clocks: read, settle and explain many, in one process, against counting on the fingers.

Ours: `clocks.evaluate` over clocks of every kind, with pauses and extensions, through the calendar's prefix sums.
Floor: the same due dates found by walking from day to day, as one would on a calendar. Nothing touches the database.
"""

import random
import statistics
import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from approvals import clocks
from approvals.clocks import Clock, Interval
from approvals.states import State
from authorities.calendars import from_library
from authorities.terms import COUNTS_WORKING_DAYS, RULE_BOOK, ClockKind, Policy
from authorities.working_days import SpecialDay, WorkingDays
from bench import Result, Say, alternating

ROWS = 100_000
KINDS = [kind for kind in ClockKind if kind not in (ClockKind.DEPARTURE, ClockKind.RETURN)]
POLICY = Policy(1, 1, datetime(2018, 1, 1, tzinfo=UTC), RULE_BOOK)
DAY = timedelta(days=1)


def some_clock(chance: random.Random) -> Clock:
    """A running clock of any kind, with up to three pauses; one in eight is extended, one in twenty urgent."""
    kind = chance.choice(KINDS)
    moment = datetime(2020, 1, 1, tzinfo=UTC) + chance.random() * timedelta(days=2400)
    intervals = []
    for _pause in range(chance.choice([0, 0, 0, 1, 1, 3])):
        end = moment + chance.random() * timedelta(days=3)
        intervals.append(Interval(moment, end))
        moment = end + chance.random() * timedelta(days=8)
    intervals.append(Interval(moment))
    decides = kind is ClockKind.DECISION
    return Clock(
        kind=kind,
        policy_version=1,
        calendar_version=1,
        calendar_checked=1,
        started_at=intervals[0].start,
        intervals=tuple(intervals),
        tier=chance.choice(["fast", "standard", "heightened"]) if decides else "",
        urgent=chance.random() < 0.05 and kind in COUNTS_WORKING_DAYS,
        extension_days=5 if decides and chance.random() < 0.125 else 0,
    )


def on_the_fingers(clock: Clock, works: dict[date, bool], zone: ZoneInfo) -> date:
    """The last day, by looking at each day in turn."""
    n = (1 if clock.urgent else RULE_BOOK[clock.kind, clock.tier].days) + clock.extension_days
    counts_all = clock.kind not in COUNTS_WORKING_DAYS
    runs = [(i.start.astimezone(zone), i.end.astimezone(zone) if i.end else None) for i in clock.intervals]
    day, used = runs[0][0].date(), 0
    while True:
        day += DAY
        counts = counts_all or works[day]
        if not counts:
            continue
        used += any(start.date() <= day and (end is None or day <= end.date()) for start, end in runs)
        if used >= n and any(start.date() <= day and (end is None or day < end.date()) for start, end in runs):
            return day


def run(*, rows: int, say: Say) -> Result:
    """`rows` clocks, each read once a round."""
    zone = ZoneInfo("Asia/Shanghai")
    special = [day for year in range(2018, 2031) for day in from_library(year)]
    china = WorkingDays(version=1, zone=zone, special=special, published=range(2018, 2027))
    newer = WorkingDays(
        version=2, zone=zone, special=[*special, SpecialDay(date(2026, 10, 9), False)], published=range(2018, 2028)
    )
    chance = random.Random(1)
    many = [some_clock(chance) for _number in range(rows)]
    works = {date(2018, 1, 1) + n * DAY: china.is_working(date(2018, 1, 1) + n * DAY) for n in range(4500)}
    at = datetime(2026, 9, 1, tzinfo=UTC)
    sample = many[: max(1, rows // 10)]

    def read(some: list[Clock]) -> list[date | None]:
        return [
            clocks.evaluate(one, policy=POLICY, calendar=china, state=State.AUTHORITY_REVIEW, at=at).last_day
            for one in some
        ]

    def walk(some: list[Clock]) -> list[date]:
        return [on_the_fingers(one, works, zone) for one in some]

    assert read(sample) == walk(sample)
    slow, fast = alternating(lambda: walk(sample), lambda: read(sample))

    def timed(work: object) -> float:
        begin = time.perf_counter()
        assert callable(work)
        work()
        return time.perf_counter() - begin

    whole = statistics.median(timed(lambda: read(many)) for _round in range(3))
    settled = timed(
        lambda: [clocks.settle(one, counted_in=china, newest=newer, policy=POLICY, at=at) for one in sample]
    )
    told = timed(
        lambda: [
            clocks.explain(one, policy=POLICY, calendar=china, state=State.AUTHORITY_REVIEW, at=one.intervals[-1].start)
            for one in sample[:1000]
        ]
    )
    per = 1e6 / len(sample)
    say(f"{rows:,} clocks read                    {whole:8.2f} s    {whole / rows * 1e6:8.1f} µs each\n")
    say(f"counted on the fingers                {slow * per:17.1f} µs each\n")
    say(f"read                                  {fast * per:17.1f} µs each   ratio {slow / fast:.1f}\n")
    say(f"settled after a calendar              {settled * per:17.1f} µs each\n")
    say(f"explained line by line                {told / len(sample[:1000]) * 1e6:17.1f} µs each\n")
    return Result(ratio=slow / fast, floor=slow * per, ours=fast * per, unit="µs", n=rows, queries=0)
