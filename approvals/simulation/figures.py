"""What a year of an office comes to, month by month: how late, how long the queue, how loaded the reviewers."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from statistics import median, quantiles
from uuid import UUID

from approvals.clocks import local_day
from approvals.models import Clock, Decision, TravelRequest
from approvals.simulation.plan import MINUTES_A_DAY, ZONE
from approvals.simulation.town import Worker
from approvals.simulation.year import Lived
from authorities import calendars
from authorities.terms import ClockKind


@dataclass(frozen=True, slots=True)
class Month:
    """One month; the sums are over all offices that were added up."""

    first: date
    started: int
    decided: int
    late: int
    days_taken: tuple[int, ...]
    """Working days from reaching the office to the decision, of every case decided in this month."""
    waiting: float
    """Cases that waited for a reviewer at the end of a working day, on average."""
    in_hand: float
    """Cases that a reviewer had, likewise."""
    busy: float
    present: float
    """Minutes that reviewers spent on cases, and were there."""

    @property
    def load(self) -> float:
        """The share of their time at work that reviewers spent on cases."""
        return self.busy / self.present if self.present else 0.0

    @property
    def late_share(self) -> float:
        """Decisions after their due date, as a share of all."""
        return self.late / self.decided if self.decided else 0.0

    def __add__(self, other: "Month") -> "Month":
        values = [getattr(self, each.name) + getattr(other, each.name) for each in fields(self)[1:]]
        return Month(self.first, *values)


@dataclass(frozen=True, slots=True)
class Figures:
    """A year by months, and what is there once: requests by state and the load of each reviewer."""

    name: str
    months: tuple[Month, ...]
    states: dict[str, int]
    reviewers: tuple[float, ...]
    """The load of each reviewer over the whole time."""

    @property
    def whole(self) -> Month:
        """All months as one. Its queue is the average over the months."""
        first, *others = self.months
        for month in others:
            first = first + month
        count = len(self.months)
        return Month(
            first.first,
            first.started,
            first.decided,
            first.late,
            first.days_taken,
            first.waiting / count,
            first.in_hand / count,
            first.busy,
            first.present,
        )

    def beside(self, other: "Figures") -> "Figures":
        """This office and another in the same time, added up."""
        states = {key: self.states.get(key, 0) + other.states.get(key, 0) for key in self.states | other.states}
        months = tuple(one + two for one, two in zip(self.months, other.months, strict=True))
        return Figures(self.name, months, states, self.reviewers + other.reviewers)


def of(lived: Lived, *, name: str) -> Figures:
    """The figures of the year that was just lived in this database."""
    plan = lived.plan
    days = [plan.first_day + number * timedelta(days=1) for number in range(plan.days)]
    months = sorted({_month(day) for day in days})
    started: dict[date, int] = dict.fromkeys(months, 0)
    for created in TravelRequest.unscoped.values_list("created_at", flat=True):
        started[_month(local_day(created, ZONE))] += 1
    taken: dict[date, list[int]] = {month: [] for month in months}
    late: dict[date, int] = dict.fromkeys(months, 0)
    # A decision clock that was used up has a due date for ever; one that was stopped in time has none.
    due: dict[UUID, datetime | None] = {}
    clocks = Clock.objects.filter(kind=ClockKind.DECISION, ended_at__isnull=False).order_by("started_at")
    for request_id, moment in clocks.values_list("request_id", "due_at"):
        due.setdefault(request_id, moment)
    seen: set[UUID] = set()
    decisions = Decision.objects.select_related("request").order_by("at", "pk")
    for decision in decisions:
        if decision.request_id in seen or decision.request.reached_authority_at is None:
            continue  # an appeal or a revocation: the case itself was decided before
        seen.add(decision.request_id)
        on = local_day(decision.at, ZONE)
        calendar = calendars.load(decision.request.office_id)
        taken[_month(on)].append(calendar.between(local_day(decision.request.reached_authority_at, ZONE), on))
        due_at = due.get(decision.request_id)
        late[_month(on)] += due_at is not None and due_at <= decision.at
    found = []
    for month in months:
        counted = [(waits, had) for day, waits, had in lived.waiting if _month(day) == month]
        present = sum(_present(worker, month, days[-1]) for worker in lived.reviewers)
        found.append(
            Month(
                first=month,
                started=started[month],
                decided=len(taken[month]),
                late=late[month],
                days_taken=tuple(taken[month]),
                waiting=sum(waits for waits, _had in counted) / max(1, len(counted)),
                in_hand=sum(had for _waits, had in counted) / max(1, len(counted)),
                busy=sum(worker.busy.get(month, 0.0) for worker in lived.reviewers),
                present=present,
            )
        )
    states: dict[str, int] = {}
    for state in TravelRequest.unscoped.values_list("state", flat=True):
        states[state] = states.get(state, 0) + 1
    loads = (sum(w.busy.values()) / max(1, sum(_present(w, m, days[-1]) for m in months)) for w in lived.reviewers)
    return Figures(name, tuple(found), dict(sorted(states.items())), tuple(loads))


def _month(day: date) -> date:
    return day.replace(day=1)


def _present(worker: Worker, month: date, last: date) -> float:
    return float(MINUTES_A_DAY * sum(_month(day) == month and day <= last for day in worker.days))


def ninth(days: Sequence[int]) -> float:
    """Nine of ten take at most so long."""
    return quantiles(days, n=10, method="inclusive")[-1] if len(days) > 1 else float(sum(days))


_HEAD = ("", "started", "decided", "late", "late %", "median d", "9 of 10 d", "waiting", "in hand", "load %")


def _cells(name: str, month: Month) -> tuple[str, ...]:
    days = month.days_taken
    return (
        name,
        f"{month.started:,}",
        f"{month.decided:,}",
        f"{month.late:,}",
        f"{100 * month.late_share:.1f}",
        f"{median(days) if days else 0:.0f}",
        f"{ninth(days) if days else 0:.0f}",
        f"{month.waiting:.1f}",
        f"{month.in_hand:.1f}",
        f"{100 * month.load:.0f}",
    )


_COMPARED = ("late %", "9 of 10 d", "waiting", "load %")


def compared(before: Figures, after: Figures) -> str:
    """Two years of the same requests side by side, month by month: what another staffing changes."""
    places = [_HEAD.index(name) for name in _COMPARED]

    def line(name: str, one: Month, other: Month) -> list[str]:
        was, now = _cells(name, one), _cells(name, other)
        return [name, *(f"{was[place]} → {now[place]}" for place in places)]

    months = zip(before.months, after.months, strict=True)
    rows = [["", *_COMPARED], *(line(f"{one.first:%Y-%m}", one, other) for one, other in months)]
    rows.append(line("in all", before.whole, after.whole))
    return "\n".join([f"{before.name} → {after.name}", *_aligned(rows)])


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]


def table(figures: Figures) -> str:
    """The figures as text: a line for each month, one for all, the states and the load of each reviewer."""
    rows = [_HEAD, *(_cells(f"{month.first:%Y-%m}", month) for month in figures.months)]
    rows.append(_cells("in all", figures.whole))
    lines = _aligned(rows)
    states = ", ".join(f"{state} {number:,}" for state, number in figures.states.items())
    loads = " ".join(f"{100 * load:.0f}" for load in figures.reviewers)
    return "\n".join([figures.name, *lines, f"states: {states}", f"load of each reviewer, %: {loads}"])
