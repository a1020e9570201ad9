"""Files that were brought into a draft: kept, read row by row, shown, and then taken over or not."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from accounts.models import User
from jobs.models import Job
from sensitivity.models.lists import ListVersion


class Import(models.Model):
    """One file for one draft. Reading it changes nothing; taking it over changes the draft, all of it or nothing."""

    class State(models.TextChoices):
        READING = "reading", _("Being read")
        READ = "read", _("Read")
        REFUSED = "refused", _("Not readable")
        APPLIED = "applied", _("Taken over")
        DISCARDED = "discarded", _("Discarded")

    class Mode(models.TextChoices):
        MERGE = "merge", _("Add and change; keep what the file does not name")
        REPLACE = "replace", _("Replace the whole draft by the file")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    version = models.ForeignKey(ListVersion, models.CASCADE, related_name="imports", verbose_name=_("version"))
    mode = models.CharField(_("what to do with it"), max_length=8, choices=Mode.choices, default=Mode.MERGE)
    file = models.FileField(_("file"), upload_to="lists/%Y/%m")
    name = models.CharField(_("name of the file"), max_length=200)
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    format = models.CharField(_("format"), max_length=4)
    encoding = models.CharField(_("encoding"), max_length=20, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.READING)
    content = models.PositiveIntegerField(_("changes of the draft when it was read"), null=True)
    by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("at"))
    job = models.ForeignKey(Job, models.SET_NULL, null=True, related_name="+")
    counts = models.JSONField(_("rows by verdict"), default=dict)
    ended_at = models.DateTimeField(_("ended at"), null=True)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-at"]

    def __str__(self) -> str:
        return self.name


class ImportRow(models.Model):
    """One row of the file: what it would do, and what is wrong with it."""

    class Verdict(models.TextChoices):
        NEW = "new", _("New")
        CHANGED = "changed", _("Changed")
        SAME = "same", _("Same")
        REMOVED = "removed", _("Removed")
        ERROR = "error", _("Error")

    of = models.ForeignKey(Import, models.CASCADE, related_name="rows")
    line = models.PositiveIntegerField(_("line"))
    verdict = models.CharField(_("verdict"), max_length=8, choices=Verdict.choices)
    code = models.CharField(_("code"), max_length=80, blank=True)
    lineage = models.UUIDField(null=True)
    values = models.JSONField(_("values"), default=dict)
    before = models.JSONField(_("before"), default=dict)
    errors = models.JSONField(_("errors"), default=list)

    class Meta:
        verbose_name = _("row of an import")
        verbose_name_plural = _("rows of an import")
        ordering = ["of", "line"]
        constraints = [models.UniqueConstraint(fields=["of", "line"], name="sensitivity_import_line")]
        indexes = [models.Index(fields=["of", "verdict", "line"], name="sensitivity_import_verdict")]

    def __str__(self) -> str:
        return f"{self.line} {self.verdict}"
