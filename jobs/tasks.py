"""Celery: looks for jobs."""

from celery import shared_task
from django.utils import timezone

from jobs import work


@shared_task
def run_jobs() -> None:
    """Work on what is waiting. May be lost or doubled: beat asks once a minute, and every batch is done once."""
    if work.run_due(clock=timezone.now):
        work.hint()
