"""Writing a step of a request, or many at once: everything it changes and adds, in one SQL statement.

This is the place where speed lives, so that the rules need not know of it: the keys of all new rows are made in
Python, therefore rows that point at each other can be inserted, and clocks and request updated, by one statement with
data-modifying CTEs. Either all of it is written or nothing is.
"""

import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache
from itertools import compress
from operator import attrgetter, is_not
from typing import Any

import orjson
from django.contrib.postgres.fields import ArrayField
from django.db import DEFAULT_DB_ALIAS, connection, connections, models

from accounts.prepared import execute

Values = list[Any]
# A row that a step changes, and what `stored()` said of it before.
Changed = tuple[models.Model, dict[str, Any]]


def _quoted(name: str | None) -> str:
    assert name is not None
    return connection.ops.quote_name(name)


# Fields whose values go to the driver as they are; the others are asked.
_PLAIN = (
    models.CharField,
    models.TextField,
    models.BooleanField,
    models.IntegerField,
    models.DateField,
    models.UUIDField,
)


def _is_plain(field: models.Field[Any, Any]) -> bool:
    while field.is_relation:
        field = field.target_field  # type: ignore[attr-defined]
    return isinstance(field, _PLAIN) and type(field).__module__ == "django.db.models.fields"


def _placeholder(field: models.Field[Any, Any]) -> str:
    made = getattr(field, "get_placeholder", None)
    return str(made([], _PlainCompiler, connection)) if made else "%s"


class _PlainCompiler:
    """What a field asks of a compiler to write a placeholder for a plain value."""

    @staticmethod
    def compile(value: Any) -> tuple[str, tuple[Any, ...]]:
        return "%s", (value,)


class _Table:
    """A model as rows are written to it: its columns in order, and which of them need more than their value."""

    def __init__(self, model: type[models.Model]) -> None:
        self.fields = model._meta.concrete_fields
        self.names = tuple(field.attname for field in self.fields)
        self.name = _quoted(model._meta.db_table)
        self.columns = [_quoted(field.column) for field in self.fields]
        self.placeholders = [_placeholder(field) for field in self.fields]
        self.prepare = [None if _is_plain(field) else field.get_db_prep_save for field in self.fields]
        self.special = [index for index, prepare in enumerate(self.prepare) if prepare is not None]
        self.key = next(index for index, field in enumerate(self.fields) if field.primary_key)
        self.values_of = attrgetter(*self.names)
        self.places = {name: index for index, name in enumerate(self.names)}
        # What holds a list may be changed in place.
        self.mutable = [field.attname for field in self.fields if isinstance(field, models.JSONField | ArrayField)]
        self.labels = [str(index) for index in range(len(self.fields))]

    def row(self, row: models.Model, conn: Any) -> Values:
        """The values of all columns, as the driver takes them."""
        values = list(self.values_of(row))
        for index in self.special:
            values[index] = self.prepare[index](values[index], conn)  # type: ignore[misc]
        return values

    def changed(self, row: models.Model, before: dict[str, Any]) -> tuple[int, ...]:
        """The columns whose values differ from `before`, by their places."""
        now = row.__dict__
        places = self.places
        # What is still the same object has not changed: most of it, and found without a loop of Python's.
        others = compress(before, map(is_not, before.values(), map(now.get, before)))
        found = [places[name] for name in others if name in places and before[name] != now.get(name)]
        found += [places[name] for name in now.keys() - before.keys() if name in places and now[name] is not None]
        return tuple(sorted(found))

    def value(self, row: models.Model, index: int, conn: Any) -> Any:
        """The value of one column, as the driver takes it."""
        value, prepare = getattr(row, self.names[index]), self.prepare[index]
        return value if prepare is None else prepare(value, conn)

    def insert(self, *, with_key: bool) -> str:
        """The statement that inserts a row. A key that the database makes is left to it."""
        places = [index for index in range(len(self.fields)) if with_key or index != self.key]
        names = ", ".join(self.columns[index] for index in places)
        gaps = ", ".join(self.placeholders[index] for index in places)
        return f"INSERT INTO {self.name} ({names}) VALUES ({gaps})"  # noqa: S608

    def update(self, places: tuple[int, ...]) -> str:
        """The statement that updates these columns of the row with a key."""
        settings = ", ".join(f"{self.columns[index]} = {self.placeholders[index]}" for index in places)
        return f"UPDATE {self.name} SET {settings} WHERE {self.columns[self.key]} = %s"  # noqa: S608


_table = cache(_Table)

# What a statement is made of: a model with the columns to update, or None with whether the key is given to insert.
Part = tuple[type[models.Model], tuple[int, ...] | None, bool]


@lru_cache(maxsize=1024)
def _sql(parts: tuple[Part, ...]) -> str:
    """One statement of all parts. There are few kinds of steps, so it is nearly always there already."""
    *others, last = (
        _table(model).insert(with_key=with_key) if places is None else _table(model).update(places)
        for model, places, with_key in parts
    )
    if not others:
        return last
    return f"WITH {', '.join(f'step{index} AS ({part})' for index, part in enumerate(others))} {last}"


def stored(row: models.Model) -> dict[str, Any]:
    """What `row` holds now, to tell later what a step changed. Mutable values are copied one level deep."""
    held = row.__dict__.copy()
    for name in _table(type(row)).mutable:
        if isinstance(value := held.get(name), list):
            held[name] = list(value)
    return held


def statement(changed: Sequence[Changed], added: Iterable[models.Model]) -> tuple[str, Values] | None:
    """What `write` executes: one SQL statement and its values; None when there is nothing to write."""
    parts: list[Part] = []
    values: Values = []
    conn = connections[DEFAULT_DB_ALIAS]
    for row in added:
        table, with_key = _table(type(row)), row.pk is not None
        parts.append((type(row), None, with_key))
        found = table.row(row, conn)
        if not with_key:
            del found[table.key]
        values += found
    for row, before in changed:
        table = _table(type(row))
        if places := table.changed(row, before):
            parts.append((type(row), places, True))
            values += [table.value(row, index, conn) for index in (*places, table.key)]
    return (_sql(tuple(parts)), values) if parts else None


def write(changed: Sequence[Changed], added: Iterable[models.Model]) -> None:
    """Write one step: update each of `changed` (a row and what `stored()` said of it before) and insert all of `added`.

    One statement, inside the caller's transaction. The rows of `changed` must be locked by the caller. Constraint
    violations surface as IntegrityError, and then nothing is written.
    """
    rows = list(added)
    made = statement(changed, rows)
    if made is None:
        return
    with connection.cursor() as cursor:
        execute(cursor, made)
    for row in rows:
        row._state.adding = False
        row._state.db = DEFAULT_DB_ALIAS


@contextmanager
def without_collecting() -> Iterator[None]:
    """For a batch: it makes many small objects, none of them in cycles, and looking for cycles among them costs up to
    half of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


# ── many steps ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _as_hex(value: Any) -> str:
    """What JSON has no word for: bytes, as PostgreSQL reads them. Dates, moments and UUIDs orjson knows."""
    if isinstance(value, bytes | memoryview):
        return "\\x" + bytes(value).hex()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def as_json(rows: list[dict[str, Any]]) -> str:
    """Rows as one array of JSON, from which PostgreSQL makes values of the columns' types again."""
    return orjson.dumps(rows, default=_as_hex).decode()


@lru_cache(maxsize=1024)
def _many_sql(part: Part) -> str:
    """The statement that writes many rows alike, given as one array of JSON with a key for each column."""
    model, places, with_key = part
    table = _table(model)
    chosen = list(range(len(table.fields)) if places is None else (*places, table.key))
    if not with_key:
        chosen = [index for index in chosen if index != table.key]
    kinds = ", ".join(f'"{index}" {table.fields[index].db_type(connection)}' for index in chosen)
    source = f"json_to_recordset(%s::json) AS v({kinds})"
    if places is None:
        names = ", ".join(table.columns[index] for index in chosen)
        values = ", ".join(f'"{index}"' for index in chosen)
        return f"INSERT INTO {table.name} ({names}) SELECT {values} FROM {source}"  # noqa: S608
    settings = ", ".join(f'{table.columns[index]} = v."{index}"' for index in places)
    key = f'{table.name}.{table.columns[table.key]} = v."{table.key}"'
    return f"UPDATE {table.name} SET {settings} FROM {source} WHERE {key}"  # noqa: S608


Step = tuple[Sequence[Changed], Sequence[models.Model]]


def parts_of(steps: Iterable[Step]) -> dict[Part, list[dict[str, Any]]]:
    """The rows that `steps` change and add, those that are written alike together: column (by its place) → value."""
    parts: dict[Part, list[dict[str, Any]]] = {}
    for changed, added in steps:
        for row in added:
            table, with_key = _table(type(row)), row.pk is not None
            values = dict(zip(table.labels, table.values_of(row), strict=True))
            if not with_key:
                del values[table.labels[table.key]]
            parts.setdefault((type(row), None, with_key), []).append(values)
        for row, before in changed:
            table = _table(type(row))
            if places := table.changed(row, before):
                held = row.__dict__
                values = {table.labels[index]: held[table.names[index]] for index in (*places, table.key)}
                parts.setdefault((type(row), places, True), []).append(values)
    return parts


def write_many(steps: Iterable[Step]) -> None:
    """Write many steps at once, each as `write` would: what it changes, and what it adds.

    One statement, with all rows that go to one table (and change the same columns) together; so either all steps are
    written or none is. No row may be changed by two of them. The rows are not marked as saved.
    """
    parts = parts_of(steps)
    if not parts:
        return
    *others, last = (_many_sql(part) for part in parts)
    beginning = f"WITH {', '.join(f'step{n} AS ({sql})' for n, sql in enumerate(others))} " if others else ""
    with connection.cursor() as cursor:
        cursor.execute(beginning + last, [as_json(rows) for rows in parts.values()])
