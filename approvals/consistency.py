"""Cases like this one that the office decided differently: shown to seniors, and before they sign, so that like is
treated alike.

Likeness is counted in published list entries and in elements of the trip, nothing else: which entries and subjects it
touches, where it goes, to whom, to what event, what for; always within one tier. Never in persons: another request of
the same applicant is not looked at (a past request is no ground), and who reviewed or decided is not even read.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _
from django_countries import countries

from accounts.roles import Actor, Role
from approvals import queries
from approvals.models import Condition, Leg, Recusal, TravelRequest
from approvals.models.decision import Outcome
from approvals.models.travel_request import Purpose
from approvals.states import Tier
from authorities.languages import by_language
from sensitivity import picking

LOOKED_BACK = timedelta(days=730)
"""Decisions of the last two years: before that lists and practice were others."""
EXAMINED = 1000
"""So many of them at most, the latest first."""
SHOWN = 5
SHOWN_REFUSALS = 30


class Kind(StrEnum):
    """What two trips can have in common, the weightiest first."""

    ENTRY = "entry"
    SUBJECT = "subject"
    EVENT = "event"
    HOST = "host"
    DESTINATION = "destination"
    PURPOSE = "purpose"


ALIKE_FROM = 3
"""Two cases of one tier are alike when they have so many points in common; a published entry counts as two."""

Element = tuple[Kind, str]


@dataclass(frozen=True, slots=True)
class Case:
    """A decided case, without anybody in it. `decided_at` is aware."""

    reference: str
    tier: str
    outcome: str
    decided_at: datetime
    reason_codes: tuple[str, ...]
    conditions: int
    elements: Mapping[Element, str]
    """What it touches, and how that is called."""
    applicant_id: int
    """To leave out other requests of the same person; shown nowhere."""

    @property
    def tier_words(self) -> str:
        return str(Tier(self.tier).label)

    @property
    def outcome_words(self) -> str:
        return str(Outcome(self.outcome).label)


@dataclass(frozen=True, slots=True)
class Alike:
    """A case like another one, and what they have in common, in words."""

    case: Case
    common: tuple[str, ...]
    points: int


@dataclass(frozen=True, slots=True)
class Contrast:
    """A refusal, and what was approved although it is like it."""

    case: Case
    alike: tuple[Alike, ...]


def before_signing(request: TravelRequest, *, actor: Actor, at: datetime) -> list[Alike] | None:
    """Cases like `request` that its office decided otherwise than is proposed now, the most alike first.

    None for everybody but a senior of the office whose own request it is not, and when nothing is proposed: then there
    is nothing to sign. `at` is aware; the number of queries does not depend on the cases.
    """
    proposal = request.proposal
    if proposal is None or not actor.holds(Role.SENIOR, request.office_id):
        return None
    if request.applicant_id in actor.scopes(Role.APPLICANT):
        return None
    is_refusal = proposal.outcome != Outcome.APPROVED
    others = _decided(actor, request.office_id, at=at).filter(tier=request.tier).exclude(pk=request.pk)
    decided = (
        others.filter(decision__outcome=Outcome.APPROVED)
        if is_refusal
        else others.exclude(decision__outcome=Outcome.APPROVED)
    )
    mine = _elements(
        request.topics,
        request.event_name,
        request.purpose,
        request.assessment.hits if request.assessment else [],
        [(str(leg.country.code), leg.host) for leg in request.itinerary],
    )
    close = _closest(mine, request.applicant_id, _cases(decided))
    return _said(close, _subjects(close))


def contrasts(office_id: int, *, actor: Actor, at: datetime) -> list[Contrast]:
    """The office's refusals of the last two years with cases like them that were approved, the latest first.

    Only cases that `actor` may see as one of that office; nothing for who is no senior of it. `at` is aware.
    """
    if not actor.holds(Role.SENIOR, office_id):
        return []
    by_tier: dict[tuple[str, bool], list[Case]] = defaultdict(list)
    for case in _cases(_decided(actor, office_id, at=at)):
        by_tier[case.tier, case.outcome == Outcome.APPROVED].append(case)
    refused = [case for (_tier, is_approval), cases in by_tier.items() if not is_approval for case in cases]
    refused.sort(key=lambda case: (case.decided_at, case.reference), reverse=True)
    found = []
    for case in refused:
        if close := _closest(case.elements, case.applicant_id, by_tier[case.tier, True]):
            found.append((case, close))
        if len(found) == SHOWN_REFUSALS:
            break
    subjects = _subjects(one for _case, close in found for one in close)
    return [Contrast(case, tuple(_said(close, subjects))) for case, close in found]


def _decided(actor: Actor, office_id: int, *, at: datetime) -> QuerySet[TravelRequest, TravelRequest]:
    """The decided cases of an office that `actor` may see, without their own and those they have a conflict with."""
    conflict = Exists(Recusal.objects.filter(request=OuterRef("pk"), by=actor.user_id))
    return (
        queries.visible_to(actor)
        .filter(~conflict, office_id=office_id, decided_at__gte=at - LOOKED_BACK, decided_at__lte=at)
        .exclude(applicant_id__in=actor.scopes(Role.APPLICANT))
        .filter(decision__isnull=False, reached_authority_at__isnull=False)
        .order_by("-decided_at", "-id")
    )


def _cases(decided: QuerySet[TravelRequest, TravelRequest]) -> list[Case]:
    columns = (
        "id",
        "reference",
        "tier",
        "applicant_id",
        "topics",
        "event_name",
        "purpose",
        "assessment__hits",
        "decision__outcome",
        "decision__at",
        "decision__reason_codes",
        "decision_id",
    )
    rows: list[dict[str, Any]] = list(decided.values(*columns)[:EXAMINED])
    places: dict[UUID, list[tuple[str, str]]] = defaultdict(list)
    legs = Leg.objects.filter(request__in=[row["id"] for row in rows]).order_by("request", "position")
    for request_id, country, host in legs.values_list("request_id", "country", "host"):
        places[request_id].append((str(country), host))
    with_conditions = Condition.objects.filter(decision__in=[row["decision_id"] for row in rows]).order_by()
    conditions = dict(with_conditions.values_list("decision_id").annotate(number=Count("pk")))
    return [
        Case(
            reference=row["reference"],
            tier=row["tier"],
            outcome=row["decision__outcome"],
            decided_at=row["decision__at"],
            reason_codes=tuple(row["decision__reason_codes"]),
            conditions=conditions.get(row["decision_id"], 0),
            elements=_elements(
                row["topics"], row["event_name"], row["purpose"], row["assessment__hits"] or [], places[row["id"]]
            ),
            applicant_id=row["applicant_id"],
        )
        for row in rows
    ]


def _elements(
    topics: Iterable[str], event: str, purpose: str, hits: Iterable[Mapping[str, Any]], places: list[tuple[str, str]]
) -> dict[Element, str]:
    """What of a trip can be like another one: what it is known by, and what it is called."""
    found: dict[Element, str] = {
        (Kind.ENTRY, f"{hit['list_id']}:{hit['lineage']}"): by_language(hit["label_zh"], hit["label_en"])
        for hit in hits
    }
    found |= {(Kind.SUBJECT, code): code for code in topics}
    if event.strip():
        found[Kind.EVENT, _folded(event)] = event
    found |= {(Kind.HOST, _folded(host)): host for _country, host in places if host.strip()}
    found |= {(Kind.DESTINATION, country): country for country, _host in places}
    if purpose:
        found[Kind.PURPOSE, purpose] = purpose
    return found


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()


_Close = tuple[int, Case, Mapping[Element, str]]
"""Points in common, with whom, and what."""


def _closest(mine: Mapping[Element, str], applicant_id: int, cases: Iterable[Case]) -> list[_Close]:
    """Those of `cases`, the latest first, that are like what has the elements `mine`: the most alike, SHOWN at most."""
    close: list[_Close] = []
    for case in cases:
        common = {element: mine[element] for element in mine.keys() & case.elements.keys()}
        points = sum(2 if kind is Kind.ENTRY else 1 for kind, _key in common)
        if points >= ALIKE_FROM and case.applicant_id != applicant_id:
            close.append((points, case, common))
    close.sort(key=lambda one: -one[0])  # stable: among equals the latest first
    return close[:SHOWN]


def _subjects(close: Iterable[_Close]) -> Mapping[str, str]:
    return picking.subject_labels(
        key for _points, _case, common in close for kind, key in common if kind is Kind.SUBJECT
    )


def _said(close: Iterable[_Close], subjects: Mapping[str, str]) -> list[Alike]:
    order = list(Kind)
    return [
        Alike(
            case,
            tuple(
                _in_words(kind, key, common[kind, key], subjects)
                for kind, key in sorted(common, key=lambda one: (order.index(one[0]), one[1]))
            ),
            points,
        )
        for points, case, common in close
    ]


def _in_words(kind: Kind, key: str, name: str, subjects: Mapping[str, str]) -> str:
    match kind:
        case Kind.ENTRY:
            return _("the list entry %(name)s") % {"name": name}
        case Kind.SUBJECT:
            return _("the subject %(name)s") % {"name": subjects.get(key, key)}
        case Kind.EVENT:
            return _("the event %(name)s") % {"name": name}
        case Kind.HOST:
            return _("the host %(name)s") % {"name": name}
        case Kind.DESTINATION:
            return _("the destination %(name)s") % {"name": countries.name(key) or key}
        case Kind.PURPOSE:
            return _("the purpose %(name)s") % {"name": Purpose(key).label}
