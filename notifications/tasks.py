"""Celery: looks into the outbox."""

from celery import shared_task
from django.utils import timezone

from notifications import delivery, outbox


@shared_task
def deliver() -> None:
    """Tell everybody what is due. May be lost or doubled: beat asks once a minute, and what was told is marked."""
    if delivery.deliver(at=timezone.now()).more:
        outbox.hint()
