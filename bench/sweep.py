"""Clocks that are due at once among many that run, through the sweep, against set-based SQL that writes the same rows.

Due are reminders, requests that go to the office because the company was silent, and late decisions, a third each.
Ours: claim, look again, rules, arithmetic of the clocks, hash chain, outbox, in batches; nothing is switched off. Once
by one process, and once as the worker runs it, which is the figure: a list longer than a batch calls the worker's other
process, which is there already. Who writes a step twice, or leaves one out, ends the bench.
Floor: psycopg2 alone, one transaction: claim, then for each table one INSERT … SELECT or UPDATE … FROM a table that
holds the very rows beforehand, keys and hashes and dates made (by a run of ours that was rolled back). To reach: at
least 0.5 of the floor; an empty sweep in 0.6 ms at most.
"""

import multiprocessing
import statistics
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

import psycopg2.extras
from django.db import connection, connections, transaction

from approvals import journal, sweeping
from approvals.models import Clock, ClockAction, TravelRequest
from audit.models import Entry
from authorities import calendars, policies
from bench import Result, Say
from bench._requests import Crowd, statements
from bench.lifecycle import bare_connection
from config.celery import app
from notifications.models import OutboxEvent

ROWS = 20_000
DUE_AT_MOST = 10_000
ROUNDS = 5

# A Thursday at noon: since the morning half of the time of what was asked for on Tuesday is used; what was asked for on
# Friday, and decisions due on Wednesday, are late since midnight. Each block of clocks is due a minute after the last.
NOON = datetime(2026, 3, 12, 12, tzinfo=ZoneInfo("Asia/Shanghai"))
_KINDS = """(VALUES
    (0, 'company_review', 'company', '', '2026-03-10T10:00:00+08:00'::timestamptz, 'remind', '[]'::jsonb),
    (1, 'company_review', 'company', '', '2026-03-06T10:00:00+08:00', 'forward',
        '[["remind", "2026-03-11T01:00:00+00:00"]]'),
    (2, 'authority_review', 'decision', 'standard', '2026-02-25T10:00:00+08:00', 'escalate',
        '[["remind", "2026-03-10T01:00:00+00:00"]]')
) AS kind(number, state, clock, tier, since, step, done)"""
_CLOCK = """INSERT INTO approvals_clock (id, request_id, kind, policy_version, calendar_version, calendar_checked,
    started_at, intervals, tier, urgent, anchor, extension_days, steps_done, ended_at, due_at, is_provisional,
    next_step, next_action_at, failures, last_error) """


class Blocks:
    """An office with many running clocks, and blocks of requests whose clock is due a minute after the last block's."""

    def __init__(self, rows: int, due: int, count: int, say: Say) -> None:
        self.due = due
        crowd, number = Crowd(rows, say, name="SWEEP"), 0
        while (first := self._untouched(crowd)) + count * due > rows:
            number += 1  # every run uses its blocks up: what was written is there for good
            crowd = Crowd(rows, say, name=f"SWEEP{number}")
        self.office = crowd.office
        # Blocks of an earlier run are over.
        self.begin = NOON + timedelta(minutes=first // due)
        with connection.cursor() as cursor:
            values: dict[str, Any] = {
                "office": self.office.pk,
                "policy": policies.current(self.office.pk, NOON).id,
                "calendar": calendars.newest_version(),
                "first": first,
                "last": first + count * due,
                "due": due,
                "begin": self.begin,
            }
            if not first:
                cursor.execute(
                    _CLOCK
                    + """SELECT gen_random_uuid(), id, 'departure', %(policy)s, %(calendar)s, %(calendar)s,
                    submitted_at, jsonb_build_array(jsonb_build_array(to_json(submitted_at), null)), '', false,
                    departs_on, 0, '[]', null, departs_on::timestamptz, false, 'warn',
                    (departs_on - 5)::timestamptz + interval '1 hour', 0, ''
                    FROM approvals_travelrequest WHERE office_id = %(office)s""",
                    values,
                )
            mine = f"""approvals_travelrequest r
                JOIN {_KINDS} ON kind.number = split_part(r.reference, '-', 2)::int %% 3
                WHERE r.office_id = %(office)s
                AND split_part(r.reference, '-', 2)::int BETWEEN %(first)s AND %(last)s - 1"""
            cursor.execute(
                _CLOCK
                + f"""SELECT gen_random_uuid(), r.id, kind.clock, %(policy)s, %(calendar)s, %(calendar)s,
                kind.since, jsonb_build_array(jsonb_build_array(to_json(kind.since), null)), kind.tier, false, null, 0,
                kind.done, null, %(begin)s, false, kind.step, %(begin)s::timestamptz
                + (split_part(r.reference, '-', 2)::int - %(first)s) / %(due)s * interval '1 minute', 0, ''
                FROM {mine}""",
                values,
            )
            cursor.execute(
                f"""UPDATE approvals_travelrequest t SET state = chosen.state, tier = 'standard', state_since = since,
                extension_days = 0, proposed_outcome = '', urgent = false, open_matches = 0
                FROM (SELECT r.id, kind.state, kind.since FROM {mine}) chosen WHERE t.id = chosen.id""",
                values,
            )
        vacuum()

    @staticmethod
    def _untouched(crowd: Crowd) -> int:
        """How many requests of the office have been used up: those with a clock besides that of the departure."""
        return (
            Clock.objects.filter(request__office=crowd.office)
            .exclude(kind="departure")
            .values("request")
            .distinct()
            .count()
        )

    def at(self, number: int) -> datetime:
        """The moment at which the block of this number is due, and all before it."""
        return self.begin + timedelta(minutes=number)


def vacuum() -> None:
    """What was filled in and rolled back must not weigh on either side."""
    with connections["owner"].cursor() as cursor:
        for model in (TravelRequest, Clock, ClockAction, Entry, OutboxEvent):
            cursor.execute(f"VACUUM ANALYZE {model._meta.db_table}")
    connections["owner"].close()


class Floor:
    """The rows of one block in tables of their own, and the set-based statements that bring them to their places."""

    def __init__(self, name: str, at: datetime, due: int) -> None:
        self.at, self.due = at, due
        steps: dict[journal.Part, list[dict[str, Any]]] = {}
        make = journal.parts_of

        def keep(some: Any) -> Any:
            parts = make(some)
            for part, rows in parts.items():
                steps.setdefault(part, []).extend(rows)
            return parts

        with transaction.atomic(), patch.object(journal, "parts_of", keep):
            assert sweeping.sweep(at=at).taken == due
            transaction.set_rollback(True)
        self.statements = [self._stage(f"{name}_{n}", part, rows) for n, (part, rows) in enumerate(steps.items())]

    @staticmethod
    def _stage(name: str, part: journal.Part, rows: list[dict[str, Any]]) -> str:
        # The statement of ours, with a table in the place of the JSON.
        sql = journal._many_sql(part)
        head, _from, source = sql.partition(" FROM json_to_recordset(%s::json) AS v(")
        kinds, _end, condition = source.rpartition(")") if part[1] is None else source.partition(") WHERE ")
        with connections["owner"].cursor() as cursor:
            cursor.execute(
                f"CREATE UNLOGGED TABLE {name} AS SELECT * FROM json_to_recordset(%s::json) AS v({kinds})",
                [journal.as_json(rows)],
            )
            cursor.execute(f"GRANT SELECT ON {name} TO PUBLIC")
            cursor.execute(f"ANALYZE {name}")
        return f"{head} FROM {name} AS v" + (f" WHERE {condition}" if part[1] is not None else "")

    def run(self, bare: Any) -> None:
        """One transaction: claim as the sweep does, then a statement for each table."""
        with bare.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(
                """SELECT c.id FROM approvals_clock c JOIN approvals_travelrequest r ON r.id = c.request_id
                WHERE c.next_action_at <= %s AND c.ended_at IS NULL ORDER BY c.next_action_at, c.id LIMIT %s
                FOR NO KEY UPDATE OF r SKIP LOCKED""",
                [self.at, self.due],
            )
            assert cursor.rowcount == self.due, cursor.rowcount
            for statement in self.statements:
                cursor.execute(statement)
            cursor.execute("COMMIT")


def _timed(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def _sweep(at: datetime, due: int) -> None:
    result = sweeping.sweep(at=at)
    assert (result.taken, result.failed) == (due, 0), result


class Helper:
    """Another process of the worker, started beforehand, that sweeps when it is called."""

    def __init__(self) -> None:
        connections.close_all()
        fork = multiprocessing.get_context("fork")
        self._pipe, theirs = fork.Pipe()
        fork.Process(target=self._work, args=(theirs,), daemon=True).start()
        self.call(NOON - timedelta(days=3650))  # when nothing is due: it has its connection and its caches
        self.took()

    @staticmethod
    def _work(pipe: Any) -> None:
        while True:
            pipe.send(sweeping.sweep(at=pipe.recv()))

    def call(self, at: datetime) -> None:
        """Have it sweep what is due at `at`."""
        self._pipe.send(at)

    def took(self) -> sweeping.SweepResult:
        """What it took of what it was called for, when it is done with it."""
        result: sweeping.SweepResult = self._pipe.recv()
        return result


def _sweep_with_help(at: datetime, due: int, helper: Helper) -> tuple[int, int]:
    """The sweep as the worker runs it: a long list calls the other process of the worker. What each of them took."""
    called: list[datetime] = []

    def call() -> None:
        called.append(at)
        helper.call(at)

    mine = sweeping.sweep(at=at, call_help=call)
    theirs = helper.took() if called else sweeping.SweepResult()
    # Each leaves out what the other has locked, and the one that is done first what the other is at.
    assert (mine.taken + theirs.taken, mine.failed + theirs.failed) == (due, 0), (mine, theirs)
    return mine.taken, theirs.taken


def run(*, rows: int, say: Say) -> Result:
    """`rows` running clocks, a twentieth of them due at once (10,000 at most), in each of the rounds."""
    due = min(DUE_AT_MOST, max(1, rows // 20))
    ways = ("floor", "alone", "ours")
    blocks = Blocks(rows, due, len(ways) * (ROUNDS + 1), say)
    helper = Helper()
    name = f"bench_sweep_{time.time_ns()}"
    taken: dict[str, list[float]] = {way: [] for way in ways}
    bare = bare_connection()
    psycopg2.extras.register_uuid(conn_or_curs=bare)  # type: ignore[no-untyped-call]
    before = ClockAction.objects.count()
    shares: list[tuple[int, int]] = []
    for number in range(ROUNDS + 1):  # the first one warms all of them up and does not count
        # Who begins changes, so that what one leaves to do for the server meets the others too.
        turns = (*ways[number % len(ways) :], *ways[: number % len(ways)])
        for turn, way in enumerate(turns):
            at = blocks.at(len(ways) * number + turn)
            floor = Floor(f"{name}_{number}", at, due) if way == "floor" else None
            vacuum()
            begin = time.perf_counter()
            if floor is not None:
                floor.run(bare)
            elif way == "alone":
                _sweep(at, due)
            else:
                shares.append(_sweep_with_help(at, due, helper))
            taken[way].append(time.perf_counter() - begin)
    acted = ClockAction.objects.count() - before
    assert acted == len(ways) * (ROUNDS + 1) * due, acted  # none lost, none twice, whoever swept
    last = blocks.at(len(ways) * (ROUNDS + 1) - 1)
    empty = [_timed(lambda: sweeping.sweep(at=last)) for _ in range(200)]
    seen = len(statements(lambda: sweeping.sweep(at=last)))
    app.control.purge()
    rate = {way: due / statistics.median(seconds[1:]) for way, seconds in taken.items()}
    running = Clock.objects.filter(ended_at=None).count()
    say(f"{due:,} due among {running:,} running, {ROUNDS} rounds, medians; batches of {sweeping.BATCH:,}\n")
    say(f"set-based SQL, rows made beforehand     {rate['floor']:9,.0f} steps/s\n")
    say(f"the sweep of one process                {rate['alone']:9,.0f} steps/s   ")
    say(f"ratio {rate['alone'] / rate['floor']:.2f}\n")
    both = " and ".join(f"{share:,}" for share in shares[-1])
    say(f"the sweep as the worker runs it         {rate['ours']:9,.0f} steps/s   ")
    say(f"ratio {rate['ours'] / rate['floor']:.2f}   {both}, none twice\n")
    say(f"an empty sweep                          {1000 * statistics.median(empty):9.2f} ms\n")
    return Result(
        ratio=rate["ours"] / rate["floor"], floor=rate["floor"], ours=rate["ours"], unit="steps/s", n=rows, queries=seen
    )
