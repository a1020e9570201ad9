"""A manager that refuses to run without a scope.

A query on a scoped model raises `Unscoped` unless it went through a method that calls `in_scope()`,
such as `visible_to(actor)`. So forgetting the scope is an error in the first test, not a leak.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Self, TypeVar, cast

from django.db import models
from django.db.models import sql

M = TypeVar("M", bound=models.Model, covariant=True)


# While a row is validated its unique values are compared with those of all rows, seen or not.
_looking_for_doubles: ContextVar[bool] = ContextVar("looking_for_doubles", default=False)


class Unscoped(RuntimeError):
    """A query on a scoped model was about to run without saying who asks."""


class _ScopedQuery(sql.Query):
    scoped = False

    def get_compiler(self, *args: Any, **kwargs: Any) -> Any:
        if not self.scoped and not _looking_for_doubles.get():
            name = self.model.__name__ if self.model else "?"
            raise Unscoped(f"{name} was queried without visible_to(actor)")
        return super().get_compiler(*args, **kwargs)


class ScopedQuerySet(models.QuerySet[M, M]):
    """Runs only after `in_scope()`."""

    def __init__(self, model: Any = None, query: Any = None, using: Any = None, hints: Any = None) -> None:
        super().__init__(model, query if query is not None or model is None else _ScopedQuery(model), using, hints)

    def in_scope(self) -> Self:
        """A copy that may run. For methods that have just limited the rows to what somebody may see."""
        copy = self.all()
        cast(_ScopedQuery, copy.query).scoped = True
        return copy

    def _must_be_scoped(self) -> None:
        if not getattr(self.query, "scoped", True):
            raise Unscoped(f"{self.model.__name__} was to be changed without visible_to(actor)")

    def update(self, **kwargs: Any) -> int:
        self._must_be_scoped()
        return super().update(**kwargs)

    def delete(self) -> tuple[int, dict[str, int]]:
        self._must_be_scoped()
        return super().delete()


class ScopedModel(models.Model):
    """A model whose default manager is scoped, and that forms can validate all the same: a double is a double."""

    class Meta:
        abstract = True

    def validate_unique(self, exclude: Collection[str] | None = None) -> None:
        with _comparing_with_all():
            super().validate_unique(exclude)

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        with _comparing_with_all():
            super().validate_constraints(exclude)


@contextmanager
def _comparing_with_all() -> Iterator[None]:
    token = _looking_for_doubles.set(True)
    try:
        yield
    finally:
        _looking_for_doubles.reset(token)
