"""Celery: what is over its time."""

from celery import shared_task
from django.utils import timezone

from openness import sweep


@shared_task
def keep_to_the_time() -> None:
    """Begin the day's run, and look after archives and answers. May be lost or doubled: each thing is done once."""
    sweep.hourly(timezone.now())
