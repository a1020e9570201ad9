"""Conflicts of interest: declared before acting, and then the case is closed to whoever has one. And the applicant's
one request for another reviewer, which a senior grants by handing the case over or refuses with reasons."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.refusals import Invalid, Problem
from accounts.roles import Actor
from approvals import journal
from approvals.models import (
    Conflict,
    ConflictDeclaration,
    OtherReviewerAnswer,
    OtherReviewerRequest,
    Recusal,
    TravelRequest,
)
from approvals.models.appeal import AppealState
from approvals.states import APPEALABLE
from approvals.workflow.gate import Taking, move, required, user_id_of


def check_declared(no_conflict: bool) -> None:
    """Refuses with Invalid who does not declare to have no conflict of interest."""
    if not no_conflict:
        raise Invalid(
            [
                Problem(
                    "", "no_conflict", _("Declare that you have no conflict of interest, or leave the case to others.")
                )
            ]
        )


def declare_none(step: Taking, occasion: str) -> None:
    """Keep with the request that the actor declared, before the step `occasion`, to have no conflict of interest."""
    step.add(ConflictDeclaration, occasion=occasion, conflict=Conflict.NONE)


def recuse(
    request_id: UUID, *, actor: Actor, at: datetime, conflict: str = Conflict.OTHER, reason: str = ""
) -> TravelRequest:
    """Declare a conflict of interest: from now on the case is out of the actor's sight, in whatever role of the staff.

    A reviewer's case goes back to the queue, an appeal to its office for another to hear it. Who proposed something
    that is not decided yet cannot leave before it is given back. Invalid for a conflict that is none.
    """
    if conflict not in Conflict.values or conflict == Conflict.NONE:
        raise Invalid([Problem("", "conflict", _("Say which conflict of interest you have."))])

    def prepare(step: Taking) -> Mapping[str, Any]:
        why = reason.strip()
        step.add(ConflictDeclaration, occasion="recuse", conflict=conflict, detail=why)
        step.add(Recusal, reason=why)
        if step.request.state in APPEALABLE:
            _leave_the_appeal(step)
        return {"reviewer_id": user_id_of(actor)}

    return move("recuse", request_id, actor=actor, at=at, prepare=prepare)


def _leave_the_appeal(step: Taking) -> None:
    assert step.request.open_appeal is not None
    appeal = copy(step.request.open_appeal)
    if appeal.heard_by_id == step.actor.user_id:
        was = journal.stored(appeal)
        appeal.state, appeal.heard_by_id = AppealState.FILED, None
        journal.write([(appeal, was)], [])


def ask_other_reviewer(request_id: UUID, *, actor: Actor, at: datetime, reason: str) -> TravelRequest:
    """The applicant asks for another reviewer, once, with a reason that the office reads and the company does not.

    A senior answers; until then the reviewer proposes nothing. The office's clock runs on. Invalid without a reason.
    """
    why = required(reason, "reason", _("Say why another reviewer should have the case."))

    def prepare(step: Taking) -> None:
        step.add(OtherReviewerRequest, reviewer_id=step.request.assigned_reviewer_id, reason=why)

    return move("ask_other_reviewer", request_id, actor=actor, at=at, prepare=prepare)


def keep_reviewer(request_id: UUID, *, actor: Actor, at: datetime, reason: str) -> TravelRequest:
    """A senior leaves the case with its reviewer, with reasons that the applicant reads. Invalid without them."""
    why = required(reason, "reason", _("Give the reasons; the applicant reads them."))

    def prepare(step: Taking) -> None:
        step.add(OtherReviewerAnswer, asked_id=_asked(step), granted=False, reason=why)

    return move("keep_reviewer", request_id, actor=actor, at=at, prepare=prepare)


def answer_by_handing_over(step: Taking) -> None:
    """The case changes hands: where the applicant had asked for that, this is the answer."""
    request = step.request
    if request.other_reviewer_asked_at is not None and request.other_reviewer_answered_at is None:
        step.add(OtherReviewerAnswer, asked_id=_asked(step), granted=True)
        step.data |= {"granted": True}


def _asked(step: Taking) -> UUID:
    return OtherReviewerRequest.objects.values_list("pk", flat=True).get(request=step.request)
