"""manage.py retention: what would be deleted, and deleting it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone, translation

from jobs import work
from openness import retention, sweep

WORDS = {"appeal": "open appeal", "correction": "open correction request", "window": "a time limit still runs"}


class Command(BaseCommand):
    help = (
        "Deletes what is over its time, as the worker does once a day. With --dry-run: says what, and changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="print what would go, by kind, and why; change nothing"
        )

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        at = timezone.now()
        policy = retention.in_force(at)
        if dry_run:
            with translation.override("en"):  # as everything that a command prints
                self._print(retention.outlook(at), policy.version)
            return
        job = sweep.start(at)
        if job is None:
            self.stdout.write("Today's run is done; its report is on the page “How long data is kept”.")
            return
        while work.run_batch(job.pk, at=timezone.now()):
            pass
        job.refresh_from_db()
        self.stdout.write(f"{job.get_state_display()}: {job.cursor.get('counts') or 'nothing was over its time'}")

    def _print(self, lines: list[retention.Outlook], version: int) -> None:
        self.stdout.write(f"Policy version {version}. Nothing is changed.\n")
        self.stdout.write(f"{'kind':<66} {'days':>5} {'delete':>7} {'tell':>5}  held back")
        for line in lines:
            held = ", ".join(f"{number} ({WORDS[why]})" for why, number in sorted(line.held.items())) or "-"
            self.stdout.write(f"{line.kind.label!s:<66} {line.days:>5} {line.due:>7} {line.to_tell:>5}  {held}")
        self.stdout.write(
            "\ndelete: over its time, the applicant told 14 days before, nothing holds it back. "
            "tell: over in 14 days or less; the applicant is told first."
        )
