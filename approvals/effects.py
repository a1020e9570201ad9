"""What the lists of today would change about open cases. They change nothing by themselves (fair process, 25): a
senior reads this, and may have a case assessed anew, one at a time.

A case is otherwise when the entries that it was assessed by are not those that count today. So a tier that a person
set does not make one: what the lists say of that case is what they said. A name that only resembles a listed one, and
about which nobody has said anything, does not count here either.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from accounts.roles import Actor, Role
from approvals import batches, queries
from approvals.batches import Difference, Resembling, Said, Trip
from approvals.models import Assessment
from approvals.states import State, Tier
from sensitivity import matching, publishing
from sensitivity.matching import Hit
from sensitivity.models import ListEntry, ListVersion

STATES = (State.AUTHORITY_REVIEW, State.INFORMATION_REQUESTED)
"""In which a senior can have a case assessed anew."""


class Direction(StrEnum):
    """What assessing anew would do to the tier."""

    DOWN = "down"
    UP = "up"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Effect:
    """An open case that would be assessed otherwise today. `since` is the first day on which it would have been."""

    request_id: UUID
    reference: str
    tier: Tier
    would_be: Tier
    differences: tuple[Difference, ...]
    since: date | None
    urgent: bool
    due_at: datetime | None
    by_a_person: bool
    """Whether a person set the tier that it has."""

    @property
    def direction(self) -> Direction:
        if self.would_be == self.tier:
            return Direction.SAME
        return Direction.UP if batches.is_higher(self.would_be, self.tier) else Direction.DOWN


_COLUMNS = (
    "pk",
    "reference",
    "company_id",
    "tier",
    "urgent",
    "due_at",
    "assessment__hits",
    "assessment__cause",
    "assessment__versions",
    "assessment__revision__content",
)


def on_open_cases(actor: Actor, *, at: datetime, new_versions_only: bool = False) -> list[Effect]:
    """The open cases of the offices where `actor` is a senior that the lists in force at `at` (aware) would have
    assessed otherwise. Urgent ones first, then those with the least time left.

    A fixed number of queries, whatever the number of cases; empty for everybody else. `new_versions_only`: look at
    those alone that were assessed with other versions, not at entries whose own time began or ended since.
    """
    offices = actor.scopes(Role.SENIOR)
    if not offices:
        return []
    cases = queries.visible_to(actor).filter(office_id__in=offices, state__in=STATES, assessment__isnull=False)
    on = publishing.today(at)
    versions = matching.in_force(on)
    if new_versions_only:
        cases = cases.exclude(assessment__versions=sorted([one.list_id, one.id, one.number] for one in versions))
    rows = list(cases.order_by("-urgent", "due_at", "pk").values(*_COLUMNS))
    if not rows:
        return []
    answers = batches.answers_to(row["pk"] for row in rows)
    trips = [
        Trip.of(
            row["pk"],
            row["assessment__revision__content"],
            company_id=row["company_id"],
            answers=answers.get(row["pk"], {}),
        )
        for row in rows
    ]
    said, alike = Said(trips, versions=versions, on=on), Resembling(versions, on=on)
    alike.look_up(host for trip in trips if any(trip.answers.values()) for host in trip.facts.organisations)
    found = []
    for row, trip in zip(rows, trips, strict=True):
        today = batches.judge(trip, said.hits(trip.facts), alike.of(trip.facts))
        if not _is_otherwise(row["assessment__hits"], today.hits):
            continue
        before = [matching.hit_from(data) for data in row["assessment__hits"]]
        if different := batches.differences(before, today.hits):
            found.append((row, today.tier, different))
    days = _Days(said, versions, (different for _row, _tier, different in found))
    return [
        Effect(
            request_id=row["pk"],
            reference=row["reference"],
            tier=Tier(row["tier"]),
            would_be=tier,
            differences=tuple(different),
            since=days.since(different, {version for _list, version, _number in row["assessment__versions"]}),
            urgent=row["urgent"],
            due_at=row["due_at"],
            by_a_person=row["assessment__cause"] == Assessment.Cause.TIER_CHANGED,
        )
        for row, tier, different in found
    ]


def _is_otherwise(kept: Collection[Mapping[str, Any]], hits: Collection[Hit]) -> bool:
    """A quick look before the careful one: most cases are as they were."""
    was = {(one.get("list_id"), one.get("lineage"), one["level"]) for one in kept}
    return was != {(hit.list_id, hit.lineage, hit.level) for hit in hits}


class _Days:
    """From which day on the lists say something else of an entry. One query for versions, one for entries."""

    def __init__(self, said: Said, versions: Iterable[matching.Version], found: Iterable[Iterable[Difference]]) -> None:
        self._said = said
        self._now = {version.list_id: version.id for version in versions}
        gone = [one.before for several in found for one in several if one.before and not one.after]
        wanted = {*self._now.values(), *(hit.version_id for hit in gone)}
        rows = ListVersion.objects.filter(pk__in=wanted).values_list("pk", "published_from", "published_until")
        self._versions = {pk: (first, until) for pk, first, until in rows}
        ended = ListEntry.objects.filter(
            version__in={hit.version_id for hit in gone},
            lineage__in={hit.lineage for hit in gone if hit.lineage},
            valid_until__isnull=False,
        )
        self._ends = {
            (version, str(lineage)): last
            for version, lineage, last in ended.values_list("version_id", "lineage", "valid_until")
        }

    def since(self, differences: Iterable[Difference], assessed_with: Collection[int]) -> date | None:
        """The latest day on which one of the differences came about; None when the lists do not say."""
        days = [self._one(one, assessed_with) for one in differences]
        return max((day for day in days if day), default=None)

    def _one(self, one: Difference, assessed_with: Collection[int]) -> date | None:
        if hit := one.after:
            first = self._said.candidates[hit.version_id, hit.lineage].valid_from if self._is_known(hit) else None
            begun = None if hit.version_id in assessed_with else self._versions[hit.version_id][0]
            return max((day for day in (first, begun) if day), default=None)
        assert one.before is not None
        old, now = one.before.version_id, self._now.get(one.before.list_id)
        if now is None:  # the list has ended, and there is no other version of it
            return self._versions.get(old, (None, None))[1]
        if now == old:
            last = self._ends.get((old, one.before.lineage))
            return last + timedelta(days=1) if last else None
        return self._versions[now][0]

    def _is_known(self, hit: Hit) -> bool:
        return (hit.version_id, hit.lineage) in self._said.candidates


def count(actor: Actor, *, at: datetime) -> int:
    """How many there are whose tier would be another because of new versions. Quick where there are none: for home."""
    found = on_open_cases(actor, at=at, new_versions_only=True)
    return sum(one.direction is not Direction.SAME for one in found)
