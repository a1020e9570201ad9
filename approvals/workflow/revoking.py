"""Taking a clearance back, with all that a denial takes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.roles import Actor
from approvals import timekeeping
from approvals.models import (
    Proposal,
    TravelRequest,
)
from approvals.models.decision import Outcome
from approvals.workflow.deciding import Grounds, check_refusal, decide, grounds_of, proposal_of
from approvals.workflow.gate import Taking, move, user_id_of


def propose_revocation(request_id: UUID, *, actor: Actor, at: datetime, grounds: Grounds) -> TravelRequest:
    """A senior proposes to take a clearance back before departure. Invalid without all the grounds of a refusal."""

    def prepare(step: Taking) -> Mapping[str, Any]:
        check_refusal(step.request, grounds)
        proposal = step.add(Proposal, outcome=Outcome.REVOKED, **step.grounds(), **grounds.values())
        step.data |= {"proposal": str(proposal.pk)}
        return {"senior_id": user_id_of(actor), "proposal_id": proposal.pk}

    return move("propose_revocation", request_id, actor=actor, at=at, prepare=prepare)


def revoke(request_id: UUID, *, actor: Actor, at: datetime) -> TravelRequest:
    """Another senior confirms a proposed revocation."""

    def prepare(step: Taking) -> Mapping[str, Any]:
        proposal = proposal_of(step)
        check_refusal(step.request, grounds_of(proposal))
        decision = decide(step, proposal, appeal_until=timekeeping.appeal_until(step.request, at=at))
        return {"senior_id": user_id_of(actor), "decision_id": decision.pk}

    return move("revoke", request_id, actor=actor, at=at, prepare=prepare)
