"""A submission and the published lists → hits, tier, route. Pure, given the facts and what the lists say to them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from approvals import rules
from approvals.models import TravelRequest
from approvals.states import Route, Tier
from sensitivity import matching
from sensitivity.matching import Facts, Found, Hit, NamedProject, Place, PossibleHit

Answers = Mapping[str, bool]
"""What persons said about possible matches: `PossibleHit.key` → whether it is the same."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What an assessment found: each hit that counted, the possible matches that wait for a person, what follows."""

    tier: Tier
    days: int
    hits: tuple[Hit, ...]
    possible: tuple[PossibleHit, ...] = ()
    versions: tuple[tuple[int, int, int], ...] = ()
    """The versions that were in force: (list, version, number of the version)."""
    took_us: int | None = None
    """How long it took, in microseconds."""

    @property
    def route(self) -> Route:
        """Who decides on it."""
        return rules.route_for(self.tier)

    @property
    def needs_two_people(self) -> bool:
        """Whether one reviewer proposes and a senior confirms; else one reviewer decides."""
        return self.route is not Route.ONE_REVIEWER

    def as_values(self) -> dict[str, Any]:
        """The fields of an `Assessment` that keep this."""
        return {
            "tier": self.tier,
            "days": self.days,
            "route": self.route,
            "hits": [hit.as_data() for hit in self.hits],
            "possible": [one.as_data() for one in self.possible],
            "versions": [list(one) for one in self.versions],
            "took_us": self.took_us,
        }


def facts_of(request: TravelRequest) -> Facts:
    """What of a request is compared with the lists: subjects, places, hosts, event, projects. Not who travels."""
    legs = request.itinerary
    return Facts(
        subjects=frozenset(request.topics),
        places=frozenset(Place(str(leg.country.code), leg.subdivision) for leg in legs),
        organisations=frozenset(leg.host for leg in legs if leg.host.strip()),
        events=frozenset({request.event_name} if request.event_name.strip() else ()),
        projects=frozenset(NamedProject(request.company_id, code) for code in request.projects),
    )


def facts_from(content: Mapping[str, Any], *, company_id: int) -> Facts:
    """The facts of a revision, from its content as it was frozen (`snapshots.content`)."""
    legs = content["legs"]
    return Facts(
        subjects=frozenset(content["topics"]),
        places=frozenset(Place(leg["country"], leg.get("subdivision", "")) for leg in legs),
        organisations=frozenset(leg["host"] for leg in legs if leg["host"].strip()),
        events=frozenset({content["event_name"]} if content["event_name"].strip() else ()),
        projects=frozenset(NamedProject(company_id, code) for code in content.get("projects", ())),
    )


def conclude(
    *,
    hits: Iterable[Hit],
    departs_on: date,
    returns_on: date,
    possible: Iterable[PossibleHit] = (),
    answers: Answers | None = None,
    versions: Iterable[matching.Version] = (),
) -> Finding:
    """The finding that follows from the hits and the length of the trip. Their order does not matter.

    A possible match that a person confirmed in `answers` is a hit; one that was dismissed is gone; the others wait and
    count for nothing.
    """
    given = answers or {}
    resembling = tuple(possible)
    days = rules.trip_days(departs_on, returns_on)
    confirmed = [one.hit for one in resembling if given.get(one.key)]
    exact = tuple(hits)
    known = {(hit.version_id, hit.lineage) for hit in exact}
    more = {(hit.version_id, hit.lineage): hit for hit in confirmed}
    ordered = tuple(
        sorted([*exact, *(hit for key, hit in more.items() if key not in known)], key=lambda hit: hit.order)
    )
    return Finding(
        tier=rules.tier_for([hit.level for hit in ordered], days=days),
        days=days,
        hits=ordered,
        possible=tuple(
            sorted((one for one in resembling if one.key not in given), key=lambda one: (-one.score, one.key))
        ),
        versions=tuple(sorted((one.list_id, one.id, one.number) for one in versions)),
    )


def judge(
    facts: Facts, found: Found, *, on: date, departs_on: date, returns_on: date, answers: Answers | None = None
) -> Finding:
    """The finding about a trip with these `facts` and days, given what the lists say to them on `on`. Pure."""
    return conclude(
        hits=matching.hits(facts, found.candidates, on=on),
        departs_on=departs_on,
        returns_on=returns_on,
        possible=found.possible,
        answers=answers,
        versions=found.versions,
    )


def assess(request: TravelRequest, *, on: date, answers: Answers | None = None) -> Finding:
    """Assess `request` as it stands against the lists in force on `on`. It must have an itinerary.

    `answers`: what persons said before about possible matches of this request.
    """
    legs = request.itinerary
    return assess_facts(
        facts_of(request),
        on=on,
        departs_on=min(leg.arrives_on for leg in legs),
        returns_on=max(leg.leaves_on for leg in legs),
        answers=answers,
    )


def assess_facts(
    facts: Facts,
    *,
    on: date,
    departs_on: date,
    returns_on: date,
    answers: Answers | None = None,
    open_only: bool = False,
) -> Finding:
    """Assess a trip with these `facts` against the lists in force on `on`; `open_only` leaves confidential ones out."""
    began = time.perf_counter_ns()
    versions = matching.in_force(on)
    if open_only:
        versions = tuple(version for version in versions if not version.confidential)
    found = matching.find(facts, versions=versions, on=on)
    finding = judge(facts, found, on=on, departs_on=departs_on, returns_on=returns_on, answers=answers)
    took = (time.perf_counter_ns() - began) // 1000
    return Finding(finding.tier, finding.days, finding.hits, finding.possible, finding.versions, took)
