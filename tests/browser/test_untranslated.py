"""Everything that somebody reads in Chinese is Chinese: on no page two English words stand next to each other, but for
what people wrote, names, and what says that it is English.
"""

import re
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from authorities.models import LegalInstrument, Office
from companies.models import Company
from employees.models import Employee
from tests.browser.story import PAGES, WRITTEN, Story
from tests.browsing import Window, new_window

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser-untranslated")]

CHINESE = "zh-hans"
# Names that serve as an example of how to enter one's own.
NAMES = ("WANG Aili", "Aili Wang")
# Addresses, numbers of requests, subjects of arXiv with what is below them, names of files.
CODES = re.compile(
    r"\S+@\S+|https?://\S+|\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]\b|(?<![A-Za-z])(?:cs|stat)(?:\.[A-Za-z0-9-]+)+|[a-z/]+\.md\b"
)
WORDS = re.compile(r"[A-Za-z][A-Za-z'’]+(?:[ ,;:.–-]+[A-Za-z][A-Za-z'’]*)+")
# The page's title, its visible text, and what is read out instead of it or shown in empty fields. Each on its own.
TEXTS = """() => {
    const found = [document.title];
    const foreign = (node) => node.closest("[lang]").lang.startsWith("en");
    const nodes = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
    for (let node = nodes.nextNode(); node; node = nodes.nextNode()) {
        const element = node.nodeType === Node.TEXT_NODE ? node.parentElement : node;
        if (foreign(element) || element.closest("script, style, code, time, [hidden]")) continue;
        if (node.nodeType === Node.TEXT_NODE) found.push(node.data);
        else for (const name of ["aria-label", "placeholder", "title", "alt"])
            if (node.getAttribute(name)) found.push(node.getAttribute(name));
    }
    return found;
}"""


@dataclass
class Reader:
    """Reads pages in Chinese, as whoever may open them."""

    window: Window
    story: Story
    allowed: list[str]

    def english_on(self, name: str) -> list[str]:
        """The English that stands on the page `name`."""
        visit = PAGES[name]
        window = self.window
        window.hand_to(visit.who(self.story))
        window.go(visit.path(self.story))
        if visit.send:
            window.page.locator("main form [type=submit]:visible").last.click()
        return english(window.page, self.allowed)


def english(page: Page, allowed: list[str]) -> list[str]:
    """Each run of English words on the page that is not, as a whole or in part, one of `allowed`."""
    found = []
    for text in page.evaluate(TEXTS):
        rest = CODES.sub("·", text)
        for words in allowed:
            rest = rest.replace(words, "·")
        found += WORDS.findall(rest)
    return found


@pytest.fixture(scope="module")
def reader(browser: Browser, site: LiveServer, story: Story) -> Reader:
    User.objects.update(language=CHINESE)
    rows = [
        *User.objects.values_list("name", flat=True),
        *Employee.unscoped.values_list("name_en", flat=True),
        *Employee.unscoped.values_list("position", flat=True),
        *Company.objects.values_list("name_en", flat=True),
        *Office.objects.values_list("address", flat=True),
        *LegalInstrument.objects.values_list("article", flat=True),
    ]
    # The longest first, so that a name is not left over of which a part is a name, too.
    allowed = sorted({*rows, *WRITTEN, *NAMES} - {""}, key=len, reverse=True)
    return Reader(new_window(browser, site, language=CHINESE), story, allowed)


# Shows samples of components, in the words of whoever builds pages.
@pytest.mark.parametrize("name", [name for name in PAGES if name != "styleguide"])
def test_nothing_is_english_in_chinese(reader: Reader, name: str) -> None:
    assert reader.english_on(name) == []


def test_english_would_be_found(browser: Browser) -> None:
    page = browser.new_page()
    page.set_content(
        """<html lang="zh-hans"><title>出境审批</title><body>
        <p>申请 <b>Not translated</b></p><img alt="An alternative"><p lang="en">Marked as English</p>
        <p>Alice Wang 提交了 PDF 文件</p><p hidden>Not shown yet</p></body></html>"""
    )

    assert english(page, ["Alice Wang"]) == ["Not translated", "An alternative"]
