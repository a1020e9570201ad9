"""A trip changes after it was submitted, and only what the change touches is looked at again (fair process, 22).

Until there is a decision a change becomes part of the request at once. A clearance stays as it is until the office has
accepted a change to it; a change that is not accepted takes nothing away. What had to change on the way, in an
emergency, is reported afterwards: it is noted, and never held against anybody (ADR 53).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.refusals import Invalid, NotAllowed, NotFound, NotNow, Problem
from accounts.roles import Actor
from approvals import amending, assessment, journal, queries, rules, snapshots
from approvals.models import Amendment, Assessment, Decision, Leg, Revision, TravelRequest
from approvals.models.amendment import WITH_OFFICE, AmendmentKind, AmendmentState, Part
from approvals.models.decision import Outcome
from approvals.states import Route, Tier
from approvals.workflow.completeness import days_are_free, problems
from approvals.workflow.deciding import clock_versions
from approvals.workflow.gate import Taking, fetch, move, refusal, required, user_id_of

# Which verb files an amendment depends on where the request is; at most one of them is open to the applicant.
FILING = ("amend", "file_amendment", "report_change")


# ── writing it ──────────────────────────────────────────────────────────────────────────────────────────────────────


def filing_verb(request: TravelRequest, actor: Actor, *, at: datetime) -> str | None:
    """The verb with which `actor` can say now that the trip changes, or changed; None when there is none."""
    return next((verb for verb in FILING if refusal(request, verb, actor, at=at) is None), None)


def _may_write(request_id: UUID, actor: Actor, at: datetime) -> tuple[TravelRequest, str]:
    request = fetch(request_id, actor, at)
    if sentence := rules.is_applicant.refusal(request, actor):
        raise NotAllowed(sentence)
    verb = filing_verb(request, actor, at=at)
    if verb is None:
        raise refusal(request, "file_amendment", actor, at=at) or NotNow(_("The trip cannot be changed now."))
    return request, verb


def begin_amendment(request_id: UUID, *, actor: Actor, at: datetime) -> Amendment:
    """The amendment that the applicant is writing; begun, as the trip is now, when there is none.

    Refuses with NotAllowed anybody else, and with NotNow when the trip cannot be changed now.
    """
    rules.moment_is_aware(at)
    with transaction.atomic():
        request, verb = _may_write(request_id, actor, at)
        kind = AmendmentKind.REPORT if verb == "report_change" else AmendmentKind.CHANGE
        found = Amendment.objects.filter(request=request, state=AmendmentState.DRAFT).first()
        base = amending.base_of(request)
        if found is not None:
            before = journal.stored(found)
            found.kind, found.base = kind, base  # what was written stays, whatever the trip has become meanwhile
            journal.write([(found, before)], [])
            return found
        made = Amendment(request=request, kind=kind, base=base, content=base, begun_at=at, saved_at=at)
        journal.write([], [made])
    return made


def _draft(request: TravelRequest) -> Amendment:
    found = Amendment.objects.filter(request=request, state=AmendmentState.DRAFT).first()
    if found is None:
        raise NotFound(_("There is no change that is being written."))
    return found


def is_being_changed(request: TravelRequest, actor: Actor, *, at: datetime) -> bool:
    """Whether `actor` is writing a change that could be filed now; then documents can be added to it, too."""
    if filing_verb(request, actor, at=at) is None:
        return False
    return Amendment.objects.filter(request=request, state=AmendmentState.DRAFT).exists()


def save_amendment(
    request_id: UUID,
    *,
    actor: Actor,
    at: datetime,
    section: str,
    values: Mapping[str, Any] | None = None,
    legs: Sequence[Mapping[str, Any]] = (),
) -> Amendment:
    """Save a section of the change that is valid: `values` of `amending.FIELDS`, or the `legs`. What was kept as typed
    of this section is dropped. NotFound when no change is being written."""
    with transaction.atomic():
        request, _verb = _may_write(request_id, actor, at)
        draft = _draft(request)
        before = journal.stored(draft)
        draft.content = amending.with_section(draft.content, section, values or {}, [dict(leg) for leg in legs])
        draft.typed = {name: data for name, data in draft.typed.items() if name != section}
        draft.saved_at = at
        journal.write([(draft, before)], [])
    return draft


def keep_amendment_as_typed(
    request_id: UUID, *, actor: Actor, at: datetime, section: str, data: Mapping[str, Any]
) -> None:
    """Keep what was typed into a section of the change and is not valid yet."""
    with transaction.atomic():
        request, _verb = _may_write(request_id, actor, at)
        draft = _draft(request)
        before = journal.stored(draft)
        draft.typed, draft.saved_at = draft.typed | {section: dict(data)}, at
        journal.write([(draft, before)], [])


def discard_amendment(request_id: UUID, *, actor: Actor, at: datetime) -> None:
    """Drop the change that is being written. The trip stays as it is."""
    with transaction.atomic():
        request = fetch(request_id, actor, at)
        if sentence := rules.is_applicant.refusal(request, actor):
            raise NotAllowed(sentence)
        _draft(request).delete()


# ── what it comes to ────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a change touches and what it takes, if it is filed now."""

    touches: tuple[Part, ...]
    finding: assessment.Finding
    new_hits: tuple[Any, ...]
    """The hits, certain and possible, that the trip as it was did not have."""
    is_shift: bool
    tier: Tier
    """Of what changes: it says how many people look at it."""

    def touches_as_data(self) -> list[str]:
        """The parts, as they are stored."""
        return [part.value for part in self.touches]


def outlook(request: TravelRequest, draft: Amendment, *, at: datetime) -> Outlook:
    """What the change in `draft` touches and takes: only hits that it brings count, and of a small shift of dates none.

    A possible match counts as the entry that it may be: it is a person of the office who says whether it is.
    """
    request.as_of(at)
    begins, ends = amending.days(draft.content)
    finding = assessment.assess_facts(
        assessment.facts_from(draft.content, company_id=request.company_id),
        on=request.today,
        departs_on=begins,
        returns_on=ends,
        answers=queries.match_answers(request.pk),
    )
    before = request.assessment
    known = {(hit["list_id"], hit["lineage"], hit["level"]) for hit in before.hits} if before else set()
    found = [*finding.hits, *(one.hit for one in finding.possible)]
    new = tuple(hit for hit in found if (hit.list_id, hit.lineage, hit.level) not in known)
    shift = amending.is_small_shift(draft.base, draft.content)
    tier = Tier.FAST if shift else rules.tier_for([hit.level for hit in new], days=1)
    return Outlook(tuple(amending.touched(draft.base, draft.content)), finding, new, shift, tier)


def amendment_problems(request: TravelRequest, draft: Amendment, *, at: datetime) -> list[Problem]:
    """Everything that stands between the change and its filing: nothing changed, what is missing or wrong, days that
    another trip has, an entry for which a specialist office has to be heard."""
    is_report = draft.kind == AmendmentKind.REPORT
    when = seen_at(request, draft, at=at)
    there = amending.as_if(request, draft.content, typed=draft.typed, at=when)
    found = [problem for problem in problems(there, at=when) if problem.section != "declarations"]
    if not amending.touched(draft.base, draft.content) and not draft.typed:
        found.append(Problem("", "", _("Nothing has changed yet. Open a part of the trip and change it.")))
    if (
        not found
        and not is_report
        and request.decision_id is not None
        and outlook(request, draft, at=at).tier == Tier.RESTRICTED
    ):
        found.append(
            Problem(
                "",
                "",
                _(
                    "This change touches a published entry of level 3, for which a specialist office has to be heard. "
                    "Ask for the changed trip with a new request, and close this one when the new one is cleared."
                ),
            )
        )
    return found


def seen_at(request: TravelRequest, draft: Amendment, *, at: datetime) -> datetime:
    """The moment at which the trip as it would be is looked at: of a report, the day on which the trip began, for its
    days have passed since."""
    if draft.kind != AmendmentKind.REPORT:
        return at
    begins = amending.days(draft.base)[0]
    return min(at, datetime(begins.year, begins.month, begins.day, 12, tzinfo=request.zone))


def _ready(step: Taking, reason: str) -> tuple[Amendment, str]:
    """The change to file, with its reason; Invalid with everything that stands against it."""
    draft = _draft(step.request)
    draft.base = amending.base_of(step.request)
    found = amendment_problems(step.request, draft, at=step.at)
    if not reason.strip():
        found.append(Problem("", "reason", _("Say why the trip changes.")))
    if found:
        raise Invalid(found)
    return draft, reason.strip()


def _revise(step: Taking, content: Mapping[str, Any]) -> Revision:
    """The next revision, and the request as it says."""
    request = step.request
    kept = dict(content) | {"attachments": snapshots.content(request)["attachments"]}
    revision = step.add(Revision, number=request.revision_number + 1, content=kept, digest=snapshots.digest(kept))
    for name in amending.FIELDS:
        setattr(request, name, content.get(name, getattr(request, name)))
    request.legs.all().delete()
    request.itinerary = Leg.objects.bulk_create(amending.legs_of(request, content))
    step.data |= {"revision": revision.number, "digest": revision.digest.hex()}
    return revision


def _assess(step: Taking, revision: Revision, finding: assessment.Finding, reason: str) -> Assessment:
    return step.add(Assessment, revision=revision, cause=Assessment.Cause.AMENDED, reason=reason, **finding.as_values())


def _save(draft: Amendment, before: dict[str, Any]) -> None:
    journal.write([(draft, before)], [])


# ── filing it ───────────────────────────────────────────────────────────────────────────────────────────────────────


def amend(request_id: UUID, *, actor: Actor, at: datetime, reason: str) -> TravelRequest:
    """Change a request that is not decided yet: a new revision and its assessment, in the state that it is in.

    Nobody is asked again about what did not change, and no clock starts anew; a tier that rises gives the office the
    time of that tier, counted from the same day. Invalid without a reason and for everything that is missing.
    """

    def prepare(step: Taking) -> Mapping[str, Any]:
        draft, why = _ready(step, reason)
        before = journal.stored(draft)
        seen = outlook(step.request, draft, at=at)
        revision = _revise(step, draft.content)
        assessed = _assess(step, revision, seen.finding, why)
        draft.state, draft.reason, draft.filed_at, draft.ended_at = AmendmentState.TAKEN_OVER, why, at, at
        draft.touches, draft.tier = seen.touches_as_data(), seen.finding.tier
        draft.hits = [hit.as_data() for hit in seen.new_hits]
        draft.revision_id, draft.assessment_id = revision.pk, assessed.pk
        _save(draft, before)
        begins, ends = amending.days(draft.content)
        step.data |= {
            "amendment": str(draft.pk),
            "tier": seen.finding.tier.value,
            "touches": seen.touches_as_data(),
        }
        return {
            "revision_id": revision.pk,
            "assessment_id": assessed.pk,
            "tier": seen.finding.tier,
            "open_matches": len(seen.finding.possible),
            "departs_on": begins,
            "returns_on": ends,
        }

    return move("amend", request_id, actor=actor, at=at, prepare=prepare)


def file_amendment(request_id: UUID, *, actor: Actor, at: datetime, reason: str) -> TravelRequest:
    """Ask for a change to a cleared trip before it begins. The clearance stays as it is until the office has answered.

    Invalid without a reason, for everything that is missing, and for a change that only a new request can bring.
    """

    def prepare(step: Taking) -> Mapping[str, Any]:
        draft, why = _ready(step, reason)
        before = journal.stored(draft)
        seen = outlook(step.request, draft, at=at)
        draft.state, draft.reason, draft.filed_at = AmendmentState.FILED, why, at
        draft.touches, draft.tier = seen.touches_as_data(), seen.tier
        draft.hits = [hit.as_data() for hit in seen.new_hits]
        _save(draft, before)
        step.data |= {
            "amendment": str(draft.pk),
            "touches": seen.touches_as_data(),
            "tier": seen.tier.value,
        }
        return {"amendment_id": draft.pk}

    return move("file_amendment", request_id, actor=actor, at=at, prepare=prepare)


def report_change(request_id: UUID, *, actor: Actor, at: datetime, reason: str) -> TravelRequest:
    """Say afterwards what had to change on the way: an illness, a cancelled flight, a stay that became longer.

    It becomes part of the file at once, with a revision of its own. Nobody decides on it, and it is no ground for
    anything later. Invalid without a reason and when nothing changed.
    """

    def prepare(step: Taking) -> Mapping[str, Any]:
        draft, why = _ready(step, reason)
        before = journal.stored(draft)
        revision = _revise(step, draft.content)
        draft.state, draft.reason, draft.filed_at, draft.revision_id = AmendmentState.FILED, why, at, revision.pk
        draft.touches = [part.value for part in amending.touched(draft.base, draft.content)]
        _save(draft, before)
        begins, ends = amending.days(draft.content)
        step.data |= {"amendment": str(draft.pk), "touches": list(draft.touches)}
        return {"revision_id": revision.pk, "departs_on": begins, "returns_on": ends}

    return move("report_change", request_id, actor=actor, at=at, prepare=prepare)


def withdraw_amendment(request_id: UUID, *, actor: Actor, at: datetime) -> TravelRequest:
    """Take back a change that the office has not answered. The trip stays as it was cleared."""

    def prepare(step: Taking) -> None:
        _end(step, AmendmentState.WITHDRAWN)

    return move("withdraw_amendment", request_id, actor=actor, at=at, prepare=prepare)


# ── the office answers ──────────────────────────────────────────────────────────────────────────────────────────────


def _open(step: Taking) -> Amendment:
    amendment = step.request.open_amendment
    assert amendment is not None
    assert amendment.state in WITH_OFFICE
    return amendment


def _end(step: Taking, state: AmendmentState, answer: str = "", **values: Any) -> Amendment:
    amendment = _open(step)
    before = journal.stored(amendment)
    amendment.state, amendment.answer = state, answer
    amendment.ended_at, amendment.ended_by_id = step.at, step.actor.user_id
    for name, value in values.items():
        setattr(amendment, name, value)
    _save(amendment, before)
    step.data |= {"amendment": str(amendment.pk)}
    return amendment


def recommend_amendment(request_id: UUID, *, actor: Actor, at: datetime, text: str) -> TravelRequest:
    """A reviewer has looked at a change that takes two people, and recommends it. Invalid without a text."""
    why = required(text, "text", _("Say what you looked at, for the second person."))

    def prepare(step: Taking) -> None:
        amendment = copy(_open(step))  # the transition still has to find it without a recommendation
        before = journal.stored(amendment)
        amendment.state, amendment.recommended_by_id = AmendmentState.RECOMMENDED, user_id_of(actor)
        amendment.answer = why
        _save(amendment, before)
        step.data |= {"amendment": str(amendment.pk)}

    return move("recommend_amendment", request_id, actor=actor, at=at, prepare=prepare)


def accept_amendment(request_id: UUID, *, actor: Actor, at: datetime, text: str = "") -> TravelRequest:
    """Clear the trip as changed: a new revision, an assessment and a decision of its own beside the earlier one.

    What needs two people, because the change brings a hit of level 2, was recommended by a reviewer, and a senior who
    is somebody else accepts it. Invalid when another trip has the days meanwhile.
    """

    def prepare(step: Taking) -> Mapping[str, Any]:
        request, amendment = step.request, _open(step)
        begins, ends = amending.days(amendment.content)
        days_are_free(request, departs_on=begins, returns_on=ends)
        seen = outlook(request, amendment, at=at)
        if rules.route_for(seen.tier) is not Route.ONE_REVIEWER and amendment.recommended_by_id is None:
            raise NotNow(_("The lists have changed meanwhile: this change takes two people now."))
        revision = _revise(step, amendment.content)
        assessed = _assess(step, revision, seen.finding, amendment.reason)
        first = amendment.recommended_by_id or user_id_of(actor)
        second = user_id_of(actor) if amendment.recommended_by_id else None
        decision = step.add(
            Decision,
            outcome=Outcome.APPROVED,
            text=text.strip(),
            revision=revision,
            assessment=assessed,
            clock_versions=clock_versions(request),
        )
        decision.by_id, decision.confirmed_by_id = first, second
        _end(
            step,
            AmendmentState.ACCEPTED,
            text.strip() or amendment.answer,
            revision_id=revision.pk,
            assessment_id=assessed.pk,
        )
        step.data |= {"decision": str(decision.pk), "touches": list(amendment.touches)}
        return {
            "revision_id": revision.pk,
            "assessment_id": assessed.pk,
            "tier": seen.finding.tier,
            "departs_on": begins,
            "returns_on": ends,
            "reviewer_id": first,
            "senior_id": second,
            "decision_id": decision.pk,
        }

    return move("accept_amendment", request_id, actor=actor, at=at, prepare=prepare)


def return_amendment(request_id: UUID, *, actor: Actor, at: datetime, text: str) -> TravelRequest:
    """Give a change back: it cannot be accepted as a change. The trip stays cleared as it was.

    The applicant can ask for the other trip with a request of its own, with all that this guarantees. Invalid without
    reasons."""
    why = required(text, "text", _("Give the reasons; the applicant reads them."))

    def prepare(step: Taking) -> None:
        _end(step, AmendmentState.RETURNED, why)

    return move("return_amendment", request_id, actor=actor, at=at, prepare=prepare)


def note_report(request_id: UUID, *, actor: Actor, at: datetime, text: str = "") -> TravelRequest:
    """A reviewer has read what was reported afterwards. That is all: it is noted, nothing follows from it."""

    def prepare(step: Taking) -> None:
        reports = Amendment.objects.filter(request=step.request, kind=AmendmentKind.REPORT, state=AmendmentState.FILED)
        for report in reports:
            before = journal.stored(report)
            report.state, report.answer = AmendmentState.NOTED, text.strip()
            report.ended_at, report.ended_by_id = at, user_id_of(actor)
            _save(report, before)
            step.data |= {"amendment": str(report.pk)}

    return move("note_report", request_id, actor=actor, at=at, prepare=prepare)


def end_with_the_clearance(step: Taking) -> None:
    """A change that is with the office ends when the clearance does: there is nothing left to change."""
    if step.request.open_amendment_id is not None:
        _end(step, AmendmentState.WITHDRAWN)
