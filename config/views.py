"""The page about the running of the installation, for administrators and auditors."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from accounts.http import ActorRequest
from accounts.roles import Role
from config import operations
from config.operations import Alarm
from interface.charts import Bar

READERS = frozenset({Role.ADMINISTRATOR, Role.AUDITOR})

# Where an alarm is mended; the others are mended on the machines.
PAGES = {Alarm.JOBS_FAILED: "jobs", Alarm.NOTIFICATIONS_GIVEN_UP: "notification_failures"}


def _words(duration: timedelta | None) -> str:
    """A duration in the two largest units; seconds below a minute, "nothing waits" for None."""
    if duration is None:
        return _("nothing waits")
    if duration < timedelta(minutes=1):
        seconds = round(duration.total_seconds())
        return ngettext("%(number)d second", "%(number)d seconds", seconds) % {"number": seconds}
    now = timezone.now()
    return timesince(now - duration, now)


def _waits(label: str, duration: timedelta | None, late_after: timedelta | None = None) -> Bar:
    late = late_after is not None and (duration or timedelta()) > late_after
    minutes = (duration or timedelta()).total_seconds() / 60
    return Bar(label, minutes, "bad" if late else "good" if late_after else "plain", _words(duration))


@require_GET
@login_required
def operations_page(request: ActorRequest) -> HttpResponse:
    """What the health endpoint and the metrics say, in words and pictures, and what to do."""
    if not READERS & request.actor.roles:
        raise PermissionDenied
    at = timezone.now()
    found, hints, alarms = operations.look(at=at)
    context: dict[str, Any] = {
        "at": at,
        "found": found,
        "hints": hints,
        "alarms": [
            {
                "says": operations.SAYS[alarm],
                "to_do": operations.TO_DO[alarm],
                "url": reverse(PAGES[alarm]) if alarm in PAGES else "",
            }
            for alarm in alarms
        ],
        "is_failing": any(alarm not in operations.MILD for alarm in alarms),
    }
    if found is not None:
        context["waits"] = [
            _waits(_("Steps of clocks"), found.running.sweep_lag, operations.SWEEP_LATE),
            _waits(_("Events to be told"), found.running.outbox_age, operations.OUTBOX_LATE),
            _waits(_("Mails to be sent"), found.mail_age, operations.OUTBOX_LATE),
            _waits(_("Jobs"), found.job_age),
        ]
        context["overdue"] = [Bar(tier.label, number, "bad") for tier, number in found.overdue.items()]
        context["jobs"] = [
            Bar(_("Waiting to start"), found.jobs_waiting, "waiting"),
            Bar(_("Running"), found.jobs_running),
            Bar(_("Failed in the last day"), found.jobs_failed, "bad"),
        ]
        context["given_up"] = [
            Bar(_("Clocks that failed"), found.running.failed_clocks, "bad"),
            Bar(_("Notifications given up"), found.running.failed_notifications, "bad"),
            Bar(_("Mails being tried again"), found.mails_retried, "waiting"),
        ]
        context["queue_age"] = _words(found.queue_age)
        context["ticks"] = [
            {"tick": tick, "ago": _words(tick.ago) if tick.ago is not None else "", "took": _words(tick.took)}
            for tick in found.ticks
        ]
    return render(request, "operations/operations.html", context)
