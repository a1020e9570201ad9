"""`manage.py messages`: bring the catalogue of translations up to date, or compile it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from config import messages


class Command(BaseCommand):
    """Without an option: collect the words of the sources into the catalogue and name those without Chinese."""

    help = __doc__ or ""
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--compile", action="store_true", help="only compile what is stale; needs no gettext tools")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["compile"]:
            made = messages.compile_if_stale()
            self.stdout.write("Translations compiled." if made else "Translations are up to date.")
            return
        missing = messages.untranslated(messages.update())
        for message in missing:
            self.stdout.write(message)
        self.stdout.write(f"{len(missing)} without a translation.")
