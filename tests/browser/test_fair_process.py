"""The journeys of fair process, on real pages: what the office asks, what it imposes, and how people answer."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import User
from accounts.roles import Role
from approvals import workflow
from approvals.models import Condition, InformationAnswer, InformationRequest, TravelRequest
from approvals.models.conditions import ConditionState
from approvals.states import State
from tests.browsing import DESK, PHONE, OpenWindow, is_too_wide
from tests.factories import DENIAL, OfficeFactory, actor, employ, in_state, posted
from tests.factories.people import CompanyFactory
from tests.factories.requests import Cast

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser-fair-process")]

PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n%%EOF\n"


def under_review() -> Cast:
    """A trip in six weeks, with Rui since an hour or so."""
    first = timezone.localdate() + timedelta(days=42)
    leg = {"country": "BR", "city": "Rio de Janeiro", "host": "ICLR Foundation"}
    legs = [leg | {"arrives_on": first, "leaves_on": first + timedelta(days=6)}]
    at = timezone.now() - timedelta(hours=12)
    return in_state(State.AUTHORITY_REVIEW, employee=employ("Alice Wang", CompanyFactory.create()), at=at, legs=legs)


def alice_of(cast: Cast) -> User:
    assert cast.applicant.user is not None
    return cast.applicant.user


def pdf(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_bytes(PDF)
    return path


@pytest.mark.parametrize("script", [True, False], ids=["with-javascript", "without-javascript"])
def test_12_the_office_asks_in_one_list_and_alice_answers_item_by_item(
    open_window: OpenWindow, tmp_path: Path, script: bool
) -> None:
    cast = under_review()
    number = cast.request.reference
    with open_window(cast.reviewer, width=DESK, java_script_enabled=script) as rui:
        page = rui.page
        rui.go(f"/requests/{number}/do/ask_information/")
        page.locator("#id_items-0-question").fill("Who pays for the trip?")
        page.get_by_role("button", name="Add another").click()
        page.locator("#id_items-1-question").fill("Please add the contract.")
        page.locator("#id_items-1-kind").select_option("document")
        expect(page.locator("#id_items-0-question")).to_have_value("Who pays for the trip?")
        page.locator("#id_reason").fill("To see who the host is.")
        page.locator("#id_working_days").fill("12")
        page.locator("main form [type=submit]:visible").last.click()
        expect(page.get_by_text("The applicant was asked.", exact=False).first).to_be_visible()
    assert [item.kind for item in InformationRequest.objects.get(request=cast.request).questions] == [
        "text",
        "document",
    ]

    with open_window(alice_of(cast), width=PHONE, java_script_enabled=script) as alice:
        page = alice.page
        alice.go(f"/requests/{number}/")
        page.locator(".actions").get_by_role("link", name="Answer the office").click()
        expect(page.get_by_text("0 of 2 answered")).to_be_visible()
        page.get_by_role("link", name="Who pays for the trip?").click()
        page.locator("#id_text").fill("My company pays.")
        page.get_by_role("button", name="Save and go on").click()
        page.locator("#id_file").set_input_files(pdf(tmp_path, "contract.pdf"))
        page.get_by_role("button", name="Add these documents").click()
        expect(page.get_by_role("link", name="contract.pdf")).to_be_visible()
        assert not is_too_wide(page)
        page.get_by_role("button", name="Save and go on").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Check your answers")
        page.get_by_role("button", name="Send the answers").click()
        expect(page.get_by_text("Your answers are with the office", exact=False).first).to_be_visible()
    given = InformationAnswer.objects.get(request=cast.request).given
    assert (given[0].text, given[1].documents[0]["name"]) == ("My company pays.", "contract.pdf")

    with open_window(cast.reviewer) as rui:
        rui.go(f"/cases/{number}/")
        conversation = rui.page.locator("#conversation")
        expect(conversation).to_contain_text("My company pays.")
        expect(conversation.get_by_role("link", name="contract.pdf")).to_be_visible()


def test_21_a_condition_is_imposed_reported_with_a_document_and_released(
    open_window: OpenWindow, tmp_path: Path
) -> None:
    cast = under_review()
    number = cast.request.reference
    with open_window(cast.reviewer) as rui:
        rui.go(f"/requests/{number}/do/approve/")
        page = rui.page
        page.locator("#id_conditions-0-text").fill("The slides go to the company.")
        page.locator("#id_conditions-0-needs_evidence").check()
        page.locator("main form [type=submit]:visible").last.click()
        expect(page.get_by_text("Approved. The applicant was told.").first).to_be_visible()

    with open_window(alice_of(cast), width=PHONE) as alice:
        page = alice.page
        alice.go(f"/requests/{number}/")
        page.locator("#conditions").get_by_role("link", name="Report as met").click()
        page.locator("#id_text").fill("The company has them since Monday.")
        page.locator("#id_file").set_input_files(pdf(tmp_path, "slides.pdf"))
        page.get_by_role("button", name="Add these documents").click()
        expect(page.get_by_role("link", name="slides.pdf")).to_be_visible()
        expect(page.locator("#id_text")).to_have_value("The company has them since Monday.")
        page.get_by_role("button", name="Report it as met").click()
        expect(page.get_by_text("Reported, with the office")).to_be_visible()
        assert not is_too_wide(page)

    with open_window(cast.reviewer) as rui:
        page = rui.page
        rui.go(f"/cases/{number}/")
        page.locator("#conditions").get_by_role("link", name="Release").click()
        expect(page.get_by_role("link", name="slides.pdf")).to_be_visible()
        page.locator("main form [type=submit]:visible").last.click()
        expect(page.locator("#conditions")).to_contain_text("Released")
    assert TravelRequest.unscoped.get(pk=cast.request.pk).open_conditions == 0


def test_21_alice_cannot_comply_and_is_answered(open_window: OpenWindow) -> None:
    cast = under_review()
    at = timezone.now()
    given: dict[str, Any] = {"conditions": [workflow.Obligation(text="Send the programme.", due="departure")]}
    workflow.approve(cast.request.pk, actor=actor(cast.reviewer, at), at=at, **given)
    number = cast.request.reference
    with open_window(alice_of(cast)) as alice:
        page = alice.page
        alice.go(f"/requests/{number}/")
        page.locator("#conditions").get_by_role("link", name="Cannot be met").click()
        page.locator("#id_text").fill("The organisers publish it on the day.")
        page.locator("main form [type=submit]:visible").last.click()
        expect(page.locator("#conditions")).to_contain_text("Cannot be met, with the office")

    with open_window(cast.reviewer) as rui:
        page = rui.page
        rui.go(f"/cases/{number}/")
        page.locator("#conditions").get_by_role("link", name="Answer").click()
        expect(page.get_by_text("The organisers publish it on the day.")).to_be_visible()
        page.get_by_label("Change it").check()
        page.locator("#id_text").fill("Then what is known.")
        page.locator("#id_new_text").fill("Send the draft of the programme.")
        page.locator("main form [type=submit]:visible").last.click()
        expect(page.locator("#conditions")).to_contain_text("Send the draft of the programme.")
    (one,) = TravelRequest.unscoped.get(pk=cast.request.pk).conditions_now
    assert (one.state, one.text) == (ConditionState.OPEN, "Send the draft of the programme.")
    assert Condition.objects.get(request=cast.request).text == "Send the programme."


def test_16_a_denial_is_proposed_replied_to_with_a_document_and_confirmed(
    open_window: OpenWindow, tmp_path: Path
) -> None:
    cast = under_review()
    number = cast.request.reference
    with open_window(cast.reviewer) as rui:
        page = rui.page
        rui.go(f"/cases/{number}/")
        page.locator(".actions").get_by_role("link", name="Propose a denial").click()
        expect(page.get_by_role("link", name="Propose to approve a shorter trip")).to_be_visible()
        page.locator("[name=why_not_condition]").fill("The session is the only purpose of the trip.")
        page.locator("[name=why_not_shorter]").fill("The session is on the first day.")
        page.locator("[name=reason_codes]").first.check()
        page.locator("[name=part_0]").select_option("event")
        page.locator("[name=fact_0]").fill("The programme lists a closed session.")
        page.locator("[name=text]").fill("The session concerns a listed topic.")
        page.locator("main form [type=submit]:visible").last.click()
        expect(page.get_by_text("The applicant is heard before", exact=False).first).to_be_visible()

    with open_window(alice_of(cast), width=PHONE) as alice:
        page = alice.page
        alice.go(f"/requests/{number}/")
        expect(page.locator("#proposed")).to_contain_text("The programme lists a closed session.")
        page.locator("#proposed").get_by_role("link", name="Event: ICLR").click()
        expect(page.locator("#part-event")).to_be_in_viewport()
        page.locator(".actions").get_by_role("link", name="Reply to the proposed decision").click()
        page.locator("[name=text]").fill("The session was opened to everybody.")
        page.locator("[name=documents]").set_input_files([pdf(tmp_path, "programme.pdf"), pdf(tmp_path, "letter.pdf")])
        page.locator("[name=helper_name]").fill("Lin Law")
        page.locator("main form [type=submit]:visible").last.click()
        expect(page.locator("#id_helper_relation")).to_have_attribute("aria-invalid", "true")  # named by half
        page.locator("[name=helper_relation]").fill("lawyer")
        page.locator("[name=helper_agrees]").check()
        page.locator("[name=documents]").set_input_files([pdf(tmp_path, "programme.pdf"), pdf(tmp_path, "letter.pdf")])
        assert not is_too_wide(page)
        page.locator("main form [type=submit]:visible").last.click()
        expect(page.get_by_text("Your reply was received.", exact=False).first).to_be_visible()

    with open_window(cast.senior) as shan:
        page = shan.page
        shan.go(f"/requests/{number}/do/confirm/")
        expect(page.locator("#reply")).to_contain_text("written with the help of Lin Law (lawyer)")
        expect(page.locator("#reply").get_by_role("link", name="programme.pdf")).to_be_visible()
        expect(page.locator("#since")).to_contain_text("The applicant replied to what is proposed")
        page.locator("[name=conflict][value=none]").check()
        page.locator("main form [type=submit]:visible").last.click()
        expect(page.get_by_text("Decided. The applicant was told.").first).to_be_visible()

    with open_window(alice_of(cast)) as alice:
        alice.go(f"/requests/{number}/")
        decision = alice.page.locator("#decision")
        for words in ("The session was opened to everybody.", "Lin Law", "letter.pdf", "If you disagree"):
            expect(decision).to_contain_text(words)


def test_20_a_part_is_cleared_instead_of_a_denial(open_window: OpenWindow) -> None:
    cast = under_review()
    number = cast.request.reference
    with open_window(cast.reviewer, width=PHONE, java_script_enabled=False) as rui:
        page = rui.page
        rui.go(f"/requests/{number}/do/propose_denial/")
        page.get_by_role("link", name="Propose to approve a shorter trip").click()
        page.locator("[name=to_0]").fill((timezone.localdate() + timedelta(days=44)).isoformat())
        page.locator("[name=why_not_condition]").fill("It cannot be watched.")
        page.locator("[name=reason_codes]").first.check()
        page.locator("[name=part_0]").select_option("dates")
        page.locator("[name=fact_0]").fill("The closed session is on the fourth day.")
        page.locator("[name=text]").fill("The first days are enough for the conference.")
        page.locator("main form [type=submit]:visible").last.click()
        expect(page.get_by_text("The applicant is heard before", exact=False).first).to_be_visible()
        assert not is_too_wide(page)
    with open_window(alice_of(cast)) as alice:
        alice.go(f"/requests/{number}/")
        expect(alice.page.locator("#proposed")).to_contain_text("Cleared for fewer days")
        expect(alice.page.locator("#proposed")).to_contain_text("The first days are enough for the conference.")


def refused_by_the_office() -> tuple[Cast, User]:
    """A denial of an hour or so ago, and Ping, who hears appeals in another office."""
    at = timezone.now() - timedelta(hours=12)
    first = timezone.localdate() + timedelta(days=42)
    leg = {"country": "BR", "city": "Rio de Janeiro", "host": "ICLR Foundation"}
    legs = [leg | {"arrives_on": first, "leaves_on": first + timedelta(days=6)}]
    cast = in_state(State.DENIED, employee=employ("Alice Wang", CompanyFactory.create()), at=at, legs=legs)
    pudong = OfficeFactory.create(code="PD", name_en="Pudong office")
    return cast, posted(pudong, Role.APPEAL_REVIEWER, "0099", "Ping Appeal")


def test_19_alice_appeals_with_one_click_is_heard_and_the_decision_is_replaced(
    open_window: OpenWindow, tmp_path: Path
) -> None:
    cast, ping = refused_by_the_office()
    number = cast.request.reference
    with open_window(alice_of(cast), width=PHONE) as alice:
        page = alice.page
        alice.go(f"/requests/{number}/")
        page.locator("#decision").get_by_role("link", name="Appeal").click()
        page.locator("#id_text").fill("The session was cancelled.")
        page.locator("#id_files").set_input_files(pdf(tmp_path, "notice.pdf"))
        page.get_by_role("button", name="Appeal").click()
        expect(page.get_by_text("Your appeal was filed. Another office hears it.").first).to_be_visible()
        expect(page.locator("#appeal")).to_contain_text("Pudong office")
        assert not is_too_wide(page)

    with open_window(ping) as hearer:
        page = hearer.page
        hearer.go(f"/requests/{number}/do/hear_appeal/")
        page.get_by_role("button", name="Take the appeal under review").click()
        expect(page.get_by_text("Declare that you have no conflict of interest", exact=False).first).to_be_visible()
        page.locator("[name=conflict][value=none]").check()
        page.get_by_role("button", name="Take the appeal under review").click()
        expect(page.locator("#appeal").get_by_role("link", name="notice.pdf")).to_be_visible()
        hearer.go(f"/requests/{number}/do/note_hearing/")
        page.locator("#id_held_on").fill(timezone.localdate().isoformat())
        page.locator("#id_heard").fill("Alice Wang")
        page.locator("#id_text").fill("She showed the notice of the organisers.")
        page.get_by_role("button", name="Note a hearing").click()
        expect(page.get_by_text("The hearing was noted.", exact=False).first).to_be_visible()

    with open_window(alice_of(cast), width=PHONE) as alice:
        page = alice.page
        alice.go(f"/requests/{number}/")
        page.locator(".actions").get_by_role("link", name="Comment on the hearing").click()
        expect(page.locator("#appeal")).to_contain_text("She showed the notice of the organisers.")
        page.locator("#id_text").fill("It is of last Monday.")
        page.get_by_role("button", name="Comment on the hearing").click()
        expect(page.locator("#appeal")).to_contain_text("It is of last Monday.")

    with open_window(ping) as hearer:
        hearer.go(f"/requests/{number}/do/overturn/")
        expect(hearer.page.locator("#appeal")).to_contain_text("It is of last Monday.")
        hearer.page.locator("#id_text").fill("The ground is gone.")
        hearer.page.get_by_role("button", name="Replace the decision by a clearance").click()
        expect(hearer.page.get_by_text("The decision was replaced by a clearance.", exact=False).first).to_be_visible()
    assert TravelRequest.unscoped.get(pk=cast.request.pk).state == State.APPROVED


def test_09_a_reviewer_with_a_conflict_leaves_the_case_instead_of_taking_it(open_window: OpenWindow) -> None:
    cast = under_review()
    at = timezone.now()
    workflow.hand_over(
        cast.request.pk, actor=actor(cast.senior, at), at=at, reviewer_id=None, reason="For somebody else."
    )
    with open_window(cast.reviewer, java_script_enabled=False) as rui:
        page = rui.page
        rui.go(f"/requests/{cast.request.reference}/do/take/")
        page.locator("[name=conflict][value=relation]").check()
        page.locator("#id_reason").fill("We are related.")
        page.get_by_role("button", name="Take the case").click()
        expect(page.get_by_text("You have left the case; others of the office deal with it.").first).to_be_visible()
        expect(page.get_by_role("link", name=cast.request.reference)).to_have_count(0)


def test_16_a_revocation_is_heard_while_the_clearance_is_in_force_and_given_back(open_window: OpenWindow) -> None:
    at = timezone.now() - timedelta(hours=12)
    first = timezone.localdate() + timedelta(days=42)
    leg = {"country": "BR", "city": "Rio de Janeiro", "host": "ICLR Foundation"}
    legs = [leg | {"arrives_on": first, "leaves_on": first + timedelta(days=6)}]
    cast = in_state(State.APPROVED, employee=employ("Alice Wang", CompanyFactory.create()), at=at, legs=legs)
    number, now = cast.request.reference, timezone.now()
    workflow.propose_revocation(cast.request.pk, actor=actor(cast.senior, now), at=now, grounds=DENIAL)
    with open_window(alice_of(cast), width=PHONE) as alice:
        page = alice.page
        alice.go(f"/requests/{number}/")
        expect(page.get_by_text("Nothing is decided: it is in force.", exact=False).first).to_be_visible()
        assert not is_too_wide(page)
        alice.go(f"/requests/{number}/do/reply/")
        page.locator("#id_text").fill("Another session is meant.")
        page.locator("main form [type=submit]:visible").last.click()
        expect(page.get_by_text("Your reply was received.", exact=False).first).to_be_visible()
    with open_window(cast.second_senior) as sun:
        sun.go(f"/requests/{number}/do/reject_revocation/")
        expect(sun.page.get_by_text("Another session is meant.").first).to_be_visible()
        sun.page.locator("#id_note").fill("Indeed another one.")
        sun.page.get_by_role("button", name="Leave the clearance in force").click()
        expect(sun.page.get_by_text("The clearance stays in force.", exact=False).first).to_be_visible()
    request = TravelRequest.unscoped.get(pk=cast.request.pk)
    assert (request.state, request.revocation_proposed_by_id) == (State.APPROVED, None)


@pytest.mark.parametrize("script", [True, False], ids=["with-javascript", "without-javascript"])
def test_22_alice_moves_a_day_of_her_cleared_trip_and_rui_accepts_it(open_window: OpenWindow, script: bool) -> None:
    cast = under_review()
    number = cast.request.reference
    me, at = actor(cast.reviewer, timezone.now()), timezone.now()
    workflow.approve(cast.request.pk, actor=me, at=at)
    cleared = TravelRequest.unscoped.get(pk=cast.request.pk)
    assert cleared.returns_on is not None
    with open_window(alice_of(cast), width=PHONE, java_script_enabled=script) as alice:
        page = alice.page
        alice.go(f"/requests/{number}/")
        page.locator(".actions").get_by_role("link", name="Ask for a change").click()
        page.get_by_role("button", name="Begin").click()
        expect(page.get_by_text("Nothing has changed yet.", exact=False)).to_be_visible()
        page.get_by_role("link", name="Itinerary").click()
        page.locator("#id_legs-0-leaves_on").fill((cleared.returns_on - timedelta(days=1)).isoformat())
        page.get_by_role("button", name="Save and check").click()
        expect(page.get_by_text("one reviewer confirms it", exact=False)).to_be_visible()
        page.get_by_role("button", name="Send to the office").click()
        expect(page.get_by_text("Say why the trip changes.").first).to_be_visible()
        page.locator("#id_reason").fill("The last day was cancelled.")
        page.get_by_role("button", name="Send to the office").click()
        expect(page.get_by_text("The change is with the office.", exact=False).first).to_be_visible()
        assert not is_too_wide(page)
    assert TravelRequest.unscoped.get(pk=cast.request.pk).returns_on == cleared.returns_on

    with open_window(cast.reviewer, java_script_enabled=script) as rui:
        page = rui.page
        rui.go(f"/cases/{number}/")
        expect(page.locator("#amendments")).to_contain_text("The last day was cancelled.")
        page.locator(".actions").get_by_role("link", name="Accept the change").click()
        page.locator("main form [type=submit]:visible").last.click()
        expect(page.get_by_text("The trip is cleared as changed", exact=False).first).to_be_visible()
    now = TravelRequest.unscoped.get(pk=cast.request.pk)
    assert (now.state, now.returns_on) == (State.APPROVED, cleared.returns_on - timedelta(days=1))
