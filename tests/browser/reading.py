"""Finding what somebody who reads Chinese would meet in English."""

import re

from playwright.sync_api import Page

from accounts.models import User
from authorities.models import LegalInstrument, Office
from companies.models import Company
from employees.models import Employee
from tests.browser.story import WRITTEN

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


def english(page: Page, allowed: list[str]) -> list[str]:
    """Each run of English words on the page that is not, as a whole or in part, one of `allowed`."""
    found = []
    for text in page.evaluate(TEXTS):
        rest = CODES.sub("·", text)
        for words in allowed:
            rest = rest.replace(words, "·")
        found += WORDS.findall(rest)
    return found


def what_may_be_english() -> list[str]:
    """Names of people, companies and laws, and what people of the story wrote.

    The longest first, so that a name is not left over of which a part is a name, too.
    """
    rows = [
        *User.objects.values_list("name", flat=True),
        *Employee.unscoped.values_list("name_en", flat=True),
        *Employee.unscoped.values_list("position", flat=True),
        *Company.objects.values_list("name_en", flat=True),
        *Office.objects.values_list("address", flat=True),
        *LegalInstrument.objects.values_list("article_en", flat=True),
    ]
    return sorted({*rows, *WRITTEN, *NAMES} - {""}, key=len, reverse=True)
