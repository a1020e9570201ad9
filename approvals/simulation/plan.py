"""What is simulated: the size of an office, and how people behave. Shares are of 1, times are in working minutes."""

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from approvals.states import Tier

ZONE = ZoneInfo("Asia/Shanghai")
# The last year of which every working day is published as this was written.
FIRST_DAY = date(2026, 1, 1)

DAY = timedelta(days=1)
# A working day of somebody in an office: from nine until five.
OPENS, MINUTES_A_DAY = 9, 480

# Working minutes that a reviewer spends on a case, on average.
EFFORT = {Tier.FAST: 35, Tier.STANDARD: 60, Tier.HEIGHTENED: 100, Tier.RESTRICTED: 130}
SECOND_LOOK, SENIOR_LOOK, ESCALATION_LOOK = 25, 20, 5

# How many trips are asked for on each day of the week, and in each month, against the average.
WEEK = (1.15, 1.1, 1.05, 1.05, 0.9, 0.12, 0.1)
SEASON = (0.85, 0.7, 1.0, 1.05, 1.2, 1.3, 1.1, 0.9, 1.1, 0.95, 1.15, 0.7)

URGENT = 0.025
LEFT_AS_DRAFT = 0.05
SILENT_COMPANY = 0.06


@dataclass(frozen=True, slots=True)
class Plan:
    """One office for so many days from `first_day`. The same plan gives the same year."""

    days: int = 365
    requests: int = 10_000
    seed: int = 1
    reviewers: int = 7
    seniors: int = 2
    absence: float = 0.1
    """The share of working days on which somebody is on leave or ill."""
    office: int = 0
    """Which of the offices of the town it is; each has random numbers of its own."""
    first_day: date = FIRST_DAY

    def __post_init__(self) -> None:
        for name, least in (("days", 1), ("requests", 1), ("reviewers", 1), ("seniors", 2), ("office", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} has to be at least {least}")
        if not 0 <= self.absence <= 0.8:
            raise ValueError("absence is a share from 0 to 0.8")

    @property
    def employees(self) -> int:
        """About five trips a year for each."""
        return max(20, self.requests * 365 // self.days // 5)

    @property
    def begins(self) -> datetime:
        """The first instant."""
        return datetime.combine(self.first_day, time.min, ZONE)

    @property
    def ends(self) -> datetime:
        """The end, exclusive."""
        return datetime.combine(self.first_day + self.days * DAY, time.min, ZONE)

    def random(self, about: str) -> Random:
        """Random numbers of their own for everything: a change in one place moves nothing in another."""
        return Random(f"exit-approvals/simulation/{self.seed}/{self.office}/{about}")

    def with_more_reviewers(self, more: int) -> "Plan":
        """The same year with so many more reviewers; fewer when negative."""
        return replace(self, reviewers=self.reviewers + more)

    def arrivals(self) -> list[datetime]:
        """When somebody begins a request, in order."""
        random = self.random("arrivals")
        days = [self.first_day + number * DAY for number in range(self.days)]
        weights = [WEEK[day.weekday()] * SEASON[day.month - 1] for day in days]
        chosen = random.choices(days, weights, k=self.requests)
        return sorted(
            datetime.combine(day, time(random.randint(8, 21), random.randint(0, 59), random.randint(0, 59)), ZONE)
            for day in chosen
        )
