"""Who acts in a simulated year: the places of the demonstration with many more employees, and when each is at work."""

from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from accounts.actors import actor_for
from accounts.models import User
from accounts.roles import Role
from approvals import rehearsal
from approvals.demo import grounds, lists, places
from approvals.simulation.plan import DAY, MINUTES_A_DAY, OPENS, ZONE, Plan
from authorities.models import Posting
from authorities.working_days import WorkingDays
from companies.models import Company
from employees.models import Employee
from jobs import work
from notifications import registry
from notifications.models import Preferences
from sensitivity import drafting, publishing
from sensitivity.models import ListKind

_LISTS = (ListKind.TECHNOLOGY, ListKind.DESTINATION, ListKind.ORGANISATION)
# How long somebody is away at a time, in working days.
_AWAY = (1, 1, 1, 2, 3, 5, 10)


def found(plan: Plan) -> places.Places:
    """Make the town of `plan` in an empty database: all offices, its own office's people, the published lists."""
    town = places.found(plan.random("town"), today=plan.first_day, language="en")
    office = sorted(town.offices)[plan.office]
    staff = town.offices[office]
    for role, wanted, first in ((Role.REVIEWER, plan.reviewers, 8000), (Role.SENIOR, plan.seniors, 9000)):
        there = staff.by_role[role]
        for number in range(len(there), wanted):
            user = User.objects.create(
                name=f"{role.label} {number}", email=f"{role}.{number}@authority.example", date_joined=places.SINCE
            )
            Posting.objects.create(
                user=user,
                office=staff.office,
                role=role,
                number=f"{first + number}",
                starts_at=places.SINCE,
            )
            there.append(user)
        del there[wanted:]  # the others are elsewhere this year
    _hire(plan, town, [company for company in town.companies.values() if company.office_id == office])
    _read_the_bell()
    for kind in _LISTS:
        _publish(kind, town, plan)
    return town


def _hire(plan: Plan, town: places.Places, companies: list[Company]) -> None:
    random = plan.random("employees")
    users = User.objects.bulk_create(
        [
            User(name=f"员工 {number:05d}", email=f"employee.{number}@simulation.example", date_joined=places.SINCE)
            for number in range(plan.employees)
        ],
        batch_size=1000,
    )
    town.employees = Employee.unscoped.bulk_create(
        [
            Employee(
                user=user,
                company=random.choice(companies),
                number=f"S{number:05d}",
                name_zh=user.name,
                name_en=f"Employee {number:05d}",
                position="研究员 Researcher",
                employed_from=date(2022, 1, 1),
            )
            for number, user in enumerate(users)
        ],
        batch_size=1000,
    )


def _read_the_bell() -> None:
    """Nobody wants the mails that can be switched off: what a mail server takes is not what is planned here."""
    off = sorted(registry.optional_kinds())
    Preferences.objects.bulk_create(
        (Preferences(user_id=pk, mail_off=off) for pk in User.objects.values_list("pk", flat=True)), batch_size=1000
    )


def _publish(kind: ListKind, town: places.Places, plan: Plan) -> None:
    """One list, written, rehearsed and published by two people, in force from the day before the year on."""
    owner, publisher = town.list_managers[0], town.list_managers[1]
    at = plan.begins - 20 * DAY + timedelta(hours=10)
    writes, publishes = actor_for(owner, at=at), actor_for(publisher, at=at)
    basis = grounds.enacted(
        {
            "title_zh": grounds.NOTICE[0],
            "title_en": grounds.NOTICE[1],
            "article_zh": "第一条",
            "article_en": "Article 1",
            "url": f"https://law.example/lists/{kind.value}",
            "published_on": date(2020, 10, 1),
            "effective_from": date(2021, 1, 1),
        }
    )
    about: dict[str, Any] = {
        "kind": kind,
        "name_zh": kind.value,
        "name_en": kind.value.capitalize(),
        "owner": owner,
        "legal_basis": basis,
    }
    made = publishing.found(actor=writes, at=at, values=about)
    version = publishing.draft(made.pk, actor=writes, at=at, note="first")
    for entry in lists.first(kind):
        drafting.add(version.pk, actor=writes, at=at, values=dict(entry.values))
    begun = rehearsal.start(version.pk, actor=writes, at=at, days=90)
    assert begun.job_id is not None
    while work.run_batch(begun.job_id, at=at):
        pass
    publishing.submit_for_review(version.pk, actor=writes, at=at)
    publishing.publish(version.pk, actor=publishes, at=at + DAY, on=(plan.begins - DAY).date(), until=None)


# ── at work ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def working_days(calendar: WorkingDays, plan: Plan) -> list[date]:
    """The working days of the year, and of some weeks after it: what was begun has an end somewhere."""
    span = (plan.first_day + number * DAY for number in range(plan.days + 120))
    return [day for day in span if calendar.is_working(day)]


def present(days: list[date], absence: float, random: Random) -> list[date]:
    """The days of `days` on which somebody is there who is away for a share of `absence`."""
    begins = absence / (sum(_AWAY) / len(_AWAY) * (1 - absence))
    there, away = [], 0
    for day in days:
        if not away and random.random() < begins:
            away = random.choice(_AWAY)
        if away:
            away -= 1
        else:
            there.append(day)
    return there


@dataclass(eq=False)
class Worker:
    """Somebody with working hours: from nine until five, on the days on which they are there."""

    user: User
    days: list[date]
    busy: dict[date, float] = field(default_factory=dict)
    """Minutes spent on cases, by the first day of the month in which they were begun."""

    def ready(self, at: datetime) -> datetime:
        """The first moment from `at` on at which they are at work."""
        at = at.astimezone(ZONE)
        place = bisect_left(self.days, at.date())
        if place < len(self.days) and self.days[place] == at.date():
            opens = datetime.combine(at.date(), time(OPENS), ZONE)
            if at <= opens:
                return opens
            if at < opens + timedelta(minutes=MINUTES_A_DAY):
                return at
            place += 1
        return self._opens(place)

    def _opens(self, place: int) -> datetime:
        # Whoever is not there any more in what is planned comes back long after it.
        day = self.days[place] if place < len(self.days) else date(2100, 1, 1)
        return datetime.combine(day, time(OPENS), ZONE)

    def after(self, at: datetime, minutes: float) -> datetime:
        """When so many minutes of their working time have passed from `at` on."""
        at = self.ready(at)
        while True:
            closes = datetime.combine(at.date(), time(OPENS), ZONE) + timedelta(minutes=MINUTES_A_DAY)
            left = (closes - at).total_seconds() / 60
            if minutes < left or at.year >= 2100:
                return at + timedelta(seconds=round(minutes * 60))
            minutes -= left
            at = self.ready(closes)

    def is_there(self, day: date) -> bool:
        """Whether they work on `day`."""
        place = bisect_left(self.days, day)
        return place < len(self.days) and self.days[place] == day

    def spend(self, at: datetime, minutes: float) -> None:
        """Count minutes on a case that is begun at `at`."""
        month = at.astimezone(ZONE).date().replace(day=1)
        self.busy[month] = self.busy.get(month, 0) + minutes
