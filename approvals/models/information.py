"""What the office asked the applicant, and what was answered."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from approvals.models.steps import Step


class InformationRequest(Step):
    """Everything that is missing, asked for once, in one list."""

    reason = models.TextField(_("reason"))
    items = models.JSONField(_("items"), help_text=_("A list of questions."))
    agreed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("agreed by")
    )

    class Meta(Step.Meta):
        verbose_name = _("information request")
        verbose_name_plural = _("information requests")

    def __str__(self) -> str:
        return self.reason


class InformationAnswer(Step):
    """The answers, one for each item, in the order of the items."""

    information_request = models.OneToOneField(InformationRequest, models.PROTECT, related_name="answer")
    answers = models.JSONField(_("answers"))

    class Meta(Step.Meta):
        verbose_name = _("answer")
        verbose_name_plural = _("answers")

    def __str__(self) -> str:
        return f"{len(self.answers)}"
