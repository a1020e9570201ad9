"""Taking a clearance back, with all that a denial takes: grounds, a notice, a window to reply, a second person.

Meanwhile the clearance is in force. Nothing but a person revokes, and nobody after the departure.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.roles import Actor
from approvals import timekeeping
from approvals.models import (
    Proposal,
    ProposalRejection,
    TravelRequest,
)
from approvals.models.decision import Outcome
from approvals.workflow.amending import end_with_the_clearance
from approvals.workflow.conflicts import check_declared, declare_none
from approvals.workflow.deciding import Grounds, check_refusal, decide, grounds_of, proposal_of
from approvals.workflow.gate import Taking, move, required, user_id_of


def propose_revocation(request_id: UUID, *, actor: Actor, at: datetime, grounds: Grounds) -> TravelRequest:
    """A senior proposes to take a clearance back before departure. Invalid without all the grounds of a refusal.

    The applicant receives the grounds and has the window of `timekeeping.reply_to_revocation_until` to reply.
    """

    def prepare(step: Taking) -> Mapping[str, Any]:
        check_refusal(step.request, grounds)
        until = timekeeping.reply_to_revocation_until(step.request, at=at)
        proposal = step.add(Proposal, outcome=Outcome.REVOKED, reply_until=until, **step.grounds(), **grounds.values())
        step.data |= {"proposal": str(proposal.pk)}
        return {"senior_id": user_id_of(actor), "proposal_id": proposal.pk, "reply_until": until}

    return move("propose_revocation", request_id, actor=actor, at=at, prepare=prepare)


def revoke(request_id: UUID, *, actor: Actor, at: datetime, no_conflict: bool = True) -> TravelRequest:
    """Another senior confirms a proposed revocation, and declares by it to have no conflict of interest.

    Only after the reply or its window, and before departure. Invalid where the grounds do not carry it any more.
    """
    check_declared(no_conflict)

    def prepare(step: Taking) -> Mapping[str, Any]:
        proposal = proposal_of(step)
        check_refusal(step.request, grounds_of(proposal))
        declare_none(step, "revoke")
        end_with_the_clearance(step)
        decision = decide(step, proposal, appeal_until=timekeeping.appeal_until(step.request, at=at))
        return {"senior_id": user_id_of(actor), "decision_id": decision.pk}

    return move("revoke", request_id, actor=actor, at=at, prepare=prepare)


def reject_revocation(request_id: UUID, *, actor: Actor, at: datetime, note: str) -> TravelRequest:
    """Another senior leaves the clearance in force and gives the proposal back. Invalid without a note."""
    why = required(note, "note", _("Say why the clearance stays."))

    def prepare(step: Taking) -> None:
        step.add(ProposalRejection, proposal_id=step.request.proposal_id, note=why)

    return move("reject_revocation", request_id, actor=actor, at=at, prepare=prepare)
