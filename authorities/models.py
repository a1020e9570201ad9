"""Offices, their people and who of them is away; the law that decisions rest on, calendars and clock policies."""

from datetime import date, datetime, timedelta
from typing import Any, ClassVar, Self
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField, DateTimeRangeField, RangeOperators
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from accounts.roles import Role
from accounts.tenure import Tenure
from audit.models import Chained
from authorities.languages import by_language, law_in_words
from authorities.terms import DIFFERS_BY_TIER, RULE_BOOK, TIERS, ClockKind, Terms

POSTED_ROLES = (Role.REVIEWER, Role.SENIOR, Role.HEAD, Role.APPEAL_REVIEWER)


class InForce(RuntimeError):
    """Something that is already in force was to be changed. Make a new version instead."""


def validate_time_zone(name: str) -> None:
    """Refuse a name that is not an IANA time zone."""
    if name not in available_timezones():
        raise ValidationError(_("“%(name)s” is not a time zone. An example is Asia/Shanghai."), params={"name": name})


class Office(models.Model):
    """An office of the authority, with its own time zone. Its calendar is the national one unless it has its own."""

    code = models.CharField(
        _("code"),
        max_length=20,
        unique=True,
        validators=[RegexValidator(r"^[A-Z0-9]+(-[A-Z0-9]+)*\Z", _("Capital letters, digits and hyphens."))],
        help_text=_("Short and stable, such as BJ-HD. Shown in lists."),
    )
    name_zh = models.CharField(_("name in Chinese"), max_length=100)
    name_en = models.CharField(_("name in English"), max_length=100)
    city = models.CharField(_("city"), max_length=100)
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        default="Asia/Shanghai",
        validators=[validate_time_zone],
        help_text=_("The days of its clocks begin and end in this zone."),
    )
    address = models.CharField(
        _("address for remedies"), max_length=200, blank=True, help_text=_("Printed on every denial: where to appeal.")
    )
    phone = models.CharField(_("telephone for remedies"), max_length=40, blank=True)
    email = models.EmailField(_("e-mail for remedies"), blank=True)
    is_active = models.BooleanField(_("active"), default=True, help_text=_("New requests go to active offices only."))
    return_after_days = models.PositiveSmallIntegerField(
        _("cases go back after"),
        default=5,
        help_text=_(
            "Cases of a reviewer who is away for more than so many days go back to the office's queue as soon as the "
            "absence begins."
        ),
    )
    is_specialist = models.BooleanField(
        _("specialist office"),
        default=False,
        help_text=_("Other offices ask for its opinion on restricted cases. Its reviewers then see those cases only."),
    )
    expertise_zh = models.CharField(_("field in Chinese"), max_length=200, blank=True)
    expertise_en = models.CharField(_("field in English"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("office")
        verbose_name_plural = _("offices")
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The name in the language that is being spoken."""
        return by_language(self.name_zh, self.name_en)

    @property
    def expertise(self) -> str:
        """Of a specialist office: what it knows about, in the language that is being spoken; may be empty."""
        return by_language(self.expertise_zh, self.expertise_en)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which this office's days begin and end."""
        return ZoneInfo(self.time_zone)


class _TsTzRange(Func):
    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class _Days(Func):
    function = "DATERANGE"
    output_field = DateRangeField()


def _person(words: Any) -> "models.ForeignKey[Any, Any]":
    return models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+", verbose_name=words
    )


class Posting(Tenure):
    """A person's role in an office, for a time, under an officer number that applicants are shown.

    Roles are separate postings; one person may hold several, under one number. Within an office a number
    belongs to one person at a time.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="postings", verbose_name=_("account")
    )
    office = models.ForeignKey(Office, models.PROTECT, related_name="postings", verbose_name=_("office"))
    role = models.CharField(_("role"), max_length=20, choices=[(role.value, role.label) for role in POSTED_ROLES])
    number = models.CharField(
        _("officer number"),
        max_length=4,
        validators=[RegexValidator(r"^[0-9]{4}\Z", _("Four digits."))],
        help_text=_("Four digits. Applicants see this number instead of the name."),
    )

    class Meta(Tenure.Meta):
        verbose_name = _("posting")
        verbose_name_plural = _("postings")
        ordering = ["office", "number", "role"]
        indexes = [models.Index(fields=["user"], name="authorities_posting_by_user")]
        constraints = [
            *Tenure.Meta.constraints,
            models.CheckConstraint(
                name="authorities_posting_number_has_four_digits",
                condition=Q(number__regex=r"^[0-9]{4}$"),
                violation_error_message=_("An officer number has four digits."),
            ),
            ExclusionConstraint(
                name="authorities_posting_number_is_one_person",
                expressions=[
                    (F("office"), RangeOperators.EQUAL),
                    (F("number"), RangeOperators.EQUAL),
                    (F("user"), RangeOperators.NOT_EQUAL),
                    (_TsTzRange("starts_at", "ends_at"), RangeOperators.OVERLAPS),
                ],
                violation_error_message=_("Somebody else of this office has this number at that time."),
            ),
            ExclusionConstraint(
                name="authorities_posting_once_at_a_time",
                expressions=[
                    (F("office"), RangeOperators.EQUAL),
                    (F("role"), RangeOperators.EQUAL),
                    (F("user"), RangeOperators.EQUAL),
                    (_TsTzRange("starts_at", "ends_at"), RangeOperators.OVERLAPS),
                ],
                violation_error_message=_("This person already holds this role in this office at that time."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.office.code} {self.number} · {self.get_role_display()}"

    @classmethod
    def grants(cls, user_id: int, at: datetime) -> "models.QuerySet[Any, Any]":
        """Grants in force at `at`, as (role, office id, officer number)."""
        in_force = cls.objects.in_force(at).filter(user_id=user_id)
        return in_force.order_by().values_list(F("role"), F("office_id"), F("number"))


class Absence(Tenure):
    """Somebody of an office is away for a time, and perhaps who stands in. Being away takes no role from anybody, and
    standing in gives none: a deputy is told in the place of who is away, and acts under a posting of their own.

    `starts_at` is the first instant of its first day in the office's zone, `ends_at` the end (exclusive) of its last.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="absences", verbose_name=_("who is away")
    )
    office = models.ForeignKey(Office, models.PROTECT, related_name="absences", verbose_name=_("office"))
    role = models.CharField(
        _("role"),
        max_length=20,
        blank=True,
        choices=[(role.value, role.label) for role in POSTED_ROLES],
        help_text=_("Empty: in every role that they hold in the office."),
    )
    ends_at = models.DateTimeField(_("until"))
    deputy = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("deputy")
    )
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+", verbose_name=_("by")
    )
    entered_at = models.DateTimeField(_("entered"), default=timezone.now, editable=False)

    class Meta(Tenure.Meta):
        verbose_name = _("absence")
        verbose_name_plural = _("absences")
        ordering = ["starts_at", "id"]
        indexes = [models.Index(fields=["office", "ends_at"], name="authorities_absence_by_office")]
        constraints = [
            *Tenure.Meta.constraints,
            models.CheckConstraint(
                name="authorities_absence_deputy_is_another",
                condition=Q(deputy=None) | ~Q(deputy=F("user")),
                violation_error_message=_("Somebody else has to stand in."),
            ),
            ExclusionConstraint(
                name="authorities_absence_once_at_a_time",
                expressions=[
                    (F("office"), RangeOperators.EQUAL),
                    (F("user"), RangeOperators.EQUAL),
                    (F("role"), RangeOperators.EQUAL),
                    (_TsTzRange("starts_at", "ends_at"), RangeOperators.OVERLAPS),
                ],
                violation_error_message=_("This person is entered as away at that time already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.office.code} · {self.user}"

    @property
    def first_day(self) -> date:
        """Its first day, in the office's zone."""
        return self.starts_at.astimezone(self.office.zone).date()

    @property
    def last_day(self) -> date:
        """Its last day, in the office's zone."""
        return (self.ends_at - timedelta(microseconds=1)).astimezone(self.office.zone).date()

    @property
    def days(self) -> int:
        """How many days of the calendar it lasts, both ends counted."""
        return (self.last_day - self.first_day).days + 1

    def clean(self) -> None:
        """Refuse a deputy who stands in for themselves (the database would too)."""
        super().clean()
        if self.deputy_id is not None and self.deputy_id == self.user_id:
            raise ValidationError({"deputy": _("Somebody else has to stand in.")})


class GroundHistory(Chained):
    """The chain of audit entries of one instrument, or of one reason code: of all of its versions."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)

    class Meta:
        verbose_name = _("history of a ground")
        verbose_name_plural = _("histories of grounds")

    def __str__(self) -> str:
        return str(self.pk)


class Enacted(models.Model):
    """A version of something that decisions quote: drafted by one person, brought into force by another.

    Once in force it never changes, except that two people can give it an earlier last day. The database refuses the
    rest (the triggers of migration 0007). `grounds` is the one place that writes.
    """

    FIRST: ClassVar[str]
    """The field with the first day on which it is in force."""
    LAST: ClassVar[str]
    """The field with the last one."""

    history = models.ForeignKey(GroundHistory, models.PROTECT, related_name="%(class)s_versions", editable=False)
    version = models.PositiveSmallIntegerField(_("version"), default=1, editable=False)
    drafted_by = _person(_("drafted by"))
    drafted_at = models.DateTimeField(_("drafted"), null=True, editable=False)
    activated_by = _person(_("brought into force by"))
    activated_at = models.DateTimeField(_("brought into force"), null=True, editable=False)
    end_on = models.DateField(_("proposed last day"), null=True, editable=False)
    end_drafted_by = _person(_("end proposed by"))
    ended_by = _person(_("ended by"))
    ended_at = models.DateTimeField(_("ended"), null=True, editable=False)

    class Meta:
        abstract = True
        constraints = [
            models.UniqueConstraint(fields=["history", "version"], name="authorities_%(class)s_version"),
            models.CheckConstraint(
                name="authorities_%(class)s_activated_by_another",
                condition=Q(activated_by=None) | (Q(drafted_by__isnull=False) & ~Q(activated_by=F("drafted_by"))),
            ),
        ]

    @property
    def is_draft(self) -> bool:
        """Whether it can still be changed, by who drafted it."""
        return self.activated_at is None

    @property
    def first_day(self) -> date:
        """The first day on which it is in force."""
        day: date = getattr(self, self.FIRST)
        return day

    @property
    def last_day(self) -> date | None:
        """The last one; None: open."""
        day: date | None = getattr(self, self.LAST)
        return day

    @property
    def end_is_proposed(self) -> bool:
        """Whether somebody proposed an earlier last day that nobody has confirmed yet."""
        return self.end_on is not None and self.end_on != self.last_day

    def covers(self, on: date) -> bool:
        """Whether `on` lies between its first and its last day."""
        return self.first_day <= on and (self.last_day is None or on <= self.last_day)


def _never_two_at_once(name: str, first: str, last: str) -> ExclusionConstraint:
    return ExclusionConstraint(
        name=name,
        expressions=[
            (F("history"), RangeOperators.EQUAL),
            (_Days(F(first), F(last), Value("[]")), RangeOperators.OVERLAPS),
        ],
        condition=Q(activated_at__isnull=False),
        violation_error_message=_("Another version is in force on some of these days."),
    )


class LegalInstrumentQuerySet(models.QuerySet["LegalInstrument"]):
    def in_force(self, on: date) -> Self:
        """Those that are published and effective on `on`."""
        return self.filter(
            Q(effective_until=None) | Q(effective_until__gte=on),
            activated_at__isnull=False,
            published_on__lte=on,
            effective_from__lte=on,
        )


class LegalInstrument(Enacted):
    """A law or rule that a decision can rest on: what it is called, which article, where it can be read, since when."""

    FIRST = "effective_from"
    LAST = "effective_until"

    title_zh = models.CharField(_("title in Chinese"), max_length=200)
    title_en = models.CharField(_("title in English"), max_length=200)
    article_zh = models.CharField(
        _("article in Chinese"), max_length=60, help_text=_("The article that the ground is in, such as 第九条.")
    )
    article_en = models.CharField(_("article in English"), max_length=60, help_text=_("The same, such as Article 9."))
    url = models.URLField(_("where it can be read"), max_length=500)
    published_on = models.DateField(
        _("published on"), null=True, blank=True, help_text=_("Empty: not published, and so no ground for anything.")
    )
    effective_from = models.DateField(_("in force from"))
    effective_until = models.DateField(
        _("in force until"), null=True, blank=True, help_text=_("Its last day; empty: open.")
    )
    office = models.ForeignKey(
        Office,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="instruments",
        verbose_name=_("competent office"),
        help_text=_("Empty: every office."),
    )

    objects = LegalInstrumentQuerySet.as_manager()

    class Meta(Enacted.Meta):
        verbose_name = _("legal instrument")
        verbose_name_plural = _("legal instruments")
        ordering = ["title_zh", "article_zh", "version"]
        constraints = [
            *Enacted.Meta.constraints,
            _never_two_at_once("authorities_instrument_one_in_force", "effective_from", "effective_until"),
            models.CheckConstraint(
                name="authorities_instrument_ends_after_start",
                condition=Q(effective_until=None) | Q(effective_until__gte=F("effective_from")),
                violation_error_message=_("The last day cannot be before the first."),
            ),
            models.CheckConstraint(
                name="authorities_instrument_published_before_force",
                condition=Q(published_on=None) | Q(published_on__lte=F("effective_from")),
                violation_error_message=_("An instrument cannot be in force before it is published."),
            ),
            models.CheckConstraint(
                name="authorities_instrument_in_force_is_published",
                condition=Q(activated_at=None) | Q(published_on__isnull=False),
                violation_error_message=_("An instrument that is not published cannot be brought into force."),
            ),
        ]

    def __str__(self) -> str:
        return law_in_words(
            title_zh=self.title_zh, title_en=self.title_en, article_zh=self.article_zh, article_en=self.article_en
        )

    @property
    def title(self) -> str:
        """The title in the language that is being spoken."""
        return by_language(self.title_zh, self.title_en)

    @property
    def article(self) -> str:
        """The article in the language that is being spoken."""
        return by_language(self.article_zh, self.article_en)

    def is_in_force(self, on: date) -> bool:
        """Whether it is published and effective on `on` (a day in the office's time zone)."""
        return not self.is_draft and self.published_on is not None and self.published_on <= on and self.covers(on)


class ReasonCodeQuerySet(models.QuerySet["ReasonCode"]):
    def in_force(self, on: date, office_id: int) -> Self:
        """Codes that `office_id` may use on `on` (a day in the office's time zone).

        A code is in force only while its instrument is published and effective, and only for the competent office
        of both the code and the instrument. The database says the same: `authorities_code_in_force()`.
        """
        return self.anywhere(on).filter(
            Q(office=None) | Q(office=office_id), Q(instrument__office=None) | Q(instrument__office=office_id)
        )

    def anywhere(self, on: date) -> Self:
        """Codes that some office may use on `on`."""
        return self.filter(
            Q(active_until=None) | Q(active_until__gte=on),
            Q(instrument__effective_until=None) | Q(instrument__effective_until__gte=on),
            activated_at__isnull=False,
            active_from__lte=on,
            instrument__activated_at__isnull=False,
            instrument__published_on__lte=on,
            instrument__effective_from__lte=on,
        )


class ReasonCode(Enacted):
    """A version of a ground for a denial or a revocation. It rests on an instrument and points at something of this
    trip."""

    FIRST = "active_from"
    LAST = "active_until"

    class PointsAt(models.TextChoices):
        """The part of the trip that the ground is about. That somebody knows something is not one of them."""

        DESTINATION = "destination", _("a destination")
        HOST = "host", _("a host organisation")
        EVENT = "event", _("an event")
        TOPIC = "topic", _("a topic to be spoken about")
        MATERIAL = "material", _("materials or devices carried")
        DATES = "dates", _("the dates")

    code = models.CharField(
        _("code"),
        max_length=20,
        validators=[RegexValidator(r"^[A-Z0-9]+([.-][A-Z0-9]+)*\Z", _("Capital letters, digits, . and -"))],
        help_text=_("The code of an earlier version makes this the next version of it."),
    )
    label_zh = models.CharField(_("wording in Chinese"), max_length=300)
    label_en = models.CharField(_("wording in English"), max_length=300)
    points_at = models.CharField(
        _("points at"),
        max_length=20,
        choices=PointsAt.choices,
        help_text=_("Which part of this trip it is about. Holding sensitive knowledge alone is never a ground."),
    )
    instrument = models.ForeignKey(
        LegalInstrument, models.PROTECT, related_name="reason_codes", verbose_name=_("legal instrument")
    )
    office = models.ForeignKey(
        Office,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="reason_codes",
        verbose_name=_("competent office"),
        help_text=_("Only this office may use it. Empty: every office that the instrument makes competent."),
    )
    active_from = models.DateField(_("in use from"))
    active_until = models.DateField(_("in use until"), null=True, blank=True, help_text=_("Its last day; empty: open."))

    objects = ReasonCodeQuerySet.as_manager()

    class Meta(Enacted.Meta):
        verbose_name = _("reason code")
        verbose_name_plural = _("reason codes")
        ordering = ["code", "version"]
        constraints = [
            *Enacted.Meta.constraints,
            _never_two_at_once("authorities_reason_one_in_force", "active_from", "active_until"),
            ExclusionConstraint(
                name="authorities_reason_code_has_one_history",
                expressions=[(F("code"), RangeOperators.EQUAL), (F("history"), RangeOperators.NOT_EQUAL)],
            ),
            models.CheckConstraint(
                name="authorities_reason_ends_after_start",
                condition=Q(active_until=None) | Q(active_until__gte=F("active_from")),
                violation_error_message=_("The last day cannot be before the first."),
            ),
            models.CheckConstraint(
                name="authorities_reason_points_at_the_trip",
                condition=Q(points_at__in=["destination", "host", "event", "topic", "material", "dates"]),
                violation_error_message=_("A ground points at something of this trip."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.label}"

    @property
    def label(self) -> str:
        """The wording in the language that is being spoken."""
        return by_language(self.label_zh, self.label_en)

    @property
    def competent(self) -> Office | None:
        """The one office that may use it; None: every office."""
        return self.office or self.instrument.office

    @property
    def usable_until(self) -> date | None:
        """The last day on which it can be used: its own or its instrument's, whichever comes first; None: open."""
        return min((day for day in (self.active_until, self.instrument.effective_until) if day), default=None)

    def clean(self) -> None:
        """Refuse a code that its instrument does not carry: not published, not effective, another office."""
        super().clean()
        if not self.instrument_id:
            return
        errors: dict[str, Any] = {}
        if self.instrument.published_on is None:
            errors["instrument"] = _("This instrument is not published: no code can rest on it.")
        elif self.active_from is not None and not self.instrument.covers(self.active_from):
            errors["active_from"] = _("The instrument is not in force on this day.")
        if self.instrument.office_id is not None and self.office_id not in (None, self.instrument.office_id):
            errors["office"] = _("The instrument makes another office competent.")
        if errors:
            raise ValidationError(errors)


class CalendarYear(models.Model):
    """The working days of one year, for one office or for the country. What is in force never changes: a correction
    is a new version."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("being prepared")
        PROVISIONAL = "provisional", _("provisional")
        PUBLISHED = "published", _("published")

    office = models.ForeignKey(
        Office,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="calendar_years",
        verbose_name=_("office"),
        help_text=_("Empty: the national calendar, for every office that has none of its own for the year."),
    )
    year = models.PositiveSmallIntegerField(_("year"), validators=[MinValueValidator(2000), MaxValueValidator(2099)])
    version = models.PositiveSmallIntegerField(_("version"), default=1, editable=False)
    status = models.CharField(_("status"), max_length=12, choices=Status.choices, default=Status.DRAFT, editable=False)
    source = models.CharField(
        _("source"),
        max_length=300,
        help_text=_("The notice that announces the days off, or where they were taken from."),
    )
    since = models.PositiveIntegerField(
        _("calendar version"),
        null=True,
        editable=False,
        help_text=_("The version of all calendars with which this one came into force."),
    )
    published_at = models.DateTimeField(_("in force since"), null=True, editable=False)
    authors = models.ManyToManyField(
        settings.AUTH_USER_MODEL, related_name="+", editable=False, verbose_name=_("drafted by")
    )
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("brought into force by"),
    )

    class Meta:
        verbose_name = _("calendar year")
        verbose_name_plural = _("calendar years")
        ordering = ["-year", "office", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["office", "year", "version"], nulls_distinct=False, name="authorities_calendar_version"
            ),
            models.CheckConstraint(
                name="authorities_calendar_in_force_has_version",
                condition=Q(status="draft", since=None, published_at=None)
                | (~Q(status="draft") & Q(since__isnull=False, published_at__isnull=False)),
            ),
        ]
        indexes = [models.Index(fields=["-since"], name="authorities_calendar_by_since")]

    def __str__(self) -> str:
        return f"{self.office.code if self.office else _('National')} {self.year} v{self.version}"

    @property
    def is_draft(self) -> bool:
        """Whether it can still be changed."""
        return self.status == self.Status.DRAFT


class CalendarDay(models.Model):
    """A day that differs from the week: a weekday off, or a weekend day worked to make up for it."""

    calendar = models.ForeignKey(CalendarYear, models.CASCADE, related_name="days", verbose_name=_("calendar year"))
    day = models.DateField(_("day"))
    is_working = models.BooleanField(_("worked"), default=False, help_text=_("A weekend day that is worked."))
    name_zh = models.CharField(_("name in Chinese"), max_length=100, blank=True)
    name_en = models.CharField(_("name in English"), max_length=100, blank=True)

    class Meta:
        verbose_name = _("special day")
        verbose_name_plural = _("special days")
        ordering = ["day"]
        constraints = [
            models.UniqueConstraint(
                fields=["calendar", "day"],
                name="authorities_day_once",
                violation_error_message=_("This day is in the list already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.name}".strip()

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write the day. InForce when its calendar is in force."""
        self._must_be_draft()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Take the day out. InForce when its calendar is in force."""
        self._must_be_draft()
        return super().delete(*args, **kwargs)

    @property
    def name(self) -> str:
        """The name in the language that is being spoken."""
        return by_language(self.name_zh, self.name_en)

    def clean(self) -> None:
        """Refuse a day of another year."""
        super().clean()
        if self.day and self.day.year != self.calendar.year:
            raise ValidationError({"day": _("This day is not in the year of the calendar.")})

    def _must_be_draft(self) -> None:
        if not self.calendar.is_draft:
            raise InForce(f"{self.calendar} is in force")


class ClockPolicy(models.Model):
    """A version of the lengths of all clocks, for one office or for every office that has none of its own.

    A clock that runs keeps the version with which it started. What is published never changes.
    """

    office = models.ForeignKey(
        Office,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="clock_policies",
        verbose_name=_("office"),
        help_text=_("Empty: every office that has no policy of its own."),
    )
    version = models.PositiveSmallIntegerField(_("version"), default=1, editable=False)
    effective_from = models.DateTimeField(
        _("in force from"), help_text=_("Clocks that start from then on follow it. Running clocks keep theirs.")
    )
    note = models.CharField(_("why"), max_length=300, blank=True)
    published_at = models.DateTimeField(_("published at"), null=True, editable=False)

    class Meta:
        verbose_name = _("clock policy")
        verbose_name_plural = _("clock policies")
        ordering = ["office", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["office", "version"], nulls_distinct=False, name="authorities_policy_version"
            )
        ]

    def __str__(self) -> str:
        return f"{self.office.code if self.office else _('All offices')} v{self.version}"

    @property
    def is_draft(self) -> bool:
        """Whether it can still be changed."""
        return self.published_at is None

    def missing(self) -> list[str]:
        """What a policy must say and this one does not, in words; empty when it can be published."""
        present = set(self.lines.values_list("kind", "tier"))
        tiers = dict(TIERS)
        return [
            f"{ClockKind(kind).label} · {tiers[tier]}" if tier else str(ClockKind(kind).label)
            for kind, tier in RULE_BOOK
            if (kind, tier) not in present
        ]


class ClockPolicyLine(models.Model):
    """The terms of one clock, for all tiers or for one. Days are in the clock's own unit."""

    policy = models.ForeignKey(ClockPolicy, models.CASCADE, related_name="lines", verbose_name=_("clock policy"))
    kind = models.CharField(_("clock"), max_length=20, choices=ClockKind.choices)
    tier = models.CharField(_("tier"), max_length=20, choices=TIERS, blank=True, help_text=_("Empty: every tier."))
    days = models.PositiveSmallIntegerField(
        _("days"),
        validators=[MinValueValidator(1), MaxValueValidator(365)],
        help_text=_("Working days for reviews, answers, replies, changes and appeals; days of the calendar otherwise."),
    )
    remind_at_percent = ArrayField(
        models.PositiveSmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(99)]),
        verbose_name=_("remind at %"),
        default=list,
        blank=True,
        help_text=_("Percent of the time used, separated by commas, such as 50,80."),
    )
    remind_before = ArrayField(
        models.PositiveSmallIntegerField(validators=[MinValueValidator(1)]),
        verbose_name=_("remind days before"),
        default=list,
        blank=True,
        help_text=_("Days left, separated by commas, such as 5,2."),
    )
    head_after = models.PositiveSmallIntegerField(
        _("head of office after"),
        default=2,
        help_text=_("Days overdue until the head of office is told. Decision only."),
    )
    last_after = models.PositiveSmallIntegerField(
        _("last step after"),
        default=5,
        help_text=_("Days overdue until the clearance is deemed given, or the case reported daily. Decision only."),
    )
    extension = models.PositiveSmallIntegerField(
        _("longest extension"), default=0, validators=[MaxValueValidator(10)], help_text=_("0: cannot be extended.")
    )
    deem_approved = models.BooleanField(
        _("deem approved"), default=False, help_text=_("Silence of the office gives the clearance. Decision only.")
    )

    class Meta:
        verbose_name = _("terms of a clock")
        verbose_name_plural = _("terms of the clocks")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["policy", "kind", "tier"],
                name="authorities_line_once",
                violation_error_message=_("This clock and tier are in the policy already."),
            ),
            models.CheckConstraint(
                name="authorities_line_has_days",
                condition=Q(days__gte=1),
                violation_error_message=_("A clock has at least one day."),
            ),
            models.CheckConstraint(
                name="authorities_line_extension_is_bounded",
                condition=Q(extension__lte=10) & (Q(kind="decision") | Q(extension=0)),
                violation_error_message=_("Only a decision can be extended, and by ten working days at most."),
            ),
            models.CheckConstraint(
                name="authorities_line_only_decision_is_deemed",
                condition=Q(deem_approved=False) | Q(kind="decision", tier__in=["fast", "standard"]),
                violation_error_message=_("Only a fast or standard decision can be deemed given."),
            ),
            models.CheckConstraint(
                name="authorities_line_escalates_in_order",
                condition=Q(head_after__lt=F("last_after"), head_after__gte=1),
                violation_error_message=_("The last step comes after the head of office is told."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.get_tier_display()}".strip()

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write the line. InForce when its policy is published."""
        self._must_be_draft()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Take the line out. InForce when its policy is published."""
        self._must_be_draft()
        return super().delete(*args, **kwargs)

    def clean(self) -> None:
        """Refuse a tier on a clock that does not differ by tier."""
        super().clean()
        if self.tier and self.kind not in DIFFERS_BY_TIER:
            raise ValidationError({"tier": _("This clock is the same for every tier.")})

    def _must_be_draft(self) -> None:
        if not self.policy.is_draft:
            raise InForce(f"{self.policy} is published")

    @property
    def terms(self) -> Terms:
        """This line as a value."""
        return Terms(
            days=self.days,
            remind_at_percent=tuple(self.remind_at_percent),
            remind_before=tuple(self.remind_before),
            head_after=self.head_after,
            last_after=self.last_after,
            extension=self.extension,
            deem_approved=self.deem_approved,
        )
