"""manage.py bounces < message: read what a mail server says about mails of ours that did not arrive (RFC 3464)."""

import sys
from email import message_from_binary_file
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from notifications import addresses


class Command(BaseCommand):
    help = (
        "Reads one delivery status notification (RFC 3464) from standard input and counts the refusal against the "
        "address of whoever was written to. For the mailbox to which DEFAULT_FROM_EMAIL leads, such as: "
        "|manage.py bounces"
    )

    def handle(self, *args: Any, **options: Any) -> None:
        # A mail server that pipes mail would send an error back as one more message: whatever comes, this ends well.
        counted = addresses.bounced(message_from_binary_file(sys.stdin.buffer), at=timezone.now())
        self.stdout.write(f"{counted} refusal{'' if counted == 1 else 's'} counted.")
