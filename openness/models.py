"""What is held about people: how long, what went, what they were given of it, and what they say is wrong in it."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.files.storage import storages
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from accounts.roles import Role
from accounts.scoping import ScopedQuerySet
from approvals.models import TravelRequest
from audit.models import AppendOnly, Chained
from employees.models import Employee
from jobs.models import Job

# ── how long ────────────────────────────────────────────────────────────────────────────────────────────────────────


class Held(models.TextChoices):
    """Kinds of data that each have a time of their own. The first four are files of requests, by how they ended."""

    CLEARED = "cleared", _("Requests that were cleared and closed")
    REFUSED = "refused", _("Requests that were denied or revoked")
    GIVEN_UP = "given_up", _("Requests that were withdrawn, lapsed or declined by the company")
    DRAFT = "draft", _("Drafts that were never submitted")
    MESSAGE = "message", _("Notifications")
    JOB = "job", _("Work that is finished")
    EMPLOYEE = "employee", _("Records of people who left, without a request")


FILES = (Held.CLEARED, Held.REFUSED, Held.GIVEN_UP, Held.DRAFT)
"""Kinds that are whole files of requests: the database erases them, and nothing else may."""

SHORTEST_DAYS, LONGEST_DAYS = 30, 3650
NOTICE = timedelta(days=14)
"""From telling an applicant to deleting the file, and from publishing a policy to its effect, at least."""

DEFAULTS = {
    Held.CLEARED: 730,
    Held.REFUSED: 1825,
    Held.GIVEN_UP: 365,
    Held.DRAFT: 90,
    Held.MESSAGE: 365,
    Held.JOB: 90,
    Held.EMPLOYEE: 365,
}
"""Days after the end with which an installation begins. docs/retention.md says why."""


class RetentionPolicy(models.Model):
    """A version of how long things are kept. One administrator drafts it, another publishes it; then it never changes.

    The first version comes with the installation and has no author.
    """

    version = models.PositiveSmallIntegerField(_("version"), unique=True)
    note = models.CharField(_("why"), max_length=300, blank=True)
    drafted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    drafted_at = models.DateTimeField(_("drafted at"))
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField(_("published at"), null=True)
    effective_from = models.DateTimeField(_("in force from"), null=True)

    class Meta:
        verbose_name = _("retention policy")
        verbose_name_plural = _("retention policies")
        ordering = ["-version"]
        constraints = [
            models.CheckConstraint(
                name="openness_policy_by_two_people",
                condition=Q(version=1)
                | Q(published_at=None, published_by=None, effective_from=None)
                | (Q(published_at__isnull=False, published_by__isnull=False) & ~Q(published_by=F("drafted_by"))),
            ),
            models.CheckConstraint(
                name="openness_policy_not_at_once",
                condition=Q(version=1) | Q(published_at=None) | Q(effective_from__gte=F("published_at") + NOTICE),
            ),
            models.UniqueConstraint(
                "published_at", name="openness_policy_one_draft", condition=Q(published_at=None), nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        return f"v{self.version}"


class RetentionTerm(models.Model):
    """How many days after its end one kind of data is kept."""

    policy = models.ForeignKey(RetentionPolicy, models.CASCADE, related_name="terms")
    kind = models.CharField(_("kind"), max_length=10, choices=Held.choices)
    days = models.PositiveSmallIntegerField(
        _("days"), validators=[MinValueValidator(SHORTEST_DAYS), MaxValueValidator(LONGEST_DAYS)]
    )

    class Meta:
        verbose_name = _("retention period")
        verbose_name_plural = _("retention periods")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["policy", "kind"], name="openness_term_once"),
            models.CheckConstraint(
                name="openness_term_in_bounds", condition=Q(days__range=(SHORTEST_DAYS, LONGEST_DAYS))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.days}"


# ── what went ───────────────────────────────────────────────────────────────────────────────────────────────────────


class DeletionNotice(AppendOnly):
    """The applicant was told when the file of a request will be deleted. Without it the database deletes nothing."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    request = models.ForeignKey(TravelRequest, models.CASCADE, related_name="+")
    at = models.DateTimeField(_("told at"))
    erase_at = models.DateTimeField(_("to be deleted from"))

    class Meta:
        verbose_name = _("notice of a deletion")
        verbose_name_plural = _("notices of deletions")
        constraints = [models.UniqueConstraint(fields=["request"], name="openness_notice_once")]

    def __str__(self) -> str:
        return f"{self.request_id} {self.erase_at:%Y-%m-%d}"


class ErasedRequest(AppendOnly, Chained):
    """Where the file of a request was: the end of its audit chain, its kind and when it went. Nobody's data.

    The database writes it when it erases the file, under the same key; so the audit log stays verifiable.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    kind = models.CharField(_("kind"), max_length=10, choices=Held.choices)
    rows = models.PositiveIntegerField(_("rows"))
    erased_at = models.DateTimeField(_("deleted at"))

    class Meta:
        verbose_name = _("deleted file")
        verbose_name_plural = _("deleted files")
        indexes = [models.Index(fields=["erased_at"], name="openness_erased_at")]

    def __str__(self) -> str:
        return f"{self.id} {self.kind}"


class LeftFile(models.Model):
    """A stored file whose row is gone. It is written with the deletion and taken out when the file is deleted, too."""

    name = models.CharField(_("name"), max_length=200)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("file to be deleted")
        verbose_name_plural = _("files to be deleted")

    def __str__(self) -> str:
        return self.name


class RetentionRun(AppendOnly):
    """What one day's run deleted: numbers by kind, nobody's data. Kept for good."""

    day = models.DateField(_("day"), unique=True)
    at = models.DateTimeField(_("finished at"))
    policy = models.PositiveSmallIntegerField(_("policy version"))
    counts = models.JSONField(
        _("numbers"), help_text=_("kind → deleted, told, held back and failed; files and bytes besides.")
    )

    class Meta:
        verbose_name = _("retention run")
        verbose_name_plural = _("retention runs")
        ordering = ["-day"]

    def __str__(self) -> str:
        return f"{self.day:%Y-%m-%d}"


# ── what people are given of it ─────────────────────────────────────────────────────────────────────────────────────


def archive_storage() -> Any:
    """Where archives lie: outside the web root, beside the attachments."""
    return storages["attachments"]


def archive_path(download: "DataDownload", filename: str) -> str:
    """By own key: nothing of a path comes from what somebody typed."""
    return f"downloads/{download.pk}"


class DataDownload(models.Model):
    """Everything held about one person, as they asked for it: an archive that is theirs alone, for a few days."""

    KEPT_FOR = timedelta(days=7)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    job = models.OneToOneField(Job, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(_("asked at"))
    language = models.CharField(_("language"), max_length=7)
    file = models.FileField(_("file"), storage=archive_storage, upload_to=archive_path, max_length=100, blank=True)
    size = models.PositiveBigIntegerField(_("size in bytes"), null=True)
    sha256 = models.CharField(_("SHA-256"), max_length=64, blank=True)
    ready_at = models.DateTimeField(_("ready at"), null=True)
    expires_at = models.DateTimeField(_("kept until"), null=True)
    deleted_at = models.DateTimeField(_("deleted at"), null=True)

    class Meta:
        verbose_name = _("download of one's data")
        verbose_name_plural = _("downloads of one's data")
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"{self.user_id} {self.at:%Y-%m-%d}"


class DownloadPart(models.Model):
    """A part of an archive that is being prepared. Gone when the archive is ready."""

    download = models.ForeignKey(DataDownload, models.CASCADE, related_name="parts")
    table = models.CharField(_("table"), max_length=100)
    rows = models.JSONField(_("rows"))

    class Meta:
        verbose_name = _("part of a download")
        verbose_name_plural = _("parts of downloads")
        ordering = ["id"]

    def __str__(self) -> str:
        return self.table


# ── what they say is wrong in it ────────────────────────────────────────────────────────────────────────────────────


class Correction(models.Model):
    """A person says what is wrong in what is held about them. Who keeps it answers, with reasons, by `due_on`.

    What was submitted is never rewritten: an accepted correction of a request stands beside it.
    """

    class About(models.TextChoices):
        EMPLOYEE = "employee", _("The record that your company keeps of you")
        REQUEST = "request", _("A request")
        ACCOUNT = "account", _("Your account")

    class Outcome(models.TextChoices):
        ACCEPTED = "accepted", _("Accepted")
        REFUSED = "refused", _("Not accepted")

    DAYS = timedelta(days=30)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("asked by"))
    about = models.CharField(_("about"), max_length=10, choices=About.choices)
    employee = models.ForeignKey(Employee, models.CASCADE, null=True, related_name="+")
    request = models.ForeignKey(TravelRequest, models.CASCADE, null=True, related_name="corrections")
    what = models.CharField(_("what is wrong"), max_length=200)
    should_be = models.TextField(_("what it should say"), max_length=2000)
    why = models.TextField(_("why"), max_length=2000)
    at = models.DateTimeField(_("asked at"))
    due_on = models.DateField(_("answer due by"))
    reminded_at = models.DateTimeField(_("reminded at"), null=True)
    outcome = models.CharField(_("answer"), max_length=10, choices=Outcome.choices, blank=True)
    reasons = models.TextField(_("reasons"), max_length=2000, blank=True)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    answered_as = models.CharField(_("answered as"), max_length=20, choices=Role.choices, blank=True)
    answered_at = models.DateTimeField(_("answered at"), null=True)

    objects = ScopedQuerySet["Correction"].as_manager()
    unscoped = models.Manager["Correction"]()

    class Meta:
        verbose_name = _("correction request")
        verbose_name_plural = _("correction requests")
        base_manager_name = "unscoped"
        ordering = ["-at"]
        constraints = [
            models.CheckConstraint(
                name="openness_correction_about_one",
                condition=Q(about="employee", employee__isnull=False, request=None)
                | Q(about="request", employee=None, request__isnull=False)
                | Q(about="account", employee=None, request=None),
            ),
            models.CheckConstraint(
                name="openness_correction_answered_with_reasons",
                condition=Q(outcome="", answered_by=None, answered_at=None)
                | (
                    Q(outcome__in=["accepted", "refused"], answered_by__isnull=False, answered_at__isnull=False)
                    & ~Q(reasons="")
                    & ~Q(answered_by=F("user"))
                ),
            ),
        ]
        indexes = [models.Index(fields=["due_on"], condition=Q(outcome=""), name="openness_correction_open")]

    def __str__(self) -> str:
        return self.what

    @property
    def is_open(self) -> bool:
        """Whether it waits for an answer."""
        return not self.outcome
