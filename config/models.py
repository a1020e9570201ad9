"""What the installation remembers of its own running: when each tick of the schedule was last done."""

from datetime import datetime, timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _


class Tick(models.Model):
    """One task of the beat schedule, and when it last ended well: one that raises or is never called stays behind."""

    task = models.CharField(_("task"), max_length=100, primary_key=True)
    at = models.DateTimeField(_("last done"))
    first_at = models.DateTimeField(_("first done"))
    took = models.DurationField(_("took"))

    class Meta:
        verbose_name = _("tick")
        verbose_name_plural = _("ticks")

    def __str__(self) -> str:
        return self.task


def note_tick(task: str, *, at: datetime, took: timedelta) -> None:
    """`task` ended well at `at` (aware) after `took`. One statement, whoever else writes it."""
    Tick.objects.bulk_create(
        [Tick(task=task, at=at, first_at=at, took=took)],
        update_conflicts=True,
        unique_fields=["task"],
        update_fields=["at", "took"],
    )
