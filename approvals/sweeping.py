"""The sweep: takes every step of every clock that is due, in batches, each step once, whoever else sweeps.

A batch is one transaction: claim (skipping what somebody else is at), look again, judge each row by the same gate as a
person's step, write the rows of all steps by one statement. A row that the rules or the arithmetic fail on fails alone.
When the statement itself is refused, the batch is taken again row by row, so that one bad row holds nobody up.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import DatabaseError, connection, transaction

from approvals import journal, queries, rules, timekeeping, workflow
from notifications import outbox

logger = logging.getLogger(__name__)

# So many requests are locked at once: for a tenth of a second or so.
BATCH = 500
# The first batch is short: when it is full, there is work for another worker too, who is called so much sooner.
FIRST_BATCH = 100


@dataclass(frozen=True, slots=True)
class SweepResult:
    """How many steps a sweep took, and how many failed."""

    taken: int = 0
    failed: int = 0

    def __add__(self, other: "SweepResult") -> "SweepResult":
        return SweepResult(self.taken + other.taken, self.failed + other.failed)


def act_on_clock(clock_id: UUID, *, at: datetime) -> bool:
    """Take the step of a clock that is due at `at`; False when it is not due (any more), or somebody else is at it.

    Does not wait for somebody who is at the request: a later sweep comes by.
    """
    rules.moment_is_aware(at)
    with transaction.atomic():
        claimed = queries.claim_clock(clock_id, at=at)
        if claimed is None:
            return False
        request, row = claimed
        made = workflow.clock_step(request, row, at=at)
        journal.write(made.changed, made.added)
        outbox.hint()
    return True


def sweep(*, at: datetime, batch: int = BATCH, call_help: Callable[[], object] | None = None) -> SweepResult:
    """Take every step of every clock that is due at `at` (aware), the longest due first.

    Safe to run twice, or on two machines, at the same time; `call_help` is called once, after the first batch, when
    there is more to do. A clock whose step fails fails alone: it is logged, tried again after a growing wait, and seen
    by administrators. Raises only when the database is away.
    """
    rules.moment_is_aware(at)
    result, size = SweepResult(), min(batch, FIRST_BATCH)
    while (found := _sweep_batch(at, size)) is not None:
        result += found
        if call_help is not None and found.taken + found.failed >= size:
            call_help()
            call_help = None
        size = batch
    return result


def _sweep_batch(at: datetime, batch: int) -> SweepResult | None:
    """What came of the next batch; None when nothing is due that nobody else is at."""
    claimed: list[UUID] = []
    steps: list[workflow.Made] = []
    failures: list[tuple[UUID, Exception]] = []
    try:
        with journal.without_collecting(), transaction.atomic():
            for request, row in queries.claim_due(at=at, limit=batch):
                claimed.append(row.pk)
                try:
                    steps.append(workflow.clock_step(request, row, at=at))
                except DatabaseError:
                    raise  # the transaction is lost, and with it the whole batch
                except Exception as error:
                    failures.append((row.pk, error))
            journal.write_many((made.changed, made.added) for made in steps)
            if steps:
                outbox.hint()
    except DatabaseError:
        if not claimed or not connection.is_usable():
            raise
        logger.warning("a batch of %d clocks was refused; taking them one by one", len(claimed), exc_info=True)
        return _one_by_one(claimed, at)
    for clock_id, reason in failures:
        _failed(clock_id, reason, at)
    return SweepResult(len(steps), len(failures)) if claimed else None


def _one_by_one(clock_ids: list[UUID], at: datetime) -> SweepResult:
    taken = failed = 0
    for clock_id in clock_ids:
        try:
            taken += act_on_clock(clock_id, at=at)
        except Exception as error:
            if not connection.is_usable():
                raise
            _failed(clock_id, error, at)
            failed += 1
    return SweepResult(taken, failed)


def _failed(clock_id: UUID, error: Exception, at: datetime) -> None:
    logger.error("clock %s could not be acted on", clock_id, exc_info=error)
    timekeeping.note_failure(clock_id, error, at=at)
