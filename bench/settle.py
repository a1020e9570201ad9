"""Recomputing running clocks after a calendar year is published, while people open requests.

Ours: the job of `approvals/settling.py`, batch by batch, each its own transaction: claim, arithmetic in both calendars,
write; where a date moved, the history and the outbox too. Meanwhile somebody takes the lock of a request, as each step
of a person does, fifty times a second, and writes down how long it took: what a page has to wait. Floor: one bare
UPDATE a batch that marks the same clocks. To reach: 100,000 clocks in 60 s, and no wait that a person would notice.
"""

import multiprocessing
import os
import random
import statistics
import time
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection, connections, transaction

from approvals import queries, settling
from approvals.models import Clock
from audit.models import Entry
from authorities import calendars, policies
from authorities.working_days import SpecialDay
from bench import Result, Say
from bench._requests import Crowd
from bench.lifecycle import bare_connection
from bench.sweep import vacuum
from config.celery import app

ROWS = 10_000
SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 9, 21, 12, tzinfo=SHANGHAI)
# One clock in three is the applicant's; they start on the days of September, so that some reach over the new day off
# and some over the new weekend worked.
_CLOCKS = """INSERT INTO approvals_clock (id, request_id, kind, policy_version, calendar_version, calendar_checked,
    started_at, intervals, tier, urgent, anchor, extension_days, steps_done, ended_at, due_at, is_provisional,
    next_step, next_action_at, failures, last_error)
    SELECT gen_random_uuid(), id, CASE WHEN n %% 3 = 0 THEN 'answer' ELSE 'decision' END, %(policy)s, %(version)s,
    %(version)s, since, jsonb_build_array(jsonb_build_array(to_json(since), null)),
    CASE WHEN n %% 3 = 0 THEN '' ELSE 'heightened' END, false, null, 0, '[]', null, %(now)s::timestamptz
    + interval '90 days', true, 'remind', %(now)s::timestamptz + interval '80 days', 0, ''
    FROM (SELECT id, n, '2026-09-01 10:00+08'::timestamptz + n %% 20 * interval '1 day' AS since FROM (
        SELECT id, split_part(reference, '-', 2)::int AS n FROM approvals_travelrequest WHERE office_id = %(office)s
    ) numbered) started"""


def _notice(*days: SpecialDay) -> int:
    """Bring another version of 2026 into force; its number."""
    known = {day.day: day for day in calendars.from_library(2026)} | {day.day: day for day in days}
    row = calendars.draft(None, 2026, days=known.values(), source="bench")
    return int(calendars.publish(row.pk, at=NOW).since or 0)


def _somebody(requests: list[UUID], stop: Any, answer: Any) -> None:
    bare = bare_connection()
    waits = []
    while not stop.is_set():
        with bare.cursor() as cursor:
            begin = time.perf_counter()
            cursor.execute(
                "SELECT 1 FROM approvals_travelrequest WHERE id = %s FOR NO KEY UPDATE", [random.choice(requests)]
            )
            waits.append(time.perf_counter() - begin)
        time.sleep(0.02)
    answer.send(waits)
    os._exit(0)


def run(*, rows: int, say: Say) -> Result:
    """`rows` running clocks, all of them behind; once."""
    crowd = Crowd(rows, say, name="SETTLE")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE approvals_clock SET ended_at = now(), next_action_at = NULL WHERE ended_at IS NULL")
        before = calendars.newest_version()
        policy = policies.current(crowd.office.pk, NOW).id
        cursor.execute(_CLOCKS, {"policy": policy, "version": before, "now": NOW, "office": crowd.office.pk})
        cursor.execute(
            "UPDATE approvals_travelrequest SET state = 'authority_review', tier = 'heightened' WHERE office_id = %s",
            [crowd.office.pk],
        )
        cursor.execute("SELECT id FROM approvals_travelrequest WHERE office_id = %s LIMIT 5000", [crowd.office.pk])
        requests = [row[0] for row in cursor.fetchall()]
    # The rows hold no real dates yet: settled once, they do, and nothing has moved by a notice.
    _notice()
    while settling.settle_some(at=NOW):
        pass
    vacuum()
    version = _notice(
        SpecialDay(date(2026, 10, 12), False, "休", "Off"), SpecialDay(date(2026, 9, 26), True, "班", "Worked")
    )
    floor = _floor(version)
    vacuum()
    moved = Entry.objects.filter(verb="recompute").count()
    connections.close_all()
    fork = multiprocessing.get_context("fork")
    stop, (mine, theirs) = fork.Event(), fork.Pipe()
    fork.Process(target=_somebody, args=(requests, stop, theirs), daemon=True).start()
    batches, settled = [], 0
    begin = time.perf_counter()
    while True:
        batch = time.perf_counter()
        some = settling.settle_some(at=NOW)
        if not some:
            break
        batches.append(time.perf_counter() - batch)
        settled += some
    taken = time.perf_counter() - begin
    stop.set()
    waits = sorted(mine.recv())
    assert settled == rows, settled
    assert not queries.behind(version=version).exists()
    moved = Entry.objects.filter(verb="recompute").count() - moved
    app.control.purge()
    say(f"{settled:,} clocks settled in {taken:.1f} s: {settled / taken:,.0f} clocks/s; {moved:,} dates moved\n")
    say(f"a batch of {settling.BATCH}             {1000 * statistics.median(batches):8.0f} ms\n")
    say(f"one bare UPDATE a batch     {floor:8,.0f} clocks/s\n")
    say(f"somebody waited for a lock  {1000 * statistics.median(waits):8.1f} ms in the median, ")
    say(f"{1000 * waits[int(len(waits) * 0.99)]:.0f} ms at the 99th percentile, {1000 * waits[-1]:.0f} ms at most\n")
    return Result(ratio=settled / taken / floor, floor=floor, ours=settled / taken, unit="clocks/s", n=rows)


def _floor(version: int) -> float:
    """Clocks a second, marked by one UPDATE a batch; rolled back."""
    begin, marked = time.perf_counter(), 0
    with transaction.atomic(), connection.cursor() as cursor:
        while True:
            cursor.execute(
                """UPDATE approvals_clock SET calendar_checked = %s, due_at = due_at + interval '0',
                is_provisional = false
                WHERE id IN (SELECT id FROM approvals_clock WHERE ended_at IS NULL AND calendar_checked < %s
                ORDER BY calendar_checked, id LIMIT %s)""",
                [version, version, settling.BATCH],
            )
            if not cursor.rowcount:
                break
            marked += cursor.rowcount
        transaction.set_rollback(True)
    assert marked == Clock.objects.filter(ended_at=None).count()
    return marked / (time.perf_counter() - begin)
