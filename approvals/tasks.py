"""Hints for the worker: load, one call, nothing else. Each may be lost or doubled without harm."""

from celery import shared_task
from django.utils import timezone

from approvals import workflow


@shared_task
def sweep_clocks() -> None:
    """Take every step of every clock that is due now. Beat calls this every minute."""
    workflow.sweep(at=timezone.now())
