"""The office holds the case: takes it, hands it over, extends the time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.refusals import Invalid, NotAllowed, NotNow, Problem
from accounts.roles import SYSTEM, Actor, Role
from approvals import queries, rules, timekeeping
from approvals.models import (
    Assignment,
    Extension,
    TravelRequest,
)
from approvals.workflow.conflicts import answer_by_handing_over, check_declared, declare_none
from approvals.workflow.gate import Taking, move, required, user_id_of
from authorities import absences
from authorities.models import Posting
from companies.models import Membership


def take(request_id: UUID, *, actor: Actor, at: datetime, no_conflict: bool) -> TravelRequest:
    """A reviewer takes the case and declares to have no conflict of interest. Invalid without the declaration; NotNow
    for somebody who is away for longer: the case would go back at once."""
    check_declared(no_conflict)

    def prepare(step: Taking) -> Mapping[str, Any]:
        office_id = step.request.office_id
        if absences.away_for_longer(at).filter(user_id=user_id_of(actor), office_id=office_id).exists():
            raise NotNow(_("You are entered as away. Say that you are back, and take the case then."))
        if _extended(step.request, user_id_of(actor)):
            raise NotAllowed(_("Who extended the time for deciding does not decide the case; another reviewer must."))
        declare_none(step, "take")
        number = actor.number_in(office_id, [Role.REVIEWER])
        step.add(Assignment, reviewer_id=actor.user_id, number=number)
        step.data |= {"number": number}
        return {"reviewer_id": actor.user_id, "number": number}

    return move("take", request_id, actor=actor, at=at, prepare=prepare)


def _extended(request: TravelRequest, user_id: int) -> bool:
    """Whether this account extended the time for deciding the case, and so is not one to decide it."""
    return bool(request.extension_days) and Extension.objects.filter(request=request, by_id=user_id).exists()


def hand_over(request_id: UUID, *, actor: Actor, at: datetime, reviewer_id: int | None, reason: str) -> TravelRequest:
    """A senior gives the case to a reviewer of the office (an account's id), or back to the office's queue (None).

    Where the applicant asked for another reviewer this grants it. Invalid without a reason, and for somebody who is not
    a reviewer of the office at `at`, is away, is the applicant or an officer of the company, reviewed the request for
    it, extended its time, or has declared a conflict of interest in this case.
    """
    why = required(reason, "reason", _("Say why the case changes hands."))

    def prepare(step: Taking) -> Mapping[str, Any]:
        number = ""
        if reviewer_id is not None:
            posting = (
                Posting.objects.in_force(at)
                .filter(user_id=reviewer_id, office_id=step.request.office_id, role=Role.REVIEWER)
                .first()
            )
            conflicted = (
                reviewer_id in queries.recused(step.request)
                or _extended(step.request, reviewer_id)
                or Membership.objects.in_force(at)
                .filter(user_id=reviewer_id, company_id=step.request.company_id)
                .exists()
            )
            if posting is None or conflicted or reviewer_id == step.request.applicant_user_id:
                raise Invalid(
                    [Problem("", "reviewer_id", _("This person cannot take the case. Choose another reviewer."))]
                )
            if absences.is_away(reviewer_id, office_id=step.request.office_id, role=Role.REVIEWER, at=at):
                raise Invalid([Problem("", "reviewer_id", _("This person is away. Choose another reviewer."))])
            number = posting.number
        answer_by_handing_over(step)
        step.add(Assignment, reviewer_id=reviewer_id, number=number, reason=why)
        step.data |= {"number": number}
        return {"reviewer_id": reviewer_id, "number": number}

    return move("hand_over", request_id, actor=actor, at=at, prepare=prepare)


def return_to_queue(request_id: UUID, *, at: datetime) -> TravelRequest:
    """The reviewer who has the case has left the office or is away for longer: it goes back to the office's queue.

    NotNow while they are there. Nobody is put in their place: taking a case needs a declaration that only a person
    can make. Its clock runs on.
    """

    def prepare(step: Taking) -> Mapping[str, Any]:
        reviewer_id, office_id = step.request.assigned_reviewer_id, step.request.office_id
        why = absences.gone(reviewer_id, office_id=office_id, at=at) if reviewer_id is not None else None
        if why is None:
            raise NotNow(_("The reviewer who has the case is there."))
        step.add(Assignment, reviewer_id=None)
        step.data |= {"why": why.value}
        return {}

    return move("return_to_queue", request_id, actor=SYSTEM, at=at, prepare=prepare)


def extend(request_id: UUID, *, actor: Actor, at: datetime, working_days: int, reason: str) -> TravelRequest:
    """Move the office's due date, once, by 1 to 10 working days, or to as many as the office's policy allows.

    Invalid outside of that and without a reason.
    """

    def prepare(step: Taking) -> Mapping[str, Any]:
        most = min(rules.EXTENSION_WORKING_DAYS, timekeeping.longest_extension(step.request))
        found = []
        if not 1 <= working_days <= most:
            found.append(Problem("", "working_days", _("Extend by 1 to %(days)d working days.") % {"days": most}))
        if not reason.strip():
            found.append(Problem("", "reason", _("Give the reason; the applicant receives it.")))
        if found:
            raise Invalid(found)
        step.add(Extension, working_days=working_days, reason=reason.strip())
        step.data |= {"working_days": working_days}
        return {"working_days": working_days}

    return move("extend", request_id, actor=actor, at=at, prepare=prepare)
