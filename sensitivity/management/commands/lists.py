"""manage.py lists: write the names of entries anew."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from sensitivity import names


class Command(BaseCommand):
    help = "The sensitivity lists: write the names anew by which entries are found."

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True, metavar="rekey")
        rekey = commands.add_parser(
            "rekey",
            help="Write the names of all entries anew, after a release that compares names in another way.",
        )
        rekey.add_argument("--batch", type=int, default=2_000, help="how many entries at a time (2000)")

    def handle(self, *args: Any, **options: Any) -> None:
        done, shown = 0, self.stdout.isatty()
        for done in names.rekey(batch=options["batch"]):
            if shown:
                self.stdout.write(f"\r{done:,} entries", ending="")
        self.stdout.write(("\n" if shown else "") + f"The names of {done:,} entries are written anew.")
