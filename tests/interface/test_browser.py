"""The frame in a real browser: accessible, inside the policy, by keyboard, and without JavaScript."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connection, connections
from django.test import Client
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright
from pytest_django import DjangoDbBlocker
from pytest_django.live_server_helper import LiveServer

from accounts.models import User

# One browser test process at a time: --dist loadgroup keeps these together.
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

DESK, PHONE = 1280, 375


@pytest.fixture(scope="module")
def browser(chromium_path: str, django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Browser]:
    """Chromium. Playwright keeps an event loop in this thread; in its presence Django would refuse to ask the database,
    and does not see the connections from before, which would keep the database from being copied.
    """
    with django_db_blocker.unblock():
        connections.close_all()
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        chromium = playwright.chromium.launch(executable_path=chromium_path, args=["--no-sandbox"])
        yield chromium
        chromium.close()
        connections.close_all()


@pytest.fixture(autouse=True)
def _served(live_server: LiveServer) -> Iterator[None]:
    """The server closes a connection a moment after its answer is read: wait for that before the database is copied."""
    yield
    deadline = time.monotonic() + 10
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute("SELECT pg_sleep(0.01), count(*) FROM pg_stat_activity WHERE datname = current_database()")
            if cursor.fetchone()[1] == 1:
                return


@pytest.fixture
def session(live_server: LiveServer, settings: Any) -> dict[str, str]:
    """The cookie of Sam, who may see the style guide."""
    sam = User.objects.create_user("sam@example.com", "Sam", is_staff=True, language="en")
    client = Client()
    client.force_login(sam)
    name = settings.SESSION_COOKIE_NAME
    return {"name": name, "value": client.cookies[name].value, "url": live_server.url}


def _is_complaint(said: ConsoleMessage) -> bool:
    """An answer of refusal is itself logged, by the browser and by htmx; that says nothing about our code."""
    expected = ("Failed to load resource", "Response Status Error Code 503")
    return said.type in ("error", "warning") and not said.text.startswith(expected)


@contextmanager
def _page(browser: Browser, *, session: dict[str, str] | None = None, **how: Any) -> Iterator[Page]:
    width = how.pop("width", DESK)
    context = browser.new_context(viewport={"width": width, "height": 900}, locale="en-US", **how)
    if session:
        context.add_cookies([session])  # type: ignore[list-item]
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if _is_complaint(said) else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    try:
        yield page
        assert complaints == []
    finally:
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [DESK, PHONE])
def test_axe_finds_nothing(
    browser: Browser, live_server: LiveServer, session: dict[str, str], scheme: str, width: int
) -> None:
    for address, cookie in (
        ("/styleguide/", session),
        ("/accounts/password/change/", session),
        ("/accounts/2fa/", session),
        ("/accounts/login/", None),
        ("/accounts/password/reset/", None),
        ("/no/such/page/", session),
        ("/styleguide/", None),
    ):
        with _page(browser, session=cookie, width=width, color_scheme=scheme) as page:
            page.goto(live_server.url + address)

            violations = Axe().run(page).response["violations"]

            assert [(found["id"], found["nodes"][0]["html"]) for found in violations] == [], address
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{address} is too wide"


def test_dark_follows_the_system_without_a_script(browser: Browser, live_server: LiveServer) -> None:
    backgrounds = []
    for scheme in ("light", "dark"):
        with _page(browser, color_scheme=scheme, java_script_enabled=False) as page:
            page.goto(live_server.url + "/accounts/login/")
            page.emulate_media(color_scheme=scheme)
            backgrounds.append(page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor"))

    assert backgrounds == ["rgb(245, 247, 249)", "rgb(16, 22, 29)"]


def test_menu_and_language_work_without_javascript(
    browser: Browser, live_server: LiveServer, session: dict[str, str]
) -> None:
    with _page(browser, session=session, java_script_enabled=False) as page:
        page.goto(live_server.url + "/styleguide/")
        page.locator(".user-menu summary").click()
        assert page.locator(".user-panel button").is_visible()

        page.locator(".language-switch button").click()

        assert page.locator("html").get_attribute("lang") == "zh-hans"
        assert page.url.endswith("/styleguide/")


def test_the_error_summary_has_the_focus_and_leads_to_the_fields(
    browser: Browser, live_server: LiveServer, session: dict[str, str]
) -> None:
    with _page(browser, session=session) as page:
        page.goto(live_server.url + "/styleguide/")
        assert page.evaluate("document.activeElement.hasAttribute('data-error-summary')")

        page.locator("[data-error-summary] a").nth(3).click()

        assert page.evaluate("document.activeElement.id") == "id_purpose_0"


def test_keys_walk_choose_open_and_can_be_switched_off(
    browser: Browser, live_server: LiveServer, session: dict[str, str]
) -> None:
    with _page(browser, session=session) as page:
        page.goto(live_server.url + "/styleguide/")
        rows = page.locator("[data-row]")

        for key in ("j", "j", "j", "k", "j", "x"):
            page.keyboard.press(key)
        assert [rows.nth(place).get_attribute("class") for place in (0, 1)] == ["", "row-current"]
        assert page.locator("[data-select]").nth(1).is_checked()
        assert page.locator("[data-select-count]").inner_text() == "1"

        page.keyboard.press("Enter")
        assert page.url.endswith("#XA-2P8R-4")

        page.keyboard.press("?")
        assert page.locator("#key-hints").is_visible()
        page.locator("#keys-on").uncheck()
        page.keyboard.press("Escape")
        page.reload()
        page.keyboard.press("j")
        assert page.locator(".row-current").count() == 0


def test_keys_leave_typing_alone(browser: Browser, live_server: LiveServer, session: dict[str, str]) -> None:
    with _page(browser, session=session) as page:
        page.goto(live_server.url + "/styleguide/")

        page.locator("#id_title").press_sequentially("jkx?")

        assert page.locator("#id_title").input_value() == "jkx?"
        assert page.locator(".row-current").count() == 0
        assert not page.locator("#key-hints").is_visible()


def test_autosave_says_what_became_of_it(browser: Browser, live_server: LiveServer, session: dict[str, str]) -> None:
    with _page(browser, session=session) as page:
        page.goto(live_server.url + "/styleguide/")
        status = page.locator("[data-autosave-status]")

        page.locator("#id_note").fill("first")
        page.locator("#id_note").blur()
        expect(status).to_have_text(re.compile(r"^Saved \d"))
        expect(page.locator("#announcer")).to_have_text(status.inner_text())

        page.route("**/styleguide/", lambda route: route.fulfill(status=503))
        page.locator("#id_note").fill("second")
        page.locator("#id_note").blur()
        expect(status).to_contain_text("Not saved.")
        assert page.locator("#id_note").input_value() == "second"

        page.unroute("**/styleguide/")
        elsewhere = {"Location": live_server.url + "/accounts/password/reset/"}
        page.route("**/styleguide/", lambda route: route.fulfill(status=302, headers=elsewhere))
        page.locator("#id_note").fill("third")
        page.locator("#id_note").blur()
        expect(status).to_contain_text("you are signed out")
        assert page.locator("#id_note").input_value() == "third"


def test_the_skip_link_is_the_first_stop(browser: Browser, live_server: LiveServer) -> None:
    with _page(browser) as page:
        page.goto(live_server.url + "/accounts/login/")
        page.evaluate("document.activeElement.blur()")
        page.locator("body").evaluate("body => { body.tabIndex = -1; body.focus(); }")

        page.keyboard.press("Tab")

        assert page.evaluate("document.activeElement.className") == "skip-link"
        assert page.locator(".skip-link").bounding_box()["y"] >= 0  # type: ignore[index]
