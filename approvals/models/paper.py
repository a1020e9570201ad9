"""The papers of a request: what has to be made, what was made, and clearances that can be shown to anybody."""

from typing import Any, Self

from django.core.files.storage import storages
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from uuid_utils.compat import uuid7

from approvals.models.decision import Decision
from audit.models import AppendOnly


class PaperKind(models.TextChoices):
    """What a paper says."""

    RECEIPT = "receipt", pgettext_lazy("paper", "Receipt of the submission")
    DECISION = "decision", pgettext_lazy("paper", "Decision")
    APPEAL = "appeal", pgettext_lazy("paper", "Decision on the appeal")


class PaperOrderQuerySet(models.QuerySet["PaperOrder"]):
    def due(self) -> Self:
        """Those that wait to be made, the oldest first. What failed is with a job."""
        return self.filter(made_at=None, handed_over_at=None).order_by("pk")


class PaperOrder(models.Model):
    """A paper to be made, in every language. A trigger of the database writes it together with what it is about.

    So no decision and no submission can be without its paper, by whatever way they come. `subject` is the id of the
    revision, decision or appeal.
    """

    request = models.ForeignKey("approvals.TravelRequest", models.PROTECT, related_name="paper_orders")
    kind = models.CharField(_("kind"), max_length=8, choices=PaperKind.choices)
    subject = models.UUIDField(_("about"))
    at = models.DateTimeField(_("about what happened at"))
    made_at = models.DateTimeField(_("made at"), null=True)
    handed_over_at = models.DateTimeField(_("failed, and is with a job since"), null=True)

    objects = PaperOrderQuerySet.as_manager()

    class Meta:
        verbose_name = _("paper to be made")
        verbose_name_plural = _("papers to be made")
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["kind", "subject"], name="approvals_paper_ordered_once")]
        indexes = [
            models.Index(fields=["id"], condition=Q(made_at=None, handed_over_at=None), name="approvals_paper_due")
        ]

    def __str__(self) -> str:
        return self.get_kind_display()


def paper_storage() -> Any:
    """Outside the web root; papers go out through a permission check only."""
    return storages["papers"]


def paper_path(paper: "Paper", filename: str) -> str:
    """Where a paper is kept: by request and own key."""
    return f"{paper.request_id}/{paper.pk}.pdf"


class Paper(AppendOnly):
    """A paper in one language as it was issued: made and signed once, never changed. `sha256` is of the file."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    request = models.ForeignKey("approvals.TravelRequest", models.PROTECT, related_name="papers")
    order = models.ForeignKey(PaperOrder, models.PROTECT, related_name="papers")
    language = models.CharField(_("language"), max_length=10)
    made_at = models.DateTimeField(_("made at"))
    size = models.PositiveIntegerField(_("size in bytes"))
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    file = models.FileField(_("file"), storage=paper_storage, upload_to=paper_path, max_length=100)

    class Meta:
        verbose_name = _("paper")
        verbose_name_plural = _("papers")
        ordering = ["made_at", "id"]
        constraints = [models.UniqueConstraint(fields=["order", "language"], name="approvals_paper_once")]

    def __str__(self) -> str:
        return f"{self.order_id} {self.language}"


class Clearance(AppendOnly):
    """What the holder of a clearance shows: a random id, the days, and the signed token that says no more than that.

    Whether it still holds is not kept here: the request says so (`approvals.clearances`).
    """

    id = models.UUIDField(primary_key=True, editable=False)
    request = models.ForeignKey("approvals.TravelRequest", models.PROTECT, related_name="clearances")
    decision = models.OneToOneField(Decision, models.PROTECT, related_name="clearance")
    issued_at = models.DateTimeField(_("issued at"))
    valid_from = models.DateField(_("valid from"))
    valid_until = models.DateField(_("valid until"))
    token = models.CharField(_("token"), max_length=128)

    class Meta:
        verbose_name = _("clearance")
        verbose_name_plural = _("clearances")
        ordering = ["issued_at"]
        constraints = [
            models.CheckConstraint(
                name="approvals_clearance_ends_after_it_begins", condition=Q(valid_until__gte=F("valid_from"))
            )
        ]

    def __str__(self) -> str:
        return str(self.pk)
