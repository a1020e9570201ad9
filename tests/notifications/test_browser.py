"""The bell, the page of notifications, the list of failures and the mail, in Chromium."""

from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import RoleAssignment, User
from accounts.roles import Role
from notifications import mail
from notifications.delivery import deliver
from notifications.models import Channel, Notification
from tests.interface.test_browser import DESK, PHONE, _page, _served, browser  # noqa: F401  fixtures
from tests.notifications.conftest import MONDAY, Happen, person

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture
def diana(live_server: LiveServer) -> User:
    """An administrator."""
    user = person("Diana")
    RoleAssignment.objects.create(user=user, role=Role.ADMINISTRATOR, starts_at=MONDAY)
    return user


@pytest.fixture
def session(live_server: LiveServer, diana: User, settings: Any) -> dict[str, str]:
    client = Client()
    client.force_login(diana)
    name = settings.SESSION_COOKIE_NAME
    return {"name": name, "value": client.cookies[name].value, "url": live_server.url}


@pytest.fixture
def told(diana: User, happen: Happen) -> None:
    """Three notifications of Diana's, one of them read; one event and one mail given up."""
    for number in ("K7-1", "K7-2", "K7-3"):
        happen(diana, number=number)
    happen(diana, poison=True)
    for days in range(9):
        deliver(at=MONDAY + timedelta(days=days))
    oldest = Notification.objects.in_bell_of(diana.pk).last()
    Notification.objects.filter(pk=oldest.pk).update(read_at=MONDAY)
    Notification.objects.filter(channel=Channel.MAIL, event=oldest.event).update(done_at=None, last_error="550 nobody")


def assert_accessible(page: Page) -> None:
    violations = Axe().run(page).response["violations"]
    assert [(found["id"], found["nodes"][0]["html"]) for found in violations] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [DESK, PHONE])
def test_axe_finds_nothing(
    browser: Browser,  # noqa: F811
    live_server: LiveServer,
    session: dict[str, str],
    told: None,
    width: int,
    scheme: str,
) -> None:
    with _page(browser, session=session, width=width, color_scheme=scheme) as page:
        for name in ("notifications", "notification_failures"):
            page.goto(live_server.url + reverse(name))
            assert_accessible(page)
        sent = list(Notification.objects.select_related("event", "recipient").filter(channel=Channel.MAIL))
        mails = [str(message.alternatives[0].content) for message in (mail.message(sent[0]), mail.digest(sent))]
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    for html in mails:
        page.set_content(html)
        assert_accessible(page)
    context.close()


def test_the_bell_learns_of_news_by_itself(
    browser: Browser,  # noqa: F811
    live_server: LiveServer,
    session: dict[str, str],
    diana: User,
    happen: Happen,
) -> None:
    with _page(browser, session=session) as page:
        page.clock.install()
        page.goto(live_server.url + reverse("notifications"))
        expect(page.locator(".bell-count")).to_have_count(0)
        happen(diana)
        deliver(at=MONDAY)
        page.clock.run_for(61_000)
        expect(page.locator(".bell-count")).to_contain_text("1")
        happen(diana)
        deliver(at=MONDAY)
        page.clock.run_for(61_000)
        expect(page.locator(".bell-count")).to_contain_text("2")


def test_everything_works_without_javascript(
    browser: Browser,  # noqa: F811
    live_server: LiveServer,
    session: dict[str, str],
    told: None,
) -> None:
    with _page(browser, session=session, java_script_enabled=False) as page:
        page.goto(live_server.url + reverse("notifications"))
        expect(page.locator(".bell-count")).to_contain_text("2")
        page.get_by_role("button", name="Mark as read K7-3").click()
        expect(page.locator(".bell-count")).to_contain_text("1")
        page.get_by_role("button", name="all earlier ones as read").click()
        expect(page.locator(".bell-count")).to_have_count(0)
        page.goto(live_server.url + reverse("notification_failures"))
        page.get_by_role("button", name="Try all of them again").click()
        expect(page.get_by_text("2 are being tried again.")).to_be_visible()
