"""Writing to the outbox, and telling the worker that there is something in it."""

import logging
import os
import threading
import time
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from audit.rows import new
from notifications import registry
from notifications.models import OutboxEvent

logger = logging.getLogger(__name__)

# Between two hints of one process.
_MOMENT_SECONDS = 0.25


def emit(event: str, *, subject: UUID, at: datetime, data: dict[str, Any] | None = None) -> OutboxEvent:
    """The outbox row for `event`, due at once, not saved. The caller saves it with what happened, or neither.

    `at` is aware; `data` is JSON with what the notices need to know besides `subject`.
    Refuses with `registry.UnknownEvent` an event that no notice was registered for.
    """
    registry.must_be_known(event)
    return new(OutboxEvent, event=event, subject=subject, at=at, next_attempt_at=at, data=data or {})


def hint() -> None:
    """Have the worker look at the outbox as soon as the running transaction has committed.

    Only a hint: several may become one, and it is lost when the broker is away or this process ends at once; the
    worker's sweep of every minute finds the rows all the same. Never raises, never waits for the broker.
    """
    transaction.on_commit(lambda: _messenger.ask())


class _Messenger:
    """A thread that passes hints on, because finding out that a broker is away takes seconds.

    However many hints come while one is being sent and in the moment after it, one more is sent then: sending one
    costs more than a step of a request does, and the worker finds everything that is due at each.
    """

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def ask(self) -> None:
        self._asked.set()
        if self._thread is None:
            with self._starting:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._work, name="outbox-hints", daemon=True)
                    self._thread.start()

    def _work(self) -> None:
        from notifications.tasks import deliver

        while True:
            self._asked.wait()
            self._asked.clear()
            try:
                deliver.apply_async(retry=False)
                time.sleep(_MOMENT_SECONDS)
            except Exception as error:
                logger.warning("The worker could not be told of new notifications; its sweep finds them: %s", error)


def _anew() -> None:
    """A forked process has no threads: it begins with a messenger of its own."""
    global _messenger
    _messenger = _Messenger()


_messenger = _Messenger()
os.register_at_fork(after_in_child=_anew)
