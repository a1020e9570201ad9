"""manage.py audit: is the log whole, sign it, give out the key."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audit import checkpoints, signing, verification


class Command(BaseCommand):
    help = "The audit log: verify it, sign today's checkpoint, print the public key."

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True, metavar="verify|checkpoint|public-key")
        verify = commands.add_parser("verify", help="Check every chain and checkpoint; names the first break.")
        verify.add_argument(
            "--retired-key",
            action="append",
            default=[],
            metavar="BASE64",
            help="A public key that signed before the one in use; may be given several times.",
        )
        commands.add_parser("checkpoint", help="Sign today's checkpoint, unless it is signed.")
        commands.add_parser("public-key", help="Print the public half of the signing key, in base64.")

    def handle(self, *args: Any, **options: Any) -> None:
        match options["command"]:
            case "verify":
                self._verify([*getattr(settings, "AUDIT_RETIRED_KEYS", []), *options["retired_key"]])
            case "checkpoint":
                self._checkpoint()
            case "public-key":
                self.stdout.write(signing.public_key_text())

    def _verify(self, retired_keys: list[str]) -> None:
        report = verification.verify(retired_keys=retired_keys)
        if report.first_break:
            raise CommandError(f"The audit log is broken at {report.first_break}.", returncode=1)
        self.stdout.write(
            f"The audit log is whole: {report.entries} entries in {report.chains} chains, "
            f"{report.checkpoints} signed checkpoints."
        )

    def _checkpoint(self) -> None:
        checkpoint = checkpoints.sign(at=timezone.now())
        if checkpoint is None:
            self.stdout.write("Today's checkpoint is signed already.")
        else:
            self.stdout.write(f"Signed {checkpoint.day}: {checkpoint.chains} chains moved; {checkpoint.hash.hex()}")
