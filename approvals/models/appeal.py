"""An appeal against a denial or revocation: its own states, heard by another office."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from uuid_utils.compat import uuid7

from approvals.models.decision import Decision
from authorities.models import Office


class AppealState(models.TextChoices):
    FILED = "filed", pgettext_lazy("appeal", "Filed")
    IN_REVIEW = "in_review", pgettext_lazy("appeal", "In review")
    UPHELD = "upheld", pgettext_lazy("appeal", "Decision upheld")
    OVERTURNED = "overturned", pgettext_lazy("appeal", "Decision overturned")
    WITHDRAWN = "withdrawn", pgettext_lazy("appeal", "Withdrawn")


OPEN_APPEAL = (AppealState.FILED, AppealState.IN_REVIEW)


class Appeal(models.Model):
    """One appeal. At most one is open for a request."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    request = models.ForeignKey("approvals.TravelRequest", models.PROTECT, related_name="appeals")
    decision = models.ForeignKey(Decision, models.PROTECT, related_name="appeals")
    office = models.ForeignKey(Office, models.PROTECT, related_name="appeals", verbose_name=_("heard by the office"))
    state = models.CharField(_("state"), max_length=10, choices=AppealState.choices, default=AppealState.FILED)
    text = models.TextField(_("why the decision should change"))
    filed_at = models.DateTimeField(_("filed at"))
    heard_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("heard by")
    )
    ended_at = models.DateTimeField(_("ended at"), null=True)
    outcome_text = models.TextField(_("reasons"), blank=True)

    class Meta:
        verbose_name = _("appeal")
        verbose_name_plural = _("appeals")
        ordering = ["filed_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["request"], condition=Q(state__in=["filed", "in_review"]), name="approvals_appeal_one_open"
            ),
            models.CheckConstraint(
                name="approvals_appeal_outcome_has_reasons",
                condition=~Q(state__in=["upheld", "overturned"]) | (Q(heard_by__isnull=False) & ~Q(outcome_text="")),
            ),
        ]

    def __str__(self) -> str:
        return self.get_state_display()
