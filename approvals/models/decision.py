"""Proposals, replies, decisions with their conditions, extensions."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from approvals.models.review import Assessment, Revision
from approvals.models.steps import Step


class Outcome(models.TextChoices):
    """What a proposal or decision says."""

    APPROVED = "approved", _("Approved")
    DENIED = "denied", _("Denied")
    REVOKED = "revoked", _("Revoked")


class Grounds(models.Model):
    """The reasons of a proposal or decision. To refuse takes all four (fair process, 3)."""

    outcome = models.CharField(_("outcome"), max_length=8, choices=Outcome.choices)
    text = models.TextField(_("reasons"), blank=True)
    reason_codes = ArrayField(models.CharField(max_length=20), verbose_name=_("reason codes"), default=list, blank=True)
    facts = models.TextField(_("facts relied on"), blank=True)
    milder_measures = models.TextField(_("milder measures considered, and why they do not do"), blank=True)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                name="approvals_%(class)s_refusal_has_grounds",
                condition=Q(outcome="approved")
                | (Q(reason_codes__len__gt=0) & ~Q(text="") & ~Q(facts="") & ~Q(milder_measures="")),
            )
        ]


class Proposal(Step, Grounds):
    """An outcome that one person proposes and another confirms or rejects."""

    revision = models.ForeignKey(Revision, models.PROTECT, related_name="proposals")
    assessment = models.ForeignKey(Assessment, models.PROTECT, related_name="proposals")
    conditions = models.JSONField(_("conditions"), default=list, blank=True)
    reply_until = models.DateTimeField(_("reply until"), null=True)

    class Meta(Step.Meta, Grounds.Meta):
        verbose_name = _("proposal")
        verbose_name_plural = _("proposals")

    def __str__(self) -> str:
        return self.outcome


class ProposalRejection(Step):
    """A senior gave a proposal back, and why."""

    proposal = models.OneToOneField(Proposal, models.PROTECT, related_name="rejection")
    note = models.TextField(_("note"))

    class Meta(Step.Meta):
        verbose_name = _("rejection of a proposal")
        verbose_name_plural = _("rejections of proposals")

    def __str__(self) -> str:
        return self.note[:40]


class Reply(Step):
    """What the applicant said to a proposed denial."""

    proposal = models.OneToOneField(Proposal, models.PROTECT, related_name="reply")
    text = models.TextField(_("reply"))

    class Meta(Step.Meta):
        verbose_name = _("reply")
        verbose_name_plural = _("replies")

    def __str__(self) -> str:
        return self.text[:40]


class Decision(Step, Grounds):
    """The outcome, who answers for it, and what it was decided on.

    `by` decided (or proposed) it, `confirmed_by` is the second person. The database refuses a denial or revocation
    without two different people, and lets only an approval go out by the clock.
    """

    revision = models.ForeignKey(Revision, models.PROTECT, related_name="decisions")
    assessment = models.ForeignKey(Assessment, models.PROTECT, related_name="decisions")
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("confirmed by")
    )
    deemed = models.BooleanField(_("deemed approved when the time was over"), default=False)
    appeal_until = models.DateField(_("an appeal can be filed until"), null=True)

    class Meta(Step.Meta, Grounds.Meta):
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        constraints = [
            *Grounds.Meta.constraints,
            models.CheckConstraint(
                name="approvals_decision_by_people",
                condition=(Q(outcome="approved") & (Q(deemed=True) | Q(by__isnull=False)))
                | (Q(deemed=False, by__isnull=False, confirmed_by__isnull=False) & ~Q(by=F("confirmed_by"))),
            ),
            models.CheckConstraint(
                name="approvals_decision_refusal_has_remedy",
                condition=Q(outcome="approved") | Q(appeal_until__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.outcome


class Condition(Step):
    """Something that holds for an approved trip."""

    decision = models.ForeignKey(Decision, models.PROTECT, related_name="conditions")
    text = models.TextField(_("condition"))

    class Meta(Step.Meta):
        verbose_name = _("condition")
        verbose_name_plural = _("conditions")

    def __str__(self) -> str:
        return self.text[:40]


class Extension(Step):
    """The due date moved, once, by so many working days, for a reason that the applicant receives."""

    working_days = models.PositiveSmallIntegerField(_("working days"))
    reason = models.TextField(_("reason"))

    class Meta(Step.Meta):
        verbose_name = _("extension")
        verbose_name_plural = _("extensions")
        constraints = [
            models.UniqueConstraint(fields=["request"], name="approvals_extension_once"),
            models.CheckConstraint(name="approvals_extension_bounded", condition=Q(working_days__range=(1, 10))),
        ]

    def __str__(self) -> str:
        return f"{self.working_days}"
