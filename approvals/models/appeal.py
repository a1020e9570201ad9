"""An appeal against a refusal: its own states, heard by another office, and what is said and brought meanwhile."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from uuid_utils.compat import uuid7

from approvals.models.decision import Decision
from approvals.models.itinerary import attachment_storage
from approvals.models.steps import Step
from authorities.models import Office


class AppealState(models.TextChoices):
    FILED = "filed", pgettext_lazy("appeal", "Filed")
    IN_REVIEW = "in_review", pgettext_lazy("appeal", "In review")
    UPHELD = "upheld", pgettext_lazy("appeal", "Decision upheld")
    OVERTURNED = "overturned", pgettext_lazy("appeal", "Decision overturned")
    WITHDRAWN = "withdrawn", pgettext_lazy("appeal", "Withdrawn")


OPEN_APPEAL = (AppealState.FILED, AppealState.IN_REVIEW)
DECIDED_APPEAL = (AppealState.UPHELD, AppealState.OVERTURNED)


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


class HearingOffice(models.Model):
    """Which office hears the appeals against the decisions of an office. Without one, the first other that can."""

    office = models.OneToOneField(Office, models.PROTECT, related_name="+", verbose_name=_("office that decides"))
    heard_by = models.ForeignKey(
        Office, models.PROTECT, related_name="+", verbose_name=_("office that hears appeals against it")
    )

    class Meta:
        verbose_name = _("hearing office")
        verbose_name_plural = _("hearing offices")
        ordering = ["office__code"]
        constraints = [
            models.CheckConstraint(
                name="approvals_hearing_office_is_another",
                condition=~Q(office=F("heard_by")),
                violation_error_message=_("An office does not hear appeals against its own decisions."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.office.code} → {self.heard_by.code}"


class HearingNote(Step):
    """What was said at a hearing of an appeal: on which day, who was heard. The applicant reads it and may comment."""

    appeal = models.ForeignKey(Appeal, models.PROTECT, related_name="notes")
    held_on = models.DateField(_("day of the hearing"))
    heard = models.CharField(_("who was heard"), max_length=300)
    text = models.TextField(_("what was said"))

    class Meta(Step.Meta):
        verbose_name = _("hearing note")
        verbose_name_plural = _("hearing notes")
        constraints = [
            models.CheckConstraint(
                name="approvals_hearing_note_says_something",
                condition=Q(by__isnull=False) & ~Q(heard="") & ~Q(text=""),
            )
        ]

    def __str__(self) -> str:
        return self.text[:40]


class AppealStatement(Step):
    """Something written while an appeal is open: a question of who hears it, the answer, a comment of the applicant."""

    class Kind(models.TextChoices):
        QUESTION = "question", pgettext_lazy("appeal", "Question of the appeal reviewer")
        ANSWER = "answer", pgettext_lazy("appeal", "Answer of the applicant")
        COMMENT = "comment", pgettext_lazy("appeal", "Comment of the applicant")

    appeal = models.ForeignKey(Appeal, models.PROTECT, related_name="statements")
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    text = models.TextField(_("text"))
    answer_until = models.DateTimeField(_("answer until"), null=True)
    question = models.OneToOneField("self", models.PROTECT, null=True, related_name="answer")

    class Meta(Step.Meta):
        verbose_name = _("statement in an appeal")
        verbose_name_plural = _("statements in appeals")
        constraints = [
            models.CheckConstraint(
                name="approvals_appeal_statement_by_somebody", condition=Q(by__isnull=False) & ~Q(text="")
            ),
            models.CheckConstraint(
                name="approvals_appeal_statement_of_its_kind",
                condition=Q(kind="question", answer_until__isnull=False, question=None)
                | Q(kind="answer", answer_until=None, question__isnull=False)
                | Q(kind="comment", answer_until=None, question=None),
            ),
        ]

    def __str__(self) -> str:
        return self.text[:40]


def appeal_document_path(document: "AppealDocument", filename: str) -> str:
    """Where a file is kept: by request and own key. The name that it was sent with is never part of a path."""
    return f"{document.request_id}/appeal-{document.pk}"


class AppealDocument(Step):
    """A document that either side brought to an appeal, checked by its content. Both sides read it, the company not."""

    appeal = models.ForeignKey(Appeal, models.PROTECT, related_name="documents")
    name = models.CharField(_("file name"), max_length=200)
    content_type = models.CharField(_("type"), max_length=100)
    size = models.PositiveIntegerField(_("size in bytes"))
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    file = models.FileField(_("file"), storage=attachment_storage, upload_to=appeal_document_path, max_length=100)

    class Meta(Step.Meta):
        verbose_name = _("document of an appeal")
        verbose_name_plural = _("documents of appeals")
        constraints = [
            models.CheckConstraint(name="approvals_appeal_document_by_somebody", condition=Q(by__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.name
