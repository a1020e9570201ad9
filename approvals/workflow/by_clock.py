"""What clocks do, through the same gate as people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.roles import SYSTEM
from approvals import timekeeping
from approvals.clocks import Step
from approvals.models import (
    Clock,
    ClockAction,
    CompanyReview,
    Decision,
    Escalation,
    TravelRequest,
)
from approvals.models.decision import Outcome
from approvals.workflow.amending import end_with_the_clearance
from approvals.workflow.gate import Made, Prepare, Taking, make_step, move, nothing
from audit.rows import new


def _silent_company(step: Taking) -> None:
    step.add(CompanyReview, revision_id=step.request.revision_id, outcome=CompanyReview.Outcome.SILENT)


def _deemed(step: Taking) -> Mapping[str, Any]:
    decision = step.add(Decision, outcome=Outcome.APPROVED, deemed=True, **step.grounds())
    step.data |= {"decision": str(decision.pk)}
    return {"decision_id": decision.pk}


def forward(request_id: UUID, *, at: datetime) -> TravelRequest:
    """The company did not answer in time: the request goes to the office all the same."""
    return move("forward", request_id, actor=SYSTEM, at=at, prepare=_silent_company)


def lapse(request_id: UUID, *, at: datetime) -> TravelRequest:
    """The applicant did not react in time, after reminders. It can be reopened for 30 days."""
    return move("lapse", request_id, actor=SYSTEM, at=at)


_BY_CLOCK: dict[Step, tuple[str, Prepare]] = {
    Step.FORWARD: ("forward", _silent_company),
    Step.LAPSE: ("lapse", nothing),
    Step.CLOSE: ("close", end_with_the_clearance),
    Step.DEEM_APPROVED: ("deem_approved", _deemed),
}


_ESCALATIONS = frozenset({Step.ESCALATE, Step.ESCALATE_TO_HEAD, Step.REPORT_OVERDUE})


def clock_step(request: TravelRequest, row: Clock, *, at: datetime) -> Made:
    """The step of the clock in `row`, one of the running ones of `request`, that is due at `at`. Nothing is written.

    It goes through the same gate as a person's. What was due several times over (after an outage) is taken once, the
    gravest step of it. The caller holds the lock on the request, and writes what comes back.
    """
    request.as_of(at)
    due = timekeeping.step_due(request, row, at=at)
    step = due.step
    request.clock_step = step.value
    verb, prepare = _BY_CLOCK.get(step, ("escalate" if step in _ESCALATIONS else "remind", nothing))

    def with_clock(taken: Taking) -> Mapping[str, Any] | None:
        taken.data |= {"clock": row.kind, "step": step.value}
        if row.subject is not None:
            taken.data |= {"condition": str(row.subject)}
        if step in _ESCALATIONS:
            taken.add(Escalation, clock_kind=row.kind, step=step)
        return prepare(taken)

    acted = new(ClockAction, clock=row, step=step.value, scheduled_at=due.scheduled, at=at)
    return make_step(verb, request, actor=SYSTEM, at=at, prepare=with_clock, acted=acted, then=due.then)
