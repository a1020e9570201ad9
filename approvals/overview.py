"""The state of the whole installation in figures: what waits, what is late, what runs behind. Counts, never cases."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, Min, Q
from django.db.models.functions import Greatest

from accounts.models import User
from accounts.roles import Role
from approvals.models import Clock, TravelRequest
from approvals.states import OPEN, WITH_AUTHORITY, State, Tier
from audit.models import Checkpoint
from authorities import absences
from authorities.models import Absence, Office
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


@dataclass(frozen=True, slots=True)
class ReviewerLoad:
    """What one person of an office has open. `overdue` and `waiting` (for the applicant) are parts of `open`.

    `user_id` None: nobody has taken these. `number` empty: who has them is no reviewer of the office any more.
    """

    user_id: int | None
    number: str
    name: str
    open: int
    overdue: int
    waiting: int
    oldest: datetime | None
    """Since when the oldest of them is with the office."""
    away: Absence | None
    is_overloaded: bool = False


# Who has half as much again as the others have on average, and at least so many more, is shown as overloaded.
OVERLOADED_SHARE, OVERLOADED_CASES = 1.5, 3


def of_reviewers(office_id: int, *, at: datetime) -> list[ReviewerLoad]:
    """Who of an office has how much open at `at`: its reviewers by number, others who still have cases, then what
    nobody has taken. The number of queries does not depend on how many there are."""
    cases = TravelRequest.unscoped.filter(office_id=office_id, state__in=sorted(WITH_AUTHORITY)).order_by()
    counted: dict[int | None, Any] = {
        row["assigned_reviewer"]: row
        for row in cases.values("assigned_reviewer").annotate(
            number=Count("pk"),
            overdue=Count("pk", filter=Q(due_at__lte=at)),
            waiting=Count("pk", filter=Q(state=State.INFORMATION_REQUESTED)),
            oldest=Min("reached_authority_at"),
        )
    }
    posted = absences.reviewing(at).filter(office_id=office_id).order_by("number")
    people = {
        user_id: (number, name) for user_id, number, name in posted.values_list("user_id", "number", "user__name")
    }
    gone = [user_id for user_id in counted if user_id is not None and user_id not in people]
    people |= {user_id: ("", name) for user_id, name in User.objects.filter(pk__in=gone).values_list("pk", "name")}
    away = absences.in_force(office_id, Role.REVIEWER, at=at)
    there = [user_id for user_id, (number, _name) in people.items() if number and user_id not in away]
    average = sum(counted[one]["number"] for one in there if one in counted) / len(there) if there else 0
    most = max(average * OVERLOADED_SHARE, average + OVERLOADED_CASES)
    nothing: dict[str, Any] = {"number": 0, "overdue": 0, "waiting": 0, "oldest": None}
    everybody: list[tuple[int | None, str, str]] = [(one, *said) for one, said in people.items()]
    if None in counted:
        everybody.append((None, "", ""))
    return [
        ReviewerLoad(
            user_id=user_id,
            number=number,
            name=name,
            open=row["number"],
            overdue=row["overdue"],
            waiting=row["waiting"],
            oldest=row["oldest"],
            away=away.get(user_id) if user_id is not None else None,
            is_overloaded=user_id is not None and row["number"] > 0 and row["number"] >= most,
        )
        for user_id, number, name in everybody
        for row in [counted.get(user_id, nothing)]
    ]


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
