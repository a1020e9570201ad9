"""A subject with a chain, as small as one can be: a trip."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from django.apps.registry import Apps
from django.db import connections, models, transaction
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

import audit
from audit import verbs
from audit.models import Chained, Entry

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Trip(Chained):
    """Not among the product's models: it has a registry of its own, and a table only where a test makes one."""

    id = models.UUIDField(primary_key=True, default=uuid7)

    class Meta:
        apps = Apps()
        app_label = "audit_tests"


@pytest.fixture
def spoken() -> Iterator[None]:
    """Two verbs that can be recorded."""
    verbs.register("test_asked", _("Submitted"))
    verbs.register("test_extended", lambda entry: f"{entry.data['days']} days longer")
    yield
    for name in ("test_asked", "test_extended"):
        del verbs._formatters[name]


@pytest.fixture
def trips(committed: None, spoken: None) -> None:
    """A table of trips in this test's database."""
    with connections["owner"].schema_editor() as editor:
        editor.create_model(Trip)
    with connections["owner"].cursor() as cursor:
        cursor.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON audit_tests_trip TO exit_app")


Happen = Callable[..., Entry]


@pytest.fixture
def happen(trips: None) -> Happen:
    """Record something about a trip as the workflow does: the entry and the trip's new head in one transaction."""

    def happen(trip: Trip, verb: str = "test_asked", at: datetime = MONDAY, **data: Any) -> Entry:
        with transaction.atomic():
            entry = audit.record(trip, verb, actor_id=7, actor_role="applicant", at=at, data=data)
            entry.save()
            trip.save()
        return entry

    return happen


@contextmanager
def without_triggers(*tables: str) -> Iterator[Any]:
    """A cursor of somebody who owns the schema and took the triggers off: what only the hashes can show."""
    with connections["owner"].cursor() as cursor:
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER append_only")
        yield cursor
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER append_only")
