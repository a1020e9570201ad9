"""Submission, assessment, company review, assignment, recusal, escalation."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from approvals.models.steps import Step
from approvals.states import Route, Tier


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
    """Which published entries the revision touches, the tier that follows and the route. Later lists change nothing.

    Each row is whole: versions, hits with their words, possible matches that wait for a person. What changes an
    assessment is the next row, by a person, with a `reason`: another tier, an answer about a possible match, or the
    lists of a later day. `took_us` is how long it took, in microseconds.
    """

    class Cause(models.TextChoices):
        SUBMITTED = "submitted", _("Submitted")
        MATCH_JUDGED = "match_judged", _("A possible match was answered")
        TIER_CHANGED = "tier_changed", _("A person changed the tier")
        REASSESSED = "reassessed", _("Assessed anew with the lists of a later day")
        AMENDED = "amended", _("The trip changed")

    revision = models.ForeignKey(Revision, models.PROTECT, related_name="assessments")
    tier = models.CharField(_("tier"), max_length=12, choices=Tier.choices)
    days = models.PositiveSmallIntegerField(_("days away"))
    cause = models.CharField(_("cause"), max_length=12, choices=Cause.choices, default=Cause.SUBMITTED)
    route = models.CharField(_("route"), max_length=20, choices=Route.choices, blank=True)
    hits = models.JSONField(_("hits"), default=list)
    possible = models.JSONField(_("possible matches"), default=list)
    versions = models.JSONField(_("list versions in force"), default=list)
    took_us = models.PositiveIntegerField(_("took, in microseconds"), null=True)
    reason = models.TextField(_("reason"), blank=True)

    class Meta(Step.Meta):
        verbose_name = _("assessment")
        verbose_name_plural = _("assessments")
        constraints = [
            models.CheckConstraint(
                name="approvals_assessment_changed_by_somebody_for_a_reason",
                condition=Q(cause="submitted") | (Q(by__isnull=False) & (~Q(reason="") | Q(cause="reassessed"))),
            ),
        ]

    def __str__(self) -> str:
        return self.tier


class MatchJudgement(Step):
    """A person said whether a name that resembles a listed organisation is that organisation, and why."""

    assessment = models.ForeignKey(Assessment, models.PROTECT, related_name="judgements")
    key = models.CharField(_("entry and name"), max_length=300)
    written = models.CharField(_("name as written"), max_length=200)
    name = models.TextField(_("name in the list"))
    confirmed = models.BooleanField(_("it is the listed organisation"))
    reason = models.TextField(_("reason"))

    class Meta(Step.Meta):
        verbose_name = _("answer about a possible match")
        verbose_name_plural = _("answers about possible matches")
        constraints = [
            models.CheckConstraint(name="approvals_judgement_says_why", condition=~Q(reason="")),
        ]

    def __str__(self) -> str:
        return f"{self.written}: {self.confirmed}"


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
