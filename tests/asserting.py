"""Assertions of our own."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.db import models

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
    """Every row of every table that a step can touch: table → key → column → value."""
    return {
        model._meta.label: {row["pk"]: row for row in model._base_manager.values("pk", *_columns(model))}
        for model in _watched()
    }


def _columns(model: type[models.Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]


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
