"""A person's dates for their calendar program: who says which dates there are, and the secret address to read them at.

An app registers a provider in AppConfig.ready:

    feeds.register(dates_of)      # (user, at) → Entry, …, in the active language

The address is the only key. It is shown once, when it is made; the database has its hash. Made anew or revoked, the
earlier one leads nowhere. It holds no name and no number, and is kept out of our logs (`discretion`).
"""

import hashlib
import secrets
from collections.abc import Callable, Iterable
from datetime import datetime

from django.db import transaction
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import User
from notifications import icalendar, tokens
from notifications.icalendar import Entry
from notifications.models import CalendarFeed

Provider = Callable[[User, datetime], Iterable[Entry]]

_providers: list[Provider] = []


def register(provider: Provider) -> None:
    """Have every feed hold what `provider` gives for its person, from now on. Safe to repeat."""
    if provider not in _providers:
        _providers.append(provider)


def renew(user: User, *, at: datetime) -> str:
    """A new secret address for the calendar of `user`, made at `at`; what they had before is revoked.

    This is the only time that it can be shown.
    """
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        # One after the other: two at once would each revoke nothing and make two.
        User.objects.select_for_update().get(pk=user.pk)
        revoke(user, at=at)
        CalendarFeed.objects.create(user=user, token_hash=_hash(token), created_at=at)
    return tokens.absolute(reverse("calendar_feed", args=[token]))


def revoke(user: User, *, at: datetime) -> bool:
    """Make the address of `user` lead nowhere from `at` on. Whether there was one."""
    return bool(CalendarFeed.objects.filter(user=user, revoked_at=None).update(revoked_at=at))


def current(user: User) -> CalendarFeed | None:
    """The address that `user` has now, without its secret; None when they have none."""
    return CalendarFeed.objects.filter(user=user, revoked_at=None).first()


def calendar(token: str, *, at: datetime) -> str | None:
    """The calendar (RFC 5545) to be read with this secret at `at`, in the language of its person.

    None when the secret is wrong, revoked or made anew, or the account is closed.
    """
    feed = (
        CalendarFeed.objects.filter(token_hash=_hash(token), revoked_at=None, user__is_active=True)
        .select_related("user")
        .first()
    )
    if feed is None:
        return None
    with translation.override(feed.user.language):
        entries = [entry for provider in _providers for entry in provider(feed.user, at)]
        return icalendar.written(entries, name=_("Exit approvals"), language=feed.user.language)


def _hash(token: str) -> str:
    # The secret has 256 bits: nothing slower than one hash is needed to keep it from being guessed.
    return hashlib.sha256(token.encode()).hexdigest()
