"""A day's run of the retention: a job of the worker, batch by batch, with a report that stays."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import DatabaseError, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.roles import Actor, Role
from jobs import work
from jobs.models import Job
from openness import corrections, retention
from openness.models import FILES, Held, RetentionRun

logger = logging.getLogger(__name__)

KIND = "retention"
BATCH = 25
BATCH_OF_ROWS = 200


def start(at: datetime) -> Job | None:
    """Have the worker do the run of the day of `at` (aware; the day is that of TIME_ZONE); None when it is done.

    Asked every hour: a tick that was missed is made up, and a second one finds the run that is open, or its report.
    """
    day = timezone.localdate(at)
    if RetentionRun.objects.filter(day=day).exists():
        return None
    return work.enqueue(KIND, by=None, at=at, subject=day.isoformat())


def _step(job: Job, at: datetime) -> bool:
    """One batch of one stage. Where it stands is in the cursor: the stage, the last key, and the numbers so far."""
    cursor = job.cursor
    cursor.setdefault("stage", 0)
    cursor.setdefault("counts", {})
    job.total = len(STAGES)
    done = STAGES[cursor["stage"]](cursor, at)
    if done:
        cursor["stage"] += 1
    job.done = cursor["stage"]
    if cursor["stage"] < len(STAGES):
        return False
    RetentionRun.objects.get_or_create(
        day=timezone.localdate(job.at),
        defaults={"at": at, "policy": retention.in_force(at).version, "counts": cursor["counts"]},
    )
    return True


def _count(cursor: dict[str, Any], kind: str, what: str, number: int) -> None:
    if number:
        row = cursor["counts"].setdefault(kind, {})
        row[what] = row.get(what, 0) + number


def _tell(cursor: dict[str, Any], at: datetime) -> bool:
    told = retention.tell(at, limit=BATCH)
    _count(cursor, "files", "told", told)
    return told < BATCH


def _erase(cursor: dict[str, Any], at: datetime) -> bool:
    after = UUID(cursor["after"]) if cursor.get("after") else None
    found = retention.due(at, after=after, limit=BATCH)
    for one in found:
        try:
            with transaction.atomic():
                if rows := retention.erase(one.request_id, at=at):
                    _count(cursor, one.kind, "deleted", 1)
                    _count(cursor, one.kind, "rows", rows)
        except DatabaseError:  # one file that does not go must not keep the others
            logger.exception("The file of request %s could not be deleted.", one.request_id)
            _count(cursor, one.kind, "failed", 1)
        cursor["after"] = str(one.request_id)
    return len(found) < BATCH


def _clear(kind: Held) -> Callable[[dict[str, Any], datetime], bool]:
    def stage(cursor: dict[str, Any], at: datetime) -> bool:
        days = retention.days_of(retention.in_force(at))[kind]
        gone = retention.clear(kind, at=at, days=days, limit=BATCH_OF_ROWS)
        _count(cursor, kind, "deleted", gone)
        return gone < BATCH_OF_ROWS

    return stage


def _archives(cursor: dict[str, Any], at: datetime) -> bool:
    gone = retention.expire_downloads(at)
    _count(cursor, "archives", "deleted", gone)
    return gone == 0


def _files(cursor: dict[str, Any], at: datetime) -> bool:
    gone = retention.remove_files()
    _count(cursor, "stored_files", "deleted", gone)
    return gone == 0


def _held(cursor: dict[str, Any], at: datetime) -> bool:
    for line in retention.outlook(at):
        for why, number in line.held.items():
            _count(cursor, line.kind, f"held_{why}", number)
    return True


STAGES: tuple[Callable[[dict[str, Any], datetime], bool], ...] = (
    _tell,
    _erase,
    *(_clear(kind) for kind in Held if kind not in FILES),
    _archives,
    _files,
    _held,
)


def _may_see(job: Job, actor: Actor) -> bool:
    return bool({Role.ADMINISTRATOR, Role.AUDITOR} & actor.roles)


def _page(job: Job) -> str:
    return reverse("retention")


WORK = work.Work(kind=KIND, label=_("Deleting what is over its time"), step=_step, result_url=_page, may_see=_may_see)


def register() -> None:
    """Make the run something that the worker does. Called once, when the app is ready."""
    work.register(WORK)


def hourly(at: datetime) -> None:
    """What is looked at every hour: the day's run, archives whose days are over, answers that are nearly due."""
    start(at)
    retention.expire_downloads(at)
    retention.remove_files()
    corrections.remind(at=at)
