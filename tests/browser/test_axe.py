"""Every page for everybody, in the light on a desk and in the dark on a phone: axe finds nothing, nobody scrolls
sideways, the browser complains of nothing, nothing of the policy is broken, and the page says its language. What is
read in Chinese is Chinese: no two English words stand next to each other, but for what people wrote, names, and what
says that it is English.

A page is loaded once in a language. Then the window is made narrow and the lights are put out, as somebody does who
turns a tablet at nightfall. With SCREENSHOTS set to a folder, a picture of each look is kept there.
"""

import gzip
import os
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import pytest
from django.urls import resolve
from playwright.sync_api import Browser, Page, Response
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from approvals.views import actions
from authorities import calendars
from authorities.models import ClockPolicy, ReasonCode
from tests.browser.reading import english, what_may_be_english
from tests.browser.story import PAGES, Story, Visit
from tests.browsing import DESK, HEIGHT, PHONE, Window, is_too_wide, new_window, what_axe_finds

pytestmark = pytest.mark.browser

SCREENSHOTS = os.environ.get("SCREENSHOTS", "")


@dataclass(frozen=True)
class Look:
    """How somebody looks at a page."""

    width: int
    scheme: Literal["light", "dark"]

    def __str__(self) -> str:
        return f"{'desk' if self.width == DESK else 'phone'}-{self.scheme}"


DAY, NIGHT = Look(DESK, "light"), Look(PHONE, "dark")
ENGLISH, CHINESE = "en", "zh-hans"
# Pages with every kind of content, seen by axe in Chinese too.
IN_CHINESE = ("sign-in-mistaken", "section-itinerary-begun", "check-ready", "request-denied", "case-resubmitted",
              "inbox-reviewer", "do-propose_denial-mistaken", "overview", "operations", "employees", "lists",
              "version-tree", "version-reviewed", "entry", "absences", "caseload", "grounds", "ground",
              "figures", "consistency", "request-heard", "do-take")  # fmt: skip

WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
# Addresses that answer with a document or a part of a page, or only lead elsewhere.
NO_PAGES = {"absence_end", "appeal_document",
            "attachment", "calendar_feed", "calendar_feed_change", "choose_language", "figures_file", "list_diff_file",
            "list_export", "list_import_errors", "list_import_file", "list_template", "mail_address_check",
            "my_data_file", "retention_publish",
            "notification", "notifications_bell", "notifications_read",
            "notification_read", "notification_try_again", "paper", "verification_keys"}  # fmt: skip
# Those in English on one worker, those in Chinese on the other: each tells the story for itself.
VISITS = [
    pytest.param(name, language, id=f"{name}-{language[:2]}", marks=pytest.mark.xdist_group(f"browser-{language[:2]}"))
    for language in (CHINESE, ENGLISH)
    for name in PAGES
]


class Windows:
    """A window for each language. One person after the other sits before it: signing in is not what is tested here."""

    def __init__(self, browser: Browser, site: LiveServer, story: Story) -> None:
        self.browser, self.site, self.story = browser, site, story
        self.may_be_english = what_may_be_english()
        self._open: dict[str, Window] = {}
        self._spoken = ""

    def at(self, visit: Visit, language: str) -> Window:
        """The window of this language, by day, with the page of the visit in it. Everybody reads `language`."""
        if language != self._spoken:
            User.objects.update(language=language)
            self._spoken = language
        if language not in self._open:
            self._open[language] = new_window(self.browser, self.site, language=language, reduced_motion="reduce")
        window = self._open[language]
        _look(window.page, DAY)
        window.hand_to(visit.who(self.story))
        window.complaints.clear()
        window.go(visit.path(self.story))
        if visit.send:
            window.page.locator("main form [type=submit]:visible").last.click()
            window.page.wait_for_load_state()
        return window


def _look(page: Page, look: Look) -> None:
    page.set_viewport_size({"width": look.width, "height": HEIGHT})
    page.emulate_media(color_scheme=look.scheme)


@pytest.fixture(scope="module")
def windows(browser: Browser, site: LiveServer, story: Story) -> Windows:
    """They are closed with the site."""
    return Windows(browser, site, story)


@pytest.mark.parametrize(("name", "language"), VISITS)
def test_every_page_for_everybody(windows: Windows, name: str, language: str) -> None:
    window = windows.at(PAGES[name], language)
    page = window.page
    wrong: list[str] = []

    for look in (DAY, NIGHT):
        _look(page, look)
        if SCREENSHOTS:
            page.screenshot(path=Path(SCREENSHOTS) / f"{name}-{language[:2]}-{look}.png", full_page=True)
        if language == ENGLISH or name in IN_CHINESE:
            wrong += [f"{look}: {rule} at {element}" for rule, element in what_axe_finds(page)]
        if is_too_wide(page):
            wrong.append(f"{look}: too wide")
    # The guide shows samples of components in the words of whoever builds pages.
    if language == CHINESE and name != "styleguide":
        wrong += [f"in English: {words}" for words in english(page, windows.may_be_english)]
    wrong += window.complaints
    if (said := page.locator("html").get_attribute("lang")) != language:
        wrong.append(f"says that its language is {said}")
    if (headings := page.locator("h1").count()) != 1:
        wrong.append(f"has {headings} headings of the first level")

    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("look", [DAY, NIGHT], ids=str)
@pytest.mark.xdist_group("browser-en")
def test_the_back_office_keeps_to_the_guidelines(browser: Browser, site: LiveServer, story: Story, look: Look) -> None:
    """Its pages are those of a library: held to WCAG, not to what axe thinks good practice beyond it."""
    administrator = story.people["administrator"]
    window = new_window(browser, site, administrator, width=look.width, color_scheme=look.scheme)

    for path in (
        "/admin/",
        "/admin/accounts/user/",
        "/admin/approvals/travelrequest/",
        "/admin/authorities/office/1/",
        "/admin/documents/signingkey/",
    ):
        window.go(path)

        assert what_axe_finds(window.page, only=WCAG) == [], path
        assert not is_too_wide(window.page), path
    assert window.complaints == []


NOTICE = "day,kind,name_zh\n2027-01-04,off,元旦\n2027-01-09,worked,\n2028-01-01,off,\n"


@pytest.mark.parametrize("look", [DAY, NIGHT], ids=str)
@pytest.mark.xdist_group("browser-en")
def test_previews_of_calendars_and_policies_keep_to_the_guidelines(
    browser: Browser, site: LiveServer, story: Story, look: Look
) -> None:
    window = new_window(browser, site, story.people["administrator"], width=look.width, color_scheme=look.scheme)
    page = window.page
    draft = calendars.draft(None, 2027, days=calendars.from_library(2027), source="by law")
    in_force = ClockPolicy.objects.filter(published_at__isnull=False).first()
    assert in_force is not None
    notice = {"name": "2027.csv", "mimeType": "text/csv", "buffer": NOTICE.encode()}

    def keeps_to_them(name: str) -> None:
        if SCREENSHOTS:
            page.screenshot(path=Path(SCREENSHOTS) / f"{name}-{look}.png", full_page=True)
        assert what_axe_finds(page, only=WCAG) == []
        assert not is_too_wide(page)

    window.go(f"/admin/authorities/clockpolicy/{in_force.pk}/preview/")
    keeps_to_them("preview-policy")
    window.go(f"/admin/authorities/calendaryear/{draft.pk}/import/")
    page.set_input_files("input[name=file]", [notice])  # type: ignore[list-item]
    page.fill("input[name=source]", "Notice")
    page.click(".back-office-page button[type=submit]")
    page.wait_for_selector(".back-office-table")
    keeps_to_them("import-notice")
    code = ReasonCode.objects.get(code="T1")
    window.go(f"/admin/authorities/reasoncode/{code.pk}/change/")
    keeps_to_them("reason-code")
    window.go(f"/admin/authorities/reasoncode/{code.pk}/end/")
    keeps_to_them("reason-code-end")
    assert window.complaints == []


@pytest.mark.xdist_group("browser-en")
def test_no_page_is_forgotten(story: Story) -> None:
    """Every address of ours, and the page of every verb, is one of the pages that are looked at."""
    paths = [urlsplit(visit.path(story)).path for name, visit in PAGES.items() if name != "not-found"]
    opened = [resolve(path) for path in paths]
    apps = (
        "approvals",
        "authorities",
        "companies",
        "employees",
        "figures",
        "interface",
        "jobs",
        "notifications",
        "openness",
        "sensitivity",
    )
    ours = {pattern.name for app in apps for pattern in import_module(f"{app}.urls").urlpatterns}

    assert ours - {match.url_name for match in opened} == NO_PAGES
    assert set(actions.PAGES) - {match.kwargs.get("verb") for match in opened} == {"submit", "agree_information"}


@pytest.mark.xdist_group("browser-en")
def test_the_first_page_is_light(browser: Browser, site: LiveServer, story: Story) -> None:
    """Under 150 KB over the wire without images; style sheets and scripts are sent compressed, pages as they are."""
    for visit in (PAGES["sign-in"], PAGES["home-applicant"], PAGES["inbox-reviewer"]):
        window = new_window(browser, site, visit.who(story))
        answers: list[Response] = []
        window.page.on("response", lambda answer, kept=answers: kept.append(answer))

        window.go(visit.path(story))
        window.page.wait_for_load_state("networkidle")

        weights = {
            answer.url: len(gzip.compress(answer.body()) if "/static/" in answer.url else answer.body())
            for answer in answers
            if answer.request.resource_type != "image"
        }
        assert sum(weights.values()) < 150_000, weights
        assert len(weights) > 3, "the style sheets are part of it"
