"""The page of a request: where it stands, when it is due and why, what happened, who may read what."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format

from accounts.models import AccessEntry, User
from accounts.roles import SYSTEM, Actor, Role
from approvals import queries, workflow
from approvals.clocks import Line, LineKind
from approvals.models import TravelRequest
from approvals.states import State
from approvals.views import parts, standing
from authorities.models import Office
from tests.factories import (
    DENIAL,
    NOW,
    CompanyFactory,
    OfficeFactory,
    actor,
    employ,
    in_state,
    officer_of,
    posted,
    with_role,
)
from tests.factories.requests import LEGS, TRIP, Cast

pytestmark = pytest.mark.django_db

EVENING = NOW + timedelta(hours=9)


@pytest.fixture(autouse=True)
def english() -> Any:
    with translation.override("en"):
        yield


def alice(cast: Cast) -> User:
    assert cast.applicant.user is not None
    return cast.applicant.user


def fresh(request: TravelRequest) -> TravelRequest:
    return queries.in_full(SYSTEM).get(pk=request.pk)


def said(cast: Cast, user: User, at: datetime = EVENING) -> str:
    return standing.sentence(fresh(cast.request), actor(user, at), at)


def open_page(user: User, request: TravelRequest) -> Any:
    browser = Client()
    browser.force_login(user)
    return browser.get(reverse("request", args=[request.reference]))


def text_of(response: Any) -> str:
    return unescape(response.content.decode())


# ── the sentence ────────────────────────────────────────────────────────────────────────────────────────────────────

SENTENCES = {
    State.DRAFT: "Being written since 3 March 2026. It lapses after 1 June 2026 if it is not submitted by then.",
    State.COMPANY_REVIEW: "With Beichen Intelligence since 3 March 2026. The company reviews it by 6 March 2026; "
    "without an answer it goes to Haidian office by itself. You need do nothing.",
    State.RETURNED: "Beichen Intelligence asked for changes on 3 March 2026. "
    "Make them and submit again by 17 March 2026.",
    State.COMPANY_DECLINED: "Beichen Intelligence declined this business trip on 3 March 2026. "
    "Until 2 April 2026 you can refer it to Haidian office as a personal trip.",
    State.AUTHORITY_REVIEW: "With Haidian office, officer 4001, since 3 March 2026. "
    "Decision due by 6 March 2026. You need do nothing.",
    State.INFORMATION_REQUESTED: "Haidian office asked you for information on 3 March 2026. "
    "Answer by 17 March 2026. The office's clock is stopped until then.",
    State.DECISION_PROPOSED: "With Haidian office, officer 4001, since 3 March 2026. "
    "A denial is proposed. Nothing is decided: you can reply until 10 March 2026.",
    State.APPROVED: "Cleared on 3 March 2026 for the trip from 22 April 2026 to 28 April 2026.",
    State.DENIED: "Denied on 3 March 2026. You can appeal until 2 May 2026.",
    State.REVOKED: "The clearance was taken back on 3 March 2026. You can appeal until 2 May 2026.",
    State.CLOSED: "Closed on 3 March 2026. There is nothing more to do.",
    State.WITHDRAWN: "You withdrew this request on 3 March 2026.",
    State.LAPSED: "Lapsed on 2 June 2026, because there was no reaction in time. "
    "Nothing is lost: until 2 July 2026 you can reopen it where it was.",
}


@pytest.mark.parametrize("state", list(State))
def test_alice_is_told_where_it_is_and_what_she_need_do(state: State) -> None:
    cast = in_state(state)
    assert said(cast, alice(cast)) == SENTENCES[state].replace("4001", cast.request.assigned_number)


@pytest.mark.parametrize(
    ("state", "whose"),
    [
        (State.COMPANY_REVIEW, "officer"),
        (State.AUTHORITY_REVIEW, "reviewer"),
    ],
)
def test_whose_turn_it_is_is_told_to_them(state: State, whose: str) -> None:
    cast = in_state(state)
    for name in ("officer", "reviewer", "senior"):
        assert ("It is your turn." in said(cast, getattr(cast, name))) is (name == whose), name


def test_a_late_decision_is_called_late_and_no_refusal() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    words = said(cast, alice(cast), at=NOW + timedelta(days=10))
    assert "The decision was due by 6 March 2026 and is late. It is being escalated; late is no refusal." in words


def test_after_the_window_the_appeal_is_over() -> None:
    cast = in_state(State.DENIED)
    assert said(cast, alice(cast), at=NOW + timedelta(days=61)).endswith("The time for an appeal is over.")


def test_a_filed_appeal_is_with_another_office() -> None:
    cast = in_state(State.DENIED)
    posted(OfficeFactory.create(code="CY", name_en="Chaoyang office"), Role.APPEAL_REVIEWER, "9001", "Ping Peer")
    workflow.file_appeal(cast.request.pk, actor=actor(alice(cast), EVENING), at=EVENING, text="The session was open.")

    sentence = said(cast, alice(cast), at=EVENING + timedelta(hours=1))
    assert "The appeal of 3 March 2026 is with Chaoyang office, which decides by 31 March 2026" in sentence
    assert "You need do nothing." in sentence


# ── the arithmetic ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_due_date_is_counted_day_by_day() -> None:
    cast = in_state(State.COMPANY_REVIEW)

    (company,) = standing.arithmetic(fresh(cast.request), NOW + timedelta(days=2))

    assert (company.label, company.days, company.used, company.remaining) == ("Company review", 3, 2, 1)
    assert [(str(line.first), str(line.last), line.numbers, line.words) for line in company.lines] == [
        ("2026-03-03", "2026-03-03", "", "day of the event, not counted"),
        ("2026-03-04", "2026-03-06", "1–3", "counted"),
    ]


def test_a_pause_says_who_stopped_the_clock_and_why() -> None:
    cast = in_state(State.INFORMATION_REQUESTED)
    later = NOW + timedelta(days=3)
    answering, stopped = standing.arithmetic(fresh(cast.request), later)
    assert (answering.kind, stopped.kind, stopped.is_stopped) == ("answer", "decision", True)
    (pause,) = stopped.pauses
    assert (str(pause.first), pause.last) == ("2026-03-03", None)
    assert (pause.by, pause.why) == ("Haidian office", "To see who the host is.")

    workflow.answer(cast.request.pk, actor=actor(alice(cast), later), at=later, answers=["The host."])

    (deciding,) = standing.arithmetic(fresh(cast.request), later + timedelta(hours=1))
    (pause,) = deciding.pauses
    assert (str(pause.first), str(pause.last), pause.why) == ("2026-03-03", "2026-03-06", "To see who the host is.")
    assert deciding.is_stopped is False
    assert pause.is_within_days is False
    stood_still = next(line for line in deciding.lines if line.kind == "stopped")
    assert (str(stood_still.first), str(stood_still.last)) == ("2026-03-04", "2026-03-05")
    assert (stood_still.cause, stood_still.why) == ("Haidian office", "To see who the host is.")


def test_a_pause_that_took_no_whole_day_is_said_to_move_nothing() -> None:
    cast = in_state(State.INFORMATION_REQUESTED)
    later = cast.request.state_since + timedelta(hours=3)
    workflow.answer(cast.request.pk, actor=actor(alice(cast), later), at=later, answers=["The host."])

    (deciding,) = standing.arithmetic(fresh(cast.request), later + timedelta(hours=1))
    assert [pause.is_within_days for pause in deciding.pauses] == [True]
    assert "stopped" not in [line.kind for line in deciding.lines]


def test_the_days_of_an_extension_come_after_the_line_that_says_why() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    at = cast.request.state_since + timedelta(hours=1)
    why = "The host has not answered."
    workflow.extend(cast.request.pk, actor=actor(cast.senior, at), at=at, working_days=5, reason=why)

    (deciding,) = standing.arithmetic(fresh(cast.request), at)
    assert [(line.kind, str(line.first), str(line.last), line.numbers) for line in deciding.lines] == [
        ("event", "2026-03-03", "2026-03-03", ""),
        ("counted", "2026-03-04", "2026-03-06", "1–3"),
        ("extension", "2026-03-03", "2026-03-03", ""),
        ("off", "2026-03-07", "2026-03-08", ""),
        ("counted", "2026-03-09", "2026-03-13", "4–8"),
    ]
    granted, extension, more = deciding.lines[1], deciding.lines[2], deciding.lines[4]
    assert (granted.words, more.words) == ("counted", "counted, of the extension")
    assert (extension.words, extension.why) == ("extended by 5 working days", why)
    assert (str(deciding.last_day), deciding.zone) == ("2026-03-13", "Beijing")


def test_days_of_a_line_are_parted_where_the_extension_begins() -> None:
    """Four days in a row, of which the first three were granted at first."""
    row = Line(LineKind.COUNTED, date(2026, 3, 9), date(2026, 3, 12), number=1)
    first, second = standing._split(row, 3)
    assert (first.number, first.last_number, str(first.last)) == (1, 3, "2026-03-11")
    assert (second.number, second.last_number, str(second.first)) == (4, 4, "2026-03-12")
    assert standing._split(row, 4) == standing._split(row, 0) == [row]


# ── the timeline ────────────────────────────────────────────────────────────────────────────────────────────────────


def _timeline(cast: Cast, reader: Actor) -> list[tuple[str, str, str]]:
    found = standing.timeline(fresh(cast.request), reader, EVENING)
    return [(entry.words, entry.who, entry.detail) for entry in found]


def test_everything_that_happened_in_words_the_latest_first() -> None:
    cast = in_state(State.DENIED)
    number, senior = cast.request.assigned_number, f"5{cast.request.assigned_number[1:]}"

    assert _timeline(cast, actor(alice(cast), EVENING)) == [
        ("Proposed decision confirmed", f"Senior reviewer, officer {senior}", "Denied"),
        ("The applicant replied to what is proposed", "You", "Please reconsider."),
        ("Decision proposed", f"Reviewer, officer {number}", f"Denial\n{DENIAL.text}"),
        ("Case taken by a reviewer", f"Reviewer, officer {number}", "Declared to have no conflict of interest."),
        ("Endorsed by the company", "Olivia Officer, compliance officer", ""),
        ("Submitted", "You", "Revision 1"),
        ("Draft begun", "You", ""),
    ]


def test_the_company_sees_that_it_happened_not_what_was_said() -> None:
    cast = in_state(State.DENIED)

    seen = _timeline(cast, actor(cast.officer, EVENING))

    assert [words for words, _who, _detail in seen][:3] == [
        "Proposed decision confirmed",
        "The applicant replied to what is proposed",
        "Decision proposed",
    ]
    told = " ".join(detail for _words, _who, detail in seen)
    assert "Please reconsider." not in told
    assert DENIAL.text not in told
    assert ("The applicant replied to what is proposed", f"{cast.applicant.name}, applicant", "") in seen
    assert ("Endorsed by the company", "You", "") in seen


def test_a_proposed_clearance_is_not_told_before_it_is_one() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    workflow.propose(
        cast.request.pk,
        actor=actor(cast.reviewer, EVENING),
        at=EVENING,
        outcome="approved",
        grounds=workflow.Grounds(text="Fine."),
    )

    def proposal(reader: User) -> str:
        found = standing.timeline(fresh(cast.request), actor(reader, EVENING), EVENING)
        return next(entry.detail for entry in found if entry.verb == "propose")

    assert proposal(alice(cast)) == ""
    assert proposal(cast.senior) == "Approval"


def test_what_concerns_a_reviewer_is_not_told_to_the_applicant() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    workflow.hand_over(
        cast.request.pk, actor=actor(cast.senior, EVENING), at=EVENING, reviewer_id=None, reason="On sick leave."
    )
    auditor = with_role(Role.AUDITOR)

    def told(reader: User) -> str:
        found = standing.timeline(fresh(cast.request), actor(reader, EVENING), EVENING)
        return next(entry.detail for entry in found if entry.verb == "hand_over")

    assert told(alice(cast)) == "Back to the queue of the office"
    assert told(auditor) == "Back to the queue of the office\nOn sick leave."


@pytest.mark.parametrize("state", [state for state in State if state not in (State.DRAFT,)])
def test_people_of_the_office_are_numbers_to_everybody_outside(state: State) -> None:
    cast = in_state(state)
    readers = [alice(cast)] if state in (State.WITHDRAWN, State.LAPSED) else [alice(cast), cast.officer]
    for reader in readers:
        shown = text_of(open_page(reader, cast.request))
        for name in ("Rui Reviewer", "Shan Senior", "Sun Senior"):
            assert name not in shown


# ── the page ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_from_top_to_bottom() -> None:
    cast = in_state(State.AUTHORITY_REVIEW, at=timezone.now() - timedelta(hours=12), legs=_soon(60))

    shown = text_of(open_page(alice(cast), cast.request))

    order = [
        f"officer {cast.request.assigned_number}, since",
        "How the due date comes about",
        "What you can do",
        "What happened",
        "The request",
        "Published lists",
        "Documents",
        "Who looked at this request",
    ]
    places = [shown.index(words) for words in order]
    assert places == sorted(places)
    assert f'href="{reverse("request_do", args=[cast.request.reference, "withdraw"])}"' in shown


def test_an_officer_goes_back_to_the_inbox_where_they_came_from_and_alice_to_her_requests() -> None:
    cast = in_state(State.COMPANY_REVIEW)
    page, inbox, anchor = reverse("request", args=[cast.request.reference]), reverse("inbox"), cast.request.reference
    officer, mine = Client(), Client()
    officer.force_login(cast.officer)
    mine.force_login(alice(cast))
    assert f'<li><a href="{inbox}">' in officer.get(page).content.decode()
    kept = officer.get(page, {"from": "tab=decided&page=2"}).content.decode()
    assert f'<li><a href="{inbox}?tab=decided&amp;page=2#r-{anchor}">' in kept
    own = mine.get(page).content.decode()
    assert f'<li><a href="{reverse("request_list")}">' in own
    assert f'<li><a href="{inbox}"' not in own


def _soon(days: int) -> list[dict[str, Any]]:
    first = timezone.localdate() + timedelta(days=days)
    return [LEGS[0] | {"arrives_on": first, "leaves_on": first + timedelta(days=3)}]


def test_a_decision_due_after_departure_is_warned_of() -> None:
    late = in_state(State.COMPANY_REVIEW, at=timezone.now() - timedelta(hours=2), legs=_soon(1))
    assert "Due after the departure" in text_of(open_page(alice(late), late.request))
    bob = employ("Bob Li", late.applicant.company)
    early = in_state(State.COMPANY_REVIEW, employee=bob, at=timezone.now() - timedelta(hours=2), legs=_soon(60))
    assert "Due after the departure" not in text_of(open_page(alice(early), early.request))


def test_a_denial_says_why_and_what_can_be_done() -> None:
    cast = in_state(State.DENIED, at=timezone.now() - timedelta(hours=12), legs=_soon(60))
    assert cast.request.decision is not None
    until = cast.request.decision.appeal_until

    shown = text_of(open_page(alice(cast), cast.request))

    for words in (
        "T1 Technology of a published list",
        'href="https://law.example/9"',
        "Measures on exit approvals (fictitious), Article 9",
        DENIAL.text,
        DENIAL.facts,
        DENIAL.milder_measures,
        "Please reconsider.",
        "Decided on revision 1",
        "If you disagree",
        "In writing to Haidian office: 1 Example Road, Haidian, Beijing, +86 10 5550 0101, haidian@authority.example",
        reverse("request_do", args=[cast.request.reference, "file_appeal"]),
    ):
        assert words in shown, words
    with translation.override("en"):
        remedy = parts.ruling(fresh(cast.request), actor(alice(cast), timezone.now()), timezone.now())
    assert remedy is not None
    assert remedy.remedy is not None
    assert until is not None
    assert date_format(until, "j F Y") in remedy.remedy.words
    assert remedy.confirmed_by.startswith("Senior reviewer, officer 5")
    officer = text_of(open_page(cast.officer, cast.request))
    assert "Please reconsider." not in officer
    assert "file_appeal" not in officer


def test_a_proposed_denial_shows_its_grounds_to_alice_and_not_to_the_company() -> None:
    cast = in_state(State.DECISION_PROPOSED, at=timezone.now() - timedelta(hours=12), legs=_soon(60))

    shown = text_of(open_page(alice(cast), cast.request))
    assert "Proposed, not decided" in shown
    assert DENIAL.relied_on[0].fact in shown
    assert reverse("request_do", args=[cast.request.reference, "reply"]) in shown
    company = text_of(open_page(cast.officer, cast.request))
    assert DENIAL.relied_on[0].fact not in company
    assert DENIAL.text not in company


def test_questions_stand_beside_their_answers() -> None:
    cast = in_state(State.INFORMATION_REQUESTED, at=timezone.now() - timedelta(hours=12), legs=_soon(60))
    shown = text_of(open_page(alice(cast), cast.request))
    assert "Who pays?" in shown
    assert "Not answered yet" in shown
    at = timezone.now()
    workflow.answer(cast.request.pk, actor=actor(alice(cast), at), at=at, answers=["The foundation pays."])

    shown = text_of(open_page(alice(cast), cast.request))
    assert re.search(r"<dt>Who pays\?</dt>\s*<dd>\s*<p>The foundation pays\.</p>", shown)
    assert "Not answered yet" not in shown


def test_a_request_that_ended_waits_for_no_answer_any_more() -> None:
    cast = in_state(State.INFORMATION_REQUESTED, at=timezone.now() - timedelta(hours=12), legs=_soon(60))
    assert "working days to answer" in text_of(open_page(alice(cast), cast.request))
    at = timezone.now()
    workflow.withdraw(cast.request.pk, actor=actor(alice(cast), at), at=at)

    shown = text_of(open_page(alice(cast), cast.request))
    assert "Not answered" in shown
    assert "Not answered yet" not in shown
    assert "working days to answer" not in shown
    company = text_of(open_page(cast.officer, cast.request))
    assert "Who pays?" not in company
    assert "The foundation pays." not in company
    assert "To see who the host is." not in company


def test_what_a_revision_changed_is_shown_as_a_difference() -> None:
    cast = in_state(State.RETURNED, at=timezone.now() - timedelta(hours=12), legs=_soon(60))
    at = timezone.now()
    me = actor(alice(cast), at)
    workflow.save_section(
        cast.request.pk,
        actor=me,
        at=at,
        section="all",
        values={"title": "ICLR 2027 in Rio", "topics": ["cs.IR", "cs.CL"], "declarations": TRIP["declarations"]},
    )
    workflow.submit(cast.request.pk, actor=me, at=at)

    (second,) = standing.diff(fresh(cast.request))

    assert second.number == 2
    assert [(change.label, change.old, change.new) for change in second.changes] == [
        ("What the trip is for", "ICLR in Rio", "ICLR 2027 in Rio"),
        (
            "Subjects",
            "Information retrieval",
            "Information retrieval\nComputation and language (large language models, translation, speech)",
        ),
    ]
    assert '<span class="visually-hidden">added: </span>' in text_of(open_page(alice(cast), cast.request))


def test_who_looked_is_shown_to_alice_by_number_and_day() -> None:
    cast = in_state(State.AUTHORITY_REVIEW, at=timezone.now() - timedelta(hours=12), legs=_soon(60))
    auditor = with_role(Role.AUDITOR, "Audrey Auditor")
    for reader in (cast.officer, cast.officer, cast.reviewer, auditor):
        browser = Client()
        browser.force_login(reader)
        browser.get(reverse("request", args=[cast.request.reference]), follow=True)
    open_page(alice(cast), cast.request)

    looks = standing.looks(cast.request, actor(alice(cast), timezone.now()))

    assert {(look.who, look.times) for look in looks} == {
        ("Olivia Officer, compliance officer", 2),
        (f"Reviewer, officer {cast.request.assigned_number}", 1),
        ("Auditor", 1),
    }
    assert f"Reviewer, officer {cast.request.assigned_number}" in text_of(open_page(alice(cast), cast.request))
    assert "Who looked at this request" not in text_of(open_page(cast.officer, cast.request))
    assert not AccessEntry.objects.filter(user=alice(cast)).exists()


def test_office_people_are_led_to_the_case_page_without_a_second_note() -> None:
    cast = in_state(State.AUTHORITY_REVIEW, at=timezone.now() - timedelta(hours=12), legs=_soon(60))
    answer = open_page(cast.reviewer, cast.request)
    assert answer["Location"] == reverse("case", args=[cast.request.reference])
    assert not AccessEntry.objects.exists()


def test_a_number_is_read_as_people_type_it() -> None:
    cast = in_state(State.COMPANY_REVIEW, at=timezone.now() - timedelta(hours=2), legs=_soon(60))
    browser = Client()
    browser.force_login(alice(cast))
    typed = cast.request.reference.lower().replace("-", "")
    assert browser.get(reverse("request", args=[typed])).status_code == 200


def test_charlie_from_elsewhere_finds_nothing() -> None:
    cast = in_state(State.AUTHORITY_REVIEW, at=timezone.now() - timedelta(hours=12), legs=_soon(60))
    company, office = CompanyFactory.create(name_en="Nanhu Models"), Office.objects.get(code="HD")
    elsewhere = OfficeFactory.create(code="CY")
    assert office != elsewhere
    charlies = [
        employ("Charlie Chen", company).user,
        officer_of(company, "Charlie Chen"),
        posted(elsewhere, Role.REVIEWER, "9001", "Charlie Chen"),
        posted(elsewhere, Role.SENIOR, "9002", "Charlie Chen"),
        with_role(Role.LIST_MANAGER),
    ]
    for charlie in charlies:
        assert charlie is not None
        assert open_page(charlie, cast.request).status_code == 404
    assert not AccessEntry.objects.exists()


@pytest.mark.parametrize("state", [State.AUTHORITY_REVIEW, State.DENIED])
def test_the_page_costs_the_same_however_much_happened(state: State) -> None:
    cast = in_state(state, at=timezone.now() - timedelta(hours=12), legs=_soon(60))
    browser = Client()
    browser.force_login(alice(cast))
    url = reverse("request", args=[cast.request.reference])

    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert browser.get(url).status_code == 200
        return len(captured)

    if state == State.AUTHORITY_REVIEW:
        _hand_over(cast)
    open_page(cast.officer, cast.request)
    cost()  # calendars and policies are read once by each process
    before = cost()
    for _n in range(3):
        open_page(cast.officer, cast.request)
        if state == State.AUTHORITY_REVIEW:
            _hand_over(cast)
    assert cost() == before
    assert before == {State.AUTHORITY_REVIEW: 17, State.DENIED: 22}[state]


def _hand_over(cast: Cast) -> None:
    at = timezone.now()
    workflow.hand_over(
        cast.request.pk, actor=actor(cast.senior, at), at=at, reviewer_id=cast.reviewer.pk, reason="Back again."
    )
