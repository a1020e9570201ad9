"""Queries that are compiled once.

Making SQL of a query set costs more than running it where the query is small and runs on every step. A `Prepared`
is made from a query set with named gaps; it keeps the SQL and fills in the gaps. The rows are the same instances,
with the same converters and the same related objects, as the query set would give.
"""

from collections.abc import Callable, Mapping, Set
from datetime import date, timedelta
from functools import cached_property
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Model, QuerySet
from django.db.models.query import get_related_populators

M = TypeVar("M", bound=Model)
Row = TypeVar("Row")

# What stands in a gap while the query is compiled: a value of the right type that no table holds.
_STANDING_IN: dict[type, Callable[[int], Any]] = {
    int: lambda n: 9_000_000_000_000_000_000 + n,
    str: lambda n: f"\ue000{n}\ue000",
    date: lambda n: date.min + timedelta(days=n),
    UUID: lambda n: UUID(int=2**127 + n),
}


class Prepared(Generic[Row]):
    """A query with named gaps. Called with a value for each gap, it gives the rows as a list.

    `build` makes the query set from a value for each gap; `gaps` names them with their types (int, str, date, UUID).
    A query set of `values_list` gives tuples. Compiled on the first call, in the state of the connection then: a
    query that locks needs a transaction. ValueError when the query has no place for a gap, unless it is one of the
    `optional` ones.
    """

    def __init__(
        self, build: Callable[..., QuerySet[Any, Row]], *, optional: Set[str] = frozenset(), **gaps: type
    ) -> None:
        self.build = build
        self.optional = optional
        self.gaps = gaps

    def __call__(self, **values: Any) -> list[Row]:
        statement = self._statement
        if statement is None:
            return []
        params = list(statement.params)
        for index, name in statement.places:
            params[index] = values[name]
        with connection.cursor() as cursor:
            cursor.execute(statement.sql, params)
            rows = cursor.fetchall()
        return statement.made_of(rows)

    @cached_property
    def _statement(self) -> "_Statement | None":
        standing_in = {name: _STANDING_IN[kind](n) for n, (name, kind) in enumerate(self.gaps.items())}
        try:
            made = _Statement(self.build(**standing_in), standing_in)
        except EmptyResultSet:  # no row can fulfil the conditions, whatever the values
            return None
        if left := self.gaps.keys() - {name for _index, name in made.places} - self.optional:
            raise ValueError(f"no place in the query for {sorted(left)}")
        return made


class _Statement:
    """The SQL of a query set, where its gaps are, and how its rows become what the query set gives."""

    def __init__(self, queryset: QuerySet[Any, Any], standing_in: Mapping[str, Any]) -> None:
        query = queryset.query
        self.compiler = query.get_compiler(connection=connection)
        self.sql, params = self.compiler.as_sql()
        self.params = tuple(params)
        names = {(type(value), value): name for name, value in standing_in.items()}
        self.places = tuple(
            (index, names[type(value), value])
            for index, value in enumerate(self.params)
            if isinstance(value, int | str | date | UUID) and (type(value), value) in names
        )
        self.converters = self.compiler.get_converters([column[0] for column in self.compiler.select])
        self.plain = queryset._fields is not None  # type: ignore[attr-defined]
        info = self.compiler.klass_info
        if self.plain or info is None:
            return
        first, last = info["select_fields"][0], info["select_fields"][-1] + 1
        self.model, self.columns = info["model"], slice(first, last)
        self.names = [column[0].target.attname for column in self.compiler.select[self.columns]]
        self.related = get_related_populators(info, self.compiler.select, connection.alias)

    def made_of(self, rows: list[Any]) -> list[Any]:
        """The instances, or the tuples, that are in `rows`."""
        if self.converters:
            rows = list(self.compiler.apply_converters(rows, self.converters))
        if self.plain:
            return [tuple(row) for row in rows]
        made = []
        for row in rows:
            instance = self.model.from_db(connection.alias, self.names, row[self.columns])
            for related in self.related:
                related.populate(row, instance)
            made.append(instance)
        return made
