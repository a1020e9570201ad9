"""Writing to the outbox, and telling the worker that there is something in it."""

import logging
import time
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from notifications import registry
from notifications.models import OutboxEvent

logger = logging.getLogger(__name__)

# After a hint that did not get through, this process sends none for a while: the broker is away, the sweep of every
# minute finds the rows all the same, and nobody's page should wait for a connection that does not come.
_PAUSE_SECONDS = 30.0
_silent_until = 0.0


def emit(event: str, *, subject: UUID, at: datetime, data: dict[str, Any] | None = None) -> OutboxEvent:
    """The outbox row for `event`, due at once, not saved. The caller saves it with what happened, or neither.

    `at` is aware; `data` is JSON with what the notices need to know besides `subject`.
    Refuses with `registry.UnknownEvent` an event that no notice was registered for.
    """
    registry.must_be_known(event)
    return OutboxEvent(event=event, subject=subject, at=at, next_attempt_at=at, data=data or {})


def hint() -> None:
    """Have the worker look at the outbox as soon as the running transaction has committed.

    Only a hint: it may be lost, doubled, or not be sent at all while the broker is away. Never raises.
    """
    transaction.on_commit(_send_hint)


def _send_hint() -> None:
    global _silent_until
    if time.monotonic() < _silent_until:
        return
    from notifications.tasks import deliver

    try:
        deliver.apply_async(retry=False)
    except Exception:
        _silent_until = time.monotonic() + _PAUSE_SECONDS
        logger.warning("The worker could not be told of new notifications; its sweep will find them.", exc_info=True)
