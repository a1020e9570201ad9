"""Telling people: outbox events become notifications, notifications by mail become mail.

Every step locks a row that is due, looks again, does, and marks, in one transaction. So any number of workers may run
this at once, twice, or not at all for a while: what is due stays due until it is marked.
"""

import logging
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.utils import translation

from accounts.models import User
from notifications import mail, registry
from notifications.models import Channel, Notification, OutboxEvent

logger = logging.getLogger(__name__)

_EVENTS_AT_ONCE = 50
_SMTP_TIMEOUT_SECONDS = 10
# The server is away or does not want us: the next mail would fare no better.
_SERVER_ERRORS = (
    smtplib.SMTPServerDisconnected,
    smtplib.SMTPConnectError,
    smtplib.SMTPHeloError,
    smtplib.SMTPAuthenticationError,
    smtplib.SMTPNotSupportedError,
)


@dataclass(slots=True)
class Delivered:
    """What one run did: events told, mails sent, attempts that failed; `more` when it stopped before the end."""

    events: int = 0
    mails: int = 0
    failures: int = 0
    more: bool = False


def deliver(*, at: datetime, most: int = 500, mails: bool = True) -> Delivered:
    """Tell everybody what is due at `at` (aware): at most about `most` events, then at most `most` mails.

    Without `mails` those stay due.

    An event is told once to each person and channel, however often this runs. A mail is sent once, except that a
    process killed between sending and marking sends it again under the same Message-ID. What fails is tried again
    after the distances of `models.BACK_OFF` and then left as failed. Raises nothing that concerns one event or mail.
    """
    done = Delivered()
    while done.events + done.failures < most and _fan_out(done, at):
        pass
    if mails:
        _send_mails(done, at, most)
    done.more = done.events >= most or done.mails >= most
    return done


def _fan_out(done: Delivered, at: datetime) -> bool:
    """Turn some due events into notifications. Whether there were any."""
    with transaction.atomic():
        events = list(OutboxEvent.objects.due(at).select_for_update(skip_locked=True)[:_EVENTS_AT_ONCE])
        for event in events:
            try:
                with transaction.atomic():
                    _tell(event, at)
                    event.mark_done(at)
                    event.save()
                done.events += 1
            except Exception as error:  # whatever a notice did, only its own event may suffer
                logger.exception("Outbox event %s (%s) could not be told.", event.pk, event.event)
                event.words = {}
                event.done_at = None
                event.mark_failed(error, at)
                event.save()
                done.failures += 1
    return bool(events)


def _tell(event: OutboxEvent, at: datetime) -> None:
    told: dict[int, str] = {}
    for notice in registry.notices(event.event):
        people = set(notice.recipients(event))
        event.words[notice.audience] = _words(notice, event)
        for person in people:
            told.setdefault(person, notice.audience)
    reachable = User.objects.filter(pk__in=told, is_active=True).order_by("pk").values_list("pk", flat=True)
    Notification.objects.bulk_create(
        [
            Notification(
                event=event,
                recipient_id=person,
                audience=told[person],
                channel=channel,
                at=event.at,
                # Under the bell it is there as soon as the row is.
                done_at=at if channel is Channel.BELL else None,
                next_attempt_at=at if channel is Channel.MAIL else None,
            )
            for person in reachable
            for channel in Channel
        ],
        ignore_conflicts=True,
    )


def _words(notice: registry.Notice, event: OutboxEvent) -> dict[str, object]:
    words: dict[str, object] = {"url": notice.url(event)}
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            values = notice.context(event)
            words[language] = {"subject": str(notice.subject) % values, "body": str(notice.body) % values}
    return words


def _send_mails(done: Delivered, at: datetime, most: int) -> None:
    with _server() as server:
        while done.mails < most:
            with transaction.atomic():
                notification = (
                    Notification.objects.due(at)
                    .filter(channel=Channel.MAIL)
                    .select_related("event", "recipient")
                    .select_for_update(of=("self",), skip_locked=True)
                    .first()
                )
                if notification is None:
                    return
                try:
                    _send(notification, server)
                    notification.mark_done(at)
                    done.mails += 1
                    failure = None
                except Exception as error:  # whatever the server or a text did, only this mail may suffer
                    logger.warning("Mail %s could not be sent.", notification.pk, exc_info=True)
                    notification.mark_failed(error, at)
                    done.failures += 1
                    failure = error
                notification.save()
            if failure is not None and _server_is_away(failure):
                return


def _send(notification: Notification, server: BaseEmailBackend) -> None:
    # Somebody whose account was closed meanwhile is not told any more.
    if notification.recipient.is_active:
        server.open()
        server.send_messages([mail.message(notification, connection=server)])


@contextmanager
def _server() -> Iterator[BaseEmailBackend]:
    """One connection for a whole run; the backend opens it with the first mail."""
    server = get_connection(timeout=_SMTP_TIMEOUT_SECONDS)
    try:
        yield server
    finally:
        try:
            server.close()
        except (OSError, smtplib.SMTPException):
            logger.warning("The connection to the mail server did not close cleanly.", exc_info=True)


def _server_is_away(error: BaseException) -> bool:
    # smtplib's errors are OSErrors too; most of them concern one mail.
    return isinstance(error, _SERVER_ERRORS) or (
        isinstance(error, OSError) and not isinstance(error, smtplib.SMTPException)
    )
