"""The outbox (what happened, to be told) and the notifications (who is told what, on which channel)."""

from datetime import datetime, timedelta
from typing import Any, Self
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

BACK_OFF = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
    timedelta(hours=12),
    timedelta(hours=24),
)


class AttemptQuerySet(models.QuerySet[Any, Any]):
    def due(self, at: datetime) -> Self:
        """Those to be tried at `at` (aware), the longest waiting first."""
        return self.filter(done_at=None, next_attempt_at__lte=at).order_by("next_attempt_at", "pk")

    def failed(self) -> Self:
        """Those that were given up, the latest first. Somebody has to look at them."""
        return self.filter(done_at=None, next_attempt_at=None).order_by("-pk")


class Attempt(models.Model):
    """Something to be done once, tried again with growing distance, given up after the last of `BACK_OFF`.

    done: `done_at` is set. Waiting: `next_attempt_at` is set. Given up: neither is.
    """

    at = models.DateTimeField(_("at"))
    next_attempt_at = models.DateTimeField(_("next attempt"), null=True)
    attempts = models.PositiveSmallIntegerField(_("attempts that failed"), default=0)
    done_at = models.DateTimeField(_("done"), null=True)
    last_error = models.TextField(_("last error"), default="", blank=True)

    class Meta:
        abstract = True
        indexes = [
            models.Index("next_attempt_at", condition=Q(done_at=None), name="%(app_label)s_%(class)s_due"),
        ]

    def mark_done(self, at: datetime) -> None:
        """Done at `at`. Not saved."""
        self.done_at, self.next_attempt_at = at, None

    def mark_failed(self, error: BaseException, at: datetime) -> None:
        """One more attempt failed at `at`: the next one after its distance, or none any more. Not saved."""
        distance = BACK_OFF[self.attempts] if self.attempts < len(BACK_OFF) else None
        self.attempts += 1
        self.next_attempt_at = at + distance if distance else None
        # What the database refuses in a text must not keep it from knowing what is wrong.
        text = f"{type(error).__name__}: {error}".replace("\0", "\N{REPLACEMENT CHARACTER}")
        self.last_error = text.encode(errors="replace").decode()[:2000]


class OutboxEvent(Attempt):
    """Something happened to `subject` and people are to be told. Written in the transaction in which it happened.

    Made by `outbox.emit`. `words` is what each audience is told, in each language, as written when it was told:
    {audience: {"url": path, language: {"subject": text, "body": text}}}.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    event = models.CharField(_("what"), max_length=60)
    subject = models.UUIDField(_("about"))
    data = models.JSONField(_("data"), default=dict)
    words = models.JSONField(_("words"), default=dict)

    about: object = None
    """What `subject` is, as the delivery read it for all that is said about this event. Never saved."""

    objects = AttemptQuerySet.as_manager()

    class Meta(Attempt.Meta):
        verbose_name = _("outbox event")
        verbose_name_plural = _("outbox")

    def __str__(self) -> str:
        return f"{self.event} {self.subject}"


class Channel(models.TextChoices):
    BELL = "bell", _("on the page")
    MAIL = "mail", _("by mail")


class NotificationQuerySet(AttemptQuerySet):
    def in_bell_of(self, user_id: int) -> Self:
        """What `user_id` sees under the bell, the latest first: without what was replaced before they had seen it."""
        return self.filter(recipient_id=user_id, channel=Channel.BELL, left_out="").order_by("-id")

    def unread(self) -> Self:
        """Those not marked as read."""
        return self.filter(read_at=None)


class LeftOut(models.TextChoices):
    """Why a notification is done without having been delivered."""

    REPLACED = "replaced", _("a later one took its place")
    ADDRESS_FAILS = "address", _("the address fails")
    CLOSED = "closed", _("the account is closed")
    SWITCHED_OFF = "off", _("switched off by the recipient")


class Notification(Attempt):
    """One person is told of one event on one channel, once: the three together are unique."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    event = models.ForeignKey(OutboxEvent, models.CASCADE, related_name="notifications", verbose_name=_("event"))
    audience = models.CharField(_("told as"), max_length=30)
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="notifications", verbose_name=_("to")
    )
    channel = models.CharField(_("channel"), max_length=4, choices=Channel.choices)
    kind = models.CharField(_("about"), max_length=20, default="", blank=True)
    is_urgent = models.BooleanField(_("urgent"), default=False)
    in_digest = models.BooleanField(_("in the daily summary"), default=False)
    left_out = models.CharField(_("left out"), max_length=8, default="", blank=True, choices=LeftOut.choices)
    read_at = models.DateTimeField(_("read"), null=True)

    objects = NotificationQuerySet.as_manager()

    class Meta(Attempt.Meta):
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        constraints = [
            models.UniqueConstraint(
                fields=["event", "recipient", "channel"], name="notifications_once_per_person_and_channel"
            )
        ]
        indexes = [
            *Attempt.Meta.indexes,
            models.Index(
                "recipient", F("id").desc(), condition=Q(channel="bell", left_out=""), name="notifications_in_bell"
            ),
            models.Index(
                "recipient",
                condition=Q(channel="bell", left_out="", read_at__isnull=True),
                name="notifications_unread_in_bell",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.event_id} → {self.recipient_id}"

    def leave_out(self, why: LeftOut, at: datetime) -> None:
        """Done at `at` without being delivered. Not saved."""
        self.mark_done(at)
        self.left_out = why

    @property
    def subject(self) -> str:
        """One line: what happened, in the active language."""
        return self._words["subject"]

    @property
    def body(self) -> str:
        """What happened and what to do, in the active language; paragraphs have an empty line between them."""
        return self._words["body"]

    @property
    def url(self) -> str:
        """The path of the page it is about; empty when there is none."""
        return str(self.event.words[self.audience]["url"])

    @property
    def _words(self) -> dict[str, str]:
        languages: dict[str, dict[str, str]] = self.event.words[self.audience]
        return languages.get(get_language() or "") or languages[settings.LANGUAGE_CODE]


class Preferences(models.Model):
    """How one person wants to be told. Somebody without a row is told everything, at once.

    Days and hours are those of `time_zone`. Quiet hours run from `quiet_from` to `quiet_until`, over midnight where
    the end is not later; both null: none.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+", verbose_name=_("account")
    )
    time_zone = models.CharField(_("time zone"), max_length=64, default=settings.TIME_ZONE)
    digest = models.BooleanField(_("one mail a day"), default=False)
    digest_hour = models.PositiveSmallIntegerField(_("hour of the daily mail"), default=8)
    quiet_from = models.TimeField(_("quiet from"), null=True, blank=True)
    quiet_until = models.TimeField(_("quiet until"), null=True, blank=True)
    mail_off = ArrayField(models.CharField(max_length=20), verbose_name=_("not by mail"), default=list, blank=True)
    bell_off = ArrayField(models.CharField(max_length=20), verbose_name=_("not on the page"), default=list, blank=True)

    class Meta:
        verbose_name = _("preferences")
        verbose_name_plural = _("preferences")
        constraints = [
            models.CheckConstraint(name="notifications_digest_hour_of_a_day", condition=Q(digest_hour__lte=23)),
            models.CheckConstraint(
                name="notifications_quiet_hours_have_both_ends",
                condition=Q(quiet_from=None, quiet_until=None)
                | (Q(quiet_from__isnull=False, quiet_until__isnull=False) & ~Q(quiet_from=F("quiet_until"))),
            ),
        ]

    def __str__(self) -> str:
        return str(self.user_id)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which the person's days and hours are."""
        return ZoneInfo(self.time_zone)


class MailAddress(models.Model):
    """What became of mail to one person's address. Only addresses that refused something have a row.

    It is about `email`: somebody whose address was changed since has a new one, which has refused nothing.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+", verbose_name=_("account")
    )
    email = models.EmailField(_("e-mail"))
    refusals = models.PositiveSmallIntegerField(_("times refused"), default=0)
    last_refused_at = models.DateTimeField(_("last refused"), null=True)
    last_refusal = models.TextField(_("what the other side said"), default="", blank=True)
    failing_since = models.DateTimeField(_("failing since"), null=True)
    asked_at = models.DateTimeField(_("test mail asked for"), null=True)

    class Meta:
        verbose_name = _("address that refused mail")
        verbose_name_plural = _("addresses that refused mail")
        indexes = [
            models.Index("failing_since", condition=Q(failing_since__isnull=False), name="notifications_address_fails")
        ]

    def __str__(self) -> str:
        return self.email


class CalendarFeed(models.Model):
    """A secret address under which calendar programs read one person's dates. Only the hash of the secret is kept.

    Made anew, the earlier one is revoked; what is revoked stays as a row, so that it is known when.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("account"))
    token_hash = models.CharField(_("hash of the secret"), max_length=64, unique=True)
    created_at = models.DateTimeField(_("made"))
    revoked_at = models.DateTimeField(_("revoked"), null=True)

    class Meta:
        verbose_name = _("calendar address")
        verbose_name_plural = _("calendar addresses")
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(revoked_at=None), name="notifications_one_calendar_address_a_person"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.created_at:%Y-%m-%d}"
