"""Deciding: one reviewer approves, or proposes what another person confirms; before a denial the applicant is heard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.refusals import Invalid, Problem
from accounts.roles import Actor
from approvals import timekeeping
from approvals.models import (
    Condition,
    Decision,
    Proposal,
    ProposalRejection,
    Reply,
    TravelRequest,
)
from approvals.models.decision import Outcome
from approvals.workflow.gate import Taking, move, required, user_id_of
from authorities.models import ReasonCode


def approve(
    request_id: UUID, *, actor: Actor, at: datetime, text: str = "", conditions: Sequence[str] = ()
) -> TravelRequest:
    """Clear the trip, perhaps with conditions. For the tiers that one reviewer decides."""

    def prepare(step: Taking) -> Mapping[str, Any]:
        decision = step.add(Decision, outcome=Outcome.APPROVED, text=text.strip(), **step.grounds())
        _add_conditions(step, decision, conditions)
        step.data |= {"decision": str(decision.pk)}
        return {"reviewer_id": user_id_of(actor), "decision_id": decision.pk}

    return move("approve", request_id, actor=actor, at=at, prepare=prepare)


def _add_conditions(step: Taking, decision: Decision, conditions: Sequence[str]) -> None:
    for condition in conditions:
        if condition.strip():
            step.add(Condition, decision=decision, text=condition.strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """What a proposal or revocation rests on. To refuse takes all four (fair process, 3)."""

    text: str = ""
    reason_codes: Sequence[str] = ()
    facts: str = ""
    milder_measures: str = ""

    def values(self) -> dict[str, Any]:
        return {
            "text": self.text.strip(),
            "reason_codes": list(self.reason_codes),
            "facts": self.facts.strip(),
            "milder_measures": self.milder_measures.strip(),
        }


def check_refusal(request: TravelRequest, grounds: Grounds) -> None:
    """Refuses with Invalid what does not carry a refusal: codes in force, text, facts, milder measures considered."""
    found = []
    if not grounds.reason_codes:
        found.append(Problem("", "reason_codes", _("Choose at least one reason code in force.")))
    elif unknown := _codes_not_in_force(request, grounds.reason_codes):
        found.append(
            Problem(
                "",
                "reason_codes",
                _("Not in force for this office today: %(codes)s.") % {"codes": ", ".join(sorted(unknown))},
            )
        )
    if not grounds.text.strip():
        found.append(
            Problem("", "text", _("Give the reasons, for this case, in words that the applicant understands."))
        )
    if not grounds.facts.strip():
        found.append(Problem("", "facts", _("Name the facts relied on.")))
    if not grounds.milder_measures.strip():
        found.append(
            Problem(
                "",
                "milder_measures",
                _("Say which milder measure was considered (a condition, a shorter trip) and why it does not do."),
            )
        )
    if found:
        raise Invalid(found)


def _codes_not_in_force(request: TravelRequest, codes: Sequence[str]) -> set[str]:
    in_force = ReasonCode.objects.in_force(request.today, request.office_id).filter(code__in=codes)
    return set(codes) - set(in_force.values_list("code", flat=True))


def propose(
    request_id: UUID,
    *,
    actor: Actor,
    at: datetime,
    outcome: str,
    grounds: Grounds,
    conditions: Sequence[str] = (),
) -> TravelRequest:
    """Propose `approved` or `denied` for another person to confirm. A denial is always proposed, and heard first.

    Invalid for another outcome, and for a denial without all of its grounds.
    """
    if outcome not in (Outcome.APPROVED, Outcome.DENIED):
        raise Invalid([Problem("", "outcome", _("Choose an outcome."))])

    def prepare(step: Taking) -> Mapping[str, Any]:
        until = None
        if outcome == Outcome.DENIED:
            check_refusal(step.request, grounds)
            until = timekeeping.reply_until(step.request, at=at)
        proposal = step.add(
            Proposal,
            outcome=outcome,
            conditions=[text.strip() for text in conditions if text.strip()],
            reply_until=until,
            **step.grounds(),
            **grounds.values(),
        )
        step.data |= {"proposal": str(proposal.pk), "outcome": str(outcome)}
        return {
            "reviewer_id": user_id_of(actor),
            "proposal_id": proposal.pk,
            "outcome": str(outcome),
            "reply_until": until,
        }

    return move("propose", request_id, actor=actor, at=at, prepare=prepare)


def reply(request_id: UUID, *, actor: Actor, at: datetime, text: str) -> TravelRequest:
    """Say something to a proposed denial before it is decided. It becomes part of the decision."""

    def prepare(step: Taking) -> None:
        step.add(
            Reply,
            proposal_id=step.request.proposal_id,
            text=required(text, "text", _("Write your reply, or leave the page: the time for it runs on.")),
        )

    return move("reply", request_id, actor=actor, at=at, prepare=prepare)


def confirm(request_id: UUID, *, actor: Actor, at: datetime) -> TravelRequest:
    """Make the proposed outcome the decision. A denial only after the applicant was heard, and with codes in force."""

    def prepare(step: Taking) -> Mapping[str, Any]:
        proposal = proposal_of(step)
        appeal_until = None
        if proposal.outcome == Outcome.DENIED:
            check_refusal(step.request, grounds_of(proposal))
            appeal_until = timekeeping.appeal_until(step.request, at=at)
        decision = decide(step, proposal, appeal_until=appeal_until)
        _add_conditions(step, decision, proposal.conditions)
        return {"senior_id": user_id_of(actor), "decision_id": decision.pk}

    return move("confirm", request_id, actor=actor, at=at, prepare=prepare)


def proposal_of(step: Taking) -> Proposal:
    """The proposal that is to be confirmed."""
    assert step.request.proposal_id is not None
    return Proposal.objects.get(pk=step.request.proposal_id)


def grounds_of(proposal: Proposal) -> Grounds:
    return Grounds(
        text=proposal.text,
        reason_codes=proposal.reason_codes,
        facts=proposal.facts,
        milder_measures=proposal.milder_measures,
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
        **grounds_of(proposal).values(),
    )
    step.rows.append(decision)
    step.data |= {"decision": str(decision.pk), "outcome": proposal.outcome}
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
