"""Celery tells when a task of the schedule ended well; that is written down, for health and metrics.

Here and not in the tasks: a task cannot forget it, and one that dies on the way does not write it.
"""

import logging
import time
from datetime import timedelta
from typing import Any

from celery.signals import task_prerun, task_success
from django.db import Error
from django.utils import timezone

from config import operations
from config.models import note_tick

logger = logging.getLogger(__name__)

_began: dict[str, float] = {}


@task_prerun.connect
def _begins(task_id: str, task: Any, **_kwargs: Any) -> None:
    if task.name in operations.scheduled():
        _began.clear()  # a process of the worker does one task at a time; one that failed leaves nothing behind
        _began[task_id] = time.monotonic()


@task_success.connect
def _ended_well(sender: Any, **_kwargs: Any) -> None:
    began = _began.pop(sender.request.id, None)
    if began is None:
        return
    try:
        note_tick(sender.name, at=timezone.now(), took=timedelta(seconds=time.monotonic() - began))
    except Error:
        logger.warning("%s ended well, which could not be written down", sender.name, exc_info=True)
