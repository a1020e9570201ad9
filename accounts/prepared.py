"""Queries that are compiled once.

Making SQL of a query set costs more than running it where the query is small and runs on every step. A `Prepared`
is made from a query set with named gaps; it keeps the SQL and fills in the gaps. The rows are the same instances,
with the same converters, related objects and annotations, as the query set would give.

What belongs to a row can come with it, as JSON of the database: `rows_with` is for the query, `rows_from` for the
instances.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from datetime import UTC, date, datetime, timedelta
from functools import cache, cached_property
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.conf import settings
from django.core.exceptions import EmptyResultSet
from django.db import connection, connections
from django.db.models import DateField, DateTimeField, JSONField, Model, QuerySet, UUIDField
from django.db.models.base import ModelState
from django.db.models.expressions import RawSQL
from django.db.models.query import get_related_populators

M = TypeVar("M", bound=Model)
Row = TypeVar("Row")

# What stands in a gap while the query is compiled: a value of the right type that no table holds.
_STANDING_IN: dict[type, Callable[[int], Any]] = {
    int: lambda n: 9_000_000_000_000_000_000 + n,
    str: lambda n: f"\ue000{n}\ue000",
    date: lambda n: date.min + timedelta(days=n),
    datetime: lambda n: datetime(1, 1, 2, tzinfo=UTC) + timedelta(days=n),
    UUID: lambda n: UUID(int=2**127 + n),
}


# After so many uses on one connection a statement is kept by the server; and so many are kept at most.
_WORTH_KEEPING = 5
_KEPT_AT_MOST = 200


class _OnServer:
    """Which statements the server keeps for one connection, by their SQL."""

    def __init__(self, raw: Any) -> None:
        self.raw = raw
        self.used: Counter[str] = Counter()
        self.kept: dict[str, str] = {}

    def text(self, cursor: Any, sql: str) -> str:
        """What to execute for `sql`: itself, or the call of what the server keeps."""
        if (call := self.kept.get(sql)) is not None:
            return call
        self.used[sql] += 1
        if self.used[sql] < _WORTH_KEEPING or len(self.kept) >= _KEPT_AT_MOST:
            return sql
        parts = sql.replace("%%", "%").split("%s")
        numbered = parts[0] + "".join(f"${n}{part}" for n, part in enumerate(parts[1:], 1))
        name = f"kept_{len(self.kept)}"
        cursor.execute(f"PREPARE {name} AS {numbered}", None)
        gaps = ", ".join(["%s"] * (len(parts) - 1))
        self.kept[sql] = f"EXECUTE {name} ({gaps})" if gaps else f"EXECUTE {name}"
        return self.kept[sql]


def execute(cursor: Any, *statements: tuple[str, Sequence[Any]]) -> None:
    """Execute SQL statements with their values in one round trip; the cursor holds the rows of the last.

    With PREPARE_STATEMENTS, those that a connection runs often are planned once for it (PREPARE), which for a small
    statement is most of its cost. For SQL that does not vary with its values, and not through a pooler that gives a
    connection to somebody else after each transaction.
    """
    values = [value for _sql, some in statements for value in some]
    if settings.PREPARE_STATEMENTS:
        # Of this thread: `connection` itself is one object for all of them, and passes on what it is asked.
        mine = connections[connection.alias]
        on_server = mine.__dict__.get("_on_server")
        if on_server is None or on_server.raw is not mine.connection:
            on_server = mine.__dict__["_on_server"] = _OnServer(mine.connection)
        cursor.execute("; ".join(on_server.text(cursor, sql) for sql, _values in statements), values)
    else:
        cursor.execute("; ".join(sql for sql, _values in statements), values)


class Prepared(Generic[Row]):
    """A query with named gaps. Called with a value for each gap, it gives the rows as a list.

    `build` makes the query set from a value for each gap; `gaps` names them with their types (int, str, date, aware
    datetime, UUID). A query set of `values_list` gives tuples. Compiled on the first call. ValueError when the query
    has no place for a gap, unless it is one of the `optional` ones. `before` is SQL that runs before it, in the same
    round trip, with the names of the gaps that it takes, such as one that locks: the query then sees what is there
    after it.
    """

    def __init__(
        self,
        build: Callable[..., QuerySet[Any, Row]],
        *,
        optional: Set[str] = frozenset(),
        before: tuple[str, Sequence[str]] = ("", ()),
        **gaps: type,
    ) -> None:
        self.build = build
        self.optional = optional
        self.before = before
        self.gaps = gaps

    def __call__(self, **values: Any) -> list[Row]:
        statement = self._statement
        if statement is None:
            return []
        params = list(statement.params)
        for index, name in statement.places:
            params[index] = values[name]
        sql, names = self.before
        with connection.cursor() as cursor:
            before = [(sql, [values[name] for name in names])] if sql else []
            execute(cursor, *before, (statement.sql, params))
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
        self.related = get_related_populators(info, self.compiler.select, connection.alias)  # type: ignore[call-arg]
        self.annotations = tuple((self.compiler.annotation_col_map or {}).items())

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
            for name, index in self.annotations:
                setattr(instance, name, row[index])
            made.append(instance)
        return made


def rows_with(model: type[Model], condition: str, *params: Any) -> RawSQL:
    """To annotate a query with: the rows of `model` that fulfil `condition` (SQL about `r`), for `rows_from`."""
    table = connection.ops.quote_name(model._meta.db_table)
    return RawSQL(f"(SELECT json_agg(r) FROM {table} r WHERE {condition})", params)  # noqa: S608, S611


@cache
def _columns(model: type[Model]) -> list[tuple[str, str, Callable[[str], Any] | None]]:
    return [
        (
            field.attname,
            str(field.column),
            next((read for kind, read in _FROM_JSON if isinstance(_plain(field), kind)), None),
        )
        for field in model._meta.concrete_fields
    ]


def _plain(field: Any) -> Any:
    while field.is_relation:
        field = field.target_field
    return field


# JSON has no moments, days and keys. A DateTimeField is a DateField too, so it comes first.
_FROM_JSON: list[tuple[type[Any], Callable[[str], Any]]] = [
    (DateTimeField, datetime.fromisoformat),
    (DateField, date.fromisoformat),
    (UUIDField, UUID),
]


def rows_from(model: type[M], found: list[dict[str, Any]] | None) -> list[M]:
    """The instances in what `rows_with` found, of models whose fields are text, numbers, moments, days, keys, JSON."""
    columns = _columns(model)
    names = [name for name, _column, _read in columns]
    return [
        model.from_db(
            connection.alias,
            names,
            [
                value if read is None or value is None else read(value)
                for value, read in ((row[column], read) for _name, column, read in columns)
            ],
        )
        for row in found or ()
    ]


@cache
def _documents(model: type[Model]) -> frozenset[str]:
    return frozenset(field.attname for field in model._meta.concrete_fields if isinstance(field, JSONField))


def bare(model: type[M], names: Sequence[str], values: Sequence[Any]) -> M:
    """An instance of a row that was read as `names` and `values`, as the driver gives them. The other fields are read
    when somebody asks for them. Several times faster than `from_db`: neither `__init__` nor its signals run."""
    instance = model.__new__(model)
    held = instance.__dict__
    held.update(zip(names, values, strict=True))
    for name in _documents(model):
        if isinstance(held.get(name), str):
            held[name] = json.loads(held[name])
    state = held["_state"] = ModelState()
    state.adding, state.db = False, connection.alias
    return instance
