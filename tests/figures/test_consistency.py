"""Like cases decided differently: before a senior signs, by what the trips have in common, without anybody in it."""

from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.roles import Actor, Role
from approvals import consistency, queries, workflow
from approvals.consistency import Case, before_signing, contrasts
from approvals.models import TravelRequest
from approvals.states import State
from employees.models import Employee
from sensitivity.models import ListKind
from tests.factories import (
    NOW,
    CompanyFactory,
    OfficeFactory,
    actor,
    employ,
    entry_values,
    in_state,
    list_in_force,
    officer_of,
    posted,
)
from tests.factories.requests import Cast

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(days=2)
ELSEWHERE: dict[str, Any] = {
    "event_name": "Robotics week",
    "topics": ["cs.RO"],
    "purpose": "conference",
    "legs": [
        {
            "country": "FR",
            "city": "Lyon",
            "arrives_on": (NOW + timedelta(days=50)).date(),
            "leaves_on": (NOW + timedelta(days=55)).date(),
            "host": "Robotique",
        }
    ],
}


def somebody(name: str) -> Employee:
    return employ(name, CompanyFactory.create())


def proposed(name: str = "Alice Wang", **values: Any) -> Cast:
    return in_state(State.DECISION_PROPOSED, employee=somebody(name), at=LATER, **values)


def senior_of(cast: Cast, at: datetime = LATER) -> Actor:
    return actor(cast.senior, at)


def shown(cast: Cast, who: Actor | None = None) -> list[str] | None:
    """The numbers of the cases that stand on the page before signing."""
    at = LATER + timedelta(days=1)
    request = queries.in_full(who or senior_of(cast)).get(pk=cast.request.pk)
    found = before_signing(request, actor=who or senior_of(cast), at=at)
    return None if found is None else [one.case.reference for one in found]


def test_a_case_like_the_proposed_denial_that_was_approved_is_shown_with_what_they_share() -> None:
    bob = in_state(State.APPROVED, employee=somebody("Bob Li"))
    in_state(State.APPROVED, employee=somebody("Cai Zhou"), **ELSEWHERE)
    in_state(State.DENIED, employee=somebody("Dan Wu"))
    alice = proposed()

    (one,) = before_signing(alice.request, actor=senior_of(alice), at=LATER + timedelta(days=1)) or []

    assert one.case.reference == bob.request.reference
    assert one.case.outcome == "approved"
    assert one.common == (
        "the subject Information retrieval",
        "the event ICLR",
        "the host ICLR Foundation",
        "the destination Brazil",
        "the purpose Conference",
    )
    assert one.points == 5


def test_a_published_entry_in_common_counts_as_two() -> None:
    list_in_force(ListKind.TECHNOLOGY, entry_values("cs.IR", label_en="Retrieval at scale"), at=NOW - timedelta(days=9))
    bob = in_state(State.APPROVED, employee=somebody("Bob Li"), **ELSEWHERE | {"topics": ["cs.IR"], "purpose": "study"})
    alice = proposed()

    (one,) = before_signing(alice.request, actor=senior_of(alice), at=LATER + timedelta(days=1)) or []

    assert one.case.reference == bob.request.reference
    assert one.common == ("the list entry Retrieval at scale", "the subject Information retrieval")
    assert one.points == 3


def test_two_points_in_common_are_not_enough_and_neither_is_another_tier() -> None:
    in_state(State.APPROVED, employee=somebody("Bob Li"), **ELSEWHERE | {"topics": ["cs.IR"]})
    cai = in_state(State.APPROVED, employee=somebody("Cai Zhou"))
    TravelRequest.unscoped.filter(pk=cai.request.pk).update(tier="standard")

    assert shown(proposed()) == []


def test_before_an_approval_is_signed_the_refusals_are_shown() -> None:
    dan = in_state(State.DENIED, employee=somebody("Dan Wu"))
    in_state(State.APPROVED, employee=somebody("Bob Li"))
    eva = in_state(State.AUTHORITY_REVIEW, employee=somebody("Eva Hu"), at=LATER)
    at = LATER + timedelta(hours=5)
    workflow.propose(
        eva.request.pk, actor=actor(eva.reviewer, at), at=at, outcome="approved", grounds=workflow.Grounds()
    )

    assert shown(eva) == [dan.request.reference]


def test_another_request_of_the_same_person_is_never_shown() -> None:
    alice = somebody("Alice Wang")
    cast = in_state(State.APPROVED, employee=alice)
    somebody("Bob Li")
    workflow.close(cast.request.pk, actor=actor(alice.user, NOW), at=NOW + timedelta(hours=9))  # type: ignore[arg-type]

    assert shown(in_state(State.DECISION_PROPOSED, employee=alice, at=LATER)) == []


def test_cases_of_other_offices_and_those_that_one_left_stay_unseen() -> None:
    pudong = CompanyFactory.create(
        name_en="Dongfang Intelligence", office=OfficeFactory.create(code="PD", name_en="Pudong office")
    )
    in_state(State.APPROVED, employee=employ("Bob Li", pudong))
    alice = proposed()
    cai = in_state(State.AUTHORITY_REVIEW, employee=somebody("Cai Zhou"))
    posted(alice.request.office, Role.REVIEWER, "8001", user=alice.senior)
    workflow.recuse(cai.request.pk, actor=senior_of(alice), at=LATER, reason="We studied together.")
    workflow.approve(cai.request.pk, actor=actor(cai.reviewer, LATER), at=LATER)

    assert shown(alice) == []
    assert shown(alice, actor(alice.second_senior, LATER)) == [cai.request.reference], "who did not leave it sees it"


def test_only_who_may_sign_is_shown_it() -> None:
    in_state(State.APPROVED, employee=somebody("Bob Li"))
    alice = proposed()
    assert alice.applicant.user

    assert len(shown(alice) or []) == 1
    for user in (alice.applicant.user, alice.officer, alice.reviewer):
        assert shown(alice, actor(user, LATER)) is None
    posted(alice.request.office, Role.SENIOR, "9999", user=alice.applicant.user)
    assert shown(alice, actor(alice.applicant.user, LATER)) is None, "not before one's own case"


def test_old_decisions_are_not_compared() -> None:
    in_state(State.APPROVED, employee=somebody("Bob Li"))
    alice = proposed()
    at = NOW + consistency.LOOKED_BACK

    def found(moment: datetime) -> int:
        return len(before_signing(alice.request, actor=senior_of(alice, LATER), at=moment) or [])

    assert (found(at), found(at + timedelta(days=1))) == (1, 0)


def test_nobody_is_in_what_is_shown() -> None:
    """No name and no number of anybody: not on the page, and not in what the page is made of."""
    bob = in_state(State.APPROVED, employee=somebody("Bob Li"))
    alice = proposed()
    client = Client()
    client.force_login(alice.senior)
    page = client.get(f"/requests/{alice.request.reference}/do/confirm/").content.decode()
    part = page.partition('id="alike"')[2].partition("</section>")[0]

    assert bob.request.reference in part
    posting = {"Bob Li", "Rui Reviewer", "Shan Senior", bob.request.assigned_number}
    assert [name for name in posting if name in part] == []
    assert {field.name for field in fields(Case)} == {
        "reference", "tier", "outcome", "decided_at", "reason_codes", "conditions", "elements", "applicant_id",
    }  # fmt: skip


def test_the_page_of_an_office_shows_each_refusal_with_its_like() -> None:
    dan = in_state(State.DENIED, employee=somebody("Dan Wu"))
    bob = in_state(State.APPROVED, employee=somebody("Bob Li"))
    in_state(State.DENIED, employee=somebody("Eva Hu"), **ELSEWHERE)
    shan, office = senior_of(dan), dan.request.office_id

    (one,) = contrasts(office, actor=shan, at=LATER)

    assert one.case.reference == dan.request.reference
    assert [like.case.reference for like in one.alike] == [bob.request.reference]
    assert contrasts(office, actor=actor(dan.reviewer, LATER), at=LATER) == []
    assert contrasts(office, actor=actor(officer_of(dan.request.company, "Olga"), LATER), at=LATER) == []
    client = Client()
    client.force_login(dan.senior)
    page = client.get("/consistency/").content.decode()
    assert dan.request.reference in page
    assert bob.request.reference in page
    assert "Bob Li" not in page


def test_it_takes_the_same_queries_for_one_case_and_for_three(django_assert_num_queries: Any) -> None:
    for number in range(3):
        cast = in_state(State.APPROVED, employee=somebody(f"Bob {number}"))
        in_state(State.DENIED, employee=somebody(f"Dan {number}"))
        shan = senior_of(cast)
        with django_assert_num_queries(3):
            found = contrasts(cast.request.office_id, actor=shan, at=LATER)
        assert [len(one.alike) for one in found] == [number + 1] * (number + 1)
