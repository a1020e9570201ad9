"""The clocks of a request, as rows: what `clocks.py` computes, with the indexed moment of the next action."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from approvals.clocks import Step, key_of
from approvals.states import Tier
from audit.models import AppendOnly
from authorities.terms import ClockKind


class Clock(models.Model):
    """One clock of one request. Its value is `approvals.clocks.Clock`; what is derived from it is stored beside it.

    `intervals` is [[from, until or null], …] and `steps_done` [[step, at], …], with aware ISO times in UTC.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    request = models.ForeignKey("approvals.TravelRequest", models.CASCADE, related_name="clocks")
    kind = models.CharField(_("clock"), max_length=20, choices=ClockKind.choices)
    subject = models.UUIDField(_("what it is about"), null=True)
    policy_version = models.PositiveIntegerField(_("policy version"))
    calendar_version = models.PositiveIntegerField(_("calendar version"))
    calendar_checked = models.PositiveIntegerField(_("newest calendar version looked at"))
    started_at = models.DateTimeField(_("started at"))
    intervals = models.JSONField(_("running intervals"))
    tier = models.CharField(_("tier"), max_length=12, blank=True, choices=Tier.choices)
    urgent = models.BooleanField(_("urgent humanitarian"), default=False)
    anchor = models.DateField(_("day that it waits for"), null=True)
    extension_days = models.PositiveSmallIntegerField(_("extended by"), default=0)
    steps_done = models.JSONField(_("steps taken"), default=list)
    ended_at = models.DateTimeField(_("ended at"), null=True)

    due_at = models.DateTimeField(_("due at"), null=True)
    is_provisional = models.BooleanField(_("provisional"), default=False)
    next_step = models.CharField(_("next step"), max_length=20, blank=True, choices=Step.choices)
    next_action_at = models.DateTimeField(_("next action at"), null=True)

    failures = models.PositiveSmallIntegerField(_("failed attempts"), default=0)
    retry_at = models.DateTimeField(_("next attempt at"), null=True)
    last_error = models.TextField(_("last error"), blank=True)

    class Meta:
        verbose_name = _("clock")
        verbose_name_plural = _("clocks")
        ordering = ["started_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["request", "kind", "subject"],
                condition=Q(ended_at=None),
                nulls_distinct=False,
                name="approvals_clock_one_open_of_a_kind",
            )
        ]
        indexes = [
            models.Index(
                fields=["next_action_at", "id"],
                condition=Q(next_action_at__isnull=False),
                name="approvals_clock_due",
            ),
            models.Index(fields=["calendar_checked", "id"], condition=Q(ended_at=None), name="approvals_clock_behind"),
            models.Index(
                fields=["retry_at"],
                condition=Q(ended_at=None, failures__gt=0, next_action_at__isnull=False),
                name="approvals_clock_failing",
            ),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()

    @property
    def key(self) -> str:
        """What tells it from the other running clocks of its request: `approvals.clocks.key_of`."""
        return key_of(self.kind, self.subject)


class ClockAction(AppendOnly):
    """A step of a clock was taken. Unique by the moment it was scheduled for: it happens once only, whoever sweeps."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    clock = models.ForeignKey(Clock, models.PROTECT, related_name="actions")
    step = models.CharField(_("step"), max_length=20, choices=Step.choices)
    scheduled_at = models.DateTimeField(_("scheduled for"))
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("clock action")
        verbose_name_plural = _("clock actions")
        constraints = [
            models.UniqueConstraint(fields=["clock", "step", "scheduled_at"], name="approvals_clock_action_once")
        ]

    def __str__(self) -> str:
        return self.get_step_display()
