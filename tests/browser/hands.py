"""How somebody uses a page: with a pointer, or with the keyboard alone. The same path is walked with either."""

import re
from datetime import date
from pathlib import Path
from typing import Protocol

from playwright.sync_api import Locator, Page, expect

# So many stops of the Tab key no page has.
MOST_STOPS = 250
# Tab, but arrows between radio buttons of one group; nothing once the element has the focus.
NEXT_KEY = """it => {
    const now = document.activeElement;
    if (it === now) return "";
    return it.type === "radio" && now.type === "radio" && it.name === now.name ? "ArrowDown" : "Tab";
}"""


class Hands(Protocol):
    """What somebody does to what is on the page."""

    def press(self, what: Locator) -> None:
        """Follow a link, press a button."""

    def tick(self, what: Locator) -> None:
        """Choose a checkbox or one of several radio buttons."""

    def write(self, what: Locator, text: str) -> None:
        """Write into an empty field."""

    def pick_day(self, what: Locator, day: date) -> None:
        """Fill in a date field."""

    def pick(self, what: Locator, label: str) -> None:
        """Choose from a list."""

    def upload(self, what: Locator, path: Path) -> None:
        """Choose a file."""


class Pointer:
    """A mouse or a finger."""

    def press(self, what: Locator) -> None:
        what.click()

    def tick(self, what: Locator) -> None:
        what.check()

    def write(self, what: Locator, text: str) -> None:
        what.fill(text)

    def pick_day(self, what: Locator, day: date) -> None:
        what.fill(day.isoformat())

    def pick(self, what: Locator, label: str) -> None:
        what.select_option(label=label)

    def upload(self, what: Locator, path: Path) -> None:
        what.set_input_files(path)


class Keyboard:
    """Tab, Enter, Space, arrows and letters. Wherever it goes, the focus can be seen."""

    def press(self, what: Locator) -> None:
        self._go_to(what)
        what.page.keyboard.press("Enter")

    def tick(self, what: Locator) -> None:
        self._go_to(what)
        what.page.keyboard.press("Space")
        expect(what).to_be_checked()

    def write(self, what: Locator, text: str) -> None:
        self._go_to(what)
        what.page.keyboard.insert_text(text)
        expect(what).to_have_value(text)

    def pick_day(self, what: Locator, day: date) -> None:
        self._go_to(what)
        # As Chromium has its parts in English: month, day, year.
        what.page.keyboard.type(day.strftime("%m%d%Y"))
        expect(what).to_have_value(day.isoformat())

    def pick(self, what: Locator, label: str) -> None:
        self._go_to(what)
        what.page.keyboard.type(label)
        expect(what.locator("option:checked")).to_have_text(label)

    def upload(self, what: Locator, path: Path) -> None:
        self._go_to(what)
        with what.page.expect_file_chooser() as chooser:
            what.page.keyboard.press("Space")
        chooser.value.set_files(path)

    def _go_to(self, what: Locator) -> None:
        """Press Tab until `what` has the focus; of radio buttons, any of its group and then the arrows."""
        expect(what).to_have_count(1)
        page = what.page
        for _stop in range(MOST_STOPS):
            key = what.evaluate(NEXT_KEY)
            if not key:
                break
            page.keyboard.press(key)
        else:
            raise AssertionError(f"Tab never comes to {what}")
        assert focus_is_seen(page), f"nobody sees that the focus is on {what}"


def focus_is_seen(page: Page) -> bool:
    """Whether the element with the focus comes into the window, drawn differently from one without, in two seconds."""
    return bool(
        page.evaluate(
            """async () => {
                const it = document.activeElement;
                const seen = () => {
                    const style = getComputedStyle(it), box = it.getBoundingClientRect();
                    const drawn = (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0)
                        || style.boxShadow !== "none";
                    return drawn && box.bottom > 0 && box.top < innerHeight && box.width > 0;
                };
                const end = performance.now() + 2000;
                while (!seen() && performance.now() < end) await new Promise(requestAnimationFrame);
                return seen();
            }"""
        )
    )


def exactly(text: str) -> re.Pattern[str]:
    """`text` and nothing else, but for white space around it."""
    return re.compile(rf"^\s*{re.escape(text)}\s*$")
