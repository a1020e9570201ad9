"""Files that were brought into a draft: kept, read row by row, shown, and then taken over or not."""

from typing import Any

from django.core.files.storage import storages
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from uuid_utils.compat import uuid7

from accounts.models import User
from jobs.models import Job, in_reading
from sensitivity.models.lists import ListVersion


def import_storage() -> Any:
    """Where attachments are kept: outside the web root."""
    return storages["attachments"]


def import_path(run: "Import", filename: str) -> str:
    """Where a file is kept: by its own key. The name that it was sent with is never part of a path."""
    return f"lists/{run.pk}"


class Import(models.Model):
    """One file for one draft. Reading it changes nothing; taking it over changes the draft, all of it or nothing.

    The file is kept with what came of it, except one that turned out to be about people: then only its name and
    SHA-256 are.
    """

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
    file = models.FileField(_("file"), storage=import_storage, upload_to=import_path)
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
    unknown = models.JSONField(_("columns that were left out"), default=list)
    why = models.JSONField(_("why it is not readable"), default=dict, help_text=_("A sentence in each language."))
    ended_at = models.DateTimeField(_("ended at"), null=True)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-at"]

    def __str__(self) -> str:
        return self.name

    @property
    def sentence(self) -> str:
        """Why it is not readable, in the active language; empty when it is."""
        return in_reading(self.why)

    @property
    def is_open(self) -> bool:
        """Whether something can still come of it."""
        return self.state in (Import.State.READING, Import.State.READ)

    @property
    def changes(self) -> int:
        """How many entries the draft would gain, lose or have changed."""
        return sum(self.counts.get(verdict, 0) for verdict in ("new", "changed", "removed"))


class ImportRow(models.Model):
    """One row of the file: what it would do, and what is wrong with it.

    `values` are all of `drafting.FIELDS` as they would be, and `before` as they are; of an entry that stays the same
    only its code and labels. `names` are what `sensitivity.names` makes of a new or changed one. `errors`: each with
    its `field` and a `message` in each language.
    """

    class Verdict(models.TextChoices):
        NEW = "new", pgettext_lazy("an entry", "New")
        CHANGED = "changed", _("Changed")
        SAME = "same", _("Same")
        REMOVED = "removed", _("Removed")
        ERROR = "error", _("Error")

    of = models.ForeignKey(Import, models.CASCADE, related_name="rows")
    line = models.PositiveIntegerField(_("line"), help_text=_("Of an entry that is not in the file: after its end."))
    verdict = models.CharField(_("verdict"), max_length=8, choices=Verdict.choices)
    code = models.CharField(_("code"), max_length=80, blank=True)
    lineage = models.UUIDField(null=True)
    values = models.JSONField(_("values"), default=dict)
    before = models.JSONField(_("before"), default=dict)
    errors = models.JSONField(_("errors"), default=list)
    names = models.JSONField(_("names by which it is found"), default=list)

    class Meta:
        verbose_name = _("row of an import")
        verbose_name_plural = _("rows of an import")
        ordering = ["of", "line"]
        constraints = [models.UniqueConstraint(fields=["of", "line"], name="sensitivity_import_line")]
        indexes = [models.Index(fields=["of", "verdict", "line"], name="sensitivity_import_verdict")]

    def __str__(self) -> str:
        return f"{self.line} {self.verdict}"
