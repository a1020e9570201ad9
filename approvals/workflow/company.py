"""The company reviews. It can return, comment, or decline its own business trip; it cannot end a personal one."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.roles import Actor
from approvals.models import (
    CompanyReview,
    TravelRequest,
)
from approvals.workflow.gate import Prepare, Taking, move, required


def _company_review(outcome: CompanyReview.Outcome, comment: str = "") -> Prepare:
    def prepare(step: Taking) -> None:
        step.add(CompanyReview, revision_id=step.request.revision_id, outcome=outcome, comment=comment)

    return prepare


def return_for_changes(request_id: UUID, *, actor: Actor, at: datetime, comment: str) -> TravelRequest:
    """Give the request back to the applicant with a list of what to change. Invalid without one."""
    what = required(comment, "comment", _("Say what the applicant should change."))
    prepare = _company_review(CompanyReview.Outcome.RETURNED, what)
    return move("return_for_changes", request_id, actor=actor, at=at, prepare=prepare)


def endorse(request_id: UUID, *, actor: Actor, at: datetime, comment: str = "") -> TravelRequest:
    """The company supports the trip; the office looks at it next."""
    prepare = _company_review(CompanyReview.Outcome.ENDORSED, comment.strip())
    return move("endorse", request_id, actor=actor, at=at, prepare=prepare)


def object(request_id: UUID, *, actor: Actor, at: datetime, comment: str) -> TravelRequest:
    """The company has doubts about a personal trip. It goes to the office with the comment; Invalid without one."""
    why = required(comment, "comment", _("Say what the company objects to, and why."))
    prepare = _company_review(CompanyReview.Outcome.OBJECTED, why)
    return move("object", request_id, actor=actor, at=at, prepare=prepare)


def decline(request_id: UUID, *, actor: Actor, at: datetime, comment: str) -> TravelRequest:
    """The company will not send the employee on this business trip. Invalid without a reason."""
    why = required(comment, "comment", _("Give the reason; the applicant reads it."))
    prepare = _company_review(CompanyReview.Outcome.DECLINED, why)
    return move("decline", request_id, actor=actor, at=at, prepare=prepare)
