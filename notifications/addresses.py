"""Addresses that refuse mail: counted, shown, left alone, and taken up again when their owner says so.

The other side can refuse at once (an SMTP answer of 5xx to the recipient) or later, by a message of its own (RFC 3464),
which `manage.py bounces` reads. After `REFUSALS` of them an address fails: mail to it is not tried any more, and what
it would have said is under the bell.
"""

import re
import smtplib
from collections.abc import Iterator
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import Message
from email.utils import getaddresses
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from notifications import outbox, registry, tokens
from notifications.models import Channel, MailAddress, Notification, OutboxEvent
from notifications.registry import Notice

REFUSALS = 3
"""So many times refused, and the address fails."""
APART = timedelta(hours=1)
"""Refusals closer to each other count once: a mail server that is set up wrong for an hour makes no address fail."""
FORGOTTEN = timedelta(days=30)
"""After so long without a refusal the count begins anew."""

CHECK = "notifications.address_check"
_MESSAGE_ID = re.compile(r"<([0-9a-f-]{36})(?:\.\d+)?@[^>\s]+>")


def failing(user_ids: list[int]) -> set[int]:
    """Those of these accounts whose present address fails. One query."""
    found = MailAddress.objects.filter(user_id__in=user_ids, failing_since__isnull=False, email=F("user__email"))
    return set(found.values_list("user_id", flat=True))


def of(user: User) -> MailAddress | None:
    """What is known against the present address of `user`, when it fails; else None."""
    return MailAddress.objects.filter(user=user, email=user.email, failing_since__isnull=False).first()


def all_failing(most: int) -> list[MailAddress]:
    """The addresses that fail, the latest first, with their accounts."""
    found = MailAddress.objects.filter(failing_since__isnull=False, email=F("user__email"), user__is_active=True)
    return list(found.select_related("user").order_by("-failing_since")[:most])


def refused(user: User, *, said: str, at: datetime) -> None:
    """Count that the address of `user` refused a mail for good at `at`, and what the other side `said`."""
    with transaction.atomic():
        MailAddress.objects.get_or_create(user=user, defaults={"email": user.email})
        kept = MailAddress.objects.select_for_update().get(user=user)
        if kept.email != user.email or (kept.last_refused_at and at - kept.last_refused_at > FORGOTTEN):
            kept.email, kept.refusals, kept.failing_since, kept.last_refused_at = user.email, 0, None, None
        if kept.last_refused_at is None or at - kept.last_refused_at >= APART:
            kept.refusals += 1
            kept.last_refused_at = at
        kept.last_refusal = said.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()[:2000]
        if kept.refusals >= REFUSALS and kept.failing_since is None:
            kept.failing_since = at
        kept.save()


def refusal_in(error: BaseException, email: str) -> str:
    """What the mail server said where it refused `email` for good (5xx to the recipient); empty for anything else."""
    if not isinstance(error, smtplib.SMTPRecipientsRefused):
        return ""
    code, words = error.recipients.get(email, (0, b""))
    return f"{code} {words.decode(errors='replace')}" if 500 <= code < 600 else ""


def ask(user: User, *, at: datetime) -> bool:
    """Send one mail to the failing address of `user`, with a link by which they say that it arrived.

    False when it does not fail, and within an hour of the last one.
    """
    with transaction.atomic():
        kept = MailAddress.objects.select_for_update().filter(user=user, email=user.email).first()
        if kept is None or kept.failing_since is None or (kept.asked_at and at - kept.asked_at < APART):
            return False
        kept.asked_at = at
        kept.save(update_fields=["asked_at"])
        outbox.emit(CHECK, subject=UUID(int=user.pk), at=at, data={"user": user.pk, "email": user.email}).save()
        outbox.hint()
    return True


def works_again(user_id: int, email: str) -> bool:
    """Forget what was held against `email`, if it still is the address of this account. Whether there was any."""
    deleted, _models = MailAddress.objects.filter(user_id=user_id, email=email).delete()
    return bool(deleted)


# ── messages about messages ─────────────────────────────────────────────────────────────────────────────────────────


def bounced(message: Message, *, at: datetime) -> int:
    """Count what a delivery status notification (RFC 3464) says about mails of ours. How many addresses it concerned.

    Only failures for good (action `failed`, status 5.x.x) count, and only of a mail that we did send, named by its
    Message-ID: anybody can write to the address that these messages come to.
    """
    said = next(_failures(message), "")
    for headers in _returned(message):
        mail = _mail(str(headers.get("Message-ID", "")).strip())
        # Somebody whose address was changed since has nothing to do with the earlier one.
        if mail and said and mail.recipient.email in [address for _name, address in getaddresses([_to(headers)])]:
            refused(mail.recipient, said=said, at=at)
            return 1
    return 0


def _returned(report: Message) -> Iterator[Message]:
    """The headers of the mail that came back: a part of the report holds it whole, or its headers alone."""
    for part in report.walk():
        if part.get_content_type() == "text/rfc822-headers":
            headers = part.get_payload(decode=True)
            if isinstance(headers, bytes):
                yield message_from_bytes(headers)
        elif part is not report and part.get("Message-ID"):
            yield part


def _to(headers: Message) -> str:
    return str(headers.get("To", "")).lower()


def _mail(message_id: str) -> Notification | None:
    found = _MESSAGE_ID.fullmatch(message_id)
    if found is None:
        return None
    try:
        key = UUID(found[1])
    except ValueError:
        return None
    return Notification.objects.filter(pk=key, channel=Channel.MAIL).select_related("recipient").first()


def _failures(message: Message) -> Iterator[str]:
    for part in message.walk():
        if part.get_content_type() != "message/delivery-status":
            continue
        blocks = part.get_payload()
        for block in blocks if isinstance(blocks, list) else []:
            if not isinstance(block, Message):
                continue
            status = str(block.get("Status", "")).strip()
            if str(block.get("Action", "")).strip().lower() == "failed" and status.startswith("5."):
                yield f"{status} {block.get('Diagnostic-Code', '')}".strip()


# ── the test mail ───────────────────────────────────────────────────────────────────────────────────────────────────


def _confirm_path(event: OutboxEvent) -> str:
    return tokens.address_path(event.data["user"], event.data["email"])


def register() -> None:
    """Make the test mail sendable. Called once, when the app is ready."""
    registry.register(
        Notice(
            event=CHECK,
            audience="owner",
            recipients=lambda event: [event.data["user"]],
            url=_confirm_path,
            subject=_("Does this mail reach you?"),
            body=_(
                "Mails to this address came back, so you get none any more.\n\n"
                "If you can read this, open the page below within three days and confirm that the address works."
            ),
            is_urgent=lambda event: True,
            channels=(Channel.MAIL,),
        )
    )
