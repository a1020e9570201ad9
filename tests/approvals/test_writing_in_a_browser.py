"""Alice writes in a real browser: what she types is saved as she types, and outlives her session."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from approvals.models import TravelRequest
from approvals.states import State
from tests.factories import CompanyFactory, draft, employ
from tests.interface.test_browser import _served, browser  # noqa: F401

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture
def begun(live_server: LiveServer) -> TravelRequest:
    """Alice's empty draft."""
    return draft(employ("Alice Wang", CompanyFactory.create()), at=timezone.now())


def account(request: TravelRequest) -> User:
    assert request.applicant.user is not None
    return request.applicant.user


def signed_in(browser: Browser, live_server: LiveServer, user: User, **options: Any) -> BrowserContext:  # noqa: F811
    client = Client()
    client.force_login(user)
    context = browser.new_context(**options)
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    return context


def address(live_server: LiveServer, request: TravelRequest, section: str) -> str:
    return str(live_server.url) + reverse("request_section", args=[request.reference, section])


def test_it_is_saved_as_she_types_and_outlives_her_session(
    browser: Browser,  # noqa: F811
    live_server: LiveServer,
    begun: TravelRequest,
) -> None:
    context = signed_in(browser, live_server, account(begun))
    page = context.new_page()
    page.goto(address(live_server, begun, "trip"))
    page.get_by_label("What the trip is for").press_sequentially("Talk in Lima")
    expect(page.locator("[data-autosave-status]")).to_contain_text("Saved")
    expect(page.locator("#announcer")).to_contain_text("Saved")
    assert TravelRequest.unscoped.get().title == "Talk in Lima"

    context.clear_cookies(name="sessionid")
    page.get_by_label("What you will do there").press_sequentially("I speak.")
    expect(page.locator("[data-session-ended]")).to_be_visible()
    assert TravelRequest.unscoped.get().description == ""
    page.get_by_role("link", name="Sign in again").click()
    page.locator("input[name=login]").fill(account(begun).email)
    page.locator("input[name=password]").fill("correct horse battery staple")
    page.locator("input[name=password]").press("Enter")

    expect(page.locator("[data-restored]")).to_be_visible()
    expect(page.get_by_label("What you will do there")).to_have_value("I speak.")
    expect(page.locator("[data-autosave-status]")).to_contain_text("Saved")
    assert TravelRequest.unscoped.get().description == "I speak."
    context.close()


def test_mistakes_take_the_focus_and_subjects_are_found_by_name(
    browser: Browser,  # noqa: F811
    live_server: LiveServer,
    begun: TravelRequest,
) -> None:
    context = signed_in(browser, live_server, account(begun))
    page = context.new_page()
    page.goto(address(live_server, begun, "itinerary"))
    assert page.title().startswith("Itinerary")
    page.get_by_label("City").fill("Lima")
    page.get_by_role("button", name="Save and go on").click()
    expect(page.locator("[data-error-summary]")).to_be_focused()
    assert page.title().startswith("Error: Itinerary")
    page.locator("[data-error-summary] a").first.click()
    expect(page.get_by_label("Country or region")).to_be_focused()

    page.goto(address(live_server, begun, "topics"))
    page.get_by_label("Find a subject").press_sequentially("robot")
    expect(page.locator("#div_id_topics .form-check:visible")).to_have_count(1)
    page.get_by_label("Robotics").check()
    expect(page.locator("[data-autosave-status]")).to_contain_text("Saved")
    assert TravelRequest.unscoped.get().topics == ["cs.RO"]
    context.close()


@pytest.mark.parametrize("width", [1280, 375])
def test_with_javascript_off_she_gets_as_far(
    browser: Browser,  # noqa: F811
    live_server: LiveServer,
    begun: TravelRequest,
    width: int,
) -> None:
    context = signed_in(
        browser, live_server, account(begun), java_script_enabled=False, viewport={"width": width, "height": 800}
    )
    page = context.new_page()
    page.goto(address(live_server, begun, "trip"))
    page.get_by_label("What the trip is for").fill("ICLR in Rio")
    page.get_by_label("Conference").check()
    page.get_by_label("What you will do there").fill("I present a paper.")
    _go_on(page)
    first = timezone.localdate() + timedelta(days=60)
    page.get_by_label("Country or region").select_option("BR")
    page.get_by_label("City").fill("Rio")
    page.get_by_label("First day there").fill(first.isoformat())
    page.get_by_label("Last day there").fill((first + timedelta(days=3)).isoformat())
    _go_on(page)
    page.get_by_label("Robotics").check()
    _go_on(page)
    page.get_by_role("link", name="Go on").click()
    for box in page.get_by_role("checkbox").all():
        box.check()
    _go_on(page)
    page.get_by_role("button", name="Submit the request").click()

    expect(page.get_by_role("heading", name="Your request was received")).to_be_visible()
    expect(page.locator(".confirmation-number")).to_contain_text(begun.reference)
    assert TravelRequest.unscoped.get().state == State.COMPANY_REVIEW
    context.close()


def _go_on(page: Page) -> None:
    page.get_by_role("button", name="Save and go on").click()
