"""After working days were published: every running clock looks at the new calendar, in batches, in the worker.

Which clocks have not looked yet is in their rows (`calendar_checked`), so the work can be interrupted anywhere, done by
several, and found again by a look every minute: nothing has to remember how far it came.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

import audit
from accounts.roles import Role
from approvals import clocks, journal, queries, timekeeping
from approvals.models import TravelRequest
from authorities import calendars
from jobs import work
from jobs.models import Job
from notifications import outbox

KIND = "settle-clocks"
# Clocks in a batch: its requests are locked for a tenth of a second or so, which is what a page may have to wait.
BATCH = 500


def look(*, at: datetime, by: int | None = None) -> Job | None:
    """Have the worker settle the clocks that have not looked at the newest calendar; None when there are none.

    Called when a calendar comes into force, and every minute: for clocks that were started meanwhile by a process that
    had not noticed. `by` is the account that published, which can watch the progress.
    """
    count = queries.behind(version=calendars.newest_version()).count()
    return work.enqueue(KIND, by=by, at=at, subject="all", data={"clocks": count}) if count else None


def settle_some(*, at: datetime, limit: int = BATCH) -> int:
    """Settle the clocks of the next requests; how many clocks looked at the newest calendar. 0: none is left that
    nobody else is at.

    Where a date moved, the history says so and those whom it concerns are told. All in one transaction.
    """
    version = calendars.newest_version()
    settled = 0
    with transaction.atomic():
        steps = []
        for request in queries.claim_behind(version=version, limit=limit):
            step = _settle(request, version, at)
            settled += len(step[0]) - 1
            steps.append(step)
        journal.write_many(steps)
        if any(added for _changed, added in steps):
            outbox.hint()
    return settled


def _settle(request: TravelRequest, version: int, at: datetime) -> tuple[list[journal.Changed], list[models.Model]]:
    before = journal.stored(request)
    turned, moved = timekeeping.settle(request, version=version, at=at)
    added: list[models.Model] = []
    if moved:
        data: dict[str, Any] = {
            "calendar": version,
            "moved": [[one.kind.value, _last_day(one.was, request), _last_day(one.now, request)] for one in moved],
        }
        added = [
            audit.record(request, "recompute", actor_id=None, actor_role=Role.SYSTEM, at=at, data=data),
            outbox.emit("request.recompute", subject=request.pk, at=at, data={"state": request.state} | data),
        ]
    return [*turned.changed, (request, before)], added


def _last_day(end: datetime, request: TravelRequest) -> str:
    return clocks.local_day(end - timedelta(microseconds=1), request.zone).isoformat()


def _step(job: Job, at: datetime) -> bool:
    """One batch of the job, in its transaction."""
    job.total = job.total or job.data["clocks"]
    settled = settle_some(at=at)
    job.done += settled
    job.total = max(job.total, job.done)
    return settled == 0


def _in_force(sender: object, *, at: datetime, by: int | None, **kwargs: Any) -> None:
    look(at=at, by=by)


def register() -> None:
    """Make the work known to the worker; begin it when a calendar comes into force. Called when the app is ready."""
    work.register(work.Work(kind=KIND, label=_("Computing dates anew"), step=_step))
    calendars.came_into_force.connect(_in_force, dispatch_uid=KIND)
