"""The lists, their versions and entries. Technologies, destinations, organisations, projects, events. Never persons."""

from datetime import date, datetime
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.utils.functional import cached_property
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField
from django_fsm import FSMField
from uuid_utils.compat import uuid7

from accounts.models import User
from accounts.transitions import transition
from audit.models import AppendOnly, Chained
from authorities.languages import by_language
from authorities.models import LegalInstrument
from companies.models import Company
from sensitivity import rules

CODE_LENGTH = 80
LABEL_LENGTH = 200


class ListKind(models.TextChoices):
    """What a list can hold. There is no kind for people and there must never be one."""

    TECHNOLOGY = "technology", _("Technologies")
    DESTINATION = "destination", _("Destinations")
    ORGANISATION = "organisation", _("Organisations")
    PROJECT = "project", _("Projects")
    EVENT = "event", _("Events")


NAMED_KINDS = (ListKind.ORGANISATION, ListKind.EVENT)
"""The kinds whose entries are found by their names; the others are found by their codes."""


class VersionState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    IN_REVIEW = "in_review", _("In review")
    PUBLISHED = "published", _("Published")
    SUPERSEDED = "superseded", _("Superseded")


FIXED = frozenset({VersionState.PUBLISHED, VersionState.SUPERSEDED})
"""The states in which a version can never be changed again; the database refuses it too."""


class ListHistory(Chained):
    """The chain of audit entries of one list: everything that happened to it and to its versions."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)

    class Meta:
        verbose_name = _("history of a list")
        verbose_name_plural = _("histories of lists")

    def __str__(self) -> str:
        return str(self.pk)


class SensitivityList(models.Model):
    """A list of one kind, with its owner and the published instrument that it is kept on.

    The entries of a confidential list are not shown; that it is confidential rests on an instrument too, and somebody
    reviewed it (fair process, 7).
    """

    kind = models.CharField(_("kind"), max_length=20, choices=ListKind.choices)
    name_zh = models.CharField(_("name in Chinese"), max_length=200)
    name_en = models.CharField(_("name in English"), max_length=200)
    owner = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("owner"))
    legal_basis = models.ForeignKey(LegalInstrument, models.PROTECT, related_name="+", verbose_name=_("legal basis"))
    is_confidential = models.BooleanField(_("confidential"), default=False)
    confidentiality_basis = models.ForeignKey(
        LegalInstrument,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("legal basis of the confidentiality"),
    )
    confidentiality_reviewed_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("confidentiality reviewed by")
    )
    confidentiality_reviewed_on = models.DateField(_("confidentiality reviewed on"), null=True, blank=True)
    history = models.OneToOneField(ListHistory, models.PROTECT, related_name="list", editable=False)

    class Meta:
        verbose_name = _("sensitivity list")
        verbose_name_plural = _("sensitivity lists")
        ordering = ["kind", "name_en"]
        constraints = [
            models.CheckConstraint(
                name="sensitivity_list_confidential_for_a_reason",
                condition=Q(is_confidential=False)
                | Q(
                    confidentiality_basis__isnull=False,
                    confidentiality_reviewed_by__isnull=False,
                    confidentiality_reviewed_on__isnull=False,
                ),
                violation_error_message=_(
                    "A confidential list needs the legal basis of its confidentiality, and who reviewed it when."
                ),
            ),
            models.CheckConstraint(
                name="sensitivity_list_confidentiality_reviewed_by_another",
                condition=Q(confidentiality_reviewed_by=None) | ~Q(confidentiality_reviewed_by=F("owner")),
                violation_error_message=_("The owner of a list cannot review its confidentiality."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The name in the active language."""
        return by_language(self.name_zh, self.name_en)


class VersionQuerySet(models.QuerySet["ListVersion"]):
    def in_force(self, on: date) -> Self:
        """The published versions that hold, or held, on `on`."""
        return self.filter(state__in=sorted(FIXED), published_from__lte=on, published_until__gt=on)


class ListVersion(models.Model):
    """A version of a list. Only a published one counts, from its first day until the day that it ends before.

    The publisher is neither the author nor anybody who edited it. `content` counts the changes to a draft: a rehearsal
    is of one content, and what somebody typed is compared with the content that they saw.
    """

    State = VersionState

    list = models.ForeignKey(SensitivityList, models.PROTECT, related_name="versions", verbose_name=_("list"))
    number = models.PositiveIntegerField(_("version"))
    state = FSMField(
        _("state"), max_length=12, choices=VersionState.choices, default=VersionState.DRAFT, protected=True
    )
    content = models.PositiveIntegerField(_("changes"), default=0, editable=False)
    author = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("author"))
    created_at = models.DateTimeField(_("begun at"))
    note = models.TextField(_("what is new in it"), blank=True)
    reviewed_at = models.DateTimeField(_("in review since"), null=True, blank=True)
    sent_back = models.TextField(_("why it was sent back"), blank=True)
    publisher = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("publisher")
    )
    published_at = models.DateTimeField(_("published at"), null=True, blank=True)
    published_from = models.DateField(_("in force from"), null=True, blank=True)
    published_until = models.DateField(
        _("in force until"), null=True, blank=True, help_text=_("The first day on which it does not count any more.")
    )

    objects = VersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("list version")
        verbose_name_plural = _("list versions")
        ordering = ["list", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["list", "number"], name="sensitivity_version_number"),
            models.UniqueConstraint(
                fields=["list"], condition=Q(state__in=["draft", "in_review"]), name="sensitivity_version_one_draft"
            ),
            models.CheckConstraint(
                name="sensitivity_version_two_people",
                condition=Q(publisher=None) | ~Q(publisher=F("author")),
                violation_error_message=_("The publisher must be another person than the author."),
            ),
            models.CheckConstraint(
                name="sensitivity_version_published_by_somebody",
                condition=~Q(state__in=["published", "superseded"])
                | Q(publisher__isnull=False, published_from__isnull=False, published_until__isnull=False),
                violation_error_message=_("A published version has a publisher, a first and a last day."),
            ),
        ]
        indexes = [
            models.Index(
                fields=["published_from", "published_until"],
                condition=Q(state__in=["published", "superseded"]),
                name="sensitivity_version_in_force",
            )
        ]

    def __str__(self) -> str:
        return f"{self.list} v{self.number}"

    @property
    def is_draft(self) -> bool:
        return bool(self.state == VersionState.DRAFT)

    @cached_property
    def editors(self) -> frozenset[int]:
        """Everybody who wrote something of it: its author, and who edited its entries."""
        found = self.edits.values_list("by_id", flat=True).distinct()
        return frozenset({self.author_id, *found})

    # ── the transition table: verbs are in publishing.py ────────────────────────────────────────────────────────────

    @transition(state, source=VersionState.DRAFT, target=VersionState.IN_REVIEW, permission=rules.is_list_manager)
    def submit_for_review(self, *, at: datetime) -> None:
        self.reviewed_at, self.sent_back = at, ""

    @transition(state, source=VersionState.IN_REVIEW, target=VersionState.DRAFT, permission=rules.is_list_manager)
    def send_back(self, *, at: datetime, why: str) -> None:
        self.reviewed_at, self.sent_back = None, why

    @transition(
        state,
        source=VersionState.IN_REVIEW,
        target=VersionState.PUBLISHED,
        conditions=[rules.has_entries, rules.is_rehearsed],
        permission=rules.another_list_manager,
    )
    def publish(self, *, publisher_id: int, at: datetime, on: date, until: date) -> None:
        self.publisher_id, self.published_at = publisher_id, at
        self.published_from, self.published_until = on, until

    @transition(
        state, source=VersionState.PUBLISHED, target=VersionState.SUPERSEDED, permission=rules.is_system_or_list_manager
    )
    def supersede(self) -> None: ...


class ListEntry(models.Model):
    """One entry of a version: what it names, how sensitive that is, why, and for how long.

    `lineage` is the same in every version, so a code can be renamed and the entry keeps its history; the codes that it
    had are found too. An entry of a technology list covers what is below it: `path` is the codes from the top of the
    tree down to its own.
    """

    version = models.ForeignKey(ListVersion, models.CASCADE, related_name="entries", verbose_name=_("version"))
    lineage = models.UUIDField(_("lineage"), default=uuid7, editable=False)
    code = models.CharField(_("code"), max_length=CODE_LENGTH)
    former_codes = ArrayField(
        models.CharField(max_length=CODE_LENGTH), verbose_name=_("former codes"), default=list, blank=True
    )
    parent = models.CharField(_("part of"), max_length=CODE_LENGTH, blank=True)
    path = ArrayField(models.CharField(max_length=CODE_LENGTH), default=list, editable=False)
    label_zh = models.CharField(_("label in Chinese"), max_length=LABEL_LENGTH)
    label_en = models.CharField(_("label in English"), max_length=LABEL_LENGTH)
    aliases = ArrayField(
        models.CharField(max_length=LABEL_LENGTH), verbose_name=_("other names"), default=list, blank=True
    )
    country = CountryField(_("country"), blank=True)
    company = models.ForeignKey(
        Company, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("company")
    )
    level = models.PositiveSmallIntegerField(_("level"), choices=[(1, "1"), (2, "2"), (3, "3")])
    reason_zh = models.TextField(_("reason in Chinese"))
    reason_en = models.TextField(_("reason in English"))
    valid_from = models.DateField(_("valid from"), null=True, blank=True)
    valid_until = models.DateField(_("valid until"), null=True, blank=True, help_text=_("Its last day; empty: open."))
    edit = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = _("list entry")
        verbose_name_plural = _("list entries")
        ordering = ["version", "code"]
        constraints = [
            models.UniqueConstraint(
                fields=["version", "company", "code"], nulls_distinct=False, name="sensitivity_entry_code"
            ),
            models.UniqueConstraint(fields=["version", "lineage"], name="sensitivity_entry_lineage"),
            models.CheckConstraint(name="sensitivity_entry_level", condition=Q(level__range=(1, 3))),
            models.CheckConstraint(
                name="sensitivity_entry_validity",
                condition=Q(valid_until=None) | Q(valid_from=None) | Q(valid_until__gte=F("valid_from")),
                violation_error_message=_("The last day cannot be before the first."),
            ),
        ]
        indexes = [
            models.Index(fields=["code", "version"], name="sensitivity_entry_by_code"),
            models.Index(fields=["version", "parent", "code"], name="sensitivity_entry_below"),
            GinIndex(fields=["former_codes"], condition=~Q(former_codes=[]), name="sensitivity_entry_former"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.label}"

    @property
    def label(self) -> str:
        """The label in the active language."""
        return self.label_en if (get_language() or "").startswith("en") else self.label_zh

    @property
    def reason(self) -> str:
        """The reason in the active language."""
        return by_language(self.reason_zh, self.reason_en)

    def is_valid(self, on: date) -> bool:
        """Whether the entry counts on `on`."""
        return (self.valid_from is None or self.valid_from <= on) and (
            self.valid_until is None or on <= self.valid_until
        )


class EntryName(models.Model):
    """A name by which an entry of an organisation or event list is found. Derived: `sensitivity.names` writes it.

    `key` is how the name is compared exactly. `form` is its words in plain letters, whatever the script, so that
    trigrams see them in any locale; `blocks` are what it shares with names that may be similar.
    """

    entry = models.ForeignKey(ListEntry, models.CASCADE, related_name="names")
    version = models.ForeignKey(ListVersion, models.CASCADE, related_name="+")
    key = models.TextField(_("name as it is compared"))
    name = models.TextField(_("name as it is written"), default="")
    form = models.TextField(_("name in plain letters"), default="")
    blocks = ArrayField(models.IntegerField(), verbose_name=_("blocks"), default=list)

    class Meta:
        verbose_name = _("name of an entry")
        verbose_name_plural = _("names of entries")
        constraints = [models.UniqueConstraint(fields=["entry", "key"], name="sensitivity_name_once")]
        indexes = [
            models.Index(fields=["key", "version"], name="sensitivity_name_by_key"),
            # Blocks of one version meet blocks of that version only, so old versions cost a search nothing. What is
            # pending is searched from end to end by everybody: it stays small.
            GinIndex(
                models.Func("version", "blocks", function="sensitivity_blocks_in"),
                name="sensitivity_name_blocks",
                fastupdate=True,
                gin_pending_list_limit=128,
            ),
        ]

    def __str__(self) -> str:
        return self.key


class Edit(models.Model):
    """Somebody changed an entry of a draft: what it said before and after. Kept as written once it is published."""

    version = models.ForeignKey(ListVersion, models.CASCADE, related_name="edits", verbose_name=_("version"))
    lineage = models.UUIDField(_("lineage"), null=True)
    by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("at"))
    before = models.JSONField(_("before"), null=True)
    after = models.JSONField(_("after"), null=True)

    class Meta:
        verbose_name = _("edit")
        verbose_name_plural = _("edits")
        ordering = ["-pk"]
        indexes = [models.Index(fields=["version", "lineage"], name="sensitivity_edit_of_entry")]

    def __str__(self) -> str:
        return f"{self.version_id} {self.at}"


class Renewal(AppendOnly):
    """A version was renewed: it counts until a later day, for a reason, decided by somebody else than its author."""

    version = models.ForeignKey(ListVersion, models.PROTECT, related_name="renewals", verbose_name=_("version"))
    by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("at"))
    until_before = models.DateField(_("in force until"))
    until = models.DateField(_("renewed until"))
    reason = models.TextField(_("reason"))

    class Meta:
        verbose_name = _("renewal")
        verbose_name_plural = _("renewals")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.version_id} → {self.until}"


class RenewalReminder(AppendOnly):
    """The owner of a list was told that a version ends soon: once for each end and each distance."""

    version = models.ForeignKey(ListVersion, models.PROTECT, related_name="reminders", verbose_name=_("version"))
    until = models.DateField(_("in force until"))
    days = models.PositiveSmallIntegerField(_("days before"))
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("renewal reminder")
        verbose_name_plural = _("renewal reminders")
        constraints = [models.UniqueConstraint(fields=["version", "until", "days"], name="sensitivity_reminded_once")]

    def __str__(self) -> str:
        return f"{self.version_id} {self.days}"
