"""What the tests of the staff's pages share: a browser for a person, and the moment at which they press."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from html import unescape
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.cached_db import SessionStore
from django.http import HttpResponse
from django.test import Client

from accounts.models import User
from tests.asserting import everything
from tests.factories import NOW

# The morning after everything was brought about.
MORNING = NOW + timedelta(days=1)


def signed_in(user: User | None) -> Client:
    """The browser of `user`, with the session that signing in leaves; Django's force_login makes several on the way."""
    assert user is not None
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    client = Client()
    assert session.session_key is not None
    client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    return client


def text_of(response: HttpResponse | Any) -> str:
    """The page as text, with its entities read."""
    return unescape(response.content.decode())


@contextmanager
def only_looked_at() -> Iterator[None]:
    """What is done inside leaves every row as it was, but for the note that somebody looked."""
    before = _without_looks()
    yield
    assert _without_looks() == before


def _without_looks() -> dict[str, Any]:
    return {table: rows for table, rows in everything().items() if table != "accounts.AccessEntry"}


def at(hour: int) -> datetime:
    """So many hours after MORNING."""
    return MORNING + timedelta(hours=hour)
