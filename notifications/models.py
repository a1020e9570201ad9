"""The outbox (what happened, to be told) and the notifications (who is told what, on which channel)."""

from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
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
        """What `user_id` sees under the bell, the latest first."""
        return self.filter(recipient_id=user_id, channel=Channel.BELL).order_by("-id")

    def unread(self) -> Self:
        """Those not marked as read."""
        return self.filter(read_at=None)


class Notification(Attempt):
    """One person is told of one event on one channel, once: the three together are unique."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    event = models.ForeignKey(OutboxEvent, models.CASCADE, related_name="notifications", verbose_name=_("event"))
    audience = models.CharField(_("told as"), max_length=30)
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="notifications", verbose_name=_("to")
    )
    channel = models.CharField(_("channel"), max_length=4, choices=Channel.choices)
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
            models.Index("recipient", F("id").desc(), condition=Q(channel="bell"), name="notifications_bell"),
            models.Index("recipient", condition=Q(channel="bell", read_at__isnull=True), name="notifications_unread"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.event_id} → {self.recipient_id}"

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
