"""The figures of operations for Prometheus, read from the database at each scrape: any process answers the same."""

from collections.abc import Iterator
from datetime import timedelta
from secrets import compare_digest

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

from config import operations
from config.operations import Alarm, Figures


class _Reading(Collector):
    """One look at the installation, as gauges."""

    def __init__(self, found: Figures | None, hints: int | None, alarms: list[Alarm]) -> None:
        self.found, self.hints, self.alarms = found, hints, alarms

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield _gauge("database_up", "1: the database answers.", int(self.found is not None))
        yield _gauge("broker_up", "1: the broker answers.", int(self.hints is not None))
        if self.hints is not None:
            yield _gauge("hints_waiting", "Hints in the broker that no worker has taken.", self.hints)
        alarm = GaugeMetricFamily(
            "exit_approvals_alarm", "1: somebody has to look; see docs/operating.md.", labels=["alarm"]
        )
        for one in Alarm:
            if self.found is not None or one in (Alarm.DATABASE_AWAY, Alarm.BROKER_AWAY):  # else not known
                alarm.add_metric([one.value], int(one in self.alarms))
        yield alarm
        if self.found is not None:
            yield from _of(self.found)


def _of(found: Figures) -> Iterator[GaugeMetricFamily]:
    running = found.running
    yield _age("sweep_lag", "How long the oldest step of a clock that is due waits.", running.sweep_lag)
    yield _age("outbox_age", "How long the oldest event that is due to be told waits.", running.outbox_age)
    yield _age("mail_age", "How long the oldest mail that is due waits.", found.mail_age)
    yield _age("queue_age", "How long the oldest case that nobody has taken is with its office.", found.queue_age)
    yield _age("job_age", "How long ago the oldest open job was asked for.", found.job_age)
    yield _gauge("cases_untaken", "Cases that nobody has taken.", found.unassigned)
    yield _gauge("clocks_failed", "Clocks that could not be acted on and are tried again.", running.failed_clocks)
    yield _gauge("notifications_given_up", "Events and mails given up.", running.failed_notifications)
    yield _gauge("mails_retried", "Mails that failed and are tried again.", found.mails_retried)
    overdue = GaugeMetricFamily("exit_approvals_cases_overdue", "Cases past their due date.", labels=["tier"])
    for tier, number in found.overdue.items():
        overdue.add_metric([tier.value], number)
    yield overdue
    jobs = GaugeMetricFamily(
        "exit_approvals_jobs", "Jobs; failed: by an error of ours, in the last day.", labels=["state"]
    )
    jobs.add_metric(["waiting"], found.jobs_waiting)
    jobs.add_metric(["running"], found.jobs_running)
    jobs.add_metric(["failed"], found.jobs_failed)
    yield jobs
    ticks = GaugeMetricFamily(
        "exit_approvals_tick_age_seconds", "How long ago a task of the schedule last ended well.", labels=["task"]
    )
    for tick in found.ticks:
        if tick.ago is not None:
            ticks.add_metric([tick.name], tick.ago.total_seconds())
    yield ticks


def _gauge(name: str, says: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"exit_approvals_{name}", says, value=value)


def _age(name: str, says: str, age: timedelta | None) -> GaugeMetricFamily:
    return _gauge(f"{name}_seconds", f"{says} 0: none does.", age.total_seconds() if age else 0)


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """The figures, for who shows the token METRICS_TOKEN as `Authorization: Bearer …`. To everybody else, and where no
    token is set, this address does not exist."""
    shown = request.headers.get("Authorization", "")
    token = settings.METRICS_TOKEN
    if not token or not compare_digest(shown.encode(), f"Bearer {token}".encode()):
        raise Http404
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Reading(*operations.look(at=timezone.now())))
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)
