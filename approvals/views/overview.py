"""The administrator's overview: figures of the whole installation. An administrator decides nothing here."""

from datetime import datetime, timedelta

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from accounts.http import ActorRequest
from accounts.roles import Role
from approvals import overview as figures
from authorities import absences
from interface.charts import Bar

READERS = frozenset({Role.ADMINISTRATOR, Role.AUDITOR})


def _age(low: int, high: int | None) -> str:
    if high is None:
        return ngettext("more than %(days)d day", "more than %(days)d days", low) % {"days": low}
    if low == 0:
        return ngettext("up to %(days)d day", "up to %(days)d days", high) % {"days": high}
    return _("%(first)d to %(last)d days") % {"first": low + 1, "last": high}


def _in_words(lag: timedelta | None, at: datetime) -> str:
    """How long something waits, in the two largest units; empty when nothing does."""
    return timesince(at - lag, at) if lag else ""


@require_GET
@login_required
def overview(request: ActorRequest) -> HttpResponse:
    """What waits, what is late and what runs behind."""
    if not READERS & request.actor.roles:
        raise PermissionDenied
    at = timezone.now()
    running = figures.running(at=at)
    context = {
        "at": at,
        "offices": figures.offices(at=at),
        "running": running,
        "unmanned": [
            {
                "office": office,
                "roles": [role.label for role in missing],
                # Then lateness of its cases reaches nobody but administrators.
                "is_grave": {Role.SENIOR, Role.HEAD} <= set(missing),
            }
            for office, missing in absences.unmanned(at=at)
        ],
        "sweep_lag": _in_words(running.sweep_lag, at),
        "outbox_age": _in_words(running.outbox_age, at),
        "states": [Bar(state.label, number) for state, number in figures.by_state().items()],
        "ages": [
            Bar(_age(low, high), number, "bad" if high is None else "waiting" if low >= 20 else "plain")
            for low, high, number in figures.by_age(at=at)
        ],
        "overdue": [Bar(tier.label, number, "bad") for tier, number in figures.overdue_by_tier(at=at).items()],
        "may_repair": Role.ADMINISTRATOR in request.actor.roles,
    }
    return render(request, "approvals/overview/overview.html", context)
