"""Deciding: one reviewer approves, or proposes what another person confirms; before a refusal the applicant is heard.

Clearing a part of the trip refuses the rest: it is proposed, heard on and confirmed as a denial is (ADR 50).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.core.files.base import File
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.refusals import Invalid, NotAllowed, Problem
from accounts.roles import Actor
from approvals import particulars, timekeeping, uploads
from approvals.founding import unfounded
from approvals.models import (
    Attachment,
    Decision,
    Opinion,
    Proposal,
    ProposalRejection,
    Reply,
    TravelRequest,
)
from approvals.models.decision import Measure, Outcome
from approvals.workflow.conditions import Imposed, add_conditions, cleaned
from approvals.workflow.conflicts import check_declared, declare_none
from approvals.workflow.gate import Taking, move, required, user_id_of
from authorities import grounds as authority_grounds
from authorities.terms import ClockKind

MOST_FILES = 5


def approve(
    request_id: UUID, *, actor: Actor, at: datetime, text: str = "", conditions: Sequence[Imposed] = ()
) -> TravelRequest:
    """Clear the trip, perhaps with conditions. For the tiers that one reviewer decides."""

    def prepare(step: Taking) -> Mapping[str, Any]:
        decision = step.add(
            Decision,
            outcome=Outcome.APPROVED,
            text=text.strip(),
            clock_versions=clock_versions(step.request),
            **step.grounds(),
        )
        add_conditions(step, decision, conditions)
        step.data |= {"decision": str(decision.pk)}
        return {"reviewer_id": user_id_of(actor), "decision_id": decision.pk}

    return move("approve", request_id, actor=actor, at=at, prepare=prepare)


def clock_versions(request: TravelRequest) -> dict[str, int]:
    """With which policy and calendar the time for this decision was counted; empty where no such clock runs."""
    row = request.running_clocks.get(ClockKind.DECISION)
    return {"policy": row.policy_version, "calendar": row.calendar_version} if row else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A fact that a refusal relies on, and the part of the revision that it points at (`particulars.keys`)."""

    part: str
    fact: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Considered:
    """A milder measure that was considered, and why it does not do."""

    measure: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """What a proposal or revocation rests on. To refuse takes all of it (fair process, 3).

    `facts` and `milder_measures` are texts; left empty, they are made of `relied_on` and `measures`.
    """

    text: str = ""
    reason_codes: Sequence[str] = ()
    facts: str = ""
    milder_measures: str = ""
    relied_on: Sequence[Fact] = ()
    measures: Sequence[Considered] = ()

    def values(self) -> dict[str, Any]:
        """The grounds as the fields of a proposal or decision."""
        facts = self.facts.strip() or "\n".join(one.fact.strip() for one in self.relied_on)
        milder = self.milder_measures.strip() or "\n".join(
            pgettext("milder measure and why it does not do", "%(measure)s: %(why)s")
            % {"measure": Measure(one.measure).label, "why": one.why.strip()}
            for one in self.measures
        )
        return {
            "text": self.text.strip(),
            "reason_codes": list(self.reason_codes),
            "facts": facts,
            "milder_measures": milder,
            "relied_on": [{"part": one.part, "fact": one.fact.strip()} for one in self.relied_on],
            "measures": [{"measure": str(one.measure), "why": one.why.strip()} for one in self.measures],
        }


def check_refusal(request: TravelRequest, grounds: Grounds, *, part: bool = False) -> None:
    """Refuses with Invalid what does not carry a refusal of the trip, or (`part`) of a part of it.

    That is: reason codes in force that point at something of this trip, reasons, facts that point at what was
    submitted, and every measure that is milder than this, with why it does not do.
    """
    content = _content(request)
    found = _wrong_codes(request, grounds, content)
    if not grounds.text.strip():
        found.append(
            Problem("", "text", _("Give the reasons, for this case, in words that the applicant understands."))
        )
    found += _wrong_facts(grounds, content)
    found += _not_considered(grounds, content, part=part)
    if found:
        raise Invalid(found)


def _content(request: TravelRequest) -> dict[str, Any]:
    assert request.revision is not None
    content: dict[str, Any] = request.revision.content
    return content


def _wrong_codes(request: TravelRequest, grounds: Grounds, content: Mapping[str, Any]) -> list[Problem]:
    names = list(grounds.reason_codes)
    if not names:
        return [Problem("", "reason_codes", _("Choose at least one reason code in force."))]
    rows = authority_grounds.codes(names, office_id=request.office_id, on=request.today)
    if unknown := set(names) - {row.code for row in rows}:
        words = _("Not in force for this office today: %(codes)s.") % {"codes": ", ".join(sorted(unknown))}
        return [Problem("", "reason_codes", words)]
    if pointless := unfounded(rows, content):
        words = _("This trip has nothing that this points at: %(codes)s.") % {"codes": ", ".join(pointless)}
        return [Problem("", "reason_codes", words)]
    return []


def _wrong_facts(grounds: Grounds, content: Mapping[str, Any]) -> list[Problem]:
    if not any(one.fact.strip() for one in grounds.relied_on):
        return [Problem("", "facts", _("Name the facts relied on, each beside what was submitted."))]
    known = set(particulars.keys(content))
    if any(one.part not in known or not one.fact.strip() for one in grounds.relied_on):
        return [Problem("", "facts", _("A fact points at something that was submitted with this request."))]
    return []


def measures_for(content: Mapping[str, Any], *, part: bool = False) -> list[Measure]:
    """The measures that are milder than refusing this trip, or than clearing a `part` of it."""
    first, last = particulars.days(content["legs"])
    milder = [Measure.CONDITION]
    if not part:
        milder += [Measure.SHORTER] if last > first else []
        milder += [Measure.WITHOUT_PLACE] if len(content["legs"]) > 1 else []
    return milder


def _not_considered(grounds: Grounds, content: Mapping[str, Any], *, part: bool) -> list[Problem]:
    considered = {one.measure for one in grounds.measures if one.why.strip()}
    if any(one.measure not in Measure.values for one in grounds.measures):
        return [Problem("", "measures", _("Name measures of the list, or another one as “something else”."))]
    missing = [one for one in measures_for(content, part=part) if one not in considered]
    sentence = _("Milder would be: %(measure)s. Say why it does not do.")
    return [Problem("", f"why_not_{one.value}", sentence % {"measure": one.label}) for one in missing]


def check_cleared(request: TravelRequest, cleared: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The places to be cleared, in the shape of a revision. Refuses with Invalid, at `cleared`, what is not a part.

    Each is a place of the revision, in their order, on days within those asked for; not all of it as it is.
    """
    asked = _content(request)["legs"]
    legs = [dict(leg) for leg in cleared]
    rest = iter(asked)
    if not legs or not all(any(lies_within(leg, one) for one in rest) for leg in legs):
        words = _("Clear at least one place, and only places and days that the request asks for.")
        raise Invalid([Problem("", "cleared", words)])
    if legs == asked:
        words = _("This is all of the trip. Leave a place or days out, or propose to approve all of it.")
        raise Invalid([Problem("", "cleared", words)])
    return legs


def lies_within(leg: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    """Whether a place to be cleared is the place `asked` for, on days within those asked for. Both as in a revision."""
    first, last = str(leg.get("arrives_on", "")), str(leg.get("leaves_on", ""))
    return asked["arrives_on"] <= first <= last <= asked["leaves_on"] and all(
        leg.get(name) == asked[name] for name in asked if name not in ("arrives_on", "leaves_on")
    )


def propose(
    request_id: UUID,
    *,
    actor: Actor,
    at: datetime,
    outcome: str,
    grounds: Grounds,
    conditions: Sequence[Imposed] = (),
    cleared: Sequence[Mapping[str, Any]] | None = None,
) -> TravelRequest:
    """Propose `approved` or `denied` for another person to confirm. `cleared`: approve these places and days only.

    Whatever refuses something is always proposed, and the applicant is heard first. Invalid for another outcome, for a
    refusal without all of its grounds, for `cleared` that is no part of what was asked for.
    """
    if outcome not in (Outcome.APPROVED, Outcome.DENIED):
        raise Invalid([Problem("", "outcome", _("Choose an outcome."))])

    def prepare(step: Taking) -> Mapping[str, Any]:
        _is_no_adviser(step)
        until, legs = None, []
        if outcome == Outcome.APPROVED and cleared is not None:
            legs = check_cleared(step.request, cleared)
        if outcome == Outcome.DENIED or legs:
            check_refusal(step.request, grounds, part=bool(legs))
            until = timekeeping.reply_until(step.request, at=at)
        proposal = step.add(
            Proposal,
            outcome=outcome,
            conditions=[one.as_data() for one in cleaned(step.request, conditions)],
            cleared=legs,
            reply_until=until,
            **step.grounds(),
            **grounds.values(),
        )
        step.data |= {"proposal": str(proposal.pk), "outcome": str(outcome)} | ({"part": True} if legs else {})
        return {
            "reviewer_id": user_id_of(actor),
            "proposal_id": proposal.pk,
            "outcome": str(outcome),
            "reply_until": until,
        }

    return move("propose", request_id, actor=actor, at=at, prepare=prepare)


def reply(
    request_id: UUID,
    *,
    actor: Actor,
    at: datetime,
    text: str,
    files: Sequence[File[bytes]] = (),
    helper_name: str = "",
    helper_relation: str = "",
    helper_agrees: bool = False,
) -> TravelRequest:
    """Say something to a proposed refusal before it is decided. It becomes part of the decision.

    With documents, checked by their content, and with the name of whoever helped to write it, who agrees to be named.
    Invalid without a text, for a helper who is named by half or does not agree, for more than `MOST_FILES` documents.
    """
    said = required(text, "text", _("Write your reply, or leave the page: the time for it runs on."))
    helper, relation = helper_name.strip(), helper_relation.strip()
    found = []
    if helper and not relation:
        found.append(Problem("", "helper_relation", _("Say who this person is to you.")))
    if relation and not helper:
        found.append(Problem("", "helper_name", _("Enter the name, or leave both fields empty.")))
    if helper and not helper_agrees:
        found.append(Problem("", "helper_agrees", _("Name somebody only when they agree to be named here.")))
    if len(files) > MOST_FILES:
        found.append(Problem("", "files", _("Send at most %(most)d documents.") % {"most": MOST_FILES}))
    if found:
        raise Invalid(found)
    checked = [(file, _checked(file)) for file in files]

    def prepare(step: Taking) -> None:
        kept = [_keep(step, file, upload) for file, upload in checked]
        step.rows += kept
        step.add(
            Reply,
            proposal_id=step.request.proposal_id,
            text=said,
            helper_name=helper,
            helper_relation=relation,
            attachments=[
                {"id": str(one.pk), "name": one.name, "kind": str(one.kind), "sha256": one.sha256} for one in kept
            ],
        )
        if kept:
            step.data |= {"documents": [one.sha256 for one in kept]}

    return move("reply", request_id, actor=actor, at=at, prepare=prepare)


def _checked(file: File[bytes]) -> uploads.Upload:
    try:
        return uploads.check(file)
    except Invalid as wrong:
        name = uploads.clean_name(file.name or "")
        raise Invalid([Problem("", "files", f"{name}: {problem.message}") for problem in wrong.problems]) from wrong


def _keep(step: Taking, file: File[bytes], upload: uploads.Upload) -> Attachment:
    kept = Attachment(
        request=step.request,
        kind=Attachment.Kind.REPLY,
        name=upload.name,
        content_type=upload.content_type,
        size=upload.size,
        sha256=upload.sha256,
        uploaded_by_id=user_id_of(step.actor),
        uploaded_at=step.at,
    )
    kept.file.save(upload.name, file, save=False)
    return kept


def confirm(request_id: UUID, *, actor: Actor, at: datetime, no_conflict: bool = True) -> TravelRequest:
    """Make the proposed outcome the decision. A refusal only after the applicant was heard, on the grounds they read.

    Who confirms declares by it to have no conflict of interest. Invalid without that, and when one of its reason codes
    has another wording by now, or is not in force any more.
    """
    check_declared(no_conflict)

    def prepare(step: Taking) -> Mapping[str, Any]:
        _is_no_adviser(step)
        proposal = proposal_of(step)
        appeal_until = None
        if proposal.outcome == Outcome.DENIED or proposal.is_partial:
            check_refusal(step.request, grounds_of(proposal), part=proposal.is_partial)
            _check_wording(step.request, proposal)
            appeal_until = timekeeping.appeal_until(step.request, at=at)
        declare_none(step, "confirm")
        decision = decide(step, proposal, appeal_until=appeal_until)
        add_conditions(step, decision, proposal.conditions)
        return {"senior_id": user_id_of(actor), "decision_id": decision.pk}

    return move("confirm", request_id, actor=actor, at=at, prepare=prepare)


def _is_no_adviser(step: Taking) -> None:
    """Refuses with NotAllowed who advised on the case for a specialist office: that is another role."""
    request = step.request
    if request.consulted_at and Opinion.objects.filter(request=request, by_id=step.actor.user_id).exists():
        raise NotAllowed(_("Who gave the opinion of the specialist office does not decide on the case."))


def _check_wording(request: TravelRequest, proposal: Proposal) -> None:
    changed = authority_grounds.reworded(
        proposal.reason_codes,
        office_id=request.office_id,
        since=proposal.at.astimezone(request.zone).date(),
        on=request.today,
    )
    if changed:
        words = _("The applicant was heard on another wording of: %(codes)s. Give the proposal back.")
        raise Invalid([Problem("", "reason_codes", words % {"codes": ", ".join(changed)})])


def proposal_of(step: Taking) -> Proposal:
    """The proposal that is to be confirmed."""
    assert step.request.proposal_id is not None
    return Proposal.objects.get(pk=step.request.proposal_id)


def grounds_of(proposal: Proposal) -> Grounds:
    """The grounds of a proposal, to be checked again. Those of before facts and measures were listed hold as they are:
    the text stands beside the days of the trip, and for every measure."""
    facts = proposal.relied_on or [{"part": "dates", "fact": proposal.facts}]
    measures = proposal.measures or [{"measure": one, "why": proposal.milder_measures} for one in Measure.values]
    return Grounds(
        text=proposal.text,
        reason_codes=proposal.reason_codes,
        facts=proposal.facts,
        milder_measures=proposal.milder_measures,
        relied_on=[Fact(**one) for one in facts if proposal.facts],
        measures=[Considered(**one) for one in measures if proposal.milder_measures],
    )


def decide(step: Taking, proposal: Proposal, *, appeal_until: date | None) -> Decision:
    """The decision that a confirmed proposal becomes: decided by who proposed it, confirmed by the actor."""
    decision = Decision(
        request=step.request,
        at=step.at,
        by_id=proposal.by_id,
        confirmed_by_id=step.actor.user_id,
        outcome=proposal.outcome,
        appeal_until=appeal_until,
        revision_id=proposal.revision_id,
        assessment_id=proposal.assessment_id,
        proposal_id=proposal.pk,
        clock_versions=clock_versions(step.request),
        text=proposal.text,
        reason_codes=proposal.reason_codes,
        facts=proposal.facts,
        milder_measures=proposal.milder_measures,
        relied_on=proposal.relied_on,
        measures=proposal.measures,
        cleared=proposal.cleared,
    )
    step.rows.append(decision)
    step.data |= {"decision": str(decision.pk), "outcome": proposal.outcome}
    if proposal.is_partial:
        step.data |= {"part": True}
    return decision


def reject_proposal(request_id: UUID, *, actor: Actor, at: datetime, note: str) -> TravelRequest:
    """Give a proposal back to the reviewer. Invalid without a note."""
    why = required(note, "note", _("Say what the reviewer should look at again."))

    def prepare(step: Taking) -> None:
        step.add(
            ProposalRejection,
            proposal_id=step.request.proposal_id,
            note=why,
        )

    return move("reject_proposal", request_id, actor=actor, at=at, prepare=prepare)
