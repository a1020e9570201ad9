"""Seniors see who has how much, who is away, and hand over from there."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.roles import Role
from approvals import overview
from approvals.models import TravelRequest
from approvals.states import State
from authorities.models import Absence, Posting
from tests.factories import NOW, CompanyFactory, employ, in_state, posted
from tests.factories.requests import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def case() -> Cast:
    return in_state(State.AUTHORITY_REVIEW)


def another(name: str, case: Cast) -> TravelRequest:
    """One more case, of somebody else, with the same reviewer."""
    made = in_state(State.AUTHORITY_REVIEW, employee=employ(name, CompanyFactory.create())).request
    TravelRequest.unscoped.filter(pk=made.pk).update(assigned_reviewer=case.reviewer, assigned_number="4001")
    return made


def test_each_reviewer_with_what_is_open_late_and_who_is_away(case: Cast) -> None:
    office = case.request.office
    idle = posted(office, Role.REVIEWER, "9901", "Ida Idle")
    waiting = in_state(State.INFORMATION_REQUESTED, employee=employ("Bob Li", CompanyFactory.create()))
    queue = another("Cai Queue", case)
    TravelRequest.unscoped.filter(pk=queue.pk).update(assigned_reviewer=None, assigned_number="")
    absence = Absence.objects.create(user=idle, office=office, starts_at=NOW, ends_at=NOW + timedelta(days=60))

    found = {load.user_id: load for load in overview.of_reviewers(office.pk, at=NOW + timedelta(days=30))}

    mine = found[case.reviewer.pk]
    assert (mine.open, mine.overdue, mine.waiting, mine.away) == (1, 1, 0, None)
    assert mine.oldest == TravelRequest.unscoped.get(pk=case.request.pk).reached_authority_at
    assert found[waiting.reviewer.pk].waiting == 1
    assert (found[idle.pk].open, found[idle.pk].away) == (0, absence)
    assert (found[None].open, found[None].number) == (1, "")
    Posting.objects.filter(user=case.reviewer).update(ends_at=NOW)
    gone = {load.user_id: load for load in overview.of_reviewers(office.pk, at=NOW + timedelta(days=30))}
    assert (gone[case.reviewer.pk].open, gone[case.reviewer.pk].number) == (1, "")


def test_overloaded_is_who_has_far_more_than_the_others(case: Cast) -> None:
    office = case.request.office
    for number in ("9901", "9902", "9903"):
        posted(office, Role.REVIEWER, number)

    def overloaded() -> list[int | None]:
        return [load.user_id for load in overview.of_reviewers(office.pk, at=NOW) if load.is_overloaded]

    for name in ("Bo", "Cai"):
        another(f"{name} Li", case)
    assert overloaded() == []  # three, where the average is 0.75
    another("Dai Li", case)
    assert overloaded() == [case.reviewer.pk]  # four, where it is one


def test_a_senior_chooses_cases_to_hand_over(case: Cast) -> None:
    client = Client()
    client.force_login(case.senior)

    page = client.get("/caseload/", {"reviewer": case.reviewer.pk}).content.decode()
    assert f'name="r" value="{case.request.reference}"' in page
    chosen = {"do": "hand_over", "from": f"desk=office-{case.request.office_id}", "r": case.request.reference}
    assert f'value="{chosen["from"]}"' in page
    colleague = posted(case.request.office, Role.REVIEWER, "9901", "Ida Idle")
    preview = client.get("/inbox/bulk/", chosen)
    assert "Ida Idle" in preview.content.decode()
    where = f"/inbox/bulk/?do=hand_over&from={chosen['from'].replace('=', '%3D')}"
    said = {"r": case.request.reference, "reviewer_id": colleague.pk, "reason": "Too many."}
    assert client.post(where, said).status_code == 200
    assert TravelRequest.unscoped.get(pk=case.request.pk).assigned_reviewer_id == colleague.pk


def test_a_head_looks_and_hands_nothing_over(case: Cast) -> None:
    client = Client()
    client.force_login(posted(case.request.office, Role.HEAD, "1001"))
    page = client.get("/caseload/").content.decode()
    assert case.request.reference in page
    assert 'name="r"' not in page


def test_the_page_asks_as_much_for_one_case_as_for_three(case: Cast, django_assert_num_queries: Any) -> None:
    client = Client()
    client.force_login(case.senior)
    client.get("/caseload/")
    with django_assert_num_queries(8) as one:
        client.get("/caseload/")
    for name in ("Bo", "Cai"):
        another(f"{name} Li", case)
    with django_assert_num_queries(len(one.captured_queries)):
        client.get("/caseload/")
