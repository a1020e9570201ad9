"""People who are told, and events to tell them of."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import LazySettings
from django.urls import reverse
from django.utils.translation import get_language
from uuid_utils.compat import uuid7

from accounts.models import User
from notifications import outbox, registry
from notifications.models import OutboxEvent
from notifications.registry import Notice
from tests.notifications.smtp import MailServer, mail_server

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

Happen = Callable[..., OutboxEvent]


def people(event: OutboxEvent) -> list[int]:
    return list(event.data["people"])


def officers(event: OutboxEvent) -> list[int]:
    return list(event.data.get("officers", []))


def context(event: OutboxEvent) -> dict[str, Any]:
    if event.data.get("poison"):
        raise ZeroDivisionError("poison")
    return {"number": event.data.get("number", "K7-2"), "language": get_language()}


@pytest.fixture
def events() -> Iterator[None]:
    """An event of which the applicant and the officers are told."""
    registry.register(
        Notice(
            event="test_submitted",
            audience="applicant",
            recipients=people,
            context=context,
            url=lambda event: reverse("notifications"),
            subject="%(number)s was received (%(language)s)",
            body="Dear traveller <b>,\n\nwe have %(number)s.",
        )
    )
    registry.register(
        Notice(
            event="test_submitted",
            audience="officers",
            recipients=officers,
            context=context,
            subject="%(number)s waits for you",
            body="Please look.",
        )
    )
    yield
    del registry._notices["test_submitted"]


@pytest.fixture
def happen(events: None) -> Happen:
    """Something happens, and the people in `people` are to be told."""

    def happen(*people: User, at: datetime = MONDAY, officers: tuple[User, ...] = (), **data: Any) -> OutboxEvent:
        ids = {"people": [person.pk for person in people], "officers": [person.pk for person in officers]}
        event = outbox.emit("test_submitted", subject=uuid7(), at=at, data=ids | data)
        event.save()
        return event

    return happen


def person(name: str, language: str = "en", **fields: Any) -> User:
    return User.objects.create_user(f"{name.lower()}@lab.example", name, language=language, **fields)


@pytest.fixture
def mails(settings: LazySettings) -> Iterator[MailServer]:
    """A real mail server, which the product sends by."""
    with mail_server() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        yield server
