"""People who are told, and events to tell them of."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from django.conf import LazySettings
from django.urls import reverse
from django.utils.translation import get_language
from uuid_utils.compat import uuid7

from accounts.models import User
from notifications import outbox, registry
from notifications.models import OutboxEvent
from notifications.registry import Kind, Notice
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
    """Events: news of which the applicant and the officers are told, and a reminder that nobody can switch off."""
    registry.register_kind(Kind(key="test-news", label="Test news", examples="All of it."))
    registry.register_kind(Kind(key="test-due", label="Test dates", examples="", why_always="It cannot wait."))
    registry.register(
        Notice(
            event="test_submitted",
            audience="applicant",
            recipients=people,
            context=context,
            url=lambda event: reverse("notifications"),
            subject="%(number)s was received (%(language)s)",
            body="Dear traveller <b>,\n\nwe have %(number)s.",
            kind="test-news",
            is_urgent=lambda event: bool(event.data.get("urgent")),
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
    registry.register(
        Notice(
            event="test_due",
            audience="whose turn",
            recipients=people,
            context=context,
            subject="%(number)s is due",
            body="Please act.",
            kind="test-due",
            repeats=True,
        )
    )
    yield
    for event in ("test_submitted", "test_due"):
        del registry._notices[event]
    for kind in ("test-news", "test-due"):
        del registry._kinds[kind]


@pytest.fixture
def happen(events: None) -> Happen:
    """Something happens, and the people in `people` are to be told."""

    def happen(
        *people: User,
        event: str = "test_submitted",
        subject: UUID | None = None,
        at: datetime = MONDAY,
        officers: tuple[User, ...] = (),
        **data: Any,
    ) -> OutboxEvent:
        ids = {"people": [person.pk for person in people], "officers": [person.pk for person in officers]}
        row = outbox.emit(event, subject=subject or uuid7(), at=at, data=ids | data)
        row.save()
        return row

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
