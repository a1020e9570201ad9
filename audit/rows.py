"""Rows made without ceremony, for the tables that every step writes to.

Here because the log is the lowest of the apps, and the one that is written to most.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from django.db.models import Model
from django.db.models.base import ModelState

M = TypeVar("M", bound=Model)


@cache
def _defaults(model: type[Model]) -> tuple[dict[str, Any], list[tuple[str, Callable[[], Any]]], dict[str, str]]:
    """What a new row holds: constants, what is made anew for each row, and the relations with their columns."""
    constants, made = {}, []
    for field in model._meta.concrete_fields:
        if field.has_default() and callable(field.default):
            made.append((field.attname, field.default))
        else:
            constants[field.attname] = field.get_default()
    relations = {field.name: field.attname for field in model._meta.concrete_fields if field.is_relation}
    return constants, made, relations


def new(model: type[M], **values: Any) -> M:
    """A row that is not saved yet, as `model(**values)` makes it, several times faster.

    Neither `__init__` nor its signals run, and a name that is no field is not noticed.
    """
    constants, made, relations = _defaults(model)
    instance = model.__new__(model)
    held = instance.__dict__
    state = held["_state"] = ModelState()
    held.update(constants)
    for name, value in values.items():
        if name in relations:
            held[relations[name]] = None if value is None else value.pk
            state.fields_cache[name] = value
        else:
            held[name] = value
    for name, make in made:
        if name not in values:
            held[name] = make()
    return instance
