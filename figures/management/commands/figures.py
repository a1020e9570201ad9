"""manage.py figures: what would be published of a quarter, publish what is due, correct what was published."""

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.refusals import Refused
from figures import publishing, tables
from figures.quarters import Quarter


class Command(BaseCommand):
    help = (
        "Publishes the figures of every quarter that is due. With --quarter and --dry-run: prints what would be "
        "published of it, suppressed as it would be, and writes nothing. With --quarter, --reason-zh and --reason-en: "
        "publishes it again, corrected, as a new version."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--quarter", type=_quarter, metavar="2026Q1")
        parser.add_argument("--dry-run", action="store_true", help="print, write nothing")
        parser.add_argument("--reason-zh", default="", help="why a published quarter is corrected, in Chinese")
        parser.add_argument("--reason-en", default="", help="the same in English")

    def handle(self, *args: Any, **options: Any) -> None:
        at, quarter = timezone.now(), options["quarter"]
        if options["dry_run"]:
            for one in [quarter] if quarter else publishing.due(at=at):
                self.stdout.write(tables.as_csv(str(one), 0, publishing.measure(one)), ending="")
        elif quarter is None:
            made = publishing.publish_due(at=at)
            self.stdout.write("\n".join(f"Published {row.quarter}." for row in made) or "No quarter is due.")
        else:
            try:
                row = publishing.correct(quarter, at=at, reason_zh=options["reason_zh"], reason_en=options["reason_en"])
            except Refused as refused:
                raise CommandError(refused.sentence) from refused
            self.stdout.write(f"Published version {row.version} of {row.quarter}.")


def _quarter(name: str) -> Quarter:
    try:
        return Quarter.named(name)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error
