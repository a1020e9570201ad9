"""What is missing is asked for once, in one list, and answered item by item."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.refusals import Invalid, Problem
from accounts.roles import Actor
from approvals.models import (
    InformationAnswer,
    InformationRequest,
    TravelRequest,
)
from approvals.workflow.gate import Taking, move, user_id_of


def agree_information(request_id: UUID, *, actor: Actor, at: datetime) -> TravelRequest:
    """A senior agrees that the applicant may be asked a second time."""
    return move(
        "agree_information", request_id, actor=actor, at=at, prepare=lambda step: {"senior_id": user_id_of(actor)}
    )


def ask_information(
    request_id: UUID, *, actor: Actor, at: datetime, items: Sequence[str], reason: str
) -> TravelRequest:
    """Ask the applicant for everything that is missing, in one list. The office's clock stops until it is answered.

    Invalid without an item and without a reason.
    """
    asked = [item.strip() for item in items if item.strip()]
    found = []
    if not asked:
        found.append(Problem("", "items", _("Ask at least one question.")))
    if not reason.strip():
        found.append(Problem("", "reason", _("Say why the office needs this.")))
    if found:
        raise Invalid(found)

    def prepare(step: Taking) -> None:
        step.add(
            InformationRequest,
            items=asked,
            reason=reason.strip(),
            agreed_by_id=step.request.information_agreed_by_id,
        )
        step.data |= {"items": len(asked)}

    return move("ask_information", request_id, actor=actor, at=at, prepare=prepare)


def answer(request_id: UUID, *, actor: Actor, at: datetime, answers: Sequence[str]) -> TravelRequest:
    """Answer what the office asked, each item in its order. The office's clock goes on from this moment.

    Refuses with Invalid, at `answers-<n>`, each item without an answer.
    """

    def prepare(step: Taking) -> None:
        asked = InformationRequest.objects.filter(request=step.request).latest("at")
        given = [text.strip() for text in answers]
        given += [""] * (len(asked.items) - len(given))
        if missing := [index for index in range(len(asked.items)) if not given[index]]:
            raise Invalid(
                [
                    Problem("", f"answers-{index}", _("Answer this question, or say why you cannot."))
                    for index in missing
                ]
            )
        step.add(InformationAnswer, information_request=asked, answers=given[: len(asked.items)])

    return move("answer", request_id, actor=actor, at=at, prepare=prepare)
