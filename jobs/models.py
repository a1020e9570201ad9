"""Work that takes longer than a page: what is to be done, how far it has come, and what came of it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import get_language, override
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

BACK_OFF = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30))


def in_each_language(sentence: str | Promise) -> dict[str, str]:
    """`sentence` in every language of the product, to be kept: who reads it later may read another one."""
    found = {}
    for code, _name in settings.LANGUAGES:
        with override(code):
            found[code] = str(sentence)
    return found


def in_reading(kept: Mapping[str, str]) -> str:
    """What `in_each_language` made, in the active language."""
    return kept.get(get_language() or "") or kept.get(settings.LANGUAGE_CODE) or ""


OPEN = ("waiting", "running")
"""The states of a job that is not over."""


class JobQuerySet(models.QuerySet["Job"]):
    def open(self) -> Self:
        """Those that are not over."""
        return self.filter(state__in=OPEN)

    def due(self, at: datetime) -> Self:
        """Those to be worked on at `at` (aware), the oldest first. One that failed waits for its next attempt."""
        return self.open().filter(Q(retry_at=None) | Q(retry_at__lte=at)).order_by("at", "pk")


class Job(models.Model):
    """One piece of work, done in batches. Each batch and how far it came are written in one transaction.

    So a worker that dies loses at most the batch it was at, and whoever comes next goes on from `cursor`.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting to start")
        RUNNING = "running", _("Running")
        DONE = "done", _("Finished")
        FAILED = "failed", _("Failed")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(_("kind"), max_length=40)
    subject = models.CharField(_("about"), max_length=64, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("by"))
    data = models.JSONField(_("what is to be done"), default=dict)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.WAITING)
    cursor = models.JSONField(_("where to go on"), default=dict)
    done = models.PositiveIntegerField(_("done"), default=0)
    total = models.PositiveIntegerField(_("of"), null=True)
    result = models.JSONField(_("result"), default=dict)
    why = models.JSONField(_("why it failed"), default=dict, help_text=_("A sentence in each language."))
    at = models.DateTimeField(_("asked at"))
    started_at = models.DateTimeField(_("started at"), null=True)
    ended_at = models.DateTimeField(_("ended at"), null=True)
    attempts = models.PositiveSmallIntegerField(_("attempts that failed"), default=0)
    retry_at = models.DateTimeField(_("next attempt"), null=True)
    last_error = models.TextField(_("last error"), blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        ordering = ["-at"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject"],
                condition=Q(state__in=["waiting", "running"]) & ~Q(subject=""),
                name="jobs_one_at_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["at"], condition=Q(state__in=["waiting", "running"]), name="jobs_open"),
            models.Index(fields=["kind", "subject", "at"], name="jobs_about"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"

    @property
    def sentence(self) -> str:
        """Why it failed, in the active language; empty when it has not."""
        return in_reading(self.why)

    @property
    def is_over(self) -> bool:
        return self.state in (Job.State.DONE, Job.State.FAILED)
