"""Conflicts of interest that were declared, and the applicant's one request for another reviewer."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from approvals.models.steps import Step


class Conflict(models.TextChoices):
    """What somebody declares before acting on a case. Anything but `NONE` closes the case to them."""

    NONE = "none", pgettext_lazy("conflict", "None of these")
    RELATION = "relation", pgettext_lazy("conflict", "I am related to the applicant, or know them privately")
    COMPANY = "company", pgettext_lazy("conflict", "I have a stake in the company, or in one that competes with it")
    HOST = "host", pgettext_lazy("conflict", "I have a stake in the host organisation or the event")
    FORMER_OFFICER = (
        "former_officer",
        pgettext_lazy("conflict", "I acted for the company as a compliance officer, or was employed there"),
    )
    OTHER = "other", pgettext_lazy("conflict", "Another reason for which I could be thought partial")


class ConflictDeclaration(Step):
    """What `by` declared before the step `occasion` (a verb): no conflict of interest, or which one."""

    occasion = models.CharField(_("before what"), max_length=30)
    conflict = models.CharField(_("conflict of interest"), max_length=16, choices=Conflict.choices)
    detail = models.TextField(_("in general words"), blank=True)

    class Meta(Step.Meta):
        verbose_name = _("declaration of conflicts of interest")
        verbose_name_plural = _("declarations of conflicts of interest")
        constraints = [
            models.CheckConstraint(name="approvals_declaration_by_somebody", condition=Q(by__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.conflict


class OtherReviewerRequest(Step):
    """The applicant asks for another reviewer than the one who has the case. Once, with a reason."""

    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("the reviewer who had the case")
    )
    reason = models.TextField(_("reason"))

    class Meta(Step.Meta):
        verbose_name = _("request for another reviewer")
        verbose_name_plural = _("requests for another reviewer")
        constraints = [
            models.UniqueConstraint(fields=["request"], name="approvals_other_reviewer_asked_once"),
            models.CheckConstraint(
                name="approvals_other_reviewer_says_why", condition=Q(by__isnull=False) & ~Q(reason="")
            ),
        ]

    def __str__(self) -> str:
        return self.reason[:40]


class OtherReviewerAnswer(Step):
    """What a senior answered to it, with reasons that the applicant reads. `granted`: the case changed hands."""

    asked = models.OneToOneField(OtherReviewerRequest, models.PROTECT, related_name="answer")
    granted = models.BooleanField(_("another reviewer has the case"))
    reason = models.TextField(_("reasons"), blank=True)

    class Meta(Step.Meta):
        verbose_name = _("answer to a request for another reviewer")
        verbose_name_plural = _("answers to requests for another reviewer")
        constraints = [
            models.CheckConstraint(
                name="approvals_other_reviewer_refused_why", condition=Q(granted=True) | ~Q(reason="")
            )
        ]

    def __str__(self) -> str:
        return f"{self.granted}"
