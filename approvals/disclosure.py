"""What of an assessment a reader gets to see, in words. Pages and API say it through here and nowhere else.

The people who decide on a request (of its office, or hearing its appeal) and auditors read everything. The traveller,
the company and everybody else read every published entry that counted; of a confidential list they read that an entry
counted, to what effect, on which legal basis the list and its confidentiality rest, and who reviewed that (fair
process, 7). They do not read which entry, nor what of the trip touched it: that would name it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _
from django_countries import countries

from accounts.roles import Actor, Role
from approvals import access, rules
from approvals.models import TravelRequest
from approvals.states import Tier
from authorities.languages import by_language, law_in_words
from sensitivity import matching, picking
from sensitivity.matching import Hit, PossibleHit
from sensitivity.models import ListEntry, ListKind

READS_WHOLE = frozenset({Role.REVIEWER, Role.SENIOR, Role.HEAD, Role.APPEAL_REVIEWER, Role.AUDITOR})


def reads_whole(request: TravelRequest, reader: Actor) -> bool:
    """Whether `reader` reads entries of confidential lists: as whom they look at this request decides, not what other
    roles they hold."""
    return access.role_towards(request, reader) in READS_WHOLE


@dataclass(frozen=True, slots=True)
class LegalBasis:
    """A published instrument: its title and article in words, and where it can be read."""

    words: str
    url: str


@dataclass(frozen=True, slots=True)
class HitWords:
    """An entry that counted, in the reader's language. Of a masked one, only what the reader may know is here."""

    list: str
    version: int
    level: int
    effect: str
    """What the level does to the tier, and who then decides."""
    is_confidential: bool
    is_masked: bool
    basis: LegalBasis
    secrecy: LegalBasis | None = None
    """On what the confidentiality rests; None for an open list."""
    reviewed_by: str = ""
    reviewed_on: date | None = None
    kind: str = ""
    code: str = ""
    label: str = ""
    reason: str = ""
    touched_by: tuple[str, ...] = ()
    """What of the trip it was, in words."""
    confirmed: bool = False
    """A person said of a name that only resembled this entry that it is the same."""


@dataclass(frozen=True, slots=True)
class PossibleWords:
    """A name of the trip that resembles a listed one, in the reader's language."""

    key: str
    """What an answer is about; empty where it is masked."""
    words: str
    """One sentence on what resembles what."""
    written: str
    name: str
    """The listed name that comes closest."""
    label: str
    country: str
    likeness: str
    percent: int
    hit: HitWords
    is_masked: bool


def level_in_words(level: int) -> str:
    """What a hit of this level does to a trip: the rule book's table "Tiers"."""
    tier = rules.tier_for([level], days=1)
    return _("At least the tier “%(tier)s”. %(route)s") % {
        "tier": Tier(tier).label,
        "route": rules.route_for(tier).label,
    }


def _basis(hit: Hit, of: str) -> LegalBasis:
    """What the list rests on (`of` "basis"), or its confidentiality ("secret")."""
    words = law_in_words(
        title_zh=getattr(hit, f"{of}_zh"),
        title_en=getattr(hit, f"{of}_en"),
        article_zh=getattr(hit, f"{of}_article_zh"),
        article_en=getattr(hit, f"{of}_article_en"),
    )
    return LegalBasis(words, getattr(hit, f"{of}_url"))


def hits_in_words(hits: Iterable[Hit | Mapping[str, Any]], *, whole: bool, company_id: int = 0) -> list[HitWords]:
    """The hits of an assessment (as values, or as `Hit.as_data` kept them) for somebody who reads everything, or not.

    `company_id`: whose projects are meant, to name them.
    """
    found = [hit if isinstance(hit, Hit) else matching.hit_from(dict(hit)) for hit in hits]
    shown = [hit for hit in found if whole or not hit.confidential]
    subjects = picking.subject_labels(
        code for hit in shown if hit.kind == ListKind.TECHNOLOGY for code in hit.touched_by
    )
    return [_in_words(hit, whole, subjects, company_id) for hit in found]


def _in_words(hit: Hit, whole: bool, subjects: Mapping[str, str], company_id: int) -> HitWords:
    masked = hit.confidential and not whole
    return HitWords(
        list=by_language(hit.list_zh, hit.list_en),
        version=hit.version,
        level=hit.level,
        effect=level_in_words(hit.level),
        is_confidential=hit.confidential,
        is_masked=masked,
        basis=_basis(hit, "basis"),
        secrecy=_basis(hit, "secret") if hit.confidential else None,
        reviewed_by=hit.reviewed_by,
        reviewed_on=date.fromisoformat(hit.reviewed_on) if hit.reviewed_on else None,
        **({} if masked else _open_words(hit, subjects, company_id)),
    )


def _open_words(hit: Hit, subjects: Mapping[str, str], company_id: int) -> dict[str, Any]:
    return {
        "kind": str(ListKind(hit.kind).label),
        "code": hit.code,
        "label": by_language(hit.label_zh, hit.label_en),
        "reason": by_language(hit.reason_zh, hit.reason_en),
        "touched_by": tuple(_touching(hit, subjects, company_id)),
        "confirmed": hit.confirmed,
    }


def _touching(hit: Hit, subjects: Mapping[str, str], company_id: int) -> Sequence[str]:
    if hit.kind == ListKind.TECHNOLOGY:
        return picking.subjects_in_words(hit.touched_by, subjects)
    if hit.kind == ListKind.DESTINATION:
        return [picking.subdivision_name(code) if "-" in code else str(countries.name(code)) for code in hit.touched_by]
    if hit.kind == ListKind.PROJECT:
        return picking.project_names(hit.touched_by, company_id=company_id)
    return hit.touched_by


LIKELY, VERY_LIKELY = 0.7, 0.9


def _likeness(score: float) -> str:
    if score >= VERY_LIKELY:
        return _("nearly the same name")
    if score >= LIKELY:
        return _("a very similar name")
    return _("a similar name")


def possible_in_words(
    possible: Iterable[PossibleHit | Mapping[str, Any]], *, whole: bool, with_countries: bool = False
) -> list[PossibleWords]:
    """The possible matches that wait for a person, as values or as they are kept. What resembles a confidential entry
    is not named to who does not read everything: not even what they wrote themselves.

    `with_countries` looks up where the listed organisations are: one query.
    """
    found = [one if isinstance(one, PossibleHit) else matching.possible_from(dict(one)) for one in possible]
    placed = _countries(found) if with_countries else {}
    return [_resembling(one, whole, placed.get((one.hit.version_id, one.hit.lineage), "")) for one in found]


def _resembling(one: PossibleHit, whole: bool, country: str) -> PossibleWords:
    (hit,) = hits_in_words([one.hit], whole=whole)
    if hit.is_masked:
        words = _("A name that you wrote resembles an entry of the confidential list “%(list)s”.") % {"list": hit.list}
        return PossibleWords("", words, "", "", "", "", "", 0, hit, is_masked=True)
    return PossibleWords(
        key=one.key,
        words=_("“%(written)s” resembles the listed organisation “%(label)s”.")
        % {"written": one.written, "label": hit.label},
        written=one.written,
        name=one.name,
        label=hit.label,
        country=country,
        likeness=_likeness(one.score),
        percent=round(100 * one.score),
        hit=hit,
        is_masked=False,
    )


def _countries(possible: Sequence[PossibleHit]) -> dict[tuple[int, str], str]:
    """(version, lineage) → the name of the country of the listed organisation."""
    if not possible:
        return {}
    wanted = Q(pk__in=[])
    for one in possible:
        wanted |= Q(version=one.hit.version_id, lineage=one.hit.lineage)
    rows = ListEntry.objects.filter(wanted).exclude(country="").values_list("version_id", "lineage", "country")
    return {(version, str(lineage)): str(countries.name(code)) for version, lineage, code in rows}
