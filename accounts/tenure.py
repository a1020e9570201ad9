"""Roles have a start and an end. One mechanism for every table that gives one."""

from datetime import datetime
from typing import Self, TypeVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

T = TypeVar("T", bound=models.Model, covariant=True)


class TenureQuerySet(models.QuerySet[T, T]):
    def in_force(self, at: datetime) -> Self:
        """Those that have begun by `at` and not ended before or at it."""
        return self.filter(Q(ends_at=None) | Q(ends_at__gt=at), starts_at__lte=at)


class Tenure(models.Model):
    """Something that holds from `starts_at` (inclusive) to `ends_at` (exclusive; None: open)."""

    starts_at = models.DateTimeField(_("from"), default=timezone.now)
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)

    objects = TenureQuerySet.as_manager()

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                name="%(app_label)s_%(class)s_ends_after_start",
                condition=Q(ends_at=None) | Q(ends_at__gt=models.F("starts_at")),
                violation_error_message=_("The end must be after the start."),
            )
        ]

    def is_in_force(self, at: datetime) -> bool:
        """Whether this holds at `at`."""
        return self.starts_at <= at and (self.ends_at is None or at < self.ends_at)
