"""Requests, brought about by the verbs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from accounts.models import User
from accounts.roles import SYSTEM, Role
from approvals import queries, rules, workflow
from approvals.models import TravelRequest
from approvals.states import State
from employees.models import Employee
from tests.factories.law import reason_code
from tests.factories.people import actor, employ, officer_of, posted

# A Tuesday morning in Beijing; the trip is six weeks later.
NOW = datetime(2026, 3, 3, 10, 0, tzinfo=ZoneInfo("Asia/Shanghai"))

TRIP: dict[str, Any] = {
    "title": "ICLR in Rio",
    "purpose": "conference",
    "description": "I present our paper on retrieval.",
    "event_name": "ICLR",
    "topics": ["cs.IR"],
    "declarations": [code for code, _text in rules.DECLARATIONS],
}
LEGS: list[dict[str, Any]] = [
    {
        "country": "BR",
        "city": "Rio de Janeiro",
        "arrives_on": date(2026, 4, 22),
        "leaves_on": date(2026, 4, 28),
        "host": "ICLR Foundation",
    }
]
DENIAL = workflow.Grounds(
    text="The session on site concerns a topic that the published list names.",
    reason_codes=["T1"],
    relied_on=[workflow.Fact(part="dates", fact="The programme lists a closed session on the first day.")],
    measures=[
        workflow.Considered(measure="condition", why="The session is the only purpose of the trip."),
        workflow.Considered(measure="shorter", why="The session is on the first day."),
        workflow.Considered(measure="without_place", why="The session is in the first place."),
    ],
)


def draft(employee: Employee, *, at: datetime = NOW) -> TravelRequest:
    """An empty draft of `employee`."""
    assert employee.user is not None
    return workflow.start(actor=actor(employee.user, at), at=at, employee_id=employee.pk)


def fill(
    request: TravelRequest,
    *,
    at: datetime = NOW,
    legs: Sequence[Mapping[str, Any]] = LEGS,
    **values: Any,
) -> TravelRequest:
    """The draft with everything that a submission needs; `values` and `legs` replace parts of it."""
    user = request.applicant.user
    assert user is not None
    return workflow.save_section(
        request.pk, actor=actor(user, at), at=at, section="all", values=TRIP | values, legs=legs
    )


def submitted(employee: Employee, *, at: datetime = NOW, **values: Any) -> TravelRequest:
    """A complete request of `employee`, submitted at `at`."""
    assert employee.user is not None
    request = fill(draft(employee, at=at), at=at, **values)
    return workflow.submit(request.pk, actor=actor(employee.user, at), at=at)


@dataclass
class Cast:
    """The people of one story."""

    applicant: Employee
    officer: User
    reviewer: User
    senior: User
    second_senior: User
    request: TravelRequest


def in_state(state: State, *, employee: Employee | None = None, at: datetime = NOW, **values: Any) -> Cast:
    """A request in `state`, with everybody who brought it there. Later steps come an hour after each other."""
    from tests.factories.people import CompanyFactory

    employee = employee or employ("Alice Wang", CompanyFactory.create())
    company, office = employee.company, employee.company.office
    serial = Employee.unscoped.count()
    cast = Cast(
        applicant=employee,
        officer=officer_of(company),
        reviewer=posted(office, Role.REVIEWER, f"{4000 + serial}", "Rui Reviewer"),
        senior=posted(office, Role.SENIOR, f"{5000 + serial}", "Shan Senior"),
        second_senior=posted(office, Role.SENIOR, f"{6000 + serial}", "Sun Senior"),
        request=draft(employee, at=at),
    )
    reason_code()
    fill(cast.request, at=at, **values)
    now = at

    def step(verb: str, user: User | None, **more: Any) -> None:
        nonlocal now
        now += timedelta(hours=1)
        if verb == "lapse":
            now = TravelRequest.unscoped.values_list("due_at", flat=True).get(pk=cast.request.pk) or now
        function = getattr(workflow, verb)
        if user is None:
            function(cast.request.pk, at=now, **more)
        else:
            function(cast.request.pk, actor=actor(user, now), at=now, **more)

    assert employee.user is not None
    me = employee.user
    to_authority = [("submit", me, {}), ("endorse", cast.officer, {})]
    taken = [*to_authority, ("take", cast.reviewer, {"no_conflict": True})]
    denial = {"outcome": "denied", "grounds": DENIAL}
    proposed = [*taken, ("propose", cast.reviewer, denial)]
    denied = [*proposed, ("reply", me, {"text": "Please reconsider."}), ("confirm", cast.senior, {})]
    approved = [*taken, ("approve", cast.reviewer, {})]
    paths: dict[State, list[tuple[str, User | None, dict[str, Any]]]] = {
        State.DRAFT: [],
        State.COMPANY_REVIEW: [("submit", me, {})],
        State.RETURNED: [("submit", me, {}), ("return_for_changes", cast.officer, {"comment": "Add the programme."})],
        State.COMPANY_DECLINED: [("submit", me, {}), ("decline", cast.officer, {"comment": "No budget."})],
        State.AUTHORITY_REVIEW: taken,
        State.INFORMATION_REQUESTED: [
            *taken,
            ("ask_information", cast.reviewer, {"items": ["Who pays?"], "reason": "To see who the host is."}),
        ],
        State.DECISION_PROPOSED: proposed,
        State.APPROVED: approved,
        State.DENIED: denied,
        State.REVOKED: [
            *approved,
            ("propose_revocation", cast.senior, {"grounds": DENIAL}),
            ("reply", me, {"text": "Please leave it in force."}),
            ("revoke", cast.second_senior, {}),
        ],
        State.CLOSED: [*approved, ("close", me, {})],
        State.WITHDRAWN: [("withdraw", me, {})],
        State.LAPSED: [("lapse", None, {})],
    }
    for verb, user, more in paths[state]:
        step(verb, user, **more)
    cast.request = queries.in_full(SYSTEM).get(pk=cast.request.pk)
    assert cast.request.state == state, (cast.request.state, state)
    return cast
