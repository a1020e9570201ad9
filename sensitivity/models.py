"""Sensitivity lists: technologies, destinations, organisations, projects and events. Never persons."""

from datetime import date
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts.models import User


class ListKind(models.TextChoices):
    """What a list can hold. There is no kind for people and there must never be one."""

    TECHNOLOGY = "technology", _("Technologies")
    DESTINATION = "destination", _("Destinations")
    ORGANISATION = "organisation", _("Organisations")
    PROJECT = "project", _("Projects")
    EVENT = "event", _("Events")


class SensitivityList(models.Model):
    """A list of one kind with its owner and the legal basis it is kept on."""

    kind = models.CharField(_("kind"), max_length=20, choices=ListKind.choices)
    name_zh = models.CharField(_("name in Chinese"), max_length=200)
    name_en = models.CharField(_("name in English"), max_length=200)
    owner = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("owner"))
    legal_basis = models.TextField(_("legal basis"), help_text=_("Title, article, and where it can be read."))

    class Meta:
        verbose_name = _("sensitivity list")
        verbose_name_plural = _("sensitivity lists")
        ordering = ["kind", "name_en"]

    def __str__(self) -> str:
        return self.name_en if (get_language() or "").startswith("en") else self.name_zh


class VersionQuerySet(models.QuerySet["ListVersion"]):
    def in_force(self, on: date) -> Self:
        """The published versions that hold on `on`."""
        return self.filter(
            Q(published_until=None) | Q(published_until__gt=on),
            state=ListVersion.State.PUBLISHED,
            published_from__lte=on,
        )


class ListVersion(models.Model):
    """A version of a list. Only a published one counts, from its date on; the publisher is not the author."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        IN_REVIEW = "in_review", _("In review")
        PUBLISHED = "published", _("Published")
        SUPERSEDED = "superseded", _("Superseded")

    list = models.ForeignKey(SensitivityList, models.PROTECT, related_name="versions", verbose_name=_("list"))
    number = models.PositiveIntegerField(_("version"))
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.DRAFT)
    author = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("author"))
    publisher = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("publisher")
    )
    published_from = models.DateField(_("in force from"), null=True, blank=True)
    published_until = models.DateField(_("in force until"), null=True, blank=True)

    objects = VersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("list version")
        verbose_name_plural = _("list versions")
        ordering = ["list", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["list", "number"], name="sensitivity_version_number"),
            models.CheckConstraint(
                name="sensitivity_version_two_people",
                condition=Q(publisher=None) | ~Q(publisher=models.F("author")),
                violation_error_message=_("The publisher must be another person than the author."),
            ),
            models.CheckConstraint(
                name="sensitivity_version_published_by_somebody",
                condition=~Q(state__in=["published", "superseded"])
                | Q(publisher__isnull=False, published_from__isnull=False),
                violation_error_message=_("A published version has a publisher and a first day."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.list} v{self.number}"


class ListEntry(models.Model):
    """One entry of a version: what it names, how sensitive that is, and why."""

    version = models.ForeignKey(ListVersion, models.CASCADE, related_name="entries", verbose_name=_("version"))
    code = models.CharField(
        _("code"),
        max_length=80,
        help_text=_("Subject class, country code, name of the organisation, project or event."),
    )
    label_zh = models.CharField(_("label in Chinese"), max_length=200)
    label_en = models.CharField(_("label in English"), max_length=200)
    level = models.PositiveSmallIntegerField(_("level"), choices=[(1, "1"), (2, "2"), (3, "3")])
    reason_zh = models.TextField(_("reason in Chinese"))
    reason_en = models.TextField(_("reason in English"))

    class Meta:
        verbose_name = _("list entry")
        verbose_name_plural = _("list entries")
        ordering = ["version", "code"]
        constraints = [
            models.UniqueConstraint(fields=["version", "code"], name="sensitivity_entry_code"),
            models.CheckConstraint(name="sensitivity_entry_level", condition=Q(level__range=(1, 3))),
        ]
        indexes = [models.Index(fields=["code", "version"], name="sensitivity_entry_by_code")]

    def __str__(self) -> str:
        return f"{self.code} {self.label}"

    @property
    def label(self) -> str:
        """The label in the active language."""
        return self.label_en if (get_language() or "").startswith("en") else self.label_zh
