"""Telling people: outbox events become notifications, notifications by mail become mail.

Every step locks a row that is due, looks again, does, and marks, in one transaction. So any number of workers may run
this at once, twice, or not at all for a while: what is due stays due until it is marked.
"""

import logging
import smtplib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.utils import translation

from accounts.models import User
from notifications import addresses, mail, preferences, registry
from notifications.models import Channel, LeftOut, Notification, OutboxEvent, Preferences
from notifications.registry import Notice

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


class _ServerAway(Exception):
    """There is no use in trying another mail now."""


def deliver(*, at: datetime, most: int = 500, mails: bool = True) -> Delivered:
    """Tell everybody what is due at `at` (aware): at most about `most` events, then at most `most` mails.

    Without `mails` those stay due.

    An event is told once to each person and channel, however often this runs. A mail is sent once, except that a
    process killed between sending and marking sends it again under the same Message-ID. What fails is tried again
    after the distances of `models.BACK_OFF` and then left as failed. Raises nothing that concerns one event or mail.

    Who wants one mail a day gets one. Of several reminders about one case that somebody has not seen, as after an
    outage, the latest alone is left. What cannot be mailed is under the bell.
    """
    done = Delivered()
    while done.events + done.failures < most and _fan_out(done, at):
        pass
    if mails:
        with _server() as server:
            try:
                _send_digests(done, server, at, most)
                _send_mails(done, server, at, most)
            except _ServerAway:
                logger.warning("The mail server is away; its mails wait.")
    done.more = done.events >= most or done.mails >= most
    return done


# ── events become notifications ─────────────────────────────────────────────────────────────────────────────────────


def _fan_out(done: Delivered, at: datetime) -> bool:
    """Turn some due events into notifications. Whether there may be more."""
    with transaction.atomic():
        events = list(OutboxEvent.objects.due(at).select_for_update(skip_locked=True)[:_EVENTS_AT_ONCE])
        registry.read_subjects(events)
        _try_to_tell(done, events, at)
    return len(events) == _EVENTS_AT_ONCE


def _try_to_tell(done: Delivered, events: Sequence[OutboxEvent], at: datetime) -> None:
    """Tell of all these events at once; when that fails, of each by itself: only its own event may suffer from a
    notice that fails, or from a text that the database refuses."""
    if not events:
        return
    try:
        with transaction.atomic():
            _tell(events, at)
        done.events += len(events)
    except Exception as error:
        if len(events) > 1:
            for event in events:
                _try_to_tell(done, [event], at)
            return
        event = events[0]
        logger.exception("Outbox event %s (%s) could not be told.", event.pk, event.event)
        event.words = {}
        event.done_at = None
        event.mark_failed(error, at)
        event.save()
        done.failures += 1


def _tell(events: Sequence[OutboxEvent], at: datetime) -> None:
    """Make the notifications of these events and mark them as done. What is asked of people is asked once for all."""
    told = {event.pk: _who_is_told(event) for event in events}
    people = {person for as_whom in told.values() for person in as_whom}
    reachable = list(User.objects.filter(pk__in=people, is_active=True).order_by("pk").values_list("pk", flat=True))
    chosen, failing = preferences.of(reachable), addresses.failing(reachable)
    made: list[Notification] = []
    for event in events:
        as_whom = {person: told[event.pk][person] for person in reachable if person in told[event.pk]}
        told[event.pk] = as_whom
        for person, notice in as_whom.items():
            made += _of_one_person(event, notice, chosen[person], address_fails=person in failing, at=at)
        event.mark_done(at)
    OutboxEvent.objects.bulk_update(events, ["words", "done_at", "next_attempt_at"])
    Notification.objects.bulk_create(made, ignore_conflicts=True)
    for event in events:
        for notice in registry.notices(event.event):
            if notice.repeats and (again := [person for person, one in told[event.pk].items() if one is notice]):
                _leave_only_the_latest(event, notice, again, at)


def _who_is_told(event: OutboxEvent) -> dict[int, Notice]:
    """As whom each person is told of it. The words are put into the event."""
    told: dict[int, Notice] = {}
    event.words = {}
    for notice in registry.notices(event.event):
        for person in set(notice.recipients(event)):
            told.setdefault(person, notice)
        event.words[notice.audience] = _words(notice, event)
    return told


def _of_one_person(
    event: OutboxEvent, notice: Notice, chosen: Preferences, *, address_fails: bool, at: datetime
) -> Iterator[Notification]:
    kind, urgent = registry.kind(notice.kind), notice.is_urgent(event)
    channels = {channel for channel in notice.channels if preferences.wants(chosen, kind, channel)}
    # The test mail is sent in spite of it: it is how an address stops failing.
    unmailable = address_fails and event.event != addresses.CHECK and Channel.MAIL in channels
    if unmailable:
        channels.add(Channel.BELL)
    for channel in Channel:
        if channel not in channels:
            continue
        notification = Notification(
            event=event,
            recipient_id=chosen.user_id,
            audience=notice.audience,
            channel=channel,
            at=event.at,
            kind=kind.key,
            is_urgent=urgent,
        )
        if channel is Channel.BELL:
            notification.mark_done(at)  # it is there as soon as the row is
        elif unmailable:
            notification.leave_out(LeftOut.ADDRESS_FAILS, at)
        else:
            notification.in_digest = preferences.goes_into_digest(chosen, kind, is_urgent=urgent)
            notification.next_attempt_at = preferences.mail_at(chosen, kind, at=at, is_urgent=urgent)
        yield notification


def _leave_only_the_latest(event: OutboxEvent, notice: Notice, people: Sequence[int], at: datetime) -> None:
    """Of what `notice` told these people about the same subject, and they have not seen (unread under the bell, not
    sent by mail), leave out all but the latest. Events need not be told in the order in which they happened."""
    told = Notification.objects.filter(
        recipient_id__in=people,
        audience=notice.audience,
        event__event=event.event,
        event__subject=event.subject,
        left_out="",
    )
    if not told.exclude(event_id=event.pk).exists():
        return
    know_more = set(told.filter(event_id__gt=event.pk).values_list("recipient_id", flat=True))
    earlier = told.filter(event_id__lt=event.pk) | told.filter(event_id=event.pk, recipient_id__in=know_more)
    earlier.filter(channel=Channel.BELL, read_at=None).update(left_out=LeftOut.REPLACED)
    earlier.filter(channel=Channel.MAIL, done_at=None).update(
        left_out=LeftOut.REPLACED, done_at=at, next_attempt_at=None
    )


def _words(notice: Notice, event: OutboxEvent) -> dict[str, object]:
    words: dict[str, object] = {"url": notice.url(event)}
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            values = notice.context(event)
            words[language] = {"subject": str(notice.subject) % values, "body": str(notice.body) % values}
    return words


# ── notifications become mails ──────────────────────────────────────────────────────────────────────────────────────


def _send_mails(done: Delivered, server: BaseEmailBackend, at: datetime, most: int) -> None:
    """The mails that come by themselves, one transaction each."""
    while done.mails < most:
        with transaction.atomic():
            notification = (
                Notification.objects.due(at)
                .filter(channel=Channel.MAIL, in_digest=False)
                .select_related("event", "recipient")
                .select_for_update(of=("self",), skip_locked=True)
                .first()
            )
            if notification is None:
                return
            chosen = preferences.of([notification.recipient_id])[notification.recipient_id]
            quiet_until = None if notification.is_urgent else preferences.quiet_until(chosen, at=at)
            failure = None
            if _still_to_be_sent([notification], chosen, at):
                if quiet_until is None:
                    failure = _send(done, server, [notification], partial(mail.message, notification), at)
                else:
                    notification.next_attempt_at = quiet_until
            notification.save()
        if failure is not None and _server_is_away(failure):
            raise _ServerAway


def _send_digests(done: Delivered, server: BaseEmailBackend, at: datetime, most: int) -> None:
    """The mails of the day: one for each person whose hour it is, with everything that waits for it.

    Whoever sends it holds the person's preferences: two workers never make two mails of it.
    """
    waiting = Notification.objects.due(at).filter(channel=Channel.MAIL, in_digest=True)
    for person in sorted(set(waiting.order_by().values_list("recipient_id", flat=True))):
        if done.mails >= most:
            return
        Preferences.objects.get_or_create(user_id=person)
        with transaction.atomic():
            chosen = Preferences.objects.select_for_update(skip_locked=True).filter(user_id=person).first()
            if chosen is None:
                continue
            rows = list(
                waiting.filter(recipient_id=person)
                .select_related("event", "recipient")
                .select_for_update(of=("self",))
                .order_by("event_id")
            )
            sent = _still_to_be_sent(rows, chosen, at)
            failure = _send(done, server, sent, partial(mail.digest, sent), at) if sent else None
            for row in rows:
                row.save()
        if failure is not None and _server_is_away(failure):
            raise _ServerAway


def _still_to_be_sent(rows: Sequence[Notification], chosen: Preferences, at: datetime) -> list[Notification]:
    """Look again: those of these mails to one person that are still to be sent. The others are marked as left out."""
    left = []
    address_fails = bool(rows) and bool(addresses.failing([rows[0].recipient_id]))
    for row in rows:
        if not row.recipient.is_active:
            row.leave_out(LeftOut.CLOSED, at)
        elif not preferences.wants(chosen, registry.kind(row.kind), Channel.MAIL):
            row.leave_out(LeftOut.SWITCHED_OFF, at)
        elif _is_replaced(row):
            row.leave_out(LeftOut.REPLACED, at)
        elif address_fails and row.event.event != addresses.CHECK:
            row.leave_out(LeftOut.ADDRESS_FAILS, at)
            _put_under_the_bell(row, at)
        else:
            left.append(row)
    return left


def _is_replaced(row: Notification) -> bool:
    """Whether another worker has told the same person a later reminder meanwhile."""
    notice = registry.notice(row.event.event, row.audience)
    if notice is None or not notice.repeats:
        return False
    later = Notification.objects.filter(
        recipient_id=row.recipient_id,
        channel=Channel.MAIL,
        audience=row.audience,
        event_id__gt=row.event_id,
        event__event=row.event.event,
        event__subject=row.event.subject,
    )
    return later.exists()


def _send(
    done: Delivered,
    server: BaseEmailBackend,
    rows: Sequence[Notification],
    written: Callable[[], EmailMultiAlternatives],
    at: datetime,
) -> Exception | None:
    """Send one mail with these notifications and mark them, not saved. The error, when it failed."""
    try:
        server.open()
        message = written()
        message.connection = server
        server.send_messages([message])
    except Exception as error:  # whatever the server or a text did, only this mail may suffer
        logger.warning("Mail %s could not be sent.", rows[0].pk, exc_info=True)
        done.failures += 1
        for row in rows:
            row.mark_failed(error, at)
            if row.next_attempt_at is None:
                _put_under_the_bell(row, at)
        recipient = rows[0].recipient
        if said := addresses.refusal_in(error, recipient.email):
            addresses.refused(recipient, said=said, at=at)
        return error
    for row in rows:
        row.mark_done(at)
    done.mails += 1
    return None


def _put_under_the_bell(row: Notification, at: datetime) -> None:
    """Show on the page what could not be mailed, also to somebody who wanted the mail alone."""
    if row.event.event == addresses.CHECK:
        return  # its link would prove nothing there
    Notification.objects.get_or_create(
        event_id=row.event_id,
        recipient_id=row.recipient_id,
        channel=Channel.BELL,
        defaults={"at": row.at, "audience": row.audience, "kind": row.kind, "done_at": at},
    )


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
