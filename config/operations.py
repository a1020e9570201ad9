"""How the installation runs: its figures, and what of them somebody has to look at. Counts, never cases.

Health, metrics and the administrators' page say the same because all of them ask here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import redis
from celery.schedules import BaseSchedule
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.models import Count, Min, Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from approvals import overview, queries
from approvals.models import TravelRequest
from approvals.states import State, Tier
from config.celery import app
from config.models import Tick
from jobs.models import Job
from notifications.models import Notification

SWEEP = "approvals.tasks.sweep_clocks"
SWEEP_LATE = timedelta(minutes=5)
OUTBOX_LATE = timedelta(minutes=10)
# Ticks of every minute may have a long list before them; those of every hour may be missed once.
TICK_LATE, HOURLY_LATE = timedelta(minutes=10), timedelta(hours=3)
# A job that failed is news for a day; the page of failed work shows it until it is done.
JOB_NEWS = timedelta(days=1)
_REDIS_SECONDS = 2.0
# The list in which celery keeps what no worker has taken yet.
_QUEUE = "celery"


class Alarm(StrEnum):
    """What can be wrong. The values are part of the health answer and of docs/operating.md: do not rename them."""

    DATABASE_AWAY = "database_away"
    BROKER_AWAY = "broker_away"
    SWEEP_NOT_RUN = "sweep_not_run"
    SWEEP_LATE = "sweep_late"
    OUTBOX_LATE = "outbox_late"
    TICK_LATE = "tick_late"
    CLOCKS_FAILED = "clocks_failed"
    JOBS_FAILED = "jobs_failed"
    NOTIFICATIONS_GIVEN_UP = "notifications_given_up"
    APPEALS_UNHEARD = "appeals_unheard"


SAYS: dict[Alarm, str | Promise] = {
    Alarm.DATABASE_AWAY: _("The database does not answer."),
    Alarm.BROKER_AWAY: _("The broker does not answer."),
    Alarm.SWEEP_NOT_RUN: _("No sweep of the clocks has ended well in the last five minutes."),
    Alarm.SWEEP_LATE: _("A step of a clock has been due for more than five minutes."),
    Alarm.OUTBOX_LATE: _("A notification has been due for more than ten minutes."),
    Alarm.TICK_LATE: _("A task of the schedule has not ended well for too long."),
    Alarm.CLOCKS_FAILED: _("A clock could not be acted on."),
    Alarm.JOBS_FAILED: _("A job failed through an error of ours in the last day."),
    Alarm.NOTIFICATIONS_GIVEN_UP: _("Notifications were given up after their last attempt."),
    Alarm.APPEALS_UNHEARD: _("Somebody can appeal against a refusal, and no other office could hear it."),
}

TO_DO: dict[Alarm, str | Promise] = {
    Alarm.DATABASE_AWAY: _("Start PostgreSQL again. Nothing is lost: whatever was due is done when it is back."),
    Alarm.BROKER_AWAY: _("Start Redis or Valkey again. What was in it need not be restored: it held hints only."),
    Alarm.SWEEP_NOT_RUN: _("See whether beat and a worker are running, and what the log of the worker says."),
    Alarm.SWEEP_LATE: _("See whether a worker is running. After an outage wait: the oldest steps are taken first."),
    Alarm.OUTBOX_LATE: _("See whether a worker is running and the mail server answers."),
    Alarm.TICK_LATE: _("Look for the task in the log of the worker; the table below says which one it is."),
    Alarm.CLOCKS_FAILED: _("Look for “could not be acted on” in the log. It is tried again by itself."),
    Alarm.JOBS_FAILED: _("Open the work that failed, mend the cause, and have it tried again."),
    Alarm.NOTIFICATIONS_GIVEN_UP: _("Open the notifications given up, mend the cause, and have them tried again."),
    Alarm.APPEALS_UNHEARD: _("Post an appeal reviewer in another active office than the one that decided."),
}

# To be mended by people, in daylight: nobody waits for a date that is not kept.
MILD = frozenset({Alarm.NOTIFICATIONS_GIVEN_UP, Alarm.APPEALS_UNHEARD})


@dataclass(frozen=True, slots=True)
class Ticking:
    """One task of the schedule. `ago` None: it has never ended well.

    `known`: how long ago the first task of all ended well; None: none ever did.
    """

    task: str
    ago: timedelta | None
    known: timedelta | None
    took: timedelta | None
    late_after: timedelta

    @property
    def is_late(self) -> bool:
        waited = self.known if self.ago is None else self.ago
        return waited is None or waited > self.late_after

    @property
    def name(self) -> str:
        """Without the module: "sweep_clocks"."""
        return self.task.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Figures:
    """How everything runs at one moment. Durations; None: nothing waits."""

    at: datetime
    running: overview.Running
    mail_age: timedelta | None
    mails_retried: int
    ticks: list[Ticking]
    queue_age: timedelta | None
    """How long the oldest case that nobody has taken is with its office."""
    unassigned: int
    overdue: dict[Tier, int]
    jobs_waiting: int
    jobs_running: int
    jobs_failed: int
    job_age: timedelta | None
    """How long the oldest open job has been asked for."""
    offices_unheard: int
    """The offices against whose refusals somebody can appeal, where no other office could hear it."""

    @property
    def alarms(self) -> list[Alarm]:
        """What somebody has to look at, the gravest first."""
        return list(self._alarms())

    def _alarms(self) -> Iterator[Alarm]:
        late = [tick.task for tick in self.ticks if tick.is_late]
        if SWEEP in late:
            yield Alarm.SWEEP_NOT_RUN
        if (self.running.sweep_lag or timedelta()) > SWEEP_LATE:
            yield Alarm.SWEEP_LATE
        if max(self.running.outbox_age or timedelta(), self.mail_age or timedelta()) > OUTBOX_LATE:
            yield Alarm.OUTBOX_LATE
        if set(late) - {SWEEP}:
            yield Alarm.TICK_LATE
        if self.running.failed_clocks:
            yield Alarm.CLOCKS_FAILED
        if self.jobs_failed:
            yield Alarm.JOBS_FAILED
        if self.running.failed_notifications:
            yield Alarm.NOTIFICATIONS_GIVEN_UP
        if self.offices_unheard:
            yield Alarm.APPEALS_UNHEARD


def figures(*, at: datetime) -> Figures:
    """How everything runs at `at` (aware). A handful of queries by index; raises DatabaseError when it is away."""
    untaken = TravelRequest.unscoped.filter(state=State.AUTHORITY_REVIEW, assigned_reviewer=None).aggregate(
        number=Count("pk"), oldest=Min("reached_authority_at")
    )
    jobs = Job.objects.open().aggregate(
        waiting=Count("pk", filter=Q(state=Job.State.WAITING)),
        running=Count("pk", filter=Q(state=Job.State.RUNNING)),
        oldest=Min("at"),
    )
    mails = Notification.objects.filter(done_at=None, next_attempt_at__isnull=False).aggregate(
        oldest=Min("next_attempt_at", filter=Q(next_attempt_at__lte=at)),
        retried=Count("pk", filter=Q(attempts__gt=0)),
    )
    return Figures(
        at=at,
        running=overview.running(at=at),
        mail_age=_since(mails["oldest"], at),
        mails_retried=mails["retried"],
        ticks=ticks(at=at),
        queue_age=_since(untaken["oldest"], at),
        unassigned=untaken["number"],
        overdue=overview.overdue_by_tier(at=at),
        jobs_waiting=jobs["waiting"],
        jobs_running=jobs["running"],
        # What people are told of a file of theirs is a refusal, not an error of ours.
        jobs_failed=Job.objects.filter(state=Job.State.FAILED, ended_at__gte=at - JOB_NEWS)
        .exclude(last_error="")
        .count(),
        job_age=_since(jobs["oldest"], at),
        offices_unheard=len(queries.unheard_offices(at=at)),
    )


def ticks(*, at: datetime) -> list[Ticking]:
    """Every task of the schedule, and how long ago it last ended well."""
    done = {tick.task: tick for tick in Tick.objects.all()}
    known = _since(min((tick.first_at for tick in done.values()), default=None), at)
    return [
        Ticking(
            task,
            max(at - done[task].at, timedelta()) if task in done else None,
            known,
            done[task].took if task in done else None,
            late_after,
        )
        for task, late_after in scheduled().items()
    ]


def scheduled() -> dict[str, timedelta]:
    """The tasks of the beat schedule, and after how long without one that ended well something is wrong."""
    found = {}
    for entry in app.conf.beat_schedule.values():
        hourly = isinstance(entry["schedule"], BaseSchedule)
        found[entry["task"]] = HOURLY_LATE if hourly else SWEEP_LATE if entry["task"] == SWEEP else TICK_LATE
    return found


def hints() -> int | None:
    """How many hints wait in the broker for a worker; None: it does not answer."""
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=_REDIS_SECONDS, socket_timeout=_REDIS_SECONDS
    )
    try:
        waiting: Any = client.llen(_QUEUE)
        return int(waiting)
    except redis.RedisError:
        return None
    finally:
        client.close()


def look(*, at: datetime) -> tuple[Figures | None, int | None, list[Alarm]]:
    """The figures (None: no database), the hints that wait (None: no broker) and all that is wrong. Never raises
    because a part is away: that is what it is there to tell."""
    waiting = hints()
    alarms = [] if waiting is not None else [Alarm.BROKER_AWAY]
    try:
        found = figures(at=at)
    except (DatabaseError, InterfaceError):
        connection.close()
        return None, waiting, [Alarm.DATABASE_AWAY, *alarms]
    return found, waiting, alarms + found.alarms


def _since(moment: datetime | None, at: datetime) -> timedelta | None:
    return max(at - moment, timedelta()) if moment else None
