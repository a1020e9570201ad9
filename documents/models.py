"""Keys that sign clearances."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from audit.models import Chained


class KeyHistory(Chained):
    """The chain of audit entries of the signing keys: one for all of them, since each takes the place of another."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)

    class Meta:
        verbose_name = _("history of the signing keys")
        verbose_name_plural = _("histories of the signing keys")

    def __str__(self) -> str:
        return str(self.pk)


class SigningKey(models.Model):
    """An Ed25519 key. One signs at a time; all that ever did are kept for verifying, and can be withdrawn.

    `sealed` is the private half under CLEARANCE_KEY_SECRET, gone as soon as the key signs no more.
    """

    key_id = models.CharField(_("key"), max_length=16, primary_key=True)
    public = models.BinaryField(_("public key"), max_length=32)
    sealed = models.BinaryField(_("private key, sealed"), null=True)
    made_at = models.DateTimeField(_("made at"))
    retired_at = models.DateTimeField(_("signed until"), null=True)
    withdrawn_at = models.DateTimeField(_("withdrawn at"), null=True)
    withdrawn_because = models.TextField(_("why it was withdrawn"), blank=True)

    class Meta:
        verbose_name = _("signing key")
        verbose_name_plural = _("signing keys")
        ordering = ["-made_at"]
        constraints = [
            models.UniqueConstraint(
                models.Value(1), condition=Q(retired_at=None), name="documents_key_one_signs_at_a_time"
            ),
            models.CheckConstraint(
                name="documents_key_private_half_only_while_it_signs",
                condition=Q(retired_at=None, withdrawn_at=None, sealed__isnull=False)
                | Q(retired_at__isnull=False, sealed=None),
            ),
            models.CheckConstraint(
                name="documents_key_withdrawn_for_a_reason",
                condition=Q(withdrawn_at=None) | (~Q(withdrawn_because="") & Q(retired_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return self.key_id
