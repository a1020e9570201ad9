"""What the applicant writes: places, documents, and what was typed but is not valid yet."""

from typing import Any

from django.conf import settings
from django.core.files.storage import storages
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField
from uuid_utils.compat import uuid7

from accounts.scoping import ScopedQuerySet


class Leg(models.Model):
    """One place of the trip: country, city, first and last day, host. No address, no companions: the minimum."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    request = models.ForeignKey("approvals.TravelRequest", models.CASCADE, related_name="legs")
    position = models.PositiveSmallIntegerField(_("position"))
    country = CountryField(_("country or region"))
    subdivision = models.CharField(_("state or province"), max_length=6, blank=True, help_text="ISO 3166-2")
    city = models.CharField(_("city"), max_length=100)
    arrives_on = models.DateField(_("first day"))
    leaves_on = models.DateField(_("last day"))
    host = models.CharField(_("host organisation"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("leg")
        verbose_name_plural = _("legs")
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=["request", "position"], name="approvals_leg_position", deferrable=models.Deferrable.DEFERRED
            ),
            models.CheckConstraint(
                name="approvals_leg_leaves_after_arrives", condition=Q(leaves_on__gte=F("arrives_on"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.city}, {self.country}"


def attachment_storage() -> Any:
    """Outside the web root; files go out through a permission check only."""
    return storages["attachments"]


def attachment_path(attachment: "Attachment", filename: str) -> str:
    """Where a file is kept: by request and own key. The name that it was sent with is never part of a path."""
    return f"{attachment.request_id}/{attachment.pk}"


class Attachment(models.Model):
    """A document of a request: PDF, image or Office file, checked by content."""

    class Kind(models.TextChoices):
        INVITATION = "invitation", _("Invitation")
        PROGRAMME = "programme", _("Programme or agenda")
        PAPER = "paper", _("Paper or slides")
        EVIDENCE = "evidence", _("Evidence of urgency")
        REPLY = "reply", _("Sent with a reply")
        ANSWER = "answer", _("Answer to the office")
        PROOF = "proof", _("Proof for a condition")
        OTHER = "other", _("Other")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    request = models.ForeignKey("approvals.TravelRequest", models.PROTECT, related_name="attachments")
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices, default=Kind.OTHER)
    name = models.CharField(_("file name"), max_length=200)
    content_type = models.CharField(_("type"), max_length=100)
    size = models.PositiveIntegerField(_("size in bytes"))
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    file = models.FileField(_("file"), storage=attachment_storage, upload_to=attachment_path, max_length=100)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("uploaded by")
    )
    uploaded_at = models.DateTimeField(_("uploaded at"))
    removed_at = models.DateTimeField(_("removed at"), null=True)

    objects = ScopedQuerySet["Attachment"].as_manager()
    unscoped = models.Manager["Attachment"]()

    class Meta:
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        ordering = ["uploaded_at"]
        base_manager_name = "unscoped"

    def __str__(self) -> str:
        return self.name


class DraftInput(models.Model):
    """What was typed into a section and is not valid yet. Kept as typed, so that nothing is ever lost."""

    request = models.ForeignKey("approvals.TravelRequest", models.CASCADE, related_name="draft_inputs")
    section = models.CharField(_("section"), max_length=20)
    data = models.JSONField(_("as typed"))
    saved_at = models.DateTimeField(_("saved at"))

    class Meta:
        constraints = [models.UniqueConstraint(fields=["request", "section"], name="approvals_draft_input_section")]

    def __str__(self) -> str:
        return self.section
