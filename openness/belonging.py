"""Which rows belong to a request or a person: asked of the models, so that a table that comes later is not forgotten.

A row belongs to a request by its foreign key to it; a table without one belongs by what it points at. The database
follows the same rule when it erases (openness/migrations/0002_erasing.py).
"""

from collections.abc import Iterator
from functools import cache

from django.apps import apps
from django.db import models

from approvals.models import TravelRequest

_DEEPEST = 4


def relations(model: type[models.Model]) -> Iterator["models.ForeignKey[models.Model, models.Model]"]:
    """The foreign keys of `model`, one-to-one ones too."""
    for field in model._meta.concrete_fields:
        if isinstance(field, models.ForeignKey):
            yield field


def every_model() -> list[type[models.Model]]:
    """Every table that has a model, those of many-to-many relations too."""
    return [one for one in apps.get_models(include_auto_created=True) if one._meta.managed and not one._meta.proxy]


@cache
def path_to(model: type[models.Model], target: type[models.Model], deepest: int = _DEEPEST) -> str:
    """The lookup that leads from `model` to the row of `target` that it belongs to; empty when it belongs to none."""
    if model is target or deepest == 0:
        return ""
    for field in relations(model):
        if field.related_model is target:
            return field.name
    for field in relations(model):
        related = field.related_model
        if isinstance(related, type) and related is not model and (path := path_to(related, target, deepest - 1)):
            return f"{field.name}__{path}"
    return ""


@cache
def tables_of_requests() -> dict[type[models.Model], str]:
    """Every table that belongs to requests, with the lookup that leads to the request."""
    found = {model: path_to(model, TravelRequest) for model in every_model()}
    return {model: path for model, path in found.items() if path}


def files_of(request: TravelRequest) -> list[str]:
    """The names under which files of `request` are stored, in whatever table."""
    names: list[str] = []
    for model, path in tables_of_requests().items():
        for field in model._meta.concrete_fields:
            if isinstance(field, models.FileField):
                rows = model._base_manager.filter(**{path: request.pk}).exclude(**{field.name: ""})
                names.extend(rows.values_list(field.name, flat=True))
    return names
