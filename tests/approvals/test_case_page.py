"""The case page: all that Rui, who reviews, and Shan, who confirms, need to decide on Alice's trip."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import AccessEntry, User
from accounts.roles import Role
from approvals import workflow
from approvals.models import TravelRequest
from approvals.states import State
from approvals.views.actions import actions_for
from audit.models import Entry
from sensitivity.models import ListKind
from tests.approvals.calls import call
from tests.approvals.staffing import MORNING, only_looked_at, signed_in, text_of
from tests.approvals.test_inbox import copies
from tests.factories import (
    CompanyFactory,
    OfficeFactory,
    actor,
    employ,
    entry_values,
    in_state,
    list_in_force,
    posted,
    with_role,
)
from tests.factories.requests import LEGS

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _morning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: MORNING)


def case(request: TravelRequest, place: str = "") -> str:
    return reverse("case", args=[request.reference]) + (f"?from={place}" if place else "")


def page(user: User | None, request: TravelRequest, place: str = "") -> str:
    response = signed_in(user).get(case(request, place))
    assert response.status_code == 200
    return text_of(response)


def published(code: str, level: int) -> None:
    """An entry of a list of technologies that is in force."""
    list_in_force(
        ListKind.TECHNOLOGY,
        entry_values(
            code, level, label_en="Information retrieval over closed corpora", reason_en="The corpora are protected."
        ),
        name_en="List of technologies",
    )


def test_the_request_stands_beside_its_assessment() -> None:
    published("cs.IR", 2)
    cast = in_state(State.AUTHORITY_REVIEW)

    shown = page(cast.reviewer, cast.request)

    for words in (
        "ICLR in Rio",
        cast.request.reference,
        "I present our paper on retrieval.",
        "Rio de Janeiro, Brazil",
        "ICLR Foundation",
        "Heightened",
        "One reviewer proposes a decision, a senior reviewer confirms it.",
        "Information retrieval over closed corpora",
        "List of technologies, version 1",
        "The corpora are protected.",
        "It is your turn.",
        "Decision: 1 of 20 working days used",
    ):
        assert words in shown, words


@pytest.mark.parametrize(
    "state",
    [
        State.AUTHORITY_REVIEW,
        State.INFORMATION_REQUESTED,
        State.DECISION_PROPOSED,
        State.APPROVED,
        State.DENIED,
        State.REVOKED,
        State.CLOSED,
    ],
)
def test_the_panel_offers_what_is_open_to_the_reader_and_nothing_else(state: State) -> None:
    cast = in_state(state)
    for user in (cast.reviewer, cast.senior, cast.second_senior):
        shown = page(user, cast.request)
        offered = set(re.findall(rf"/requests/{cast.request.reference}/do/([a-z_]+)/", shown))
        assert offered == {one.name for one in actions_for(actor(user, MORNING), cast.request, at=MORNING)}


def test_looking_changes_nothing_and_is_noted() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)

    with only_looked_at():
        page(cast.reviewer, cast.request)

    [entry] = AccessEntry.objects.all()
    assert (entry.user, entry.role, entry.page, entry.at) == (cast.reviewer, Role.REVIEWER, "case", MORNING)


def test_others_who_see_the_request_have_their_own_page() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)

    for user in (cast.applicant.user, cast.officer, with_role(Role.AUDITOR), with_role(Role.ADMINISTRATOR)):
        response = signed_in(user).get(case(cast.request))
        assert response.status_code == 302
        assert response["Location"] == reverse("request", args=[cast.request.reference])


def test_people_of_other_offices_and_a_reviewer_with_a_conflict_see_nothing() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    elsewhere = OfficeFactory.create(code="PD")
    workflow.recuse(cast.request.pk, actor=actor(cast.reviewer, MORNING), at=MORNING)

    for user in (
        cast.reviewer,
        posted(elsewhere, Role.REVIEWER, "0001"),
        posted(elsewhere, Role.SENIOR, "0002"),
        posted(elsewhere, Role.APPEAL_REVIEWER, "0003"),
        employ("Charlie Elsewhere", cast.applicant.company).user,
    ):
        assert signed_in(user).get(case(cast.request)).status_code == 404
    assert not AccessEntry.objects.exists()


def test_the_applicant_s_words_and_the_company_s_are_all_there() -> None:
    cast = in_state(State.COMPANY_REVIEW)
    at = MORNING
    alice = actor(cast.applicant.user, at)  # type: ignore[arg-type]
    workflow.endorse(cast.request.pk, actor=actor(cast.officer, at), at=at, comment="Important for our roadmap.")
    workflow.take(cast.request.pk, actor=actor(cast.reviewer, at), at=at, no_conflict=True)
    reviewer = actor(cast.reviewer, at)
    workflow.ask_information(cast.request.pk, actor=reviewer, at=at, items=["Who pays?"], reason="To know the host.")
    unanswered = page(cast.reviewer, cast.request)
    workflow.answer(cast.request.pk, actor=alice, at=at, answers=["The university of Rio."])
    call("propose", cast.request.pk, reviewer, at)
    workflow.reply(cast.request.pk, actor=alice, at=at, text="The session is open to everybody.")

    shown = page(cast.senior, cast.request)
    call("reject_proposal", cast.request.pk, actor(cast.senior, at), at)
    after = page(cast.reviewer, cast.request)

    assert "Not answered yet" in unanswered
    for words in (
        "Important for our roadmap.",
        "Who pays?",
        "To know the host.",
        "The university of Rio.",
        "What is proposed",
        "Technology of a published list",
        "The session is open to everybody.",
    ):
        assert words in shown, words
    assert "Proposal given back" in after
    assert "Look at the programme again." in after
    assert "What is proposed" not in after


def test_a_denial_shows_its_grounds_and_its_remedy() -> None:
    cast = in_state(State.DENIED)

    shown = page(cast.reviewer, cast.request)

    assert "The decision" in shown
    assert "The programme lists a closed session on the first day." in shown
    assert "An appeal can be filed until" in shown


def test_who_else_travels_there_is_shown_as_far_as_the_reader_may_see() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    here = cast.applicant.company
    other = CompanyFactory.create(name_en="Tiangong Robotics", name_zh="天工机器人", office=here.office)
    elsewhere = CompanyFactory.create(name_en="Elsewhere", name_zh="别处", office=OfficeFactory.create(code="PD"))
    in_state(State.AUTHORITY_REVIEW, employee=employ("Bob Bao", here))
    in_state(State.APPROVED, employee=employ("Cora Cai", other))
    in_state(State.DENIED, employee=employ("Dora Denied", here))
    in_state(State.COMPANY_REVIEW, employee=employ("Emma Early", here))
    in_state(State.AUTHORITY_REVIEW, employee=employ("Fang Far", elsewhere))
    in_state(State.AUTHORITY_REVIEW, employee=employ("Gao Gone", here), event_name="NeurIPS")
    next_year = [{**LEGS[0], "arrives_on": date(2027, 4, 22), "leaves_on": date(2027, 4, 28)}]
    in_state(State.AUTHORITY_REVIEW, employee=employ("Hua Later", here), legs=next_year)

    shown = page(cast.reviewer, cast.request)
    delegation, others = shown.split("Of the same company")[1].split("Of other companies")

    assert "Bob Bao" in delegation
    assert "Cora Cai" in others
    assert "Tiangong Robotics" in others
    for name in ("Dora Denied", "Emma Early", "Fang Far", "Gao Gone", "Hua Later"):
        assert name not in shown, name


def test_the_way_back_and_the_cases_before_and_after() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    copies(TravelRequest.unscoped.get(pk=cast.request.pk), 2)
    order = re.findall(r'id="r-([^"]+)"', text_of(signed_in(cast.reviewer).get("/inbox/?tab=mine")))
    middle = TravelRequest.unscoped.get(reference=order[1])

    response = signed_in(cast.reviewer).get(case(middle, "tab%3Dmine%26country%3DBR"))
    alone = signed_in(cast.reviewer).get(case(middle))

    assert response.context["inbox_url"] == f"/inbox/?tab=mine&country=BR#r-{middle.reference}"
    place = "?from=tab%3Dmine%26country%3DBR"
    assert response.context["previous_url"] == f"/cases/{order[0]}/{place}"
    assert response.context["next_url"] == f"/cases/{order[2]}/{place}"
    assert f'/do/approve/{place}"' in text_of(response)
    assert alone.context["inbox_url"] == "/inbox/"
    assert "previous_url" not in alone.context


def test_a_due_date_after_departure_is_a_warning() -> None:
    soon = [{**LEGS[0], "arrives_on": date(2026, 3, 5), "leaves_on": date(2026, 3, 8)}]
    cast = in_state(State.AUTHORITY_REVIEW, legs=soon)

    assert "Due after the departure" in page(cast.reviewer, cast.request)
    assert "and the trip begins on 5 March 2026: decide before that." in page(cast.reviewer, cast.request)


def test_an_appeal_reviewer_of_the_other_office_reads_the_whole_case() -> None:
    cast = in_state(State.DENIED)
    ping = posted(OfficeFactory.create(code="PD"), Role.APPEAL_REVIEWER, "0099", "Ping Appeal")
    call("file_appeal", cast.request.pk, actor(cast.applicant.user, MORNING), MORNING)  # type: ignore[arg-type]

    shown = page(ping, cast.request)

    assert "Take the appeal under review" in shown
    assert "The session is not the purpose of my trip." in shown


def cost(user: User, request: TravelRequest, **query: Any) -> int:
    client = signed_in(user)
    client.get(case(request), query)  # the calendars are read once for a process
    with CaptureQueriesContext(connection) as made:
        assert client.get(case(request), query).status_code == 200
    return len([one for one in made.captured_queries if "django_session" not in one["sql"]])


# Account and roles (2); the request with places, documents, clocks and appeals (5); the look (1); travellers (1);
# the log and the two kinds of history that it speaks of (3); who did it (2); the bell (1).
QUERIES = 18


def test_a_long_history_and_many_travellers_cost_no_more_queries() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    company = cast.applicant.company

    def handed_over(times: int, hours: int) -> None:
        for minute in range(times):
            at = MORNING - timedelta(hours=hours) + timedelta(minutes=minute)
            shan = actor(cast.senior, at)
            words = {"reviewer_id": cast.reviewer.pk, "reason": f"Turn {minute}"}
            workflow.hand_over(cast.request.pk, actor=shan, at=at, **words)

    handed_over(1, hours=6)
    in_state(State.AUTHORITY_REVIEW, employee=employ("Bob Bao", company))
    assert cost(cast.reviewer, cast.request) == QUERIES

    in_state(State.AUTHORITY_REVIEW, employee=employ("Cai Cao", company))
    in_state(State.AUTHORITY_REVIEW, employee=employ("Dai Ding", company))
    handed_over(35, hours=5)

    assert Entry.objects.filter(chain=cast.request.pk).count() == 40
    assert cost(cast.reviewer, cast.request) == QUERIES
    assert cost(cast.reviewer, cast.request, **{"from": "tab=mine"}) == QUERIES + 2
