"""The API: the same verbs as the pages, in the same scope, with problem documents for errors."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from approvals.api.views import VERBS
from approvals.models import TravelRequest
from approvals.rules import DECLARATIONS
from approvals.states import State
from audit.models import Entry
from employees.models import Employee
from tests.factories import CompanyFactory, draft, employ, in_state, officer_of

pytestmark = pytest.mark.django_db

PROBLEM = "application/problem+json"


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def alice() -> Employee:
    return employ("Alice Wang", CompanyFactory.create())


def trip() -> dict[str, Any]:
    first = timezone.now().date() + timedelta(days=40)
    return {
        "title": "PLDI",
        "purpose": "conference",
        "description": "I give a talk.",
        "topics": ["cs.PL"],
        "declarations": [code for code, _text in DECLARATIONS],
        "legs": [
            {
                "country": "US",
                "city": "Atlanta",
                "arrives_on": first.isoformat(),
                "leaves_on": (first + timedelta(days=4)).isoformat(),
                "host": "ACM",
            }
        ],
    }


def test_a_trip_from_nothing_to_the_company(alice: Employee) -> None:
    client = signed_in(alice.user)

    started = client.post("/api/requests/", {"employee_id": alice.pk}, content_type="application/json")
    assert started.status_code == 201
    address = f"/api/requests/{started.json()['reference']}/"
    assert client.patch(address, trip(), content_type="application/json").json()["legs"][0]["city"] == "Atlanta"
    done = client.post(f"{address}actions/submit/", {}, content_type="application/json")

    assert done.status_code == 200
    assert done.json()["state"] == "company_review"
    assert done.json()["actions"] == ["withdraw"]
    listed = client.get("/api/requests/").json()["results"]
    assert [(row["title"], row["state"], row["applicant"]) for row in listed] == [
        ("PLDI", "company_review", "王爱丽 Alice Wang")
    ]


def test_what_is_missing_is_said_for_each_field(alice: Employee) -> None:
    request = draft(alice, at=timezone.now())

    answer = signed_in(alice.user).post(
        f"/api/requests/{request.reference}/actions/submit/", {}, content_type="application/json"
    )

    assert answer.status_code == 422
    assert answer["Content-Type"] == PROBLEM
    problem = answer.json()
    assert problem["type"] == "urn:exit-approvals:problem:invalid"
    assert [error["pointer"] for error in problem["errors"]] == [
        "/trip/title",
        "/trip/purpose",
        "/trip/description",
        "/itinerary",
        "/declarations/declarations",
    ]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"title": "x" * 10_000}, "/title"),
        ({"purpose": "espionage"}, "/purpose"),
        (
            {"legs": [{"country": "XX", "city": "Y", "arrives_on": "2027-01-01", "leaves_on": "2027-01-02"}]},
            "/legs/0/country",
        ),
        (
            {"legs": [{"country": "US", "city": "Y", "arrives_on": "soon", "leaves_on": "2027-01-02"}]},
            "/legs/0/arrives_on",
        ),
        ({"topics": ["cs.XX"]}, "/topics/0"),
    ],
)
def test_bad_input_points_at_the_field_and_changes_nothing(alice: Employee, body: dict[str, Any], pointer: str) -> None:
    request = draft(alice, at=timezone.now())

    answer = signed_in(alice.user).patch(f"/api/requests/{request.reference}/", body, content_type="application/json")

    assert (answer.status_code, answer["Content-Type"]) == (422, PROBLEM)
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert TravelRequest.unscoped.get(pk=request.pk).saved_at == request.saved_at


def test_charlie_from_elsewhere_finds_nothing_and_moves_nothing(alice: Employee) -> None:
    request = draft(alice, at=timezone.now())
    charlie = employ("Charlie Zhou", CompanyFactory.create(name_en="Elsewhere"))
    client = signed_in(charlie.user)

    for answer in (
        client.get(f"/api/requests/{request.reference}/"),
        client.patch(f"/api/requests/{request.reference}/", {"title": "mine"}, content_type="application/json"),
        client.post(f"/api/requests/{request.reference}/actions/withdraw/", {}, content_type="application/json"),
    ):
        assert (answer.status_code, answer["Content-Type"]) == (404, PROBLEM)
    assert client.get("/api/requests/").json()["results"] == []
    assert TravelRequest.unscoped.get(pk=request.pk).state == State.DRAFT
    assert Entry.objects.filter(chain=request.pk).count() == 1


def test_a_verb_at_the_wrong_time_is_a_conflict_that_says_why() -> None:
    cast = in_state(State.COMPANY_REVIEW)

    answer = signed_in(cast.applicant.user).post(
        f"/api/requests/{cast.request.reference}/actions/close/", {}, content_type="application/json"
    )

    assert (answer.status_code, answer["Content-Type"]) == (409, PROBLEM)
    assert "“Company review”" in answer.json()["detail"]


def test_an_officer_cannot_do_what_the_applicant_does() -> None:
    cast = in_state(State.COMPANY_REVIEW)

    answer = signed_in(cast.officer).post(
        f"/api/requests/{cast.request.reference}/actions/withdraw/", {}, content_type="application/json"
    )

    assert (answer.status_code, answer.json()["detail"]) == (403, "Only the applicant can do this.")


@pytest.mark.parametrize("verb", ["propose", "confirm", "propose_revocation", "revoke", "uphold", "forward", "lapse"])
def test_nothing_that_refuses_somebody_is_offered(verb: str) -> None:
    cast = in_state(State.DECISION_PROPOSED)

    answer = signed_in(cast.senior).post(
        f"/api/requests/{cast.request.reference}/actions/{verb}/", {}, content_type="application/json"
    )

    assert answer.status_code == 404
    assert TravelRequest.unscoped.get(pk=cast.request.pk).state == State.DECISION_PROPOSED


def test_nobody_gets_in_without_signing_in() -> None:
    answer = Client().get("/api/requests/")

    assert (answer.status_code, answer["Content-Type"]) == (403, PROBLEM)


def test_the_list_takes_as_many_queries_for_three_as_for_one(alice: Employee, django_assert_num_queries: Any) -> None:
    client = signed_in(officer_of(alice.company))
    in_state(State.COMPANY_REVIEW, employee=alice)
    with django_assert_num_queries(3):  # account, roles, rows; the session is in the cache
        assert len(client.get("/api/requests/").json()["results"]) == 1
    for name in ("Bob Li", "Dan Wu"):
        in_state(State.COMPANY_REVIEW, employee=employ(name, alice.company))
    with django_assert_num_queries(3):
        assert len(client.get("/api/requests/").json()["results"]) == 3


def test_the_schema_names_every_verb_and_needs_signing_in(alice: Employee) -> None:
    assert Client().get("/api/schema/").status_code == 403
    schema = signed_in(alice.user).get("/api/schema/", headers={"accept": "application/json"})
    assert schema.status_code == 200
    paths = schema.json()["paths"]
    assert set(paths) == {
        "/api/requests/",
        "/api/requests/{reference}/",
        "/api/requests/{reference}/actions/{verb}/",
    }
    verb = next(
        parameter
        for parameter in paths["/api/requests/{reference}/actions/{verb}/"]["post"]["parameters"]
        if parameter["name"] == "verb"
    )
    assert set(verb["schema"]["enum"]) == set(VERBS)
