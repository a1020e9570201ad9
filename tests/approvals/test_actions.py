"""A page for each verb. Alice asks, Olivia is her company's officer, Rui reviews, Shan and Sun are senior reviewers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AccessEntry, User
from accounts.roles import Role
from approvals import workflow
from approvals.models import Condition, Decision, Proposal, Recusal, TravelRequest
from approvals.states import State
from approvals.views.actions import PAGES, actions_for
from tests.approvals.calls import BY_CLOCK, call
from tests.approvals.staffing import MORNING, only_looked_at, signed_in, text_of
from tests.factories import CompanyFactory, OfficeFactory, actor, employ, in_state, officer_of, posted, reason_code
from tests.factories.requests import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _morning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: MORNING)


GROUNDS = {
    "reason_codes": ["T1"],
    "text": "The session on site concerns a topic that the published list names.",
    "part_0": "dates",
    "fact_0": "The programme lists a closed session on the first day.",
    "why_not_condition": "The session is the only purpose of the trip.",
    "why_not_shorter": "The session is on the first day.",
}


def url(request: TravelRequest, page: str) -> str:
    return reverse("request_do", args=[request.reference, page])


def people(cast: Cast) -> dict[str, User]:
    assert cast.applicant.user is not None
    return {
        "Alice": cast.applicant.user,
        "Olivia": cast.officer,
        "Rui": cast.reviewer,
        "Shan": cast.senior,
        "Sun": cast.second_senior,
    }


def do(cast: Cast, who: str, page: str, **data: Any) -> HttpResponse | Any:
    """What `who` sees after pressing the button of `page`."""
    return signed_in(people(cast)[who]).post(url(cast.request, page), data)


def state_of(cast: Cast) -> str:
    return TravelRequest.unscoped.get(pk=cast.request.pk).state


def test_every_verb_that_a_person_does_has_a_page() -> None:
    by_people = {*workflow.transitions(), *workflow.BESIDE} - set(BY_CLOCK)

    assert {page.verb for page in PAGES.values()} == by_people
    # The page is called by what is proposed.
    assert [name for name, page in PAGES.items() if name != page.verb] == ["propose_part", "propose_denial"]


@pytest.mark.parametrize("state", list(State))
def test_the_buttons_are_the_verbs_that_are_open_to_the_reader(state: State) -> None:
    cast = in_state(state)
    for user in people(cast).values():
        reader = actor(user, MORNING)
        open_verbs = set(workflow.available_actions(reader, cast.request, at=MORNING))
        buttons = actions_for(reader, cast.request, at=MORNING)
        assert {PAGES[button.name].verb for button in buttons} == open_verbs
        assert sum(button.primary for button in buttons) <= 1
        assert not any(button.primary and button.danger for button in buttons)
        assert all(button.opens_page for button in buttons), "nothing happens at one click"


# state, who, page, what is entered → the state afterwards
DONE: list[tuple[State, str, str, dict[str, Any], State]] = [
    (State.DRAFT, "Alice", "submit", {}, State.COMPANY_REVIEW),
    (State.DRAFT, "Alice", "withdraw", {}, State.WITHDRAWN),
    (State.COMPANY_REVIEW, "Olivia", "endorse", {"comment": ""}, State.AUTHORITY_REVIEW),
    (State.COMPANY_REVIEW, "Olivia", "return_for_changes", {"comment": "Add the programme."}, State.RETURNED),
    (State.COMPANY_REVIEW, "Olivia", "decline", {"comment": "No budget."}, State.COMPANY_DECLINED),
    (State.COMPANY_DECLINED, "Alice", "refer", {}, State.AUTHORITY_REVIEW),
    (State.AUTHORITY_REVIEW, "Rui", "approve", {"text": "", "conditions-0-text": "No slides."}, State.APPROVED),
    (State.AUTHORITY_REVIEW, "Rui", "propose", {"text": "Fine.", "conditions-0-text": ""}, State.DECISION_PROPOSED),
    (State.AUTHORITY_REVIEW, "Rui", "propose_denial", GROUNDS, State.DECISION_PROPOSED),
    (
        State.AUTHORITY_REVIEW,
        "Rui",
        "ask_information",
        {"items-0-question": "Who pays?", "reason": "To know the host.", "working_days": "10"},
        State.INFORMATION_REQUESTED,
    ),
    (
        State.AUTHORITY_REVIEW,
        "Shan",
        "extend",
        {"working_days": "5", "reason": "The host is asked."},
        State.AUTHORITY_REVIEW,
    ),
    (
        State.AUTHORITY_REVIEW,
        "Shan",
        "hand_over",
        {"reviewer_id": "queue", "reason": "On leave."},
        State.AUTHORITY_REVIEW,
    ),
    (State.DECISION_PROPOSED, "Alice", "reply", {"text": "The session is public."}, State.DECISION_PROPOSED),
    (State.DECISION_PROPOSED, "Shan", "reject_proposal", {"note": "Ask for the programme."}, State.AUTHORITY_REVIEW),
    (State.APPROVED, "Alice", "close", {}, State.CLOSED),
    (State.APPROVED, "Shan", "propose_revocation", GROUNDS, State.APPROVED),
    (State.LAPSED, "Alice", "reopen", {}, State.DRAFT),
]


@pytest.mark.parametrize(("state", "who", "page", "data", "then"), DONE, ids=[f"{row[2]}" for row in DONE])
def test_pressing_the_button_does_the_verb_and_says_so(
    state: State, who: str, page: str, data: dict[str, Any], then: State
) -> None:
    cast = in_state(state)

    response = do(cast, who, page, **data)

    assert response.status_code == 302
    home = "case" if who in ("Rui", "Shan") else "request"
    assert response["Location"] == reverse(home, args=[cast.request.reference])
    assert state_of(cast) == then
    shown = signed_in(people(cast)[who]).get(response["Location"], follow=True)
    assert shown.status_code == 200
    [message] = [str(message) for message in response.wsgi_request._messages]
    assert message == str(PAGES[page].done)


@pytest.mark.parametrize(("state", "who", "page", "data", "then"), DONE, ids=[f"{row[2]}" for row in DONE])
def test_the_page_says_what_will_happen_and_does_nothing(
    state: State, who: str, page: str, data: dict[str, Any], then: State
) -> None:
    cast = in_state(state)

    with only_looked_at():
        response = signed_in(people(cast)[who]).get(url(cast.request, page))

    assert response.status_code == 200
    shown = text_of(response)
    assert str(PAGES[page].happens) in shown
    assert f"{PAGES[page].label}</button>" in shown


NEEDS_INPUT = [row for row in DONE if row[3] and row[2] not in ("endorse", "approve", "propose")]


@pytest.mark.parametrize(("state", "who", "page", "data", "then"), NEEDS_INPUT, ids=[row[2] for row in NEEDS_INPUT])
def test_without_its_input_nothing_moves(state: State, who: str, page: str, data: dict[str, Any], then: State) -> None:
    cast = in_state(state)

    with only_looked_at():
        response = do(cast, who, page, **dict.fromkeys(data, ""))

    assert response.status_code == 422
    assert set(response.context["form"].errors) == set(data)
    assert "There is a problem" in text_of(response)


@pytest.mark.parametrize(("state", "who", "page", "data", "then"), DONE, ids=[f"{row[2]}" for row in DONE])
def test_somebody_of_the_same_house_whose_verb_it_is_not_moves_nothing(
    state: State, who: str, page: str, data: dict[str, Any], then: State
) -> None:
    cast = in_state(state)
    helen = posted(cast.request.office, Role.HEAD, "7000", "Helen Head")
    outsider = helen if cast.request.reached_authority_at else officer_of(cast.applicant.company, "Oscar Officer")
    if who == "Olivia":
        outsider = people(cast)["Alice"]

    with only_looked_at():
        response = signed_in(outsider).post(url(cast.request, page), data)

    # A draft is nobody's but the applicant's to see; the rest is seen, and not theirs to do.
    unseen = cast.request.submitted_at is None
    assert response.status_code == (404 if unseen else 403)


def test_charlie_from_elsewhere_learns_nothing() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    elsewhere = CompanyFactory.create(name_en="Elsewhere", name_zh="别处", office=OfficeFactory.create(code="PD"))
    charlie = employ("Charlie Elsewhere", elsewhere)
    people_elsewhere = [
        charlie.user,
        officer_of(elsewhere, "Oskar Elsewhere"),
        posted(elsewhere.office, Role.REVIEWER, "0001", "Ren Elsewhere"),
        posted(elsewhere.office, Role.SENIOR, "0002", "Su Elsewhere"),
    ]
    with only_looked_at():
        for browser in map(signed_in, people_elsewhere):
            for page in PAGES:
                assert browser.get(url(cast.request, page)).status_code == 404
                assert browser.post(url(cast.request, page), GROUNDS).status_code == 404
    assert not AccessEntry.objects.filter(user__in=people_elsewhere).exists()


def test_who_is_not_signed_in_is_asked_to_sign_in() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)

    response = Client().post(url(cast.request, "approve"))

    assert response.status_code == 302
    assert response["Location"].startswith(reverse("account_login"))
    assert state_of(cast) == State.AUTHORITY_REVIEW


def test_there_is_no_page_for_what_a_clock_does() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)

    for verb in (*BY_CLOCK, "delete", "deny"):
        assert do(cast, "Rui", verb).status_code == 404


# ── too late ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_who_comes_too_late_reads_what_happened_and_keeps_what_they_typed() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    rui = signed_in(cast.reviewer)
    assert rui.get(url(cast.request, "approve")).status_code == 200
    alice = cast.applicant.user
    assert alice is not None
    workflow.withdraw(cast.request.pk, actor=actor(alice, MORNING), at=MORNING)

    with only_looked_at():
        response = rui.post(url(cast.request, "approve"), {"text": "A good trip.", "conditions-0-text": "One laptop."})

    assert response.status_code == 409
    shown = text_of(response)
    assert "This cannot be done now: since 4 March 2026, 10:00 the request has been in the state “Withdrawn”." in shown
    assert "A good trip." in shown
    assert "One laptop." in shown


def test_between_looking_and_doing_only_one_of_two_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    cast = in_state(State.COMPANY_REVIEW)
    oscar = officer_of(cast.applicant.company, "Oscar Officer")
    looked = workflow.refusal

    def and_then_oscar_declines(request: TravelRequest, verb: str, *rest: Any, **more: Any) -> Any:
        found = looked(request, verb, *rest, **more)
        call("decline", cast.request.pk, actor(oscar, MORNING), MORNING)
        return found

    monkeypatch.setattr(workflow, "refusal", and_then_oscar_declines)
    response = do(cast, "Olivia", "endorse", comment="Important for us.")

    assert response.status_code == 409
    assert "“Declined by the company”" in text_of(response)
    assert "Important for us." in text_of(response)
    assert state_of(cast) == State.COMPANY_DECLINED


def test_a_condition_that_says_no_is_a_sentence() -> None:
    cast = in_state(State.DECISION_PROPOSED)

    with only_looked_at():
        response = do(cast, "Shan", "confirm", conflict="none")

    assert response.status_code == 409
    assert "The applicant is heard first: confirm after the reply, or when the time for it is over." in text_of(
        response
    )


# ── a denial ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("missing", sorted(GROUNDS))
def test_a_denial_needs_all_of_its_grounds_and_keeps_the_others_as_typed(missing: str) -> None:
    cast = in_state(State.AUTHORITY_REVIEW)

    with only_looked_at():
        response = do(cast, "Rui", "propose_denial", **{**GROUNDS, missing: ""})

    assert response.status_code == 422
    assert list(response.context["form"].errors) == [missing]
    for name, typed in GROUNDS.items():
        if name not in (missing, "reason_codes", "part_0"):
            assert typed in text_of(response)


def test_a_denial_rests_on_a_code_in_force_only() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    elsewhere = OfficeFactory.create(code="PD")
    reason_code("P9", office=elsewhere)

    shown = text_of(signed_in(cast.reviewer).get(url(cast.request, "propose_denial")))
    with only_looked_at():
        response = do(cast, "Rui", "propose_denial", **{**GROUNDS, "reason_codes": ["P9"]})

    assert "T1" in shown
    assert "Technology of a published list" in shown
    assert "Measures on exit approvals (fictitious), Article 9" in shown
    assert "https://law.example/9" in shown
    assert "P9" not in shown
    assert response.status_code == 422
    assert "reason_codes" in response.context["form"].errors


def test_before_a_denial_something_milder_is_offered_and_the_applicant_s_time_is_named() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)

    shown = text_of(signed_in(cast.reviewer).get(url(cast.request, "propose_denial")))

    assert f'href="{url(cast.request, "approve")}">Approve with conditions' in shown
    assert f'href="{url(cast.request, "propose_part")}#dates">Propose to approve a shorter trip' in shown
    assert "can reply until" in shown
    assert shown.index("First: would something milder do?") < shown.index("Reasons, for this case")


def test_a_proposed_denial_is_heard_read_and_confirmed_by_another() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    do(cast, "Rui", "propose_denial", **GROUNDS)
    to_alice = text_of(signed_in(cast.applicant.user).get(url(cast.request, "reply")))
    do(cast, "Alice", "reply", text="The session is open to everybody.")

    shown = text_of(signed_in(cast.senior).get(url(cast.request, "confirm")))
    response = do(cast, "Shan", "confirm", conflict="none")

    for words in (
        *(GROUNDS[name] for name in ("text", "fact_0", "why_not_condition")),
        "Technology of a published list",
    ):
        assert words in to_alice
        assert words in shown
    assert "The session is open to everybody." in shown
    assert "btn-danger" in shown
    assert response.status_code == 302
    decision = Decision.objects.get(request=cast.request)
    assert (decision.outcome, decision.by, decision.confirmed_by) == ("denied", cast.reviewer, cast.senior)


def test_the_proposer_who_is_senior_too_cannot_confirm() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    posted(cast.request.office, Role.SENIOR, str(4001), user=cast.reviewer)
    do(cast, "Rui", "propose", text="", conditions="")

    with only_looked_at():
        response = do(cast, "Rui", "confirm", conflict="none")

    assert response.status_code == 403
    assert "Who proposed a decision cannot confirm or reject it" in text_of(response)


def test_a_revocation_is_proposed_by_one_senior_and_confirmed_by_another() -> None:
    cast = in_state(State.APPROVED)
    do(cast, "Shan", "propose_revocation", **GROUNDS)

    assert do(cast, "Shan", "revoke", conflict="none").status_code == 403
    assert do(cast, "Alice", "reply", text="The session is open to everybody.").status_code == 302
    shown = text_of(signed_in(cast.second_senior).get(url(cast.request, "revoke")))
    assert GROUNDS["fact_0"] in shown
    assert do(cast, "Sun", "revoke", conflict="none").status_code == 302
    assert state_of(cast) == State.REVOKED


# ── verb by verb ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_conditions_are_one_a_row_and_empty_rows_are_none() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)

    rows = {"conditions-0-text": "No slides.", "conditions-1-text": " ", "conditions-2-text": "  One laptop.  "}
    do(cast, "Rui", "approve", text="", **rows)

    assert list(Condition.objects.filter(request=cast.request).values_list("text", flat=True)) == [
        "No slides.",
        "One laptop.",
    ]


def test_a_proposed_approval_carries_its_conditions() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)

    do(cast, "Rui", "propose", text="Fine.", **{"conditions-0-text": "One laptop.", "conditions-0-due": "departure"})

    proposal = Proposal.objects.get(request=cast.request)
    imposed = [workflow.Obligation(text="One laptop.", due="departure").as_data()]
    assert (proposal.outcome, proposal.conditions, proposal.text) == ("approved", imposed, "Fine.")


def test_a_second_question_needs_a_senior() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    asked = {"items-0-question": "Who pays?", "reason": "To know the host.", "working_days": "10"}
    do(cast, "Rui", "ask_information", **asked)
    alice = people(cast)["Alice"]
    workflow.answer(cast.request.pk, actor=actor(alice, MORNING), at=MORNING, answers=["My company."])

    with only_looked_at():
        refused = do(cast, "Rui", "ask_information", **asked)
    do(cast, "Shan", "agree_information")
    agreed = do(cast, "Rui", "ask_information", **asked)

    assert refused.status_code == 409
    assert "a senior reviewer must agree to a second time" in text_of(refused)
    assert "Who pays?" in text_of(refused), "what was typed is there to be copied"
    assert agreed.status_code == 302


def queued() -> Cast:
    """A case that nobody has."""
    cast = in_state(State.AUTHORITY_REVIEW)
    call("hand_over", cast.request.pk, actor(cast.senior, MORNING), MORNING)
    return cast


def test_taking_a_case_declares_that_there_is_no_conflict() -> None:
    cast = queued()

    page = text_of(signed_in(cast.reviewer).get(url(cast.request, "take")))
    with only_looked_at():
        without = do(cast, "Rui", "take")
    taken = do(cast, "Rui", "take", conflict="none")

    assert "Do you have a conflict of interest?" in page
    assert without.status_code == 422
    assert "Declare that you have no conflict of interest, or leave the case to others." in text_of(without)
    assert taken.status_code == 302
    assert TravelRequest.unscoped.get(pk=cast.request.pk).assigned_reviewer == cast.reviewer


def test_who_declares_a_conflict_is_led_to_the_inbox_and_sees_the_case_no_more() -> None:
    cast = queued()

    response = do(cast, "Rui", "take", conflict="relation", reason="A relative.")

    assert response["Location"] == reverse("inbox")
    assert Recusal.objects.get(request=cast.request).reason == "A relative."
    assert signed_in(cast.reviewer).get(reverse("case", args=[cast.request.reference])).status_code == 404
    assert do(cast, "Rui", "take", conflict="none").status_code == 404


def test_handing_over_shows_who_can_take_the_case_and_what_they_have() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    office = cast.request.office
    ren = posted(office, Role.REVIEWER, "4100", "Ren Reviewer")
    conflicted = posted(office, Role.REVIEWER, "4200", "Kai Conflicted")
    workflow.recuse(cast.request.pk, actor=actor(conflicted, MORNING), at=MORNING)
    posted(OfficeFactory.create(code="PD"), Role.REVIEWER, "4300", "Pei Elsewhere")

    shown = text_of(signed_in(cast.senior).get(url(cast.request, "hand_over")))
    with only_looked_at():
        to_conflicted = do(cast, "Shan", "hand_over", reviewer_id=conflicted.pk, reason="Leave.")
    done = do(cast, "Shan", "hand_over", reviewer_id=ren.pk, reason="Leave.")

    assert "4001 Rui Reviewer · 1 open case" in shown
    assert "4100 Ren Reviewer · 0 open cases" in shown
    assert "Kai Conflicted" not in shown
    assert "Pei Elsewhere" not in shown
    assert to_conflicted.status_code == 422
    assert done.status_code == 302
    assert TravelRequest.unscoped.get(pk=cast.request.pk).assigned_reviewer == ren


@pytest.mark.parametrize("days", ["0", "11", "a week"])
def test_an_extension_is_bounded(days: str) -> None:
    cast = in_state(State.AUTHORITY_REVIEW)

    with only_looked_at():
        response = do(cast, "Shan", "extend", working_days=days, reason="The host is asked.")

    assert response.status_code == 422
    assert list(response.context["form"].errors) == ["working_days"]


def test_an_appeal_is_filed_heard_and_upheld_page_by_page() -> None:
    cast = in_state(State.DENIED)
    ping = posted(OfficeFactory.create(code="PD"), Role.APPEAL_REVIEWER, "0099", "Ping Appeal")
    remedy = text_of(signed_in(cast.applicant.user).get(url(cast.request, "file_appeal")))

    filed = do(cast, "Alice", "file_appeal", text="The session was cancelled.")
    with only_looked_at():
        too_soon = signed_in(ping).post(url(cast.request, "uphold"), {"text": "It stands."})
    heard = signed_in(ping).post(url(cast.request, "hear_appeal"), {"conflict": "none"})
    upheld = signed_in(ping).post(url(cast.request, "uphold"), {"text": "The ground holds."})

    assert "The last day for an appeal is" in remedy
    assert [filed.status_code, too_soon.status_code, heard.status_code, upheld.status_code] == [302, 409, 302, 302]
    appeal = cast.request.appeals.get()
    assert (appeal.state, appeal.heard_by, appeal.outcome_text) == ("upheld", ping, "The ground holds.")


def test_an_incomplete_draft_says_all_that_is_missing() -> None:
    cast = in_state(State.DRAFT)
    assert cast.applicant.user is not None
    workflow.save_section(
        cast.request.pk,
        actor=actor(cast.applicant.user, MORNING),
        at=MORNING,
        section="trip",
        values={"title": "", "description": ""},
    )

    with only_looked_at():
        looked = signed_in(cast.applicant.user).get(url(cast.request, "submit"))
        pressed = do(cast, "Alice", "submit")

    for response in (looked, pressed):
        assert response.status_code == 422
        assert "Say in a few words what the trip is for." in text_of(response)
        assert "Describe what you will do on the trip." in text_of(response)


def test_the_place_in_the_inbox_is_carried_along_and_leads_nowhere_else() -> None:
    cast = queued()
    place = "tab=unassigned&tier=fast"

    response = signed_in(cast.reviewer).post(
        url(cast.request, "take") + "?from=tab%3Dunassigned%26tier%3Dfast", {"conflict": "none"}
    )
    sly = signed_in(cast.senior).post(
        url(cast.request, "hand_over") + "?from=https%3A%2F%2Fevil.example%2F",
        {"reviewer_id": "queue", "reason": "Leave."},
    )

    case = reverse("case", args=[cast.request.reference])
    assert response["Location"] == f"{case}?from={place.replace('=', '%3D').replace('&', '%26')}"
    assert sly["Location"].startswith(case)


def test_looking_at_the_page_of_a_verb_is_noted_for_the_applicant_to_see() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)

    signed_in(cast.reviewer).get(url(cast.request, "approve"))
    signed_in(cast.applicant.user).get(url(cast.request, "withdraw"))

    [entry] = AccessEntry.objects.all()
    assert (entry.user, entry.role, entry.subject, entry.page) == (
        cast.reviewer,
        Role.REVIEWER,
        cast.request.pk,
        "do/approve",
    )
    assert entry.at == MORNING


def test_ten_thousand_characters_are_a_clear_error_and_kept() -> None:
    cast = in_state(State.COMPANY_REVIEW)
    long = "A reason. " * 1000

    with only_looked_at():
        response = do(cast, "Olivia", "decline", comment=long)

    assert response.status_code == 422
    assert "at most 4000 characters" in text_of(response)
    assert long.strip() in text_of(response)


def test_the_time_has_passed_while_the_page_was_open(monkeypatch: pytest.MonkeyPatch) -> None:
    cast = in_state(State.DECISION_PROPOSED)
    monkeypatch.setattr(timezone, "now", lambda: MORNING + timedelta(days=30))

    with only_looked_at():
        response = do(cast, "Alice", "reply", text="I was travelling.")

    assert response.status_code == 409
    assert "I was travelling." in text_of(response)
