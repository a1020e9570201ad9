"""Appeals: filed by the applicant, heard by another office, upheld or overturned with reasons."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.refusals import NotAllowed, NotNow, Refused
from accounts.roles import Actor, Role
from approvals import journal, rules
from approvals.models import (
    Appeal,
    Decision,
    TravelRequest,
)
from approvals.models.appeal import AppealState
from approvals.models.decision import Outcome
from approvals.states import APPEALABLE
from approvals.workflow import gate
from approvals.workflow.completeness import days_are_free
from approvals.workflow.gate import Taking, beside, fetch, move, required, user_id_of
from authorities.models import Office, Posting

_WAITS_FOR = {"hear_appeal": AppealState.FILED, "uphold": AppealState.IN_REVIEW}


def _appeal_refusal(request: TravelRequest, actor: Actor, *, verb: str) -> Refused | None:
    appeal = request.open_appeal
    if verb == "file_appeal":
        if sentence := rules.is_applicant.refusal(request, actor):
            return NotAllowed(sentence)
        if request.state not in APPEALABLE or request.decision is None:
            return NotNow(_("There is no denial or revocation to appeal against."))
        if appeal is not None:
            return NotNow(_("An appeal is open already."))
        if request.decision.appeal_until is None or request.today > request.decision.appeal_until:
            return NotNow(_("The time for an appeal is over."))
        return None
    if appeal is None or appeal.state != _WAITS_FOR[verb]:
        return NotNow(_("There is no appeal that is waiting for this."))
    decided = (request.proposed_by_id, request.decided_by_id, request.confirmed_by_id)
    hears = verb == "hear_appeal" or appeal.heard_by_id == actor.user_id
    if not actor.holds(Role.APPEAL_REVIEWER, appeal.office_id) or actor.user_id in decided or not hears:
        return NotAllowed(rules.is_hearing_the_appeal.sentence)
    if sentence := rules.is_apart.refusal(request, actor):
        return NotAllowed(sentence)
    return None


gate.BESIDE.update({verb: partial(_appeal_refusal, verb=verb) for verb in ("file_appeal", "hear_appeal", "uphold")})


def file_appeal(request_id: UUID, *, actor: Actor, at: datetime, text: str) -> Appeal:
    """Appeal against a denial or revocation, until the last day that the decision names. Another office hears it.

    Invalid without a text; NotNow when there is nothing to appeal against, the time is over, or an appeal is open.
    """
    why = required(text, "text", _("Say why the decision should change."))
    with transaction.atomic():
        request = fetch(request_id, actor, at)
        if refused := _appeal_refusal(request, actor, verb="file_appeal"):
            raise refused
        office = (
            Office.objects.filter(
                is_active=True, postings__in=Posting.objects.in_force(at).filter(role=Role.APPEAL_REVIEWER)
            )
            .exclude(pk=request.office_id)
            .order_by("pk")
            .first()
        )
        if office is None:
            raise NotNow(_("No other office can hear the appeal today. An administrator must name one."))
        appeal = Appeal(request=request, decision=request.decision, office=office, text=why, filed_at=at)
        journal.write([], [appeal])
        data = {"appeal": str(appeal.pk), "office": office.pk}
        beside("file_appeal", request, actor=actor, role=Role.APPLICANT, at=at, data=data)
    return appeal


def _appeal(
    verb: str,
    request_id: UUID,
    *,
    actor: Actor,
    at: datetime,
    change: Callable[[Appeal], None],
) -> Appeal:
    """Move the open appeal of a request, by an appeal reviewer of the office that hears it."""
    with transaction.atomic():
        request = fetch(request_id, actor, at)
        if refused := _appeal_refusal(request, actor, verb=verb):
            raise refused
        appeal = request.open_appeal
        assert appeal is not None
        was = journal.stored(appeal)
        change(appeal)
        journal.write([(appeal, was)], [])
        data = {"appeal": str(appeal.pk)}
        beside(verb, request, actor=actor, role=Role.APPEAL_REVIEWER, at=at, data=data)
    return appeal


def hear_appeal(request_id: UUID, *, actor: Actor, at: datetime) -> Appeal:
    """An appeal reviewer of the other office takes the appeal under review."""

    def change(appeal: Appeal) -> None:
        appeal.state, appeal.heard_by_id = AppealState.IN_REVIEW, actor.user_id

    return _appeal("hear_appeal", request_id, actor=actor, at=at, change=change)


def uphold(request_id: UUID, *, actor: Actor, at: datetime, text: str) -> Appeal:
    """The decision stands, with reasons. Invalid without them; NotAllowed for anybody but the one who hears it."""
    why = required(text, "text", _("Give the reasons; the applicant reads them."))

    def change(appeal: Appeal) -> None:
        appeal.state, appeal.outcome_text, appeal.ended_at = AppealState.UPHELD, why, at

    return _appeal("uphold", request_id, actor=actor, at=at, change=change)


def overturn(request_id: UUID, *, actor: Actor, at: datetime, text: str) -> TravelRequest:
    """The appeal reviewer replaces the denial or revocation by a clearance. Invalid without reasons."""
    why = required(text, "text", _("Give the reasons; the applicant reads them."))

    def prepare(step: Taking) -> Mapping[str, Any]:
        days_are_free(step.request)
        assert step.request.open_appeal is not None
        # A copy: the transition still has to find the appeal under review.
        appeal = copy(step.request.open_appeal)
        was = journal.stored(appeal)
        appeal.state, appeal.outcome_text, appeal.ended_at = AppealState.OVERTURNED, why, at
        journal.write([(appeal, was)], [])
        decision = step.add(Decision, outcome=Outcome.APPROVED, text=why, **step.grounds())
        step.data |= {"appeal": str(appeal.pk), "decision": str(decision.pk)}
        return {"reviewer_id": user_id_of(actor), "decision_id": decision.pk}

    return move("overturn", request_id, actor=actor, at=at, prepare=prepare)
