"""Submission, assessment, company review, assignment, recusal, escalation."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from approvals.models.steps import Step
from approvals.states import Tier


class Revision(Step):
    """What was submitted, word for word. A decision points at the revision that it decided on."""

    number = models.PositiveSmallIntegerField(_("number"))
    content = models.JSONField(_("content"))
    digest = models.BinaryField(_("SHA-256 of the content"), max_length=32)

    class Meta(Step.Meta):
        verbose_name = _("revision")
        verbose_name_plural = _("revisions")
        constraints = [models.UniqueConstraint(fields=["request", "number"], name="approvals_revision_number")]

    def __str__(self) -> str:
        return f"{self.number}"


class Assessment(Step):
    """Which published entries the revision touches, and the tier that follows. Later lists change nothing."""

    revision = models.ForeignKey(Revision, models.PROTECT, related_name="assessments")
    tier = models.CharField(_("tier"), max_length=12, choices=Tier.choices)
    days = models.PositiveSmallIntegerField(_("days away"))
    hits = models.JSONField(_("hits"), default=list)

    class Meta(Step.Meta):
        verbose_name = _("assessment")
        verbose_name_plural = _("assessments")

    def __str__(self) -> str:
        return self.tier


class CompanyReview(Step):
    """What the company said, or that it was silent."""

    class Outcome(models.TextChoices):
        RETURNED = "returned", _("Returned for changes")
        ENDORSED = "endorsed", _("Endorsed")
        OBJECTED = "objected", _("Objected")
        DECLINED = "declined", _("Declined")
        SILENT = "silent", _("No answer in time")

    revision = models.ForeignKey(Revision, models.PROTECT, related_name="company_reviews")
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome.choices)
    comment = models.TextField(_("comment"), blank=True)

    class Meta(Step.Meta):
        verbose_name = _("company review")
        verbose_name_plural = _("company reviews")
        constraints = [
            models.CheckConstraint(
                name="approvals_company_review_by_somebody", condition=Q(outcome="silent") | Q(by__isnull=False)
            ),
            models.CheckConstraint(
                name="approvals_company_review_says_why",
                condition=Q(outcome__in=["endorsed", "silent"]) | ~Q(comment=""),
            ),
        ]

    def __str__(self) -> str:
        return self.outcome


class Assignment(Step):
    """A reviewer took the case, or a senior handed it to one. The reviewer declared to have no conflict of interest."""

    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("reviewer")
    )
    number = models.CharField(_("officer number"), max_length=10, blank=True)
    reason = models.TextField(_("reason"), blank=True)

    class Meta(Step.Meta):
        verbose_name = _("assignment")
        verbose_name_plural = _("assignments")

    def __str__(self) -> str:
        return self.number


class Recusal(Step):
    """Somebody of the office declared a conflict of interest and has no access to the case any more."""

    reason = models.TextField(_("reason"), blank=True)

    class Meta(Step.Meta):
        verbose_name = _("recusal")
        verbose_name_plural = _("recusals")
        constraints = [models.UniqueConstraint(fields=["request", "by"], name="approvals_recusal_once")]

    def __str__(self) -> str:
        return f"{self.by_id}"


class Escalation(Step):
    """Lateness was reported: to whom (a role of the office), from which clock."""

    clock_kind = models.CharField(_("clock"), max_length=20)
    step = models.CharField(_("step"), max_length=40)

    class Meta(Step.Meta):
        verbose_name = _("escalation")
        verbose_name_plural = _("escalations")

    def __str__(self) -> str:
        return f"{self.clock_kind} {self.step}"
