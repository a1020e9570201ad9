"""How the lists of the demonstration are kept: three list managers, their versions, and what becomes of them in time.

Everything is a verb, called on its day: found, draft, rehearse, submit for review, send back, publish, renew. Days are
counted back from the day of the demonstration; whatever is called happens on a working day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any

from accounts.actors import actor_for
from accounts.models import User
from accounts.roles import Actor
from approvals import rehearsal, rules
from approvals.demo import grounds, lists
from approvals.demo.grounds import LISTS, ListPlan
from approvals.demo.lists import Change
from approvals.demo.trips import Trip
from approvals.states import Tier
from authorities.models import LegalInstrument
from authorities.working_days import WorkingDays
from companies.models import Company
from jobs import work
from sensitivity import drafting, publishing
from sensitivity.models import ListEntry, ListKind, ListVersion, SensitivityList

_DAY = timedelta(days=1)

Happening = Callable[[datetime], object]


@dataclass(frozen=True, slots=True)
class Span:
    """When the versions of a list come into force, and end, in days before the day of the demonstration."""

    first: int
    second: int
    until: int | None = None
    """Where the second version ends sooner than after twelve months; negative: days to come."""


# Technologies and destinations changed a few days ago, so that open cases were assessed with the versions before.
SPANS = {
    ListKind.DESTINATION: Span(330, 12),
    ListKind.PROJECT: Span(300, 150, until=20),
    ListKind.TECHNOLOGY: Span(290, 5),
    ListKind.EVENT: Span(270, 155, until=-28),
    ListKind.ORGANISATION: Span(260, 75),
}
RENEWED, RENEWED_UNTIL = 27, -150
REHEARSED_DAYS = 90


class Forecast:
    """Which tier the lists will give a trip on a day, so that its story can be laid out before it happens."""

    def __init__(self, today: date) -> None:
        self._changes = sorted({today - span.second * _DAY for span in SPANS.values()}, reverse=True)
        self._levels = {}
        for kind, span in SPANS.items():
            first = lists.first(kind)
            second = lists.changed(first, lists.changes(kind, "second"))
            self._levels[kind] = (today - span.second * _DAY, lists.levels(kind, first), lists.levels(kind, second))

    def regimes(self) -> Iterator[date]:
        """One day of each stretch of time in which the lists stay the same, the latest first."""
        yield from self._changes
        yield self._changes[-1] - _DAY

    def same(self, one: date, other: date) -> bool:
        """Whether the lists are the same on both days."""
        return [day <= one for day in self._changes] == [day <= other for day in self._changes]

    def tier(self, trip: Trip, on: date) -> Tier:
        """The tier of `trip`, submitted on `on`. Names that only resemble one count for nothing."""
        of = {kind: second if on >= since else first for kind, (since, first, second) in self._levels.items()}
        touched = [
            *(of[ListKind.TECHNOLOGY].get(code, 0) for code in trip.values["topics"]),
            *(of[ListKind.PROJECT].get((code, trip.company), 0) for code in trip.values.get("projects", ())),
            of[ListKind.EVENT].get(trip.event, 0),
            *(of[ListKind.DESTINATION].get(place, 0) for place in trip.places),
            *(of[ListKind.ORGANISATION].get(host, 0) for host in trip.hosts),
        ]
        return rules.tier_for(touched, days=rules.trip_days(trip.departs_on, trip.returns_on))


@dataclass(frozen=True, slots=True)
class Keepers:
    """Who keeps the lists: the owner writes, a colleague writes with them, the publisher wrote nothing."""

    owner: User
    publisher: User
    colleague: User


class Keeping:
    """What happens to the lists, day by day."""

    def __init__(self, keepers: Keepers, companies: dict[str, Company], *, today: date, calendar: WorkingDays) -> None:
        self.keepers, self.companies, self.today, self.calendar = keepers, companies, today, calendar
        self.lists: dict[ListKind, SensitivityList] = {}

    def happenings(self) -> Iterator[tuple[datetime, Happening]]:
        """Everything that happens to the lists, each at its moment."""
        for plan in LISTS:
            last = datetime.min.replace(tzinfo=publishing.ZONE)
            for at, happening in self._of(plan):
                # After holidays several fall on one working day; they keep their order.
                last = max(at, last + timedelta(hours=1))
                yield last, happening
        # The owners are reminded by the clock, on every day since the lists count.
        for day in range(max(span.second for span in SPANS.values()), 0, -1):
            yield datetime.combine(self.today - day * _DAY, time(6, 40), publishing.ZONE), self._remind

    def _of(self, plan: ListPlan) -> Iterator[tuple[datetime, Happening]]:
        """What happens to one list, in order."""
        span = SPANS[plan.kind]
        yield self._at(span.first + 9, 9), partial(self._found, plan)
        yield self._at(span.first + 1, 16), partial(self._publish, plan.kind, span.first, None)
        second = lists.changes(plan.kind, "second")
        yield self._at(span.second + 9, 10), partial(self._draft, plan.kind, plan.second)
        yield self._at(span.second + 6, 11), partial(self._write, plan.kind, second)
        yield self._at(span.second + 2, 14), partial(self._rehearse, plan.kind)
        yield self._at(span.second + 2, 15), partial(self._submit, plan.kind)
        yield self._at(span.second + 1, 16), partial(self._publish, plan.kind, span.second, span.until)
        match plan.kind:
            case ListKind.TECHNOLOGY:
                yield from self._open_draft(plan)
            case ListKind.ORGANISATION:
                yield from self._in_review(plan)
            case ListKind.PROJECT:
                yield self._at(RENEWED, 11), partial(self._renew, plan.kind)

    def _open_draft(self, plan: ListPlan) -> Iterator[tuple[datetime, Happening]]:
        """Two people write in it; it was rehearsed, and changed since."""
        kind, third = plan.kind, lists.changes(plan.kind, "third")
        yield self._at(4, 9), partial(self._draft, kind, plan.third)
        yield self._at(3, 10), partial(self._write, kind, third[:-2])
        yield self._at(2, 13), partial(self._rehearse, kind)
        yield self._at(1, 14), partial(self._write, kind, third[-2:])

    def _in_review(self, plan: ListPlan) -> Iterator[tuple[datetime, Happening]]:
        """It was sent back once, mended, rehearsed, and waits for its publisher."""
        kind, third = plan.kind, lists.changes(plan.kind, "third")
        yield self._at(8, 9), partial(self._draft, kind, plan.third)
        yield self._at(7, 10), partial(self._write, kind, third[:-1])
        yield self._at(5, 11), partial(self._submit, kind)
        yield self._at(4, 12), partial(self._send_back, kind)
        yield self._at(3, 13), partial(self._write, kind, third[-1:])
        yield self._at(2, 14), partial(self._rehearse, kind)
        yield self._at(1, 15), partial(self._submit, kind)

    def _at(self, days: int, hour: int) -> datetime:
        """`hour` on the last working day that lies at least `days` days back."""
        day = self.today - days * _DAY
        while not self.calendar.is_working(day):
            day -= _DAY
        return datetime.combine(day, time(hour, days % 60), publishing.ZONE)

    # ── what people do ──────────────────────────────────────────────────────────────────────────────────────────────

    def _found(self, plan: ListPlan, at: datetime) -> None:
        owner = actor_for(self.keepers.owner, at=at)
        values: dict[str, Any] = {
            "kind": plan.kind,
            "name_zh": plan.name_zh,
            "name_en": plan.name_en,
            "owner": self.keepers.owner,
            "legal_basis": _instrument(plan.article, f"https://law.example/lists/{plan.kind.value}"),
        }
        if plan.confidential_on:
            values |= {
                "is_confidential": True,
                "confidentiality_basis": _instrument(plan.confidential_on, "https://law.example/lists/confidential"),
                "confidentiality_reviewed_by": self.keepers.colleague,
                "confidentiality_reviewed_on": at.date() - 12 * _DAY,
            }
        self.lists[plan.kind] = publishing.found(actor=owner, at=at, values=values)
        version = self._draft(plan.kind, plan.first, at)
        for entry in lists.first(plan.kind):
            drafting.add(version.pk, actor=owner, at=at, values=self._whole(entry.company, entry.values))
        self._rehearse(plan.kind, at + timedelta(hours=2))
        self._submit(plan.kind, at + timedelta(hours=3))

    def _draft(self, kind: ListKind, note: str, at: datetime) -> ListVersion:
        owner = actor_for(self.keepers.owner, at=at)
        return publishing.draft(self.lists[kind].pk, actor=owner, at=at, note=note)

    def _write(self, kind: ListKind, changes: Sequence[Change], at: datetime) -> None:
        """The owner begins, the colleague goes on: a change every few minutes."""
        version = self._open(kind)
        for number, change in enumerate(changes):
            who = self.keepers.owner if number < (len(changes) + 1) // 2 else self.keepers.colleague
            _apply(
                version,
                change,
                actor=actor_for(who, at=at),
                at=at + number * timedelta(minutes=2),
                values=self._whole(change.key[1], change.values),
                company=self.companies.get(change.key[1]),
            )

    def _rehearse(self, kind: ListKind, at: datetime) -> None:
        owner = actor_for(self.keepers.owner, at=at)
        begun = rehearsal.start(self._open(kind).pk, actor=owner, at=at, days=REHEARSED_DAYS)
        assert begun.job_id is not None
        while work.run_batch(begun.job_id, at=at):
            pass

    def _submit(self, kind: ListKind, at: datetime) -> None:
        publishing.submit_for_review(self._open(kind).pk, actor=actor_for(self.keepers.owner, at=at), at=at)

    def _send_back(self, kind: ListKind, at: datetime) -> None:
        publisher = actor_for(self.keepers.publisher, at=at)
        publishing.send_back(self._open(kind).pk, actor=publisher, at=at, why=grounds.SENT_BACK)

    def _publish(self, kind: ListKind, on: int, until: int | None, at: datetime) -> None:
        publishing.publish(
            self._open(kind).pk,
            actor=actor_for(self.keepers.publisher, at=at),
            at=at,
            on=self.today - on * _DAY,
            until=None if until is None else self.today - until * _DAY,
        )

    def _renew(self, kind: ListKind, at: datetime) -> None:
        version = self.lists[kind].versions.get(state=ListVersion.State.PUBLISHED)
        publisher = actor_for(self.keepers.publisher, at=at)
        until = self.today - RENEWED_UNTIL * _DAY
        publishing.renew(version.pk, actor=publisher, at=at, until=until, reason=grounds.RENEWED)

    def _remind(self, at: datetime) -> None:
        publishing.remind(at=at)

    def _open(self, kind: ListKind) -> ListVersion:
        return self.lists[kind].versions.get(state__in=[ListVersion.State.DRAFT, ListVersion.State.IN_REVIEW])

    def _whole(self, company: str, values: Any) -> dict[str, Any]:
        found = {**values}
        return found | {"company_id": self.companies[company].pk} if company else found


def _apply(
    version: ListVersion,
    change: Change,
    *,
    actor: Actor,
    at: datetime,
    values: dict[str, Any],
    company: Company | None,
) -> None:
    if change.what == "new":
        drafting.add(version.pk, actor=actor, at=at, values={"code": change.key[0]} | values)
        return
    entry: ListEntry = version.entries.get(code=change.key[0], company=company)
    if change.what == "remove":
        drafting.remove(version.pk, entry.lineage, actor=actor, at=at, edit=entry.edit)
    else:
        drafting.change(version.pk, entry.lineage, actor=actor, at=at, edit=entry.edit, values=values)


def _instrument(article: int, url: str) -> LegalInstrument:
    return grounds.enacted(
        {
            "title_zh": grounds.NOTICE[0],
            "title_en": grounds.NOTICE[1],
            **grounds.article(article),
            "url": url,
            "published_on": date(2020, 10, 1),
            "effective_from": date(2021, 1, 1),
        }
    )
