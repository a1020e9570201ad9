"""An appeal from filing to its end: another office hears it, the facts are open again, it can replace the decision.

Alice was denied by Rui and Shan of Haidian; Ping of Pudong hears the appeal, Pan is a senior there and Pia the head.
"""

from datetime import date, timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import AccessEntry, User
from accounts.refusals import Invalid, NotAllowed, NotFound, NotNow
from accounts.roles import Role
from approvals import queries, sweeping
from approvals.clocks import Step
from approvals.models import Appeal, AppealStatement, HearingOffice, TravelRequest
from approvals.states import State
from audit.models import Entry
from authorities.models import Office
from authorities.terms import ClockKind
from notifications import delivery
from notifications.models import Notification
from tests.approvals.calls import as_, call
from tests.approvals.staffing import MORNING, signed_in, text_of
from tests.approvals.test_deciding import TWO_PLACES
from tests.asserting import nothing_moved
from tests.factories import OfficeFactory, actor, in_state, posted
from tests.factories.requests import DENIAL, Cast

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _in_the_morning(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages ask for the time: it is the morning after."""
    monkeypatch.setattr(timezone, "now", lambda: MORNING)


PDF = b"%PDF-1.4 the organisers write that the session is off"


def pudong() -> Office:
    office: Office = OfficeFactory.create(code="PD", name_en="Pudong office")
    return office


def denied(state: State = State.DENIED) -> tuple[Cast, User]:
    cast = in_state(state)
    return cast, posted(pudong(), Role.APPEAL_REVIEWER, "0099", "Ping Appeal")


def heard(state: State = State.DENIED) -> tuple[Cast, User]:
    cast, ping = denied(state)
    as_(cast, cast.applicant.user, "file_appeal")
    as_(cast, ping, "hear_appeal")
    return cast, ping


@pytest.mark.parametrize("state", [State.DENIED, State.REVOKED])
def test_another_office_replaces_a_refusal_by_a_clearance(state: State) -> None:
    cast, ping = denied(state)
    at = cast.request.state_since + timedelta(hours=1)

    as_(cast, cast.applicant.user, "file_appeal", text="The session was cancelled.")
    as_(cast, ping, "hear_appeal")
    request = as_(cast, ping, "overturn", text="Indeed it was.", conditions=["Slides as submitted."])

    assert request.state == State.APPROVED
    assert (request.decided_by_id, request.confirmed_by_id) == (ping.pk, None)
    appeal = Appeal.objects.get(request=request)
    assert (appeal.state, appeal.outcome_text, appeal.ended_at) == ("overturned", "Indeed it was.", at)
    decision = TravelRequest.unscoped.get(pk=request.pk).decision
    assert decision is not None
    assert [one.text for one in decision.conditions.all()] == ["Slides as submitted."]


def test_an_overturned_denial_can_clear_a_part_and_leave_the_rest_refused() -> None:
    cast, ping = heard()
    [leg] = TravelRequest.unscoped.get(pk=cast.request.pk).revision.content["legs"]  # type: ignore[union-attr]
    shorter = leg | {"leaves_on": "2026-04-24"}

    as_(cast, ping, "overturn", cleared=[shorter])

    decision = TravelRequest.unscoped.get(pk=cast.request.pk).decision
    assert decision is not None
    assert (decision.cleared, decision.cleared_until) == ([shorter], date(2026, 4, 24))


def entered(**other: str) -> dict[str, str]:
    """What the page of replacing a decision sends when nothing but the reasons is filled in."""
    shown = {"keep_0": "on", "from_0": "2026-04-22", "to_0": "2026-04-28", "conditions": ""}
    return {"text": "The session is public."} | shown | other


def test_all_of_the_trip_is_cleared_where_nothing_is_left_out_on_the_page() -> None:
    cast, ping = heard()
    url = f"/requests/{cast.request.reference}/do/overturn/"

    shown = text_of(signed_in(ping).get(url))
    assert "What is cleared" in shown
    assert 'value="2026-04-28"' in shown
    assert signed_in(ping).post(url, entered()).status_code == 302

    decision = TravelRequest.unscoped.get(pk=cast.request.pk).decision
    assert decision is not None
    assert (decision.outcome, decision.cleared) == ("approved", [])


def test_a_part_is_cleared_on_the_page_and_the_applicant_sees_which() -> None:
    cast, ping = heard()
    url = f"/requests/{cast.request.reference}/do/overturn/"
    hearer = signed_in(ping)
    with nothing_moved(apart_from=[AccessEntry]):
        for wrong, words in (
            ({"keep_0": ""}, "Clear at least one place"),
            ({"to_0": "2026-04-29"}, "only places and days that the request asks for"),
            ({"to_0": "2026-04-21"}, "only places and days that the request asks for"),
        ):
            refused = hearer.post(url, entered(**wrong))
            assert refused.status_code == 422
            assert words in text_of(refused)
            assert 'href="#id_keep_0"' in text_of(refused)
            assert "The session is public." in text_of(refused)

    assert hearer.post(url, entered(to_0="2026-04-25", conditions="No slides.")).status_code == 302

    decision = TravelRequest.unscoped.get(pk=cast.request.pk).decision
    assert decision is not None
    assert (decision.is_partial, decision.cleared_until) == (True, date(2026, 4, 25))
    assert [one.text for one in decision.conditions.all()] == ["No slides."]
    page = text_of(signed_in(cast.applicant.user).get(f"/requests/{cast.request.reference}/"))
    assert "Cleared for fewer days" in page
    assert "No slides." in page
    delivery.deliver(at=MORNING, mails=False)
    told = Notification.objects.get(recipient=cast.applicant.user, event__event="request.overturn", channel="bell")
    assert "Cleared:\nRio de Janeiro, Brazil: 22 April 2026 to 25 April 2026" in told.body


# ── by the API, as on the page ──────────────────────────────────────────────────────────────────────────────────────


def overturned(cast: Cast, by: User, **given: Any) -> Any:
    address = f"/api/requests/{cast.request.reference}/actions/overturn/"
    return signed_in(by).post(address, {"text": "The session is public."} | given, content_type="application/json")


def the_leg(cast: Cast) -> dict[str, Any]:
    [leg] = TravelRequest.unscoped.get(pk=cast.request.pk).revision.content["legs"]  # type: ignore[union-attr]
    found: dict[str, Any] = leg
    return found


def test_the_api_clears_all_of_the_trip_where_it_names_no_part() -> None:
    cast, ping = heard()
    answer = overturned(cast, ping)
    assert (answer.status_code, answer.json()["state"], answer.json()["conditions"]) == (200, "approved", [])
    assert [leg["leaves_on"] for leg in answer.json()["cleared"]] == ["2026-04-28"]
    appeal = Appeal.objects.get(request=cast.request)
    assert (appeal.state, appeal.outcome_text) == ("overturned", "The session is public.")


def test_the_api_clears_a_part_with_conditions() -> None:
    """A condition is a text, or says who owes it and by when, as when the office approves."""
    cast, ping = heard()
    paper = {"text": "Send the paper.", "owner": "company", "due": "return", "days": 7, "needs_evidence": True}
    shorter = the_leg(cast) | {"leaves_on": "2026-04-24"}

    answer = overturned(cast, ping, cleared=[shorter], conditions=["No slides.", paper])

    assert answer.status_code == 200
    assert answer.json()["cleared"] == [shorter]
    made = [(one["text"], one["owner"], one["due_on"], one["needs_evidence"]) for one in answer.json()["conditions"]]
    assert made == [
        ("No slides.", "applicant", "2026-04-29", False),
        ("Send the paper.", "company", "2026-05-01", True),
    ]
    decision = TravelRequest.unscoped.get(pk=cast.request.pk).decision
    assert decision is not None
    assert (decision.is_partial, decision.cleared) == (True, [shorter])


def test_the_api_refuses_what_the_page_refuses_and_says_where() -> None:
    cast, ping = heard()
    leg = the_leg(cast)
    with nothing_moved(apart_from=[AccessEntry]):
        for wrong, pointer in (
            ({"text": " "}, "/text"),
            ({"cleared": []}, "/cleared"),
            ({"cleared": [leg | {"leaves_on": "2026-04-29"}]}, "/cleared"),
            ({"cleared": [leg | {"city": "Lima"}]}, "/cleared"),
            ({"cleared": [leg]}, "/cleared"),
            ({"cleared": [leg | {"leaves_on": "soon"}]}, "/cleared/0/leaves_on"),
            ({"cleared": [{"country": "BR"}]}, "/cleared/0/city"),
            ({"conditions": [{"text": "A day", "due": "tomorrow"}]}, "/conditions/0/due"),
            ({"conditions": ["Fine.", {"text": "A day", "due": "day"}]}, "/conditions/1/due_on"),
        ):
            refused = overturned(cast, ping, **wrong)
            assert (refused.status_code, refused["Content-Type"]) == (422, "application/problem+json"), wrong
            assert pointer in [one["pointer"] for one in refused.json()["errors"]]
        assert overturned(cast, cast.reviewer).status_code == 403


def test_the_schema_says_what_replaces_a_decision() -> None:
    _cast, ping = heard()
    schemas = (
        signed_in(ping).get("/api/schema/", headers={"accept": "application/json"}).json()["components"]["schemas"]
    )
    said = schemas["OverturnInput"]
    assert {*said["properties"]} == {"text", "conditions", "cleared"}
    assert "Of what is not cleared the refusal stays." in said["description"].replace("\n", " ")
    assert said["properties"]["cleared"]["nullable"] is True


def test_an_appeal_against_a_part_takes_nothing_away_of_what_was_cleared() -> None:
    cast = in_state(State.AUTHORITY_REVIEW, legs=TWO_PLACES)
    ping = posted(pudong(), Role.APPEAL_REVIEWER, "0099", "Ping Appeal")
    first, second = cast.request.revision.content["legs"]  # type: ignore[union-attr]
    as_(cast, cast.reviewer, "propose", outcome="approved", grounds=DENIAL, cleared=[first])
    as_(cast, cast.applicant.user, "reply", 2)
    as_(cast, cast.senior, "confirm", 3)
    as_(cast, cast.applicant.user, "file_appeal", 4)
    as_(cast, ping, "hear_appeal", 5)

    for less in ([first | {"leaves_on": "2026-04-25"}], [second]):
        with nothing_moved(), pytest.raises(Invalid, match="An appeal takes nothing away") as caught:
            as_(cast, ping, "overturn", 6, cleared=less)
        assert [problem.field for problem in caught.value.problems] == ["cleared"]

    more = [first, second | {"leaves_on": second["arrives_on"]}]
    as_(cast, ping, "overturn", 6, cleared=more)
    decision = TravelRequest.unscoped.get(pk=cast.request.pk).decision
    assert decision is not None
    assert decision.cleared == more


# ── filing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_appeal_is_filed_with_documents_that_are_what_they_say() -> None:
    cast, _ping = denied()
    text_file = ContentFile(b"just text", name="letter.pdf")
    with nothing_moved(), pytest.raises(Invalid) as caught:
        as_(cast, cast.applicant.user, "file_appeal", files=[text_file])
    assert [problem.field for problem in caught.value.problems] == ["files"]

    appeal = as_(cast, cast.applicant.user, "file_appeal", files=[ContentFile(PDF, name="C:\\letter.pdf")])

    [document] = appeal.documents.all()
    assert (document.name, document.content_type, document.by_id) == (
        "letter.pdf",
        "application/pdf",
        cast.applicant.user_id,
    )
    entry = Entry.objects.get(chain=cast.request.pk, verb="file_appeal")
    assert entry.data["documents"] == [document.sha256]


def test_the_named_office_hears_it_else_the_first_other_with_somebody_who_took_no_part() -> None:
    cast, _ping = denied()
    request = TravelRequest.unscoped.select_related("applicant", "office").get(pk=cast.request.pk)
    at = request.state_since + timedelta(hours=1)
    suzhou: Office = OfficeFactory.create(code="SZ", name_en="Suzhou office")
    posted(suzhou, Role.APPEAL_REVIEWER, "0050")
    posted(request.office, Role.APPEAL_REVIEWER, "0051")
    assert queries.hearing_office(request, at=at) == pudong()

    HearingOffice.objects.create(office=request.office, heard_by=suzhou)
    assert queries.hearing_office(request, at=at) == suzhou

    suzhou.is_active = False
    suzhou.save()
    assert queries.hearing_office(request, at=at) == pudong()


def test_an_office_whose_only_appeal_reviewer_took_part_does_not_hear_it() -> None:
    cast = in_state(State.DENIED)
    posted(pudong(), Role.APPEAL_REVIEWER, "0090", user=cast.senior)

    with nothing_moved(), pytest.raises(NotNow, match="No other office can hear the appeal today"):
        as_(cast, cast.applicant.user, "file_appeal")
    at = cast.request.state_since
    assert queries.unheard_offices(at=at) == []  # in general somebody could
    cast.senior.postings.filter(office=pudong()).delete()
    assert queries.unheard_offices(at=at) == [cast.request.office]


def test_an_appeal_is_filed_until_the_last_day_once_at_a_time_and_not_after_it_was_decided() -> None:
    cast, ping = denied()
    me = cast.applicant.user
    assert cast.request.decision is not None
    last = cast.request.decision.appeal_until
    assert last == date(2026, 5, 2)
    over = cast.request.state_since + timedelta(days=61)
    with nothing_moved(), pytest.raises(NotNow, match="time for an appeal is over"):
        call("file_appeal", cast.request.pk, actor(me, over), over)  # type: ignore[arg-type]

    as_(cast, me, "file_appeal")
    with nothing_moved(), pytest.raises(NotNow, match="An appeal is open already"):
        as_(cast, me, "file_appeal", 2)
    as_(cast, me, "withdraw_appeal", 3)
    as_(cast, me, "file_appeal", 4)
    as_(cast, ping, "hear_appeal", 5)
    as_(cast, ping, "uphold", 6)
    with nothing_moved(), pytest.raises(NotNow, match="was decided already"):
        as_(cast, me, "file_appeal", 7)


def test_a_withdrawn_appeal_ends_its_clock_and_starts_that_of_filing_again() -> None:
    cast, ping = heard()
    as_(cast, cast.applicant.user, "withdraw_appeal", 2)

    appeal = Appeal.objects.get(request=cast.request)
    assert (appeal.state, appeal.ended_at) == ("withdrawn", cast.request.state_since + timedelta(hours=2))
    running = {clock.kind for clock in cast.request.clocks.filter(ended_at=None)}
    assert (ClockKind.APPEAL in running, ClockKind.APPEAL_FILING in running) == (False, True)
    with nothing_moved(), pytest.raises(NotNow):
        as_(cast, ping, "uphold", 3)


# ── hearing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_hearing_is_noted_and_the_applicant_comments() -> None:
    cast, ping = heard()
    with nothing_moved(), pytest.raises(NotNow, match="No hearing has been noted"):
        as_(cast, cast.applicant.user, "comment_on_hearing", 2)
    with nothing_moved(), pytest.raises(Invalid) as caught:
        as_(cast, ping, "note_hearing", 2, held_on=date(2026, 3, 9), heard=" ", text=" ")
    assert {problem.field for problem in caught.value.problems} == {"held_on", "heard", "text"}

    as_(cast, ping, "note_hearing", 3)
    as_(cast, cast.applicant.user, "comment_on_hearing", 4)

    page = text_of(signed_in(cast.applicant.user).get(reverse("request", args=[cast.request.reference])))
    assert "Heard: Alice Wang" in page
    assert "The session was cancelled." in page
    assert "It was cancelled on the second of March." in page
    case = text_of(signed_in(ping).get(reverse("case", args=[cast.request.reference])))
    assert "It was cancelled on the second of March." in case


def test_a_question_is_answered_before_the_decision_is_upheld_unless_its_time_is_over() -> None:
    cast, ping = heard()
    as_(cast, ping, "ask_in_appeal", 2)
    with nothing_moved(), pytest.raises(NotNow, match="still has time to answer"):
        as_(cast, ping, "uphold", 3)
    with nothing_moved(), pytest.raises(NotNow, match="still has time to answer"):
        as_(cast, ping, "ask_in_appeal", 3)

    as_(cast, cast.applicant.user, "answer_in_appeal", 4, files=[ContentFile(PDF, name="letter.pdf")])

    question = AppealStatement.objects.get(kind="question")
    assert question.answer.text == "The organisers."
    assert as_(cast, ping, "uphold", 5).state == "upheld"


def test_silence_does_not_hold_an_appeal_up_for_ever() -> None:
    cast, ping = heard()
    as_(cast, ping, "ask_in_appeal", 2)
    until = AppealStatement.objects.get(kind="question").answer_until
    assert until is not None
    with nothing_moved(), pytest.raises(NotNow):
        call("uphold", cast.request.pk, actor(ping, until), until - timedelta(seconds=1))
    assert call("uphold", cast.request.pk, actor(ping, until), until).state == "upheld"


def test_either_side_brings_documents_that_the_other_reads_and_the_company_does_not() -> None:
    cast, ping = heard()
    as_(cast, cast.applicant.user, "add_to_appeal", 2, files=[ContentFile(PDF, name="of-alice.pdf")])
    as_(cast, ping, "add_to_appeal", 3, files=[ContentFile(PDF, name="of-ping.pdf")])

    documents = {one.name: one for one in Appeal.objects.get(request=cast.request).documents.all()}
    url = reverse("appeal_document", args=[cast.request.reference, documents["of-ping.pdf"].pk])
    got = signed_in(cast.applicant.user).get(url)
    assert b"".join(got.streaming_content) == PDF  # type: ignore[attr-defined]
    assert got["Content-Disposition"].startswith("attachment")
    assert signed_in(cast.officer).get(url).status_code == 404
    company = text_of(signed_in(cast.officer).get(reverse("request", args=[cast.request.reference])))
    assert "of-ping.pdf" not in company
    assert "The session is not the purpose" not in company


def test_only_who_hears_it_notes_asks_and_decides() -> None:
    cast, _ping = heard()
    second = posted(pudong(), Role.APPEAL_REVIEWER, "0095")
    for verb in ("note_hearing", "ask_in_appeal", "add_to_appeal", "uphold", "overturn"):
        with nothing_moved(), pytest.raises(NotAllowed, match="who hears this appeal"):
            as_(cast, second, verb, 2)
    for verb in ("withdraw_appeal", "answer_in_appeal", "comment_on_hearing"):
        with nothing_moved(), pytest.raises(NotAllowed, match="Only the applicant"):
            as_(cast, second, verb, 2)


# ── time ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_clock_runs_from_the_filing_and_lateness_goes_up_in_the_office_that_hears_it() -> None:
    cast, ping = denied()
    office = pudong()
    pan = posted(office, Role.SENIOR, "0097", "Pan Senior")
    pia = posted(office, Role.HEAD, "0096", "Pia Head")
    as_(cast, cast.applicant.user, "file_appeal")
    clock = cast.request.clocks.get(kind=ClockKind.APPEAL, ended_at=None)
    assert clock.due_at is not None

    sweeping.sweep(at=clock.due_at)
    delivery.deliver(at=clock.due_at)
    later = clock.due_at + timedelta(days=5)
    sweeping.sweep(at=later)
    delivery.deliver(at=later)

    steps = [entry.data["step"] for entry in Entry.objects.filter(chain=cast.request.pk, verb="escalate")]
    assert steps == [Step.ESCALATE, Step.ESCALATE_TO_HEAD]
    told = Notification.objects.filter(event__subject=cast.request.pk, event__event="request.escalate")
    assert set(told.values_list("recipient_id", flat=True)) == {pan.pk, pia.pk}
    assert signed_in(pan).get(reverse("case", args=[cast.request.reference])).status_code == 200
    assert as_(cast, ping, "hear_appeal", 2).heard_by_id == ping.pk  # late, and still to be heard


def test_the_sentence_says_with_whom_since_when_and_by_when() -> None:
    cast, ping = denied()
    as_(cast, cast.applicant.user, "file_appeal")
    page = signed_in(cast.applicant.user)
    url = reverse("request", args=[cast.request.reference])
    assert "The appeal of 3 March 2026 is with Pudong office, which decides by 31 March 2026" in text_of(page.get(url))
    as_(cast, ping, "hear_appeal")
    assert "is under review by Pudong office, which decides by 31 March 2026." in text_of(page.get(url))


# ── figures ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_figures_of_appeals_are_for_seniors_and_auditors_and_counted_in_two_queries() -> None:
    cast, ping = heard()
    as_(cast, ping, "uphold", 24 * 6)
    url = reverse("appeal_figures")
    shown = text_of(signed_in(cast.senior).get(url))
    assert "Quarter 1 of 2026" in shown
    at = cast.request.state_since + timedelta(days=30)
    shan = actor(cast.senior, at)
    with CaptureQueriesContext(connection) as context:
        [(office, [quarter])] = queries.appeal_figures(shan, at=at)
    assert len(context) == 2
    assert office == cast.request.office
    assert (quarter.filed, quarter.upheld, quarter.overturned, quarter.open) == (1, 1, 0, 0)
    assert quarter.median_days == 6
    assert signed_in(cast.reviewer).get(url).status_code == 403
    stranger = posted(OfficeFactory.create(code="SZ"), Role.SENIOR, "0040")
    assert queries.appeal_figures(actor(stranger, at), at=at) == []


def test_the_hearing_office_sees_the_whole_case_and_others_nothing() -> None:
    cast, ping = denied()
    at = cast.request.state_since + timedelta(hours=1)
    assert not queries.visible_to(actor(ping, at)).filter(pk=cast.request.pk).exists()
    with nothing_moved(), pytest.raises(NotFound):
        as_(cast, ping, "hear_appeal")
    as_(cast, cast.applicant.user, "file_appeal")
    assert queries.visible_to(actor(ping, at)).filter(pk=cast.request.pk).exists()
    reviewer = posted(pudong(), Role.REVIEWER, "0093")
    assert not queries.visible_to(actor(reviewer, at)).filter(pk=cast.request.pk).exists()
