"""Hints for the worker: load, one call, nothing else. Each may be lost or doubled without harm."""

from celery import shared_task
from django.utils import timezone

from approvals import settling, sweeping


@shared_task
def sweep_clocks() -> None:
    """Take every step of every clock that is due now. Beat calls this every minute."""
    sweeping.sweep(at=timezone.now())


@shared_task
def settle_clocks() -> None:
    """Have clocks that missed a new calendar look at it. Beat calls this every minute; publishing does not wait."""
    settling.look(at=timezone.now())
