"""Hints for the worker: load, one call, nothing else. Each may be lost or doubled without harm."""

import logging

from celery import shared_task
from django.utils import timezone
from kombu.exceptions import OperationalError

from approvals import papers, returning, settling, sweeping

logger = logging.getLogger(__name__)


@shared_task
def sweep_clocks() -> None:
    """Take every step of every clock that is due now. Called every minute; a long list calls another worker."""
    sweeping.sweep(at=timezone.now(), call_help=_call_another)


def _call_another() -> None:
    try:
        sweep_clocks.apply_async(retry=False)
    except OperationalError as error:
        logger.warning("No other worker could be called to help with a long list: %s", error)


@shared_task
def settle_clocks() -> None:
    """Have clocks that missed a new calendar look at it. Beat calls this every minute; publishing does not wait."""
    settling.look(at=timezone.now())


@shared_task
def return_cases() -> None:
    """Give back the cases of reviewers who are not there any more. Beat calls this every minute."""
    returning.return_cases(at=timezone.now())


@shared_task
def make_papers() -> None:
    """Make the letters that wait. Beat calls this every few seconds; a long list is gone on with by another look."""
    if papers.make_due(at=timezone.now()).more:
        try:
            make_papers.apply_async(retry=False)
        except OperationalError as error:
            logger.warning("The worker could not be told that more papers wait: %s", error)
