"""A restricted case is put before a specialist office: Rui asks Eva, who advises and sees no other case."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import User
from accounts.refusals import Invalid, NotAllowed, NotFound, NotNow
from accounts.roles import Role
from approvals import inbox, queries, sweeping, workflow
from approvals.clocks import Step
from approvals.inbox import Desk, Kind, Listing
from approvals.models import Clock, Consultation, Opinion, TravelRequest
from approvals.states import State
from approvals.workflow import Grounds
from authorities.models import Office
from notifications.delivery import deliver
from notifications.models import Notification
from sensitivity.models import ListKind
from tests.approvals.staffing import MORNING, signed_in, text_of
from tests.asserting import nothing_moved
from tests.factories import (
    DENIAL,
    NOW,
    CompanyFactory,
    OfficeFactory,
    actor,
    employ,
    entry_values,
    in_state,
    list_in_force,
    posted,
)
from tests.factories.requests import Cast

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
ASKED = NOW + 5 * HOUR
# The end of the fifth working day after Tuesday 3 March 2026.
OVER = datetime(2026, 3, 11, tzinfo=NOW.tzinfo)
SAID: dict[str, Any] = {"outcome": "unfavourable", "reasons": "The demonstration is of a listed method."}
OPEN_APPROVAL: dict[str, Any] = {"outcome": "approved", "grounds": Grounds(text="Fine.")}


@pytest.fixture(autouse=True)
def _morning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: MORNING)


@dataclass
class Case:
    """A restricted case that Rui has, and Eva of the specialist office."""

    cast: Cast
    office: Office
    eva: User

    @property
    def request(self) -> TravelRequest:
        return self.cast.request

    def consult(self, *, at: datetime = ASKED, **other: Any) -> Consultation:
        values = {"office_id": self.office.pk, "question": "Is the method of the list?"} | other
        return workflow.consult(self.request.pk, actor=actor(self.cast.reviewer, at), at=at, **values)

    def answer(self, *, at: datetime, by: User | None = None, **other: Any) -> Opinion:
        return workflow.give_opinion(self.request.pk, actor=actor(by or self.eva, at), at=at, **(SAID | other))

    def propose(self, *, at: datetime, **other: Any) -> TravelRequest:
        values = OPEN_APPROVAL | other
        return workflow.propose(self.request.pk, actor=actor(self.cast.reviewer, at), at=at, **values)


@pytest.fixture
def case() -> Case:
    list_in_force(ListKind.TECHNOLOGY, entry_values("cs.IR", 3))
    cast = in_state(State.AUTHORITY_REVIEW)
    office = OfficeFactory.create(code="ZJ", name_en="Specialist office", is_specialist=True, expertise_en="Training")
    return Case(cast, office, posted(office, Role.REVIEWER, "0801", "Eva Expert"))


def page_of(user: User | None, case: Case) -> str:
    address = f"/requests/{case.request.reference}/"
    return text_of(signed_in(user).get(address, follow=True))


# ── it comes first ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_is_proposed_before_a_specialist_office_was_asked_and_heard(case: Case) -> None:
    with nothing_moved(), pytest.raises(NotNow, match="put before a specialist office first"):
        case.propose(at=ASKED)
    case.consult()
    with nothing_moved(), pytest.raises(NotNow, match="put before a specialist office first"):
        case.propose(at=ASKED + HOUR)
    case.answer(at=ASKED + 2 * HOUR)

    assert case.propose(at=ASKED + 3 * HOUR).state == State.DECISION_PROPOSED


def test_its_silence_blocks_no_longer_than_its_clock_and_the_time_for_deciding_runs_on(case: Case) -> None:
    due = case.request.due_at
    case.consult()
    clock = Clock.objects.get(request=case.request, kind="consultation")
    assert (clock.due_at, clock.next_step) == (OVER, Step.REMIND)
    assert TravelRequest.unscoped.get(pk=case.request.pk).due_at == due
    with nothing_moved(), pytest.raises(NotNow):
        case.propose(at=OVER - timedelta(microseconds=1))

    assert case.propose(at=OVER).state == State.DECISION_PROPOSED

    late = case.answer(at=OVER + HOUR)
    assert late.is_late
    assert not Clock.objects.filter(request=case.request, kind="consultation", ended_at=None).exists()


def test_the_reviewer_is_told_when_the_time_is_over_and_the_specialists_are_reminded_before(case: Case) -> None:
    case.consult()
    sweeping.sweep(at=OVER)
    deliver(at=OVER)

    told = Notification.objects.filter(event__subject=case.request.pk)
    assert told.filter(recipient=case.cast.reviewer, event__event="request.remind").exists()
    assert told.filter(recipient=case.eva, event__event="request.consult").exists()
    assert told.filter(recipient=case.cast.applicant.user, event__event="request.consult").exists()


# ── who asks whom what ──────────────────────────────────────────────────────────────────────────────────────────────


def test_only_the_reviewer_of_a_restricted_case_asks_one_specialist_office_at_a_time(case: Case) -> None:
    at, ordinary = ASKED, in_state(State.AUTHORITY_REVIEW, employee=_colleague(), topics=["cs.CL"])
    question = {"office_id": case.office.pk, "question": "What do you think?"}
    with nothing_moved():
        with pytest.raises(NotNow, match="Only restricted cases"):
            workflow.consult(ordinary.request.pk, actor=actor(ordinary.reviewer, at), at=at, **question)
        with pytest.raises(NotAllowed, match="to whom the case is assigned"):
            workflow.consult(case.request.pk, actor=actor(case.cast.senior, at), at=at, **question)
        with pytest.raises(NotFound):
            workflow.consult(case.request.pk, actor=actor(case.eva, at), at=at, **question)
    case.consult()
    with nothing_moved(), pytest.raises(NotNow, match="has been asked already"):
        case.consult(at=ASKED + HOUR)
    case.answer(at=ASKED + 2 * HOUR)

    case.consult(at=ASKED + 3 * HOUR, question="And the second session?")

    assert Consultation.objects.filter(request=case.request).count() == 2


def _colleague() -> Any:
    return employ("Bob Li", CompanyFactory.create())


def test_an_office_is_asked_that_knows_and_is_there_and_is_another(case: Case) -> None:
    ordinary = OfficeFactory.create(code="PD")
    posted(ordinary, Role.REVIEWER, "0701")
    empty = OfficeFactory.create(code="EM", is_specialist=True)
    closed = OfficeFactory.create(code="CL", is_specialist=True, is_active=False)
    posted(closed, Role.REVIEWER, "0702")
    for office in (ordinary, empty, closed, case.request.office):
        with nothing_moved(), pytest.raises(Invalid, match="cannot be asked"):
            case.consult(office_id=office.pk)
    with nothing_moved(), pytest.raises(Invalid, match="Say what"):
        case.consult(question=" ")


def test_only_people_of_the_office_that_was_asked_answer_and_whoever_has_the_case_does_not(case: Case) -> None:
    case.consult()
    posted(case.office, Role.REVIEWER, "0809", user=case.cast.reviewer)
    at = ASKED + HOUR
    with nothing_moved():
        for user in (case.cast.senior, case.cast.reviewer):
            with pytest.raises(NotAllowed):
                case.answer(at=at, by=user)
        for wrong in ({"outcome": "barred"}, {"reasons": " "}):
            with pytest.raises(Invalid):
                case.answer(at=at, **wrong)
    case.answer(at=at)
    with nothing_moved(), pytest.raises(NotNow, match="No specialist office is being asked"):
        case.answer(at=at + HOUR)


def test_who_advised_does_not_decide(case: Case) -> None:
    posted(case.request.office, Role.SENIOR, "0803", user=case.eva)
    case.consult()
    case.answer(at=ASKED + HOUR)
    case.propose(at=ASKED + 2 * HOUR)
    with nothing_moved(), pytest.raises(NotAllowed, match="Who gave the opinion"):
        workflow.confirm(case.request.pk, actor=actor(case.eva, ASKED), at=ASKED + 3 * HOUR)
    done = workflow.confirm(case.request.pk, actor=actor(case.cast.senior, ASKED), at=ASKED + 3 * HOUR)
    assert done.state == State.APPROVED


# ── who sees what ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_specialists_see_that_case_while_and_after_they_are_asked_and_no_other(case: Case) -> None:
    other = in_state(State.AUTHORITY_REVIEW, employee=_colleague())
    eva = actor(case.eva, MORNING)
    assert not queries.visible_to(eva).exists()
    assert signed_in(case.eva).get(f"/cases/{case.request.reference}/").status_code == 404

    case.consult()
    desk = Desk(Kind.OFFICE, case.office.pk)
    tab = next(tab for tab in inbox.tabs_of(desk, eva) if tab.name == "consulted")
    waiting = [row.reference for row in inbox.read(Listing(desk, tab, eva, MORNING)).rows]

    assert waiting == [case.request.reference]
    assert "Opinions asked of us" in text_of(signed_in(case.eva).get("/inbox/"))
    page = text_of(signed_in(case.eva).get(f"/cases/{case.request.reference}/"))
    assert "Is the method of the list?" in page
    assert "Give the opinion" in page
    assert signed_in(case.eva).get(f"/cases/{other.request.reference}/").status_code == 404

    case.answer(at=ASKED + HOUR)
    assert not inbox.read(Listing(desk, tab, eva, MORNING)).rows
    assert [one.pk for one in queries.visible_to(eva)] == [case.request.pk]
    assert "Opinions asked of us" not in text_of(signed_in(case.eva).get("/inbox/"))


def test_a_conflict_of_interest_closes_the_case_to_a_specialist_too(case: Case) -> None:
    case.consult()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO approvals_recusal (id, at, reason, by_id, request_id)"
            " VALUES (gen_random_uuid(), %s, '', %s, %s)",
            [ASKED, case.eva.pk, str(case.request.pk)],
        )
    with pytest.raises(NotFound):
        case.answer(at=ASKED + HOUR)


def test_the_applicant_sees_whom_at_once_and_what_was_said_with_the_proposed_refusal(case: Case) -> None:
    case.consult()
    case.answer(at=ASKED + HOUR, confidential="Entry 7 of the closed list.")
    alice, olivia = case.cast.applicant.user, case.cast.officer

    before = page_of(alice, case)
    assert "Specialist office" in before
    assert "The opinion is there." in before
    assert SAID["reasons"] not in before

    case.propose(at=ASKED + 2 * HOUR, outcome="denied", grounds=DENIAL)

    after = page_of(alice, case)
    assert SAID["reasons"] in after
    assert "Unfavourable" in after
    assert "speaks of a confidential list" in after
    assert "Entry 7" not in after
    company = page_of(olivia, case)
    assert "Specialist office" in company
    assert SAID["reasons"] not in company
    assert "Entry 7 of the closed list." in page_of(case.cast.senior, case)


def test_the_database_keeps_what_was_asked_and_said(case: Case) -> None:
    asked = case.consult()
    case.answer(at=ASKED + HOUR)
    for statement in (
        "UPDATE approvals_consultation SET question = 'Another.'",
        "DELETE FROM approvals_consultation",
        "UPDATE approvals_opinion SET outcome = 'favourable'",
        "DELETE FROM approvals_opinion",
    ):
        with pytest.raises(Exception, match="permission denied|append_only"), transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(statement)
    with pytest.raises(IntegrityError), transaction.atomic():
        Opinion(request=case.request, at=ASKED, consultation=asked, outcome="favourable", reasons="", by=case.eva).save(
            force_insert=True
        )


def test_days_are_those_of_the_calendar_of_the_office_that_has_the_case(case: Case) -> None:
    case.consult()
    page = text_of(signed_in(case.cast.reviewer).get(f"/cases/{case.request.reference}/"))
    assert "Its opinion is due by 10 March 2026." in page
