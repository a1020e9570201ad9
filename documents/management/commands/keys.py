"""manage.py keys: the keys that sign clearances."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.refusals import Refused
from documents import keys
from documents.models import SigningKey


class Command(BaseCommand):
    help = "The keys that sign clearances: list them, make a new one, withdraw one that somebody else may have."

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True, metavar="list|rotate|withdraw")
        commands.add_parser("list", help="Every key, the latest first.")
        commands.add_parser("rotate", help="Make a new key. The one before stays for verifying.")
        withdraw = commands.add_parser("withdraw", help="Trust nothing any more that this key has signed.")
        withdraw.add_argument("key", help="The id of the key, as `list` prints it.")
        withdraw.add_argument("--why", required=True, help="Published with the key.")

    def handle(self, *args: Any, **options: Any) -> None:
        at = timezone.now()
        match options["command"]:
            case "list":
                for key in SigningKey.objects.all():
                    self.stdout.write(self._line(key))
            case "rotate":
                self.stdout.write(f"{keys.rotate(at=at).key_id} signs from now on.")
            case "withdraw":
                try:
                    row = keys.withdraw(options["key"], at=at, why=options["why"])
                except Refused as refusal:
                    raise CommandError(str(refusal)) from refusal
                self.stdout.write(f"{row.key_id} is withdrawn: clearances that it signed are not valid any more.")

    def _line(self, key: SigningKey) -> str:
        if key.withdrawn_at:
            return f"{key.key_id}  withdrawn {key.withdrawn_at:%Y-%m-%d}: {key.withdrawn_because}"
        if key.retired_at:
            return f"{key.key_id}  verifies what it signed until {key.retired_at:%Y-%m-%d}"
        return f"{key.key_id}  signs since {key.made_at:%Y-%m-%d}"
