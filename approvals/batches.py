"""Many submitted requests against the lists at once: what `assessment` finds for one, without a look-up for each.

The lists are asked once for the distinct subjects, places, hosts, events and projects of all requests of a batch, and
`matching.hits` says once which entries each of them touches; a request is then touched by what its parts touch. A
rehearsal and the effect on open cases are made of this.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection

from approvals import assessment, rules
from approvals.assessment import Answers
from approvals.models import MatchJudgement
from approvals.states import Tier
from authorities.languages import by_language
from sensitivity import matching
from sensitivity.matching import Facts, Hit, NamedProject, PossibleHit, Version
from sensitivity.models import ListKind

TIERS = tuple(Tier)
"""From the tier that looks least closely to the one that looks most closely."""


@dataclass(frozen=True, slots=True)
class Trip:
    """What of a submitted request is compared with the lists, from its revision as it was frozen."""

    request_id: UUID
    facts: Facts
    days: int
    answers: Answers = field(default_factory=dict)

    @classmethod
    def of(cls, request_id: UUID, content: Mapping[str, Any], *, company_id: int, answers: Answers) -> Trip:
        """The trip of a revision with this `content` (`snapshots.content`)."""
        legs = content["legs"]
        first, last = min(leg["arrives_on"] for leg in legs), max(leg["leaves_on"] for leg in legs)
        return cls(
            request_id,
            assessment.facts_from(content, company_id=company_id),
            rules.trip_days(date.fromisoformat(first), date.fromisoformat(last)),
            answers,
        )


_ANSWERS = (
    f'SELECT request_id, key, confirmed FROM "{MatchJudgement._meta.db_table}" '  # noqa: S608
    "WHERE request_id = ANY(%s::uuid[]) ORDER BY at, id"
)


def answers_to(request_ids: Iterable[UUID]) -> dict[UUID, dict[str, bool]]:
    """What persons said about possible matches of these requests: request → `PossibleHit.key` → the latest word."""
    found: dict[UUID, dict[str, bool]] = {}
    with connection.cursor() as cursor:
        # One array instead of thousands of parameters, each of which the ORM would look at.
        cursor.execute(_ANSWERS, [[str(one) for one in request_ids]])
        for request_id, key, confirmed in cursor.fetchall():
            found.setdefault(request_id, {})[key] = confirmed
    return found


def all_facts(trips: Iterable[Trip]) -> Facts:
    """The distinct facts of `trips` together."""
    every = [trip.facts for trip in trips]
    return Facts(
        subjects=frozenset().union(*(one.subjects for one in every)),
        places=frozenset().union(*(one.places for one in every)),
        organisations=frozenset().union(*(one.organisations for one in every)),
        events=frozenset().union(*(one.events for one in every)),
        projects=frozenset().union(*(one.projects for one in every)),
    )


class Said:
    """What `versions` say on `on` to `trips`, for each of them. Two queries, however many there are."""

    def __init__(self, trips: Collection[Trip], *, versions: Collection[Version], on: date) -> None:
        facts = all_facts(trips)
        found = matching.find(facts, versions=versions, on=on, resembling=False)
        self.candidates = {(one.version.id, one.lineage): one for one in found.candidates}
        # By what of a trip they are touched. Places are named by their subdivision, as in `Hit.touched_by`.
        self._by: dict[str, dict[Any, list[Hit]]] = {kind: {} for kind in ListKind}
        for hit in matching.hits(facts, found.candidates, on=on):
            by = self._by[hit.kind]
            for part in hit.touched_by:
                by.setdefault(self._part(hit, part), []).append(hit)

    def _part(self, hit: Hit, part: str) -> Any:
        if hit.kind != ListKind.PROJECT:
            return part
        company_id = self.candidates[(hit.version_id, hit.lineage)].company_id
        return None if company_id is None else NamedProject(company_id, part)

    def hits(self, facts: Facts) -> list[Hit]:
        """The hits of the trip with these facts, each once, in no order. Of each, `touched_by` speaks of all trips."""
        lists = [
            *_of(self._by[ListKind.TECHNOLOGY], facts.subjects),
            *_of(self._by[ListKind.DESTINATION], [place.subdivision or place.country for place in facts.places]),
            *_of(self._by[ListKind.ORGANISATION], facts.organisations),
            *_of(self._by[ListKind.EVENT], facts.events),
            *_of(self._by[ListKind.PROJECT], facts.projects),
        ]
        return list({id(hit): hit for one in lists for hit in one}.values())


def _of(by: Mapping[Any, list[Hit]], parts: Iterable[Any]) -> list[list[Hit]]:
    return [by[part] for part in parts if part in by] if by else []


class Resembling:
    """The entries of `versions` that names of hosts resemble on `on`. Each name is looked up once, when it first comes.

    Nothing is asked of the database while there is no list of organisations among them.
    """

    def __init__(self, versions: Iterable[Version], *, on: date) -> None:
        self._versions = [version for version in versions if version.kind == ListKind.ORGANISATION]
        self._on = on
        self._known: dict[str, list[PossibleHit]] = {}

    def look_up(self, hosts: Iterable[str]) -> None:
        """Know these names from now on."""
        new = frozenset(hosts) - self._known.keys()
        if not new or not self._versions:
            return
        self._known.update({name: [] for name in new})
        # A version at a time: what resembles entries of two versions of one list is told apart.
        for version in self._versions:
            for one in matching.find(Facts(organisations=new), versions=[version], on=self._on).possible:
                self._known[one.written].append(one)

    def of(self, facts: Facts) -> list[PossibleHit]:
        """The possible matches of a trip with these facts, whose hosts were looked up."""
        if not self._known:
            return []
        return [one for host in facts.organisations for one in self._known.get(host, ())]


@dataclass(frozen=True, slots=True)
class Judged:
    """What follows for one trip: the tier, the hits that count, and how many possible matches wait for a person."""

    tier: Tier
    hits: tuple[Hit, ...]
    open: int = 0


def judge(trip: Trip, hits: Iterable[Hit], possible: Iterable[PossibleHit] = ()) -> Judged:
    """The same that `assessment.conclude` finds, from hits that may be told of many trips at once."""
    counting = {(hit.list_id, hit.lineage): hit for hit in hits}
    waiting = 0
    for one in possible:
        answer = trip.answers.get(one.key)
        if answer is None:
            waiting += 1
        elif answer:
            counting.setdefault((one.hit.list_id, one.hit.lineage), one.hit)
    found = tuple(counting.values())
    return Judged(rules.tier_for([hit.level for hit in found], days=trip.days), found, waiting)


# ── what makes the difference ───────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Difference:
    """An entry that counts on one side only, or with another level. A level of None: it does not count there."""

    before: Hit | None
    after: Hit | None

    @property
    def entry(self) -> Hit:
        """What it says now; what it said, where it does not count any more."""
        found = self.after or self.before
        assert found is not None
        return found

    def as_data(self) -> dict[str, Any]:
        """What is kept of it with a rehearsal."""
        return {
            "code": self.entry.code,
            "label_zh": self.entry.label_zh,
            "label_en": self.entry.label_en,
            "before": self.before.level if self.before else None,
            "after": self.after.level if self.after else None,
        }


def differences(before: Iterable[Hit], after: Iterable[Hit]) -> list[Difference]:
    """The entries by which two assessments of one trip differ, highest level first.

    An entry is the same in all versions of its list, however it is called there. What was assessed before entries had
    lineages is compared by kind and code.
    """
    old, new = list(before), list(after)
    by_code = any(not hit.lineage for hit in old)

    def keyed(hits: Sequence[Hit]) -> dict[tuple[Any, str], Hit]:
        return {(hit.kind, hit.code) if by_code else (hit.list_id, hit.lineage): hit for hit in hits}

    was, is_now = keyed(old), keyed(new)
    found = [
        Difference(was.get(key), is_now.get(key))
        for key in was.keys() | is_now.keys()
        if key not in was or key not in is_now or was[key].level != is_now[key].level
    ]
    return sorted(found, key=lambda one: one.entry.order)


def decisive(before: Judged, after: Judged) -> list[Difference]:
    """Of the differences between two sides, those that make the tier another: the entries of the level that decides."""
    rises = is_higher(after.tier, before.tier)
    deciding = max((hit.level for hit in (after if rises else before).hits), default=0)
    return [
        one
        for one in differences(before.hits, after.hits)
        if (side := one.after if rises else one.before) and side.level == deciding
    ]


def is_higher(one: str, other: str) -> bool:
    """Whether the tier `one` looks more closely than `other`."""
    return TIERS.index(Tier(one)) > TIERS.index(Tier(other))


def label(data: Mapping[str, Any]) -> str:
    """The label of a kept difference (`Difference.as_data`), in the active language."""
    return by_language(data["label_zh"], data["label_en"])
