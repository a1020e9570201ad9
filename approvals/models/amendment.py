"""A change to a trip that was submitted or cleared: what it would be, why, and what became of it."""

from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from uuid_utils.compat import uuid7

from approvals.models.review import Assessment, Revision
from approvals.states import Tier


class AmendmentKind(models.TextChoices):
    """When it is said: before it happens, or afterwards."""

    CHANGE = "change", pgettext_lazy("amendment", "Change")
    REPORT = "report", pgettext_lazy("amendment", "Reported afterwards")


class AmendmentState(models.TextChoices):
    DRAFT = "draft", pgettext_lazy("amendment", "Being written")
    FILED = "filed", pgettext_lazy("amendment", "With the office")
    RECOMMENDED = "recommended", pgettext_lazy("amendment", "Waits for a second person")
    TAKEN_OVER = "taken_over", pgettext_lazy("amendment", "Part of the request")
    ACCEPTED = "accepted", pgettext_lazy("amendment", "Accepted")
    RETURNED = "returned", pgettext_lazy("amendment", "Not accepted as a change")
    WITHDRAWN = "withdrawn", pgettext_lazy("amendment", "Withdrawn")
    NOTED = "noted", pgettext_lazy("amendment", "Noted by the office")


class Part(models.TextChoices):
    """What of a trip a change touches. Only that is looked at again (fair process, 22)."""

    DATES = "dates", pgettext_lazy("part of a trip", "Dates")
    PLACES = "places", pgettext_lazy("part of a trip", "Places")
    HOSTS = "hosts", pgettext_lazy("part of a trip", "Host organisations")
    EVENT = "event", pgettext_lazy("part of a trip", "Event")
    SUBJECTS = "subjects", pgettext_lazy("part of a trip", "Subjects")
    PROJECTS = "projects", pgettext_lazy("part of a trip", "Projects")
    MATERIALS = "materials", pgettext_lazy("part of a trip", "Materials and devices")
    WORDS = "words", pgettext_lazy("part of a trip", "What you will do there")


# Somebody of the office still has to look at it.
WITH_OFFICE = (AmendmentState.FILED, AmendmentState.RECOMMENDED)


class Amendment(models.Model):
    """One change. At most one of a request is being written, and at most one change is with the office.

    `content` is the whole trip as it would be (`snapshots.content`), `base` the content that it starts from: what was
    submitted last, without what was not cleared. What was typed and is not valid yet is in `typed`, section by section.
    Once it has ended the database lets nobody change it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    request = models.ForeignKey("approvals.TravelRequest", models.PROTECT, related_name="amendments")
    kind = models.CharField(_("kind"), max_length=6, choices=AmendmentKind.choices, default=AmendmentKind.CHANGE)
    state = models.CharField(_("state"), max_length=12, choices=AmendmentState.choices, default=AmendmentState.DRAFT)
    base = models.JSONField(_("as it was"))
    content = models.JSONField(_("as it would be"))
    typed: Any = models.JSONField(_("as typed"), default=dict, blank=True)
    reason = models.TextField(_("reason"), blank=True)
    touches = ArrayField(
        models.CharField(max_length=10, choices=Part.choices), verbose_name=_("touches"), default=list, blank=True
    )
    tier = models.CharField(_("tier of what changes"), max_length=12, choices=Tier.choices, blank=True)
    hits = models.JSONField(_("hits that the change brings"), default=list, blank=True)
    begun_at = models.DateTimeField(_("begun at"))
    saved_at = models.DateTimeField(_("saved at"))
    filed_at = models.DateTimeField(_("filed at"), null=True)
    recommended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("recommended by")
    )
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("ended by")
    )
    ended_at = models.DateTimeField(_("ended at"), null=True)
    answer = models.TextField(_("answer"), blank=True)
    revision = models.OneToOneField(Revision, models.PROTECT, null=True, related_name="amendment")
    assessment = models.OneToOneField(Assessment, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("amendment")
        verbose_name_plural = _("amendments")
        ordering = ["begun_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["request"], condition=Q(state="draft"), name="approvals_amendment_one_being_written"
            ),
            models.UniqueConstraint(
                fields=["request"],
                condition=Q(kind="change", state__in=["filed", "recommended"]),
                name="approvals_amendment_one_with_the_office",
            ),
            models.CheckConstraint(
                name="approvals_amendment_filed_with_a_reason",
                condition=Q(state__in=["draft", "withdrawn"]) | (Q(filed_at__isnull=False) & ~Q(reason="")),
            ),
            models.CheckConstraint(
                name="approvals_amendment_ended_by_somebody",
                condition=~Q(state__in=["accepted", "returned", "noted"])
                | Q(ended_by__isnull=False, ended_at__isnull=False),
            ),
            models.CheckConstraint(
                name="approvals_amendment_second_person_is_another",
                condition=Q(recommended_by=None)
                | Q(ended_by=None)
                | ~Q(state="accepted")
                | ~Q(ended_by=F("recommended_by")),
            ),
            models.CheckConstraint(
                name="approvals_amendment_accepted_by_as_many_as_it_takes",
                condition=~Q(state="accepted", tier__in=["heightened", "restricted"]) | Q(recommended_by__isnull=False),
            ),
            models.CheckConstraint(
                name="approvals_amendment_returned_with_reasons", condition=~Q(state="returned") | ~Q(answer="")
            ),
        ]

    def __str__(self) -> str:
        return self.get_state_display()

    @property
    def needs_two_people(self) -> bool:
        """Whether what changes takes a reviewer and a senior reviewer, as it would in a request."""
        return self.tier in (Tier.HEIGHTENED, Tier.RESTRICTED)
