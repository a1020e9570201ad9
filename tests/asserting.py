"""Assertions of our own."""

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from django.apps import apps
from django.db import connection, models

from approvals.models import DraftInput, Leg, TravelRequest
from approvals.models.clock import Clock
from audit.models import AppendOnly
from jobs.models import Job
from notifications.models import OutboxEvent


def _watched() -> list[type[models.Model]]:
    """Everything in which something that happened to a request or a list leaves a trace."""
    kept = [model for model in apps.get_models() if issubclass(model, AppendOnly) and model._meta.managed]
    appeals_and_files = [apps.get_model("approvals", name) for name in ("Amendment", "Appeal", "Attachment")]
    lists = [model for model in apps.get_app_config("sensitivity").get_models() if model not in kept]
    return [TravelRequest, Clock, Leg, DraftInput, OutboxEvent, Job, *appeals_and_files, *lists, *kept]


def everything() -> dict[str, dict[Any, dict[str, Any]]]:
    """Every row of every table that a step can touch: table → key → column → value, as JSON says it."""
    found: dict[str, dict[Any, dict[str, Any]]] = {model._meta.label: {} for model in _watched()}
    with connection.cursor() as cursor:
        cursor.execute(_every_row())
        for label, key, row in cursor.fetchall():
            found[label][key] = json.loads(row)
    return found


@cache
def _every_row() -> str:
    """All tables in one question: asked one by one they took longer than many a test that looks at them twice."""
    tables = [(model._meta.label, model._meta.pk.column, model._meta.db_table) for model in _watched()]
    return " UNION ALL ".join(
        f"SELECT '{label}', {key}::text, to_jsonb(kept)::text FROM {table} kept" for label, key, table in tables
    )


@contextmanager
def nothing_moved(*, apart_from: Collection[type[models.Model]] = ()) -> Iterator[None]:
    """What is done inside leaves state, clocks, history, audit log and outbox as they were, row by row.

    `apart_from`: models that may have new rows, such as the access log when something is looked at.
    """
    apart = {model._meta.label for model in apart_from}

    def watched() -> dict[str, dict[Any, dict[str, Any]]]:
        return {label: rows for label, rows in everything().items() if label not in apart}

    before = watched()
    yield
    assert watched() == before
