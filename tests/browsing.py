"""What tests in a real browser share. They are marked `browser`: skipped and counted where there is no Chromium,
refused where one is required.

`browser` is Chromium, `site` a server on the module's own database, `open_window` a window of somebody in it that
keeps what the browser complains of. What one test of a module writes, the next one finds: they tell one story.
"""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.conf import settings
from django.db import connection, connections
from django.test import Client
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright
from pytest_django import DjangoDbBlocker
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from tests import chromium
from tests.database import real_commits

DESK, PHONE, HEIGHT = 1280, 375, 900
# Milliseconds, for a machine with much else to do.
PATIENCE = 30_000
expect.set_options(timeout=PATIENCE)
# An answer of refusal is itself logged, by the browser and by htmx, and so is an autosave that is overtaken by going
# on to the next page; that says nothing about our code.
EXPECTED = ("Failed to load resource", "Response Status Error Code", "htmx:afterRequest", "htmx:sendError")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, or refuse, what cannot run here."""
    if chromium.path():
        return
    marked = [item for item in items if item.get_closest_marker("browser")]
    if marked and chromium.required():
        raise pytest.UsageError(f"{len(marked)} browser tests need Chromium, and REQUIRE_BROWSER is set.")
    for item in marked:
        item.add_marker(pytest.mark.skip(reason="no Chromium here"))


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The program to give Playwright as `executable_path`."""
    found = chromium.path()
    assert found, "mark this test `browser`"
    return found


@pytest.fixture(scope="module")
def browser(chromium_path: str, django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Browser]:
    """Chromium. Playwright keeps an event loop in this thread; in its presence Django would refuse to ask the database,
    and does not see the connections from before, which would keep the database from being copied.
    """
    with django_db_blocker.unblock():
        connections.close_all()
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        started = playwright.chromium.launch(
            executable_path=chromium_path,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield started
        started.close()
        with django_db_blocker.unblock():
            connections.close_all()


@pytest.fixture(scope="module")
def site(browser: Browser, django_db_blocker: DjangoDbBlocker, database_name: str) -> Iterator[LiveServer]:
    """The product served for the tests of one module, on a database of its own with real commits."""
    with real_commits(django_db_blocker, database_name):
        server = LiveServer("localhost")
        yield server
        for context in browser.contexts:
            context.close()
        server.stop()
        _wait_for_the_server()


def _wait_for_the_server() -> None:
    """Until it has closed its connections, a moment after those of the browser: they keep a database from going."""
    deadline = time.monotonic() + 30
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute("SELECT pg_sleep(0.05), count(*) FROM pg_stat_activity WHERE datname = current_database()")
            if cursor.fetchone()[1] == 1:
                return


@dataclass
class Window:
    """A page of the browser, and what the browser complained of on it: errors, and breaches of the policy."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)
    _sessions: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _heard(self, said: ConsoleMessage) -> None:
        if said.type in ("error", "warning") and not said.text.startswith(EXPECTED):
            self.complaints.append(f"{said.text} ({self.page.url})")

    def go(self, path: str) -> None:
        """Open `path` of the site."""
        self.page.goto(self.url + path)

    def hand_to(self, user: User | None) -> None:
        """From the next page on `user` sits before this window, signed in; or nobody.

        One window for many is faster than a window for each, and every window holds connections of the server.
        """
        context, name = self.page.context, settings.SESSION_COOKIE_NAME
        context.clear_cookies()
        if user is None:
            return
        if user.pk not in self._sessions:
            client = Client()
            client.force_login(user)
            self._sessions[user.pk] = client.cookies[name].value
        context.add_cookies([{"name": name, "value": self._sessions[user.pk], "url": self.url}])


OpenWindow = Callable[..., Any]


@pytest.fixture
def open_window(browser: Browser, site: LiveServer) -> OpenWindow:
    """`with open_window(user, width=…, language=…, …) as window`: a window of `user`, signed in, or of nobody.

    Nothing that the browser complains of is forgiven when it is closed.
    """

    @contextmanager
    def opened(user: User | None = None, *, width: int = DESK, language: str = "en", **how: Any) -> Iterator[Window]:
        window = new_window(browser, site, user, width=width, language=language, **how)
        try:
            yield window
            assert window.complaints == []
        finally:
            window.page.context.close()

    return opened


def new_window(
    browser: Browser,
    site: LiveServer,
    user: User | None = None,
    *,
    width: int = DESK,
    language: str = "en",
    **how: Any,
) -> Window:
    """A window `width` wide in which `user` is signed in; the browser asks for pages in `language`."""
    locale = "zh-CN" if language.startswith("zh") else "en-US"
    context = browser.new_context(viewport={"width": width, "height": HEIGHT}, locale=locale, **how)
    context.set_default_timeout(PATIENCE)
    window = Window(context.new_page(), site.url)
    window.hand_to(user)
    return window


def what_axe_finds(page: Page, *, only: Sequence[str] = ()) -> list[tuple[str, str]]:
    """Each rule that the page breaks, with the first element that does; `only`: of the rules with these tags."""
    # What is in order need not be told: on a long list that takes longer than looking.
    options: dict[str, Any] = {"resultTypes": ["violations"]} | ({"runOnly": list(only)} if only else {})
    if not page.evaluate("'axe' in window"):  # it stays with a page that is looked at again
        page.evaluate(AXE_SCRIPT)
    violations = page.evaluate("options => axe.run(options)", options)["violations"]
    return [(found["id"], re.sub(r"\s+", " ", found["nodes"][0]["html"])) for found in violations]


def is_too_wide(page: Page) -> bool:
    """Whether somebody would have to scroll sideways, once everything is there."""
    page.wait_for_load_state()
    return bool(page.evaluate("document.scrollingElement.scrollWidth > innerWidth"))
