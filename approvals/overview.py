"""The state of the whole installation in figures: what waits, what is late, what runs behind. Counts, never cases."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, F, Min, Q
from django.db.models.functions import Greatest

from approvals.models import Clock, TravelRequest
from approvals.states import OPEN, WITH_AUTHORITY, State, Tier
from audit.models import Checkpoint
from authorities.models import Office
from notifications import failures
from notifications.models import OutboxEvent

# How long cases have been with the office: up to so many days.
AGES = (3, 10, 20, 40)


@dataclass(frozen=True, slots=True)
class OfficeLoad:
    """What one office has before it. `unassigned` and `overdue` are parts of `open`."""

    office: Office
    open: int
    unassigned: int
    overdue: int
    urgent: int


@dataclass(frozen=True, slots=True)
class Running:
    """How far the machinery is behind. Durations; None: nothing waits."""

    sweep_lag: timedelta | None
    outbox_age: timedelta | None
    failed_clocks: int
    failed_notifications: int
    last_checkpoint: Checkpoint | None

    @property
    def is_late(self) -> bool:
        """Whether somebody should look: the sweep is five minutes behind, the outbox ten, or something was given up."""
        return (
            (self.sweep_lag or timedelta()) > timedelta(minutes=5)
            or (self.outbox_age or timedelta()) > timedelta(minutes=10)
            or bool(self.failed_clocks or self.failed_notifications)
        )


def by_state() -> dict[State, int]:
    """How many requests are in each open state, and in force; drafts too, as a number."""
    wanted = [state.value for state in State if state in OPEN or state is State.APPROVED]
    rows = TravelRequest.unscoped.filter(state__in=wanted).order_by().values_list("state").annotate(number=Count("pk"))
    found = dict(rows)
    return {State(state): found.get(state, 0) for state in wanted}


def offices(*, at: datetime) -> list[OfficeLoad]:
    """What each active office has before it at `at`."""
    waiting = Q(requests__state__in=sorted(WITH_AUTHORITY))
    rows = Office.objects.filter(is_active=True).annotate(
        open_cases=Count("requests", filter=waiting),
        unassigned=Count("requests", filter=waiting & Q(requests__assigned_reviewer=None)),
        overdue=Count("requests", filter=waiting & Q(requests__due_at__lte=at)),
        urgent_cases=Count("requests", filter=waiting & Q(requests__urgent=True)),
    )
    return [OfficeLoad(row, row.open_cases, row.unassigned, row.overdue, row.urgent_cases) for row in rows]


def overdue_by_tier(*, at: datetime) -> dict[Tier, int]:
    """How many cases with an office are past their due date at `at`, by tier."""
    rows = (
        TravelRequest.unscoped.filter(state__in=sorted(WITH_AUTHORITY), due_at__lte=at)
        .order_by()
        .values_list("tier")
        .annotate(number=Count("pk"))
    )
    found = dict(rows)
    return {tier: found.get(tier.value, 0) for tier in Tier}


def by_age(*, at: datetime) -> list[tuple[int, int | None, int]]:
    """How long cases have been with the offices at `at`: (more than, up to or None, number), in calendar days."""
    bounds = [0, *AGES]
    pairs = list(zip(bounds, [*AGES, None], strict=True))
    found = TravelRequest.unscoped.filter(state__in=sorted(WITH_AUTHORITY)).aggregate(
        **{
            f"from_{low}": Count(
                "pk",
                filter=Q(reached_authority_at__lte=at - timedelta(days=low))
                & (Q() if high is None else Q(reached_authority_at__gt=at - timedelta(days=high))),
            )
            for low, high in pairs
        }
    )
    return [(low, high, found[f"from_{low}"]) for low, high in pairs]


def running(*, at: datetime) -> Running:
    """How far the machinery is behind at `at`. A clock that failed is behind only from its next attempt on."""
    clocks = Clock.objects.filter(ended_at=None)
    due = Greatest(F("next_action_at"), F("retry_at"))
    behind = clocks.filter(next_action_at__lte=at).aggregate(oldest=Min(due))["oldest"]
    waiting = OutboxEvent.objects.due(at).order_by().aggregate(oldest=Min("next_attempt_at"))["oldest"]
    return Running(
        sweep_lag=max(at - behind, timedelta()) if behind else None,
        outbox_age=at - waiting if waiting else None,
        failed_clocks=clocks.filter(failures__gt=0, next_action_at__isnull=False).count(),
        failed_notifications=failures.number(),
        last_checkpoint=Checkpoint.objects.order_by("-day").first(),
    )
