"""What a draft would have done, before it is published."""

from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from jobs.models import Job
from sensitivity.models.lists import ListVersion


class RehearsalQuerySet(models.QuerySet["Rehearsal"]):
    def finished(self) -> Self:
        return self.filter(finished_at__isnull=False)


class Rehearsal(models.Model):
    """One content of a draft, run over the requests submitted in the last days: kept with the version.

    `result` is JSON: `tiers` ({before: {after: count}}), `days_before` and `days_after` (the office's work in
    reviewer-days on these requests), `offices` (the same by office code).
    """

    version = models.ForeignKey(ListVersion, models.CASCADE, related_name="rehearsals", verbose_name=_("version"))
    content = models.PositiveIntegerField(_("changes"))
    days = models.PositiveSmallIntegerField(_("days looked back"))
    by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("at"))
    job = models.ForeignKey(Job, models.SET_NULL, null=True, related_name="+")
    finished_at = models.DateTimeField(_("finished at"), null=True)
    requests = models.PositiveIntegerField(_("requests"), default=0)
    changed = models.PositiveIntegerField(_("with another tier"), default=0)
    result = models.JSONField(_("result"), default=dict)

    objects = RehearsalQuerySet.as_manager()

    class Meta:
        verbose_name = _("rehearsal")
        verbose_name_plural = _("rehearsals")
        ordering = ["-pk"]
        indexes = [models.Index(fields=["version", "content"], name="sensitivity_rehearsal_of")]

    def __str__(self) -> str:
        return f"{self.version} · {self.content}"


class RehearsedChange(models.Model):
    """A request that would have had another tier. Its number, never whose it is."""

    rehearsal = models.ForeignKey(Rehearsal, models.CASCADE, related_name="changes", verbose_name=_("rehearsal"))
    request = models.UUIDField(_("request"))
    reference = models.CharField(_("number"), max_length=16)
    tier_before = models.CharField(_("tier before"), max_length=12)
    tier_after = models.CharField(_("tier after"), max_length=12)
    codes = models.JSONField(_("entries that make the difference"), default=list)

    class Meta:
        verbose_name = _("request with another tier")
        verbose_name_plural = _("requests with another tier")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["rehearsal", "request"], name="sensitivity_rehearsed_once"),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.tier_before} → {self.tier_after}"
