"""The demonstration data, and the accounts to sign in with."""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone, translation

from approvals import demo

_WIDTH = 40


class Command(BaseCommand):
    help = (
        "Fills an empty installation with demonstration data: fictitious companies and people on trips to real events, "
        "with a true history each. Refused outside development, and where there are requests already."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seed", type=int, default=1, help="the same seed and day give the same data")
        parser.add_argument("--requests", type=int, default=600, help="how many travel requests (600)")
        parser.add_argument("--today", type=date.fromisoformat, help="YYYY-MM-DD: the day that trips are dated around")
        parser.add_argument(
            "--language",
            choices=[code for code, _name in settings.LANGUAGES],
            default="en",
            help="of the accounts below",
        )
        parser.add_argument("--accounts", action="store_true", help="only print the accounts of what is loaded")

    def handle(
        self, *, seed: int, requests: int, today: date | None, language: str, accounts: bool, **options: Any
    ) -> None:
        if not accounts:
            self._shown = -1
            try:
                made = demo.load(
                    seed=seed,
                    requests=requests,
                    today=today or timezone.localdate(),
                    language=language,
                    progress=self._progress,
                )
            except demo.DemoRefused as refusal:
                raise CommandError(str(refusal)) from refusal
            self.stdout.write(f"{made} requests, with all that happened to them.\n")
        self._print_accounts()

    def _progress(self, done: float) -> None:
        """A bar that fills up at a terminal; nothing where the output goes elsewhere."""
        percent = int(done * 100)
        if percent == self._shown or not self.stdout.isatty():
            return
        self._shown = percent
        bar = "█" * round(done * _WIDTH)
        self.stdout.write(f"\r{bar:░<{_WIDTH}} {percent:3d} %", ending="\n" if percent == 100 else "")
        self.stdout.flush()

    def _print_accounts(self) -> None:
        found = demo.accounts()
        if not found:
            return
        with translation.override("en"):
            lines = [(account.email, str(account.role.label), account.look_at) for account in found]
        widths = [max(len(line[column]) for line in lines) for column in range(2)]
        self.stdout.write(f"\nDemonstration accounts; the password of all is {demo.PASSWORD}\n")
        for email, role, look_at in lines:
            self.stdout.write(f"  {email:<{widths[0]}}  {role:<{widths[1]}}  {look_at}")
        self.stdout.write("")
