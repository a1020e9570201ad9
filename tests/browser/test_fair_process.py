"""The journeys of fair process, on real pages: what the office asks, what it imposes, and how people answer."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import User
from approvals import workflow
from approvals.models import Condition, InformationAnswer, InformationRequest, TravelRequest
from approvals.models.conditions import ConditionState
from approvals.states import State
from tests.browsing import DESK, PHONE, OpenWindow, is_too_wide
from tests.factories import actor, employ, in_state
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
    assert Condition.objects.get().text == "Send the programme."
