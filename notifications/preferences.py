"""How people want to be told: which kinds, on which channel, at once or once a day, and in which hours not.

What is asked here of `Preferences` is arithmetic: nothing but `of`, `save` and `switch_off` looks at the database.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from django.db import transaction

from notifications import registry
from notifications.models import Channel, Notification, Preferences
from notifications.registry import Kind

_DAY = timedelta(days=1)


def of(user_ids: Collection[int]) -> dict[int, Preferences]:
    """The preferences of each of these accounts, in one query. Who never chose has those of a new row, unsaved."""
    found = Preferences.objects.in_bulk(list(user_ids))
    return {user_id: found.get(user_id) or Preferences(user_id=user_id) for user_id in user_ids}


def wants(preferences: Preferences, kind: Kind, channel: Channel) -> bool:
    """Whether they want to hear of `kind` on `channel`. What cannot be switched off is always wanted."""
    off = preferences.mail_off if channel is Channel.MAIL else preferences.bell_off
    return not kind.is_optional or kind.key not in off


def goes_into_digest(preferences: Preferences, kind: Kind, *, is_urgent: bool) -> bool:
    """Whether a mail of this kind waits for the one mail of the day."""
    return preferences.digest and kind.waits_for_digest and not is_urgent


def mail_at(preferences: Preferences, kind: Kind, *, at: datetime, is_urgent: bool) -> datetime:
    """When a mail that there is reason for at `at` (aware) is sent: never earlier, in UTC.

    At once when it is urgent; with the mail of the day for those who want one, whatever their quiet hours; else when
    their quiet hours are over.
    """
    if is_urgent:
        return at
    if goes_into_digest(preferences, kind, is_urgent=is_urgent):
        return next_digest(preferences, at=at)
    return quiet_until(preferences, at=at) or at


def next_digest(preferences: Preferences, *, at: datetime) -> datetime:
    """The first moment after `at` at which their mail of the day is sent: one a day of their time zone, also on the
    days on which the clocks are changed."""
    today = at.astimezone(preferences.zone).date()
    hour = time(preferences.digest_hour)
    moments = (_moment(today + days * _DAY, hour, preferences.zone) for days in range(3))
    return next(moment for moment in moments if moment > at)


def quiet_until(preferences: Preferences, *, at: datetime) -> datetime | None:
    """When the quiet hours end in which `at` lies; None outside of them. The first minute is quiet, the last is not."""
    begin, end = preferences.quiet_from, preferences.quiet_until
    if begin is None or end is None:
        return None
    local = at.astimezone(preferences.zone)
    now = local.timetz().replace(tzinfo=None, fold=0)
    if not (begin <= now < end if begin < end else now >= begin or now < end):
        return None
    day = local.date() if now < end else local.date() + _DAY
    first, second = (_moment(day, end.replace(fold=fold), preferences.zone) for fold in (0, 1))
    # The hour that comes twice: its first end may be over already. The hour that is skipped: over at once.
    return next((moment for moment in sorted((first, second)) if moment > at), None)


def _moment(day: date, hour: time, zone: tzinfo) -> datetime:
    return datetime.combine(day, hour, tzinfo=zone).astimezone(UTC)


def save(user_id: int, values: Mapping[str, Any], *, at: datetime) -> Preferences:
    """Keep what they chose at `at`: `values` are fields of `Preferences`. Mails that wait are timed by it anew."""
    with transaction.atomic():
        kept, _made = Preferences.objects.update_or_create(user_id=user_id, defaults=dict(values))
        waiting = (
            Notification.objects.filter(recipient_id=user_id, channel=Channel.MAIL, done_at=None, attempts=0)
            .filter(next_attempt_at__isnull=False, is_urgent=False)
            .select_for_update(skip_locked=True)
        )
        for mail in waiting:
            kind = registry.kind(mail.kind)
            mail.in_digest = goes_into_digest(kept, kind, is_urgent=False)
            mail.next_attempt_at = mail_at(kept, kind, at=at, is_urgent=False)
            mail.save(update_fields=["in_digest", "next_attempt_at"])
    return kept


def switch_off_mail(user_id: int, kinds: Collection[str]) -> None:
    """No mail about `kinds` any more; those that cannot be switched off are left as they are. Safe to repeat."""
    wanted = registry.optional_kinds().intersection(kinds)
    with transaction.atomic():
        Preferences.objects.get_or_create(user_id=user_id)
        kept = Preferences.objects.select_for_update().get(user_id=user_id)
        kept.mail_off = sorted({*kept.mail_off, *wanted})
        kept.save(update_fields=["mail_off"])
