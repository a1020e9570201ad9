"""A submission and the published lists → hits, tier, route. Pure, given the facts and the hits."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

from approvals import rules
from approvals.models import TravelRequest
from approvals.states import Tier
from sensitivity.matching import Hit, matches, normalised
from sensitivity.models import ListKind


@dataclass(frozen=True, slots=True)
class Finding:
    """What an assessment found: the tier, the days away, and each hit that counted."""

    tier: Tier
    days: int
    hits: tuple[Hit, ...]

    @property
    def needs_two_people(self) -> bool:
        """Whether one reviewer proposes and a senior confirms; else one reviewer decides."""
        return self.tier in (Tier.HEIGHTENED, Tier.RESTRICTED)


def terms_of(request: TravelRequest) -> dict[ListKind, Collection[str]]:
    """What of a request is compared with the lists: subjects, countries, hosts, event. Nothing about the person."""
    legs = request.itinerary
    return {
        ListKind.TECHNOLOGY: request.topics,
        ListKind.DESTINATION: [str(leg.country.code) for leg in legs],
        ListKind.ORGANISATION: [normalised(leg.host) for leg in legs if leg.host],
        ListKind.EVENT: [normalised(request.event_name)] if request.event_name else [],
    }


def conclude(*, hits: Iterable[Hit], departs_on: date, returns_on: date) -> Finding:
    """The finding that follows from the hits and the length of the trip. The order of the hits does not matter."""
    days = rules.trip_days(departs_on, returns_on)
    ordered = tuple(sorted(hits, key=lambda hit: (-hit.level, hit.kind, hit.code)))
    return Finding(rules.tier_for([hit.level for hit in ordered], days=days), days, ordered)


def assess(request: TravelRequest, *, on: date) -> Finding:
    """Assess `request` as it stands against the lists in force on `on`. It must have an itinerary."""
    legs = request.itinerary
    return conclude(
        hits=matches(terms_of(request), on=on),
        departs_on=min(leg.arrives_on for leg in legs),
        returns_on=max(leg.leaves_on for leg in legs),
    )
