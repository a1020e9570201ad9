"""What was given up after the last attempt: to be seen, mended and tried again by an administrator."""

from datetime import datetime
from uuid import UUID

from notifications.models import Notification, OutboxEvent

SHOWN = 100


def number() -> int:
    """How many events and mails were given up."""
    return OutboxEvent.objects.failed().count() + Notification.objects.failed().count()


def latest(most: int) -> tuple[list[OutboxEvent], list[Notification]]:
    """The latest events that could not be told and mails that could not be sent, at most `most` of each."""
    return (
        list(OutboxEvent.objects.failed()[:most]),
        list(Notification.objects.failed().select_related("event", "recipient")[:most]),
    )


def try_again(only: UUID | None, *, at: datetime) -> int:
    """Make the given-up event or mail `only`, or with None every one, due at `at` with all its attempts before it.

    Returns how many that were: none for one that is not given up (any more).
    """
    again = 0
    for model in (OutboxEvent, Notification):
        given_up = model.objects.failed()
        again += (given_up if only is None else given_up.filter(pk=only)).update(attempts=0, next_attempt_at=at)
    return again
