"""Consulting: a restricted case is put before a specialist office, which advises. It does not stop the office's clock.

The case waits for the opinion while its time runs, and no longer: silence of the other office never blocks.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.refusals import Invalid, NotAllowed, NotNow, Problem, Refused
from accounts.roles import Actor, Role
from approvals import journal, queries, rules
from approvals.models import Consultation, Opinion, TravelRequest
from approvals.states import WITH_AUTHORITY, State
from approvals.workflow import gate
from approvals.workflow.gate import beside, fetch, required, user_id_of
from audit.rows import new
from authorities.terms import ClockKind

ANSWERS = (Role.REVIEWER, Role.SENIOR)


def _consult_refusal(request: TravelRequest, actor: Actor) -> Refused | None:
    if request.state != State.AUTHORITY_REVIEW:
        return NotNow(_("A specialist office is consulted while the office reviews the request."))
    if sentence := rules.assigned_reviewer.refusal(request, actor):
        return NotAllowed(sentence)
    for condition in (rules.is_restricted, rules.nobody_is_consulted):
        if sentence := condition.refusal(request):
            return NotNow(sentence)
    return None


def _opinion_refusal(request: TravelRequest, actor: Actor) -> Refused | None:
    if request.state not in WITH_AUTHORITY:
        return NotNow(_("The case does not wait for a decision any more."))
    if sentence := rules.somebody_is_consulted.refusal(request):
        return NotNow(sentence)
    if actor.user_id in (request.assigned_reviewer_id, request.proposed_by_id):
        return NotAllowed(_("Who has the case cannot give the opinion on it."))
    if not _answers_for(request, actor):
        return NotAllowed(_("Only a reviewer of the consulted office can do this."))
    if sentence := rules.is_apart.refusal(request, actor):
        return NotAllowed(sentence)
    return None


def _answers_for(request: TravelRequest, actor: Actor) -> Role | None:
    """In which role `actor` answers for the consulted office; None: in none."""
    if not actor.roles & set(ANSWERS):
        return None
    asked = queries.open_consultation(request)
    return next((role for role in ANSWERS if asked is not None and actor.holds(role, asked.office_id)), None)


gate.BESIDE.update({"consult": _consult_refusal, "give_opinion": _opinion_refusal})


def consult(request_id: UUID, *, actor: Actor, at: datetime, office_id: int, question: str) -> Consultation:
    """Ask a specialist office for its opinion on a restricted case. Its people see the case from now on.

    Invalid without a question, and for an office that is no specialist, has nobody to answer, or has the case itself.
    NotNow for another tier, while another office is being asked, and unless the case is under review.
    """
    asked = required(question, "question", _("Say what the specialist office should look at."))
    with transaction.atomic():
        request = fetch(request_id, actor, at)
        if refused := _consult_refusal(request, actor):
            raise refused
        office = queries.specialists(request, at=at).filter(pk=office_id).first()
        if office is None:
            raise Invalid([Problem("", "office_id", _("This office cannot be asked. Choose another one."))])
        row = new(Consultation, request=request, at=at, by_id=user_id_of(actor), office=office, question=asked)
        before = journal.stored(request)
        request.consulted_at, request.opinion_at = at, None
        journal.write([(request, before)], [row])
        data = {"consultation": str(row.pk), "office": office.pk}
        beside("consult", request, actor=actor, role=Role.REVIEWER, at=at, data=data)
    return row


def give_opinion(
    request_id: UUID, *, actor: Actor, at: datetime, outcome: str, reasons: str, confidential: str = ""
) -> Opinion:
    """Answer for the consulted office, in its time or late. The applicant reads the reasons with the decision.

    `confidential` is read by those who decide only; the applicant is told that there is such a part. Invalid without
    an outcome and reasons; NotAllowed for everybody but reviewers and seniors of the office that was asked.
    """
    found = []
    if outcome not in Opinion.Outcome.values:
        found.append(Problem("", "outcome", _("Choose what the opinion comes to.")))
    if not reasons.strip():
        found.append(Problem("", "reasons", _("Give the reasons; the applicant reads them with the decision.")))
    if found:
        raise Invalid(found)
    with transaction.atomic():
        request = fetch(request_id, actor, at)
        if refused := _opinion_refusal(request, actor):
            raise refused
        asked, role = queries.open_consultation(request), _answers_for(request, actor)
        assert asked is not None
        assert role is not None
        late = not request.is_running(ClockKind.CONSULTATION)
        row = new(
            Opinion,
            request=request,
            at=at,
            by_id=user_id_of(actor),
            consultation=asked,
            outcome=outcome,
            reasons=reasons.strip(),
            confidential=confidential.strip(),
            is_late=late,
        )
        before = journal.stored(request)
        request.opinion_at = at
        journal.write([(request, before)], [row])
        data = {"consultation": str(asked.pk), "opinion": str(row.pk)}
        beside("give_opinion", request, actor=actor, role=role, at=at, data=data)
    return row
