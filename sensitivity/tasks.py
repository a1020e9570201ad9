"""Celery: lists that end."""

from celery import shared_task
from django.utils import timezone

from sensitivity import publishing


@shared_task
def remind_of_ends() -> None:
    """Remind owners of versions that end soon. May be lost or doubled: each reminder is a row, told once."""
    publishing.remind(at=timezone.now())
