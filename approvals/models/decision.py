"""Proposals, replies, decisions, extensions; consultations of specialist offices."""

from datetime import date
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext, pgettext_lazy

from approvals.models.review import Assessment, Revision
from approvals.models.steps import Step
from authorities.models import Office


class Outcome(models.TextChoices):
    """What a proposal or decision says."""

    APPROVED = "approved", _("Approved")
    DENIED = "denied", _("Denied")
    REVOKED = "revoked", _("Revoked")


class Measure(models.TextChoices):
    """What is milder than refusing a trip, and is considered first (fair process, 20)."""

    CONDITION = "condition", pgettext_lazy("measure", "a condition")
    SHORTER = "shorter", pgettext_lazy("measure", "a shorter trip")
    WITHOUT_PLACE = "without_place", pgettext_lazy("measure", "leaving out a place")
    OTHER = "other", pgettext_lazy("measure", "something else")


class Grounds(models.Model):
    """The reasons of a proposal or decision. To refuse takes all four (fair process, 3), and so does clearing a part.

    `relied_on` and `measures` are the facts and the milder measures one by one; `facts` and `milder_measures` are the
    same as text. Rows of before there were lists have the text alone.
    """

    outcome = models.CharField(_("outcome"), max_length=8, choices=Outcome.choices)
    text = models.TextField(_("reasons"), blank=True)
    reason_codes = ArrayField(models.CharField(max_length=20), verbose_name=_("reason codes"), default=list, blank=True)
    facts = models.TextField(_("facts relied on"), blank=True)
    milder_measures = models.TextField(_("milder measures considered, and why they do not do"), blank=True)
    relied_on = models.JSONField(
        _("facts, one by one"), default=list, blank=True, help_text=_("`part` of the revision and `fact`.")
    )
    measures = models.JSONField(
        _("milder measures, one by one"), default=list, blank=True, help_text=_("`measure` and `why` it does not do.")
    )
    cleared = models.JSONField(
        _("what is cleared"),
        default=list,
        blank=True,
        help_text=_(
            "Of a partial approval: the legs that are cleared, in the shape of the revision. Empty: all of it."
        ),
    )

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                name="approvals_%(class)s_refusal_has_grounds",
                condition=Q(outcome="approved")
                | (Q(reason_codes__len__gt=0) & ~Q(text="") & ~Q(facts="") & ~Q(milder_measures="")),
            ),
            models.CheckConstraint(
                name="approvals_%(class)s_only_a_clearance_is_partial", condition=Q(cleared=[]) | Q(outcome="approved")
            ),
        ]

    @property
    def is_partial(self) -> bool:
        """Whether it clears a part of the trip and refuses the rest."""
        return bool(self.cleared)


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

    @property
    def wanted(self) -> str:
        """What is proposed, in words that do not read like something decided."""
        return {
            Outcome.APPROVED: pgettext("proposed", "Approval"),
            Outcome.DENIED: pgettext("proposed", "Denial"),
            Outcome.REVOKED: pgettext("proposed", "Revocation"),
        }[Outcome(self.outcome)]


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
    """What the applicant said to a proposed refusal, with the documents sent with it and whoever helped to write it."""

    proposal = models.OneToOneField(Proposal, models.PROTECT, related_name="reply")
    text = models.TextField(_("reply"))
    attachments = models.JSONField(
        _("documents"), default=list, blank=True, help_text=_("`id`, `name`, `kind` and `sha256` of each.")
    )
    helper_name = models.CharField(_("who helped"), max_length=100, blank=True)
    helper_relation = models.CharField(_("relation to the applicant"), max_length=100, blank=True)

    class Meta(Step.Meta):
        verbose_name = _("reply")
        verbose_name_plural = _("replies")
        constraints = [
            models.CheckConstraint(
                name="approvals_reply_helper_is_named_whole",
                condition=Q(helper_name="", helper_relation="") | (~Q(helper_name="") & ~Q(helper_relation="")),
            ),
        ]

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
    proposal = models.ForeignKey(
        Proposal, models.PROTECT, null=True, related_name="decisions", verbose_name=_("the proposal it confirms")
    )
    clock_versions = models.JSONField(
        _("versions that it was counted with"),
        default=dict,
        blank=True,
        help_text=_("`policy` (id) and `calendar` (version) of the decision clock."),
    )

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
                # On appeal one person of another office clears a part: there the remedy ends.
                condition=Q(outcome="approved", cleared=[])
                | Q(outcome="approved", confirmed_by=None)
                | Q(appeal_until__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.outcome

    def cleared_legs(self) -> list[dict[str, Any]]:
        """What of the itinerary is cleared, as data in the order of travel; empty for a refusal.

        Reads the revision, unless it is loaded or the clearance is partial.
        """
        if self.outcome != Outcome.APPROVED:
            return []
        return list(self.cleared or self.revision.content["legs"])

    @property
    def cleared_from(self) -> date | None:
        """The first day that is cleared; None for a refusal."""
        return min((date.fromisoformat(leg["arrives_on"]) for leg in self.cleared_legs()), default=None)

    @property
    def cleared_until(self) -> date | None:
        """The last day that is cleared; None for a refusal."""
        return max((date.fromisoformat(leg["leaves_on"]) for leg in self.cleared_legs()), default=None)


class Consultation(Step):
    """A specialist office is asked what it thinks of a case. It advises; the office that has the case decides."""

    office = models.ForeignKey(Office, models.PROTECT, related_name="consultations", verbose_name=_("asked office"))
    question = models.TextField(_("question"))

    class Meta(Step.Meta):
        verbose_name = _("consultation")
        verbose_name_plural = _("consultations")
        constraints = [models.CheckConstraint(name="approvals_consultation_asks", condition=~Q(question=""))]

    def __str__(self) -> str:
        return self.question[:40]


class Opinion(Step):
    """What the specialist office answered. `confidential` is for those who decide; the applicant is told that it is."""

    class Outcome(models.TextChoices):
        FAVOURABLE = "favourable", pgettext_lazy("opinion", "Favourable")
        WITH_CONDITIONS = "with_conditions", pgettext_lazy("opinion", "Favourable with conditions")
        UNFAVOURABLE = "unfavourable", pgettext_lazy("opinion", "Unfavourable")

    consultation = models.OneToOneField(Consultation, models.PROTECT, related_name="opinion")
    outcome = models.CharField(_("opinion"), max_length=16, choices=Outcome.choices)
    reasons = models.TextField(_("reasons"))
    confidential = models.TextField(_("confidential part"), blank=True)
    is_late = models.BooleanField(_("came after its time was over"), default=False)

    class Meta(Step.Meta):
        verbose_name = _("opinion of a specialist office")
        verbose_name_plural = _("opinions of specialist offices")
        constraints = [
            models.CheckConstraint(
                name="approvals_opinion_by_somebody_with_reasons", condition=Q(by__isnull=False) & ~Q(reasons="")
            )
        ]

    def __str__(self) -> str:
        return self.outcome


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
