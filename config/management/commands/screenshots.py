"""`manage.py screenshots`: pictures of every page, for the README and for looking at them.

Needs the product running with its demonstration data, Chromium, and the tools of the tests.
"""

import shutil
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.roles import Role
from approvals import demo

DESK: Any = {"width": 1280, "height": 900}
PHONE: Any = {"width": 375, "height": 812}
# Role → (name of the picture, where: an address, and perhaps the link there that is followed).
# Where the name says so, what is folded is unfolded.
PAGES: dict[str, list[tuple[str, str]]] = {
    "": [
        ("sign-in", "/accounts/login/"),
        ("password-reset", "/accounts/password/reset/"),
        ("criteria", "/criteria/"),
        ("grounds", "/grounds/"),
        ("figures", "/figures/"),
        ("verify", "/verify/"),
    ],
    Role.APPLICANT: [
        ("home-applicant", "/"),
        ("my-requests", "/requests/"),
        ("new-request", "/requests/new/"),
        ("request", "/requests/ main a[href^='/requests/']:not([href$='/new/'])"),
        ("notifications", "/notifications/"),
        ("denied", "/requests/ tr:has(.tag-bad) th a"),
        ("clocks-unfolded", "/requests/ tr:has(use[href$='#question']) th a"),
        ("returned", "/requests/ tr:has(use[href$='#back']) th a"),
        ("proposed-denial", "/requests/ tr:has(use[href$='#most']) th a"),
        ("approved", "/requests/ tr:has(.tag-good) th a"),
        ("my-data", "/my-data/"),
    ],
    Role.OFFICER: [
        ("home-officer", "/"),
        ("inbox-officer", "/inbox/"),
        ("employees", "/employees/"),
        ("employee-new", "/employees/new/"),
    ],
    Role.REVIEWER: [("home-reviewer", "/"), ("inbox-reviewer", "/inbox/"), ("case", "/inbox/ a[data-open]")],
    Role.SENIOR: [
        ("home-senior", "/"),
        ("inbox-senior", "/inbox/"),
        ("case-senior", "/inbox/ a[data-open]"),
        ("consistency", "/consistency/"),
    ],
    Role.APPEAL_REVIEWER: [("appeals-reviewer", "/appeals/"), ("appeal", "/inbox/ a[data-open]")],
    Role.LIST_MANAGER: [("lists", "/lists/"), ("list", "/lists/ main a[href^='/lists/']")],
    Role.ADMINISTRATOR: [
        ("home-administrator", "/"),
        ("overview", "/overview/"),
        ("operations", "/operations/"),
        ("retention", "/retention/"),
        ("failures", "/notifications/failures/"),
        ("styleguide", "/styleguide/"),
        ("back-office", "/admin/"),
    ],
    Role.AUDITOR: [("home-auditor", "/"), ("appeals", "/appeals/")],
}


class Command(BaseCommand):
    """Signs in as each demonstration account and takes its pages: desk and phone, light and dark, both languages."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--url", default="http://localhost:8000", help="where the product runs")
        parser.add_argument("--to", type=Path, default=Path(settings.BASE_DIR) / "docs" / "screenshots")
        parser.add_argument(
            "--all", action="store_true", help="dark and Chinese too; without it light and English only"
        )
        parser.add_argument("--only", default="", help="pictures whose name has this in it")

    def handle(self, *args: Any, **options: Any) -> None:
        from playwright.sync_api import sync_playwright

        chromium = shutil.which("chromium")
        if chromium is None:
            raise CommandError("Chromium is not installed (on Debian: apt-get install chromium).")
        folder: Path = options["to"]
        folder.mkdir(parents=True, exist_ok=True)
        # Read before Playwright begins: inside, Django takes the thread for an asynchronous one.
        emails: dict[str, str] = {}
        for account in demo.accounts():
            emails.setdefault(account.role, account.email)
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
            for language, scheme in self._looks(options["all"]):
                for role, pages in PAGES.items():
                    chosen = [(name, where) for name, where in pages if options["only"] in name]
                    if not chosen:
                        continue
                    context = browser.new_context(color_scheme=scheme, locale=language, base_url=options["url"])
                    page = context.new_page()
                    if role:
                        self._sign_in(page, emails[Role(role)], language)
                    for size, viewport in (("desk", DESK), ("phone", PHONE)):
                        page.set_viewport_size(viewport)
                        for name, where in chosen:
                            self._open(page, where)
                            if "unfolded" in name:
                                page.evaluate(
                                    "document.querySelectorAll('main details').forEach(one => one.open = true)"
                                )
                            look = "" if (language, scheme) == ("en", "light") else f"-{language}-{scheme}"
                            target = folder / f"{name}-{size}{look}.png"
                            page.screenshot(path=target, full_page=True)
                            self.stdout.write(target.name)
                    context.close()
            browser.close()

    @staticmethod
    def _looks(everything: bool) -> Iterator[tuple[str, Any]]:
        yield "en", "light"
        if everything:
            yield "en", "dark"
            yield "zh-CN", "light"
            yield "zh-CN", "dark"

    @staticmethod
    def _sign_in(page: Any, email: str, language: str) -> None:
        page.goto("/accounts/login/")
        page.fill("input[name=login]", email)
        page.fill("input[name=password]", demo.PASSWORD)
        page.press("input[name=password]", "Enter")
        page.wait_for_load_state("networkidle")
        # The language of the account wins over the browser's; the switch changes it.
        if page.evaluate("document.documentElement.lang")[:2] != language[:2]:
            page.locator("form.language-switch button").click()
            page.wait_for_load_state("networkidle")

    @staticmethod
    def _open(page: Any, where: str) -> None:
        address, _space, link = where.partition(" ")
        page.goto(address)
        if link:
            page.locator(link).first.click()
        page.wait_for_load_state("networkidle")
