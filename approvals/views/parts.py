"""Parts of the pages about one request, as values: the decision, what is proposed, the questions, the assessment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django_countries import countries

from accounts.roles import Actor, Role
from approvals import disclosure, particulars, queries, rules, workflow
from approvals.models import Attachment, Condition, Decision, Proposal, Reply, TravelRequest
from approvals.models.appeal import AppealState
from approvals.models.decision import Measure, Outcome
from approvals.models.information import Answered, ItemKind
from approvals.states import State, Tier
from approvals.views import standing
from approvals.workflow.conditions import Due, Obligation
from audit.models import Entry
from authorities.languages import by_language
from authorities.terms import ClockKind
from sensitivity import picking
from sensitivity.matching import Hit, PossibleHit
from sensitivity.models import ListVersion, SensitivityList

# ── the decision ────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Ground:
    """A reason code in words, and the published instrument it rests on."""

    words: str
    instrument: str
    url: str


@dataclass(frozen=True, slots=True)
class Remedy:
    """How to appeal: until when, to whom and where; and the page on which it is done, empty for who cannot now."""

    words: str
    where: str
    url: str


@dataclass(frozen=True, slots=True)
class FactWords:
    """A fact relied on, and the part of the request that it is about, with where that stands on the page."""

    part: str
    anchor: str
    fact: str


@dataclass(frozen=True, slots=True)
class MeasureWords:
    """A milder measure that was considered, and why it does not do."""

    measure: str
    why: str


@dataclass(frozen=True, slots=True)
class PartWords:
    """A place that was asked for: what of it is cleared, in words; empty when nothing is."""

    asked: str
    cleared: str


@dataclass(frozen=True, slots=True)
class ReplyWords:
    """What the applicant said to a proposed refusal."""

    text: str
    at: datetime
    files: tuple[File, ...]
    helper: str
    """Who helped, and who that is to the applicant; empty when nobody did."""


def _content_of(grounds: Proposal | Decision, request: TravelRequest) -> dict[str, Any]:
    """The revision that it is about: mostly the one in force, which is read already."""
    same = request.revision is not None and grounds.revision_id == request.revision_id
    content: dict[str, Any] = (request.revision if same else grounds.revision).content  # type: ignore[union-attr]
    return content


def facts_in_words(grounds: Proposal | Decision, request: TravelRequest) -> tuple[FactWords, ...]:
    """The facts one by one; empty where they are a text only."""
    if not grounds.relied_on:
        return ()
    words = particulars.in_words(_content_of(grounds, request))
    return tuple(
        FactWords(words.get(one["part"], ""), particulars.anchor(one["part"]), one["fact"]) for one in grounds.relied_on
    )


def measures_in_words(grounds: Proposal | Decision) -> tuple[MeasureWords, ...]:
    """The milder measures one by one; empty where they are a text only."""
    return tuple(MeasureWords(str(Measure(one["measure"]).label), one["why"]) for one in grounds.measures)


def cleared_in_words(grounds: Proposal | Decision, request: TravelRequest) -> tuple[PartWords, ...]:
    """Every place that was asked for and what of it is cleared; empty where all of the trip is, or nothing."""
    if not grounds.cleared:
        return ()
    rest = list(grounds.cleared)
    found = []
    for leg in _content_of(grounds, request)["legs"]:
        is_here = bool(rest) and workflow.lies_within(rest[0], leg)
        found.append(PartWords(standing.place_in_words(leg), standing.place_in_words(rest.pop(0)) if is_here else ""))
    return tuple(found)


def reply_in_words(reply: Reply, request: TravelRequest) -> ReplyWords:
    """A reply with its documents. Not for the company's eyes: see `standing.reads_as_company`."""
    kept = {str(document.pk): document for document in request.documents}
    return ReplyWords(
        text=reply.text,
        at=reply.at,
        files=tuple(file_of(request, kept[one["id"]]) for one in reply.attachments if one["id"] in kept),
        helper=_("%(name)s (%(relation)s)") % {"name": reply.helper_name, "relation": reply.helper_relation}
        if reply.helper_name
        else "",
    )


@dataclass(frozen=True, slots=True)
class SinceWords:
    """Something that happened after a decision was proposed."""

    at: datetime
    words: str


def since(proposal: Proposal, request: TravelRequest) -> list[SinceWords]:
    """What happened after `proposal`, before a second person signs it: steps of the case, and lists that were published
    and are in force. Two queries."""
    steps = Entry.objects.filter(chain=request.pk, at__gt=proposal.at).exclude(verb="remind").order_by("sequence")
    found = [SinceWords(entry.at, entry.in_words()) for entry in steps]
    lists = ListVersion.objects.filter(
        published_at__gt=proposal.at, published_at__lte=request.now, published_from__lte=request.today
    ).select_related("list")
    for version in lists:
        words = _("%(list)s: version %(number)d was published; this case was assessed before that.")
        assert version.published_at is not None
        found.append(SinceWords(version.published_at, words % {"list": version.list.name, "number": version.number}))
    return sorted(found, key=lambda one: one.at)


@dataclass(frozen=True, slots=True)
class Ruling:
    """A decision, or a proposed one, with all that it says."""

    outcome: str
    words: str
    at: datetime
    who: str
    confirmed_by: str
    deemed: bool
    reasons: tuple[Ground, ...]
    text: str
    facts: str
    milder_measures: str
    reply: str
    conditions: tuple[str, ...]
    basis: str
    remedy: Remedy | None
    reply_until: date | None = None
    relied_on: tuple[FactWords, ...] = ()
    measures: tuple[MeasureWords, ...] = ()
    cleared: tuple[PartWords, ...] = ()
    """Of a clearance of a part: every place that was asked for, and what of it is cleared."""
    said: ReplyWords | None = None
    """The reply with its documents and whoever helped."""


def _grounds(codes: list[str], request: TravelRequest, at: datetime) -> tuple[Ground, ...]:
    """These codes as they were worded at `at`, whatever they say today."""
    known = {reason.code: reason for reason in queries.reasons(codes, request=request, at=at)}
    return tuple(
        Ground(
            words=f"{code} {known[code].label}",
            instrument=str(known[code].instrument),
            url=known[code].instrument.url,
        )
        if code in known
        else Ground(code, "", "")
        for code in codes
    )


def ruling(request: TravelRequest, actor: Actor, at: datetime) -> Ruling | None:
    """The decision in force on `request`, in full; None when there is none. The remedy when it is a refusal."""
    decision = request.decision
    if decision is None:
        return None
    found = standing.history(request)
    step = next((entry for entry in found.log if entry.data.get("decision") == str(decision.pk)), None)
    deeds: list[standing.Deed] = []
    decided = confirmed = None
    if not decision.deemed and step is not None:
        # Who proposed it is who decided; who took the step confirmed it.
        role = step.actor_role
        if decision.confirmed_by_id is not None:
            confirmed = (decision.confirmed_by_id, role, decision.at)
            proposing = Role.SENIOR if decision.outcome == Outcome.REVOKED else Role.REVIEWER
            decided = (decision.by_id, str(proposing), decision.at)
        else:
            decided = (decision.by_id, role, decision.at)
        deeds = [deed for deed in (decided, confirmed) if deed is not None]
    who = standing.people(request, deeds, actor)
    refused = decision.outcome != Outcome.APPROVED or decision.is_partial
    reply = None if standing.reads_as_company(request, actor) or not refused else _reply(request)
    return Ruling(
        outcome=decision.outcome,
        words=_("Approved in part") if decision.is_partial else str(decision.get_outcome_display()),
        at=decision.at,
        who=who[decided] if decided else "",
        confirmed_by=who[confirmed] if confirmed else "",
        deemed=decision.deemed,
        reasons=_grounds(decision.reason_codes, request, decision.at),
        text=decision.text,
        facts=decision.facts,
        milder_measures=decision.milder_measures,
        reply=reply.text if reply else "",
        conditions=tuple(one.text for one in standing.conditions_in_force(request)),
        basis=_basis(request, decision),
        remedy=_remedy(request, decision, actor, at) if refused else None,
        relied_on=facts_in_words(decision, request),
        measures=measures_in_words(decision),
        cleared=cleared_in_words(decision, request),
        said=reply_in_words(reply, request) if reply else None,
    )


def _reply(request: TravelRequest) -> Reply | None:
    """What the applicant said to the proposal in force; None when nothing."""
    replies = standing.history(request).replies
    return next((reply for reply in replies if reply.proposal_id == request.proposal_id), None)


def _basis(request: TravelRequest, decision: Decision) -> str:
    """On which revision, assessment and list versions it was decided."""
    assessed = request.assessment
    if assessed is None or decision.assessment_id != assessed.pk or request.revision is None:
        return ""
    named = (by_language(hit["list_zh"], hit["list_en"]) + f" {hit['version']}" for hit in assessed.hits)
    lists = sorted(set(named))
    words = {
        "number": request.revision.number,
        "on": date_format(timezone.localtime(assessed.at, request.zone), "DATE_FORMAT"),
        "lists": _(", ").join(lists),
    }
    if lists:
        return _("Decided on revision %(number)d and its assessment of %(on)s, with %(lists)s.") % words
    return _("Decided on revision %(number)d and its assessment of %(on)s.") % words


def _remedy(request: TravelRequest, decision: Decision, actor: Actor, at: datetime) -> Remedy | None:
    """How to appeal against `decision`; None where that is done, and what came of it stands in its own place."""
    against = [appeal for appeal in request.appeals.all() if appeal.decision_id == decision.pk]
    if decision.appeal_until is None or any(appeal.state != AppealState.WITHDRAWN for appeal in against):
        return None
    request.as_of(at)
    office = request.office
    is_over = request.today > decision.appeal_until
    words = {"until": date_format(decision.appeal_until, "DATE_FORMAT")}
    contact = _(", ").join(part for part in (office.address, office.phone, office.email) if part)
    return Remedy(
        words=(
            _("An appeal could be filed until %(until)s. That time is over.")
            if is_over
            else _(
                "An appeal can be filed until %(until)s, here or in writing. People of another office look at "
                "everything anew and can replace the decision; nobody who took part in it hears the appeal."
            )
        )
        % words,
        where=_("In writing to %(office)s: %(contact)s") % {"office": office.name, "contact": contact}
        if contact and not is_over
        else "",
        url=reverse("request_do", args=[request.reference, "file_appeal"])
        if actor.holds(Role.APPLICANT, request.applicant_id) and not is_over
        else "",
    )


def proposed(request: TravelRequest, actor: Actor, at: datetime) -> Ruling | None:
    """The refusal that is proposed and not decided yet, with its grounds; None when none is, or `actor` is of the
    company, which is told the outcome."""
    proposal: Proposal | None = request.proposal
    pending = (request.state == State.DECISION_PROPOSED and request.reply_until is not None) or (
        request.state == State.APPROVED and request.revocation_proposed_by_id is not None
    )
    if proposal is None or not pending or standing.reads_as_company(request, actor):
        return None
    role = Role.SENIOR if proposal.outcome == Outcome.REVOKED else Role.REVIEWER
    deed = (proposal.by_id, str(role), proposal.at)
    reply = _reply(request)
    return Ruling(
        outcome=proposal.outcome,
        words={
            Outcome.DENIED: _("Proposed: denial"),
            Outcome.REVOKED: _("Proposed: revocation"),
            Outcome.APPROVED: _("Proposed: approval of a part"),
        }[Outcome(proposal.outcome)],
        at=proposal.at,
        who=standing.people(request, [deed], actor)[deed],
        confirmed_by="",
        deemed=False,
        reasons=_grounds(proposal.reason_codes, request, proposal.at),
        text=proposal.text,
        facts=proposal.facts,
        milder_measures=proposal.milder_measures,
        reply=reply.text if reply else "",
        conditions=tuple(imposed_in_words(proposal.conditions)),
        basis="",
        remedy=None,
        reply_until=standing.last_day(request.reply_until, request) if request.reply_until else None,
        relied_on=facts_in_words(proposal, request),
        measures=measures_in_words(proposal),
        cleared=cleared_in_words(proposal, request),
        said=reply_in_words(reply, request) if reply else None,
    )


# ── consultations ───────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class ConsultationWords:
    """A specialist office that was asked. What it was asked and what it said is there for who may read it by now."""

    at: datetime
    office: str
    expertise: str
    question: str
    due: date | None
    """The last day for the opinion, while it is awaited."""
    answered_at: datetime | None
    is_late: bool
    outcome: str
    reasons: str
    confidential: str
    has_confidential: bool


def consultations(request: TravelRequest, actor: Actor) -> list[ConsultationWords]:
    """Which specialist offices were asked about `request`, the latest first.

    The applicant sees that and whom at once, and what was said as soon as a refusal is proposed or it is decided; of a
    confidential part only that there is one. The company sees that an office was asked.
    """
    found = standing.history(request)
    if not found.consultations:
        return []
    inside = disclosure.reads_whole(request, actor)
    is_open = inside or (
        not standing.reads_as_company(request, actor)
        and (request.decision_id is not None or request.reply_until is not None)
    )
    opinions = {opinion.consultation_id: opinion for opinion in found.opinions}
    clock = request.running_clocks.get(ClockKind.CONSULTATION)
    shown = []
    for asked in reversed(found.consultations):
        said = opinions.get(asked.pk)
        shown.append(
            ConsultationWords(
                at=asked.at,
                office=asked.office.name,
                expertise=asked.office.expertise,
                question=asked.question if is_open else "",
                due=standing.last_day(clock.due_at, request) if clock and clock.due_at and said is None else None,
                answered_at=said.at if said else None,
                is_late=said.is_late if said else False,
                outcome=str(said.get_outcome_display()) if said and is_open else "",
                reasons=said.reasons if said and is_open else "",
                confidential=said.confidential if said and inside else "",
                has_confidential=bool(said and is_open and said.confidential),
            )
        )
    return shown


def imposed_in_words(conditions: Iterable[Any]) -> list[str]:
    """The conditions of a proposal, each with who has to meet it and by when."""
    said = []
    for one in map(Obligation.of, conditions):
        words: dict[str, object] = {"text": one.text, "owner": Condition.Owner(one.owner).label, "days": one.days}
        if one.due == Due.DEPARTURE:
            line = _("%(text)s — %(owner)s, before departure")
        elif one.due == Due.DAY and one.due_on:
            words["day"] = date_format(one.due_on, "DATE_FORMAT")
            line = _("%(text)s — %(owner)s, by %(day)s")
        else:
            line = _("%(text)s — %(owner)s, %(days)d days after the return at the latest")
        if one.needs_evidence:
            line = _("%(line)s, shown by a document") % {"line": line}
        said.append(line % words)
    return said


# ── questions and answers ───────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class ExchangedItem:
    """One thing that was asked, and what was given: a text, documents, or why it cannot be given."""

    question: str
    kind: str
    options: tuple[str, ...]
    given: str
    cannot: str
    files: tuple[File, ...]

    @property
    def is_answered(self) -> bool:
        """Whether anything was given."""
        return bool(self.given or self.cannot or self.files)


@dataclass(frozen=True, slots=True)
class Exchange:
    """What the office asked once, and what was answered, item by item."""

    at: datetime
    who: str
    reason: str
    items: tuple[ExchangedItem, ...]
    working_days: int | None
    answered_at: datetime | None
    is_open: bool
    """Whether an answer is still waited for: not once it came, nor when the request went on or ended without one."""


def exchanges(request: TravelRequest, actor: Actor) -> list[Exchange]:
    """The information requests and their answers, the latest first; none for the company."""
    if standing.reads_as_company(request, actor):
        return []
    found = standing.history(request)
    answers = {answer.information_request_id: answer for answer in found.answers}
    deeds = {asked.pk: (asked.by_id, str(Role.REVIEWER), asked.at) for asked in found.asked}
    who = standing.people(request, deeds.values(), actor) if deeds else {}
    documents = {str(document.pk): document for document in request.documents}
    shown = []
    for asked in reversed(found.asked):
        answer = answers.get(asked.pk)
        given = [*(answer.given if answer else ()), *([Answered()] * len(asked.items))]
        shown.append(
            Exchange(
                at=asked.at,
                who=who[deeds[asked.pk]],
                reason=asked.reason,
                items=tuple(
                    ExchangedItem(
                        question=item.question,
                        kind=str(ItemKind(item.kind).label),
                        options=item.options,
                        given=one.text,
                        cannot=one.cannot,
                        files=tuple(
                            file_of(request, documents[document["id"]])
                            for document in one.documents
                            if document["id"] in documents
                        ),
                    )
                    for item, one in zip(asked.questions, given, strict=False)
                ),
                working_days=asked.working_days,
                answered_at=answer.at if answer else None,
                is_open=answer is None and request.state == State.INFORMATION_REQUESTED,
            )
        )
    return shown


# ── the assessment ──────────────────────────────────────────────────────────────────────────────────────────────────


def hits_in_words(
    hits: Iterable[Hit | Mapping[str, Any]], *, reader: Actor, trip: TravelRequest
) -> list[disclosure.HitWords]:
    """The hits of an assessment of `trip` in words, as far as `reader` may read them (see `approvals.disclosure`)."""
    whole = disclosure.reads_whole(trip, reader)
    return disclosure.hits_in_words(hits, whole=whole, company_id=trip.company_id)


def possible_in_words(
    possible: Iterable[PossibleHit | Mapping[str, Any]],
    *,
    reader: Actor,
    trip: TravelRequest,
    with_countries: bool = False,
) -> list[disclosure.PossibleWords]:
    """The possible matches of `trip` that wait for a person, as far as `reader` may read them."""
    whole = disclosure.reads_whole(trip, reader)
    return disclosure.possible_in_words(possible, whole=whole, with_countries=with_countries)


@dataclass(frozen=True, slots=True)
class AssessmentWords:
    """One assessment of a request: what it came to, why there was a new one, by whom."""

    at: datetime
    tier: str
    tier_words: str
    cause: str
    who: str
    reason: str
    hits: int
    versions: str
    took: str
    is_in_force: bool


def assessments(request: TravelRequest, reader: Actor) -> list[AssessmentWords]:
    """Every assessment of `request`, the latest first. The company is told what it came to, not what was said."""
    found = standing.history(request).assessments or ([request.assessment] if request.assessment else [])
    roles = {
        entry.data["assessment"]: (entry.actor_id, entry.actor_role, entry.at)
        for entry in standing.history(request).log
        if "assessment" in entry.data
    }
    who = standing.people(request, roles.values(), reader)
    names = _list_names({list_id for one in found for list_id, _version, _number in one.versions})
    hide = standing.reads_as_company(request, reader)
    return [
        AssessmentWords(
            at=one.at,
            tier=one.tier,
            tier_words=str(one.get_tier_display()),
            cause=str(one.get_cause_display()),
            who=who.get(roles[str(one.pk)], "") if str(one.pk) in roles else "",
            reason="" if hide else one.reason,
            hits=len(one.hits),
            versions=_(", ").join(
                _("%(list)s, version %(number)d") % {"list": names[list_id], "number": number}
                for list_id, _version, number in one.versions
                if list_id in names
            ),
            took=took_in_words(one.took_us),
            is_in_force=one.pk == request.assessment_id,
        )
        for one in reversed(found)
    ]


def _list_names(ids: set[int]) -> dict[int, str]:
    rows = SensitivityList.objects.filter(pk__in=ids).values_list("pk", "name_zh", "name_en") if ids else ()
    return {pk: by_language(zh, en) for pk, zh, en in rows}


def took_in_words(took_us: int | None) -> str:
    """How long an assessment took, in milliseconds; empty where nothing was looked up."""
    return "" if took_us is None else _("%(ms)s ms") % {"ms": number_format(took_us / 1000, 1)}


def route_in_words(tier: str) -> str:
    """Who decides on a request of this tier: the rule book's table "Tiers"."""
    return str(rules.route_for(Tier(tier)).label)


# ── what was asked for ──────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class File:
    """A document as `components/files.html` shows it."""

    name: str
    url: str
    size: int
    kind: str
    added: datetime
    note: str = ""
    remove_url: str = ""
    key: str = ""


def files(request: TravelRequest, *, removable: bool = False) -> list[File]:
    """The documents of `request`, each behind its permission check; those sent with a reply stand with the reply."""
    return [
        file_of(request, document, removable=removable)
        for document in request.documents
        if document.kind not in queries.NOT_FOR_THE_COMPANY
    ]


def file_of(request: TravelRequest, document: Attachment, *, removable: bool = False) -> File:
    """One document of `request`, behind its permission check."""
    place = [request.reference, document.pk]
    return File(
        name=document.name,
        url=reverse("attachment", args=place),
        size=document.size,
        kind=str(document.get_kind_display()),
        added=document.uploaded_at,
        key=str(document.pk),
        remove_url=reverse("attachment_remove", args=place) if removable else "",
    )


@dataclass(frozen=True, slots=True)
class Row:
    """A name and a value, as `components/summary_list.html` shows it."""

    label: str
    value: str
    url: str = ""
    anchor: str = ""
    """The id of its element, for what points at it."""


@dataclass(frozen=True, slots=True)
class PlaceWords:
    """One place of the trip: city, state or province where one was asked for, country; its days; the host."""

    where: str
    arrives_on: date
    leaves_on: date
    host: str
    anchor: str = ""


def places(request: TravelRequest) -> list[PlaceWords]:
    """The itinerary in the order of travel."""
    return [
        PlaceWords(
            where=_(", ").join(
                part for part in (leg.city, picking.subdivision_name(leg.subdivision), str(leg.country.name)) if part
            ),
            arrives_on=leg.arrives_on,
            leaves_on=leg.leaves_on,
            host=leg.host,
            anchor=particulars.anchor(f"place-{number}"),
        )
        for number, leg in enumerate(request.itinerary)
    ]


def places_in_words(request: TravelRequest) -> list[str]:
    """The itinerary, a line for each place."""
    return [
        standing.place_in_words(
            {
                "country": str(leg.country.code),
                "subdivision": leg.subdivision,
                "city": leg.city,
                "arrives_on": leg.arrives_on.isoformat(),
                "leaves_on": leg.leaves_on.isoformat(),
                "host": leg.host,
            }
        )
        for leg in request.itinerary
    ]


def countries_in_words(codes: Iterable[str]) -> str:
    """The names of countries, each once, in the order given."""
    return _(", ").join(str(countries.name(code)) for code in dict.fromkeys(codes))
